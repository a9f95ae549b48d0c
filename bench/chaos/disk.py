"""A disk of the stack's own, that can be made full without filling anybody else's."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

SIZE = 2 << 30
"""Bytes. It is memory, but only what is used of it."""


class Disk:
    """Where the stack keeps its data."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def mount(self) -> bool:
        """Give the data a disk of its own, if that is permitted: only root may."""
        self.place.mkdir()
        options = f"size={SIZE},mode=755"
        mount = ["mount", "-t", "tmpfs", "-o", options, "mash-chaos", str(self.place)]
        return subprocess.run(mount, capture_output=True, check=False).returncode == 0

    def unmount(self) -> None:
        """Give it back."""
        subprocess.run(["umount", "--lazy", str(self.place)], check=False)  # noqa: S607  as root's PATH finds it

    def fill(self) -> None:
        """Nothing more can be written: the disk shrinks to what is on it."""
        for _ in range(50):
            found = os.statvfs(self.place)
            if self._resize((found.f_blocks - found.f_bfree) * found.f_frsize):
                return
        raise RuntimeError("the disk could not be filled")

    def empty(self) -> None:
        """There is room again."""
        self._resize(SIZE)

    def _resize(self, size: int) -> bool:
        resize = ["mount", "-o", f"remount,size={size}", str(self.place)]
        return subprocess.run(resize, capture_output=True, check=False).returncode == 0
