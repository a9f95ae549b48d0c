"""Which locked packages are behind their newest release, and why each stays. What is locked for other machines is left out."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import distributions
from pathlib import Path
from typing import NamedTuple

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
REASONS = ROOT / ".ci" / "outdated.toml"
OURS = "mash-pipeline"
LOCKED = re.compile(r"^([a-z0-9][a-z0-9._-]*)(?:\[[^]]*\])?==", re.MULTILINE)


class Behind(NamedTuple):
    """A package that is behind, and who asks for it: each by name, with what it takes, and whether the newest is among that."""

    name: str
    version: str
    newest: str
    asked: tuple[tuple[str, str, bool], ...]

    @property
    def direct(self) -> bool:
        """Whether we ask for it ourselves."""
        return any(who == OURS for who, _, _ in self.asked)

    @property
    def holders(self) -> list[str]:
        """Who does not take the newest."""
        return [f"{who} ({takes})" for who, takes, newest in self.asked if not newest]


def main() -> int:
    """1 for a package that we ask for and that is behind without a reason."""
    lines, missing = report(list(behind()), tomllib.loads(REASONS.read_text(encoding="utf-8")))
    print("\n".join(lines))
    return int(missing)


def report(found: list[Behind], reasons: dict[str, str]) -> tuple[list[str], bool]:
    """A line for each package that is behind and each reason that has had its day, and whether a reason is missing."""
    lines = [f"{package.name} {package.version}, newest {package.newest}: {why(package, reasons)}" for package in found]
    gone = sorted(reasons.keys() - {package.name for package in found})
    lines += [f"{name}: no longer behind, its reason can go" for name in gone]
    return lines or ["nothing is behind"], any(package.direct and package.name not in reasons for package in found)


def why(package: Behind, reasons: dict[str, str]) -> str:
    """Why it stays: our reason, or who holds it."""
    held = f"held by: {', '.join(package.holders) or 'nobody that says so; try `make lock ARGS=--upgrade`'}"
    return reasons.get(package.name) or (f"NO REASON GIVEN; {held}" if package.direct else held)


def behind() -> Iterator[Behind]:
    """What the package index has newer releases of, among what is locked and installed."""
    uv = str(Path(sys.executable).with_name("uv"))
    command = [uv, "pip", "list", "--python", sys.executable, "--outdated", "--format=json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"NOT ASKED: {(done.stderr.strip().splitlines() or ['no answer'])[-1][:200]}")
    locked = set(LOCKED.findall((ROOT / "requirements.lock").read_text(encoding="utf-8")))
    for package in json.loads(done.stdout):
        name = str(canonicalize_name(package["name"]))
        if name in locked:
            yield Behind(name, package["version"], package["latest_version"], tuple(asked(name, package["latest_version"])))


def asked(name: str, newest: str) -> Iterator[tuple[str, str, bool]]:
    """Who asks for a package here: by name, what it takes, and whether it takes the newest."""
    for package in distributions():
        extra = {"extra": "dev" if package.name == OURS else ""}
        for wanted in map(Requirement, package.requires or ()):
            if canonicalize_name(wanted.name) == name and (wanted.marker is None or wanted.marker.evaluate(extra)):
                yield package.name, str(wanted.specifier) or "any", wanted.specifier.contains(newest, prereleases=True)


if __name__ == "__main__":
    sys.exit(main())
