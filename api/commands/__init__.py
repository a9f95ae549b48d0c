"""The `mash` command: a group of its commands a module."""
