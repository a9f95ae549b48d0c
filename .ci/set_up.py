"""`make setup`: the environment, its packages, the links by which tools find the modules, and what pages load."""

from __future__ import annotations

import re
import subprocess
import sys
import time
import tomllib
import venv
from pathlib import Path

ROOT = Path(__file__).parents[1]
HOME = ROOT / ".venv"
PYTHON = HOME / "bin" / "python"
LINKS = ROOT / ".dev" / "mash"
LOG = HOME / "setup.log"
EVERY = 5.0
"""Seconds between two words about what takes minutes."""
PIP = ("-m", "pip", "install", "--disable-pip-version-check", "--no-deps")


def main() -> None:
    """All of it; what is there already is left as it is."""
    began = time.monotonic()
    step(1, f"the environment, .venv, with Python {sys.version.split()[0]}")
    venv.create(HOME, with_pip=True, symlinks=True)
    locked = len(re.findall(r"^\S+==", (ROOT / "requirements.lock").read_text(encoding="utf-8"), re.MULTILINE))
    step(2, f"the packages that are locked, {locked} at most, each checked by its digest; a few minutes on a fresh machine")
    install(*PIP, "--require-hashes", "--no-compile", "-r", "requirements.lock")
    # Pip does this with one core; without it every start would take seconds longer. What does not compile stays as it is.
    compiled = [PYTHON, "-m", "compileall", "-qq", "-j", "0", *HOME.glob("lib/python*/site-packages")]
    subprocess.run(compiled, check=False, stdout=subprocess.DEVNULL)
    step(3, "this tree as the package mash, and .dev/mash, by which type checkers and editors find it")
    install(*PIP, "--no-build-isolation", "-e", ".")
    links = link()
    step(4, "what pages load: the GOV.UK Design System's style sheet, and htmx")
    pages = fetch()
    version = subprocess.run([HOME / "bin" / "mash", "--version"], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    print(
        f"""
Set up in {time.monotonic() - began:.0f} s: {version}
  .venv      {packages()} packages; the command is .venv/bin/mash
  .dev/mash  links to {", ".join(links)}; editors read in pyproject.toml that they are there
  pages      {pages}
Next: make test (the tests), make demo (two hubs' busy days), make help (what else there is)."""
    )


def step(number: int, what: str) -> None:
    """Say what comes now."""
    print(f"{number} of 4  {what}", flush=True)


def install(*arguments: str) -> None:
    """Run pip, say every few seconds how far it is, and end with its own last words where it fails."""
    with LOG.open("w", encoding="utf-8") as log:
        running = subprocess.Popen([PYTHON, *arguments], cwd=ROOT, stdout=log, stderr=subprocess.STDOUT)
        shown = ""
        while True:
            try:
                failed = running.wait(EVERY)
                break
            except subprocess.TimeoutExpired:
                collected = LOG.read_text(encoding="utf-8").count("Collecting ")
                now = f"        {collected} fetched, {packages()} installed"
                if now != shown:
                    print(shown := now, flush=True)
    if failed:
        sys.exit(f"{LOG.read_text(encoding='utf-8')[-3000:]}\nSet-up ended at this step; all that pip said is in {LOG}.")


def packages() -> int:
    """How many are installed."""
    # By name alone: a folder that is walked into may be gone while pip takes an older package away.
    return len(list(HOME.glob("lib/python*/site-packages/*.dist-info")))


def fetch() -> str:
    """Fetch what pages load, and say whether they have it."""
    done = subprocess.run([PYTHON, ".ci/fetch_pages.py"], cwd=ROOT, check=False, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        return done.stderr.strip().splitlines()[-1]
    return "look like the GOV.UK Design System and are live: it is in api/pages/fetched"


def link() -> list[str]:
    """Link the folders of the tree under the name by which they are imported."""
    mapped = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]["packages"]
    folders = sorted({package.split(".")[1] for package in mapped})
    LINKS.mkdir(parents=True, exist_ok=True)
    for old in LINKS.iterdir():
        old.unlink()
    for folder in folders:
        (LINKS / folder).symlink_to(Path("..") / ".." / folder)
    return folders


if __name__ == "__main__":
    main()
