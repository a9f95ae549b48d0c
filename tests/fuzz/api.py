"""schemathesis against a whole running hub, with every check and valid credentials. `make fuzz MINUTES=30`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


def schemathesis(hub: object, *options: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run it against a hub (tests/hub.py), as its staff and as a referrer's system; what it finds is in its output."""
    environment = {
        **os.environ,
        "SCHEMATHESIS_HOOKS": "hooks",
        "PYTHONPATH": str(HERE),
        "FUZZ_KEY": hub.key,  # type: ignore[attr-defined]
        "FUZZ_TOKEN": hub.staff("duty_manager")["Authorization"],  # type: ignore[attr-defined]
        "FUZZ_REFERENCES": ",".join(hub.referral() for _ in range(5)),  # type: ignore[attr-defined]
    }
    address = f"{hub.settings.base_url}/openapi.json"  # type: ignore[attr-defined]
    command = ["schemathesis", "--config-file", str(HERE / "schemathesis.toml"), "run", address, *options]
    program = [str(Path(sys.executable).with_name(command[0])), *command[1:]]
    return subprocess.run(program, env=environment, cwd=folder, capture_output=True, text=True, check=False)
