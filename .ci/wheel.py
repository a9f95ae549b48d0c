"""That a wheel has every file of the tree that the product reads: python .ci/wheel.py FOLDER. Says what is missing."""

from __future__ import annotations

import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
FETCHED = "mash/api/pages/fetched/"
PLAIN = "no page has the Design System's style sheet, nor is live: npm, or its registry, was not there"


def main(folder: Path) -> None:
    """Look at the one wheel of a folder."""
    (wheel,) = folder.glob("*.whl")
    has = {name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("mash/")}
    if missing := sorted(tracked() - has):
        sys.exit(f"{wheel} lacks {', '.join(missing)}: see [tool.setuptools] in pyproject.toml")
    print(f"{wheel}: {len(has)} files" + ("" if any(name.startswith(FETCHED) for name in has) else f"; {PLAIN}"))


def tracked() -> set[str]:
    """The product's files, as git knows them, by their names in a wheel."""
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]["packages"]
    folders = sorted({package.split(".")[1] for package in packages})
    asked = ["git", "ls-files", "--cached", "--others", "--exclude-standard", *folders]
    listed = subprocess.run(asked, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()
    return {f"mash/{name}" for name in listed if not Path(name).name.startswith(".") and (ROOT / name).is_file()}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
