"""Measuring: what an installation does under load, at rest, at a deadline, after a crash, and when it has grown."""
