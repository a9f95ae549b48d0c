"""How a part of ours begins: with all that it imports, at once."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def imported() -> Iterator[None]:
    """Import within this. Nothing is looked for that could be thrown away: nothing could, and to look was a fifth of a part's
    start. What is there at the end is never looked through again: that would hold up whoever asks then, for 100 ms."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
