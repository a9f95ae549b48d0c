"""`make fuzz MINUTES=30`: schemathesis against a hub of its own, and beside it atheris on every parser, in equal parts. With
`SEED=1` from that beginning, and not from another at each run."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parents[1] / "support"), str(HERE)]

from against import schemathesis  # noqa: E402  # found by the line above: the tests are no package
from hub import temporary_hub  # noqa: E402  # the same
from parsers import PARSERS  # noqa: E402  # the same


def main(minutes: float, seed: str = "") -> int:
    """Both, side by side, to the end; 1 when either found something."""
    folder = Path(tempfile.mkdtemp(prefix="mash-fuzz-"))
    with temporary_hub(rate=60) as hub, ThreadPoolExecutor(1) as beside:
        failed = beside.submit(_parsers, folder, max(2, int(minutes * 60 / len(PARSERS))), seed or "0")
        begun = ("--seed", seed) if seed else ()
        found = schemathesis(hub, folder, "--max-time", str(int(minutes * 60)), "--continue-on-failure", *begun)
        print(found.stdout, found.stderr, flush=True)
        broken = failed.result() + ([] if found.returncode == 0 else ["the API"])
    print(f"findings: {', '.join(broken) or 'none'}; inputs that broke something are in {folder}")
    return int(bool(broken))


def _parsers(folder: Path, seconds: int, seed: str) -> list[str]:
    """Feed each parser for so long; returns those that broke their promise."""
    failed = []
    for name in PARSERS:
        command = [sys.executable, str(HERE / "run_parsers.py"), name, str(seconds), seed]
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": str(HERE)}
        )
        runs = next((line for line in done.stderr.splitlines() if line.startswith("Done ")), "broke its promise")
        print(f"{name}: {runs}", flush=True)
        if done.returncode:
            failed.append(name)
            print(f"exit code {done.returncode}", done.stdout[-2000:], done.stderr[-4000:], sep="\n")
    return failed


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]), *sys.argv[2:]))
