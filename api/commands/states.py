"""`mash states`: what may follow what."""

from __future__ import annotations

from mash.states.chart import diagram


def states() -> None:
    """Print the state machine as a Mermaid diagram."""
    print(diagram())
