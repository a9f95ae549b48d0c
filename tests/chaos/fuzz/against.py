"""schemathesis against a whole running hub, with valid credentials, real cases and real links."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from mash.notifications.links import AlertLink, sign

if TYPE_CHECKING:
    from hub import Hub

HERE = Path(__file__).parent


def schemathesis(hub: Hub, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run it against a hub, as its staff and as a referrer's system. What it finds is in its output."""
    assert hub.settings.token_key
    token_key = hub.settings.token_key.get_secret_value()
    references = [hub.referral() for _ in range(5)]
    hub.rate(references[0])
    links = [
        AlertLink(reference=one, hub="sandwell", clock=hub.case(one)["clocks"][0]["id"], role="duty_manager", notice=1)
        for one in references
    ]
    environment = {
        **os.environ,
        "SCHEMATHESIS_HOOKS": "hooks",
        "PYTHONPATH": str(HERE),
        "FUZZ_KEY": hub.key,
        "FUZZ_STAFF": hub.staff("duty_manager")["Authorization"],
        "FUZZ_GOVERNANCE": hub.staff("information_governance")["Authorization"],
        "FUZZ_REFERENCES": ",".join(references),
        "FUZZ_LINKS": ",".join(sign(token_key, link) for link in links),
    }
    program = [
        str(Path(sys.executable).with_name("schemathesis")),
        "--no-color",
        "--config-file",
        str(HERE / "schemathesis.toml"),
    ]
    command = [*program, "run", f"{hub.settings.base_url}/openapi.json", "--generation-database", "none", *options]
    return subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=False)
