"""`mash audit self-test`: attacks against a running installation of its own, one line each; all must be refused."""

from mash.api.self_test.run import run_self_test

__all__ = ["run_self_test"]
