"""The generators of clients that integrators use, in build/clients: openapi-python-client in an environment of its own (it holds
typer back), openapi-typescript and TypeScript beside it. Made once; `tests/clients` asks for it."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).parent
HOME = HERE.parent / "build" / "clients"
LOCKS = (HERE / "clients.lock", HERE / "clients" / "package.json", HERE / "clients" / "package-lock.json")


def main() -> None:
    """Make it, unless it is there as the locks have it."""
    stamp, locked = HOME / ".ready", hashlib.sha256(b"".join(lock.read_bytes() for lock in LOCKS)).hexdigest()
    if stamp.exists() and stamp.read_text() == locked:
        return
    if not (npm := shutil.which("npm")):
        sys.exit("npm is not installed: clients in TypeScript cannot be tried (Debian: apt-get install nodejs npm)")
    shutil.rmtree(HOME, ignore_errors=True)
    venv.create(HOME, with_pip=True, symlinks=True)
    pip = [HOME / "bin" / "python", "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--no-deps"]
    subprocess.run([*pip, "--require-hashes", "-r", LOCKS[0]], check=True)
    for lock in LOCKS[1:]:
        shutil.copy(lock, HOME)
    subprocess.run([npm, "ci", "--silent", "--no-audit", "--no-fund"], cwd=HOME, check=True)
    stamp.write_text(locked)


if __name__ == "__main__":
    main()
