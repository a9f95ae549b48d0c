"""`make fuzz MINUTES=30`: schemathesis against a hub of its own, then atheris on every parser for two seconds a minute each."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

from against import schemathesis  # noqa: E402  # found by the line above: the tests are no package
from hub import temporary_hub  # noqa: E402
from parsers import PARSERS  # noqa: E402


def main(minutes: float) -> int:
    """Both, to the end; 1 when either found something."""
    folder = Path(tempfile.mkdtemp(prefix="mash-fuzz-"))
    with temporary_hub(rate=60) as hub:
        found = schemathesis(hub, folder, "--max-time", str(int(minutes * 60)), "--continue-on-failure")
    print(found.stdout, found.stderr, flush=True)
    failed = [] if found.returncode == 0 else ["the API"]
    for name in PARSERS:
        command = [sys.executable, str(HERE / "run_parsers.py"), name, str(max(2, int(minutes * 2)))]
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": str(HERE)}
        )
        runs = next((line for line in done.stderr.splitlines() if line.startswith("Done ")), "broke its promise")
        print(f"{name}: {runs}", flush=True)
        if done.returncode:
            failed.append(name)
            print(done.stderr[-4000:])
    print(f"findings: {', '.join(failed) or 'none'}; inputs that broke something are in {folder}")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1])))
