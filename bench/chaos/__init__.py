"""Random faults under load, then the ledger is audited: nothing that was accepted is lost, and nothing happens twice unseen."""

from mash.bench.chaos.run import run_chaos

__all__ = ["run_chaos"]
