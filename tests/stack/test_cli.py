"""The `mash` command in a process of its own: it starts, refuses to start, and leaves nothing behind."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import httpx
import psutil
import pytest
from commands import mash
from hub import Hub, eventually

from mash.flows.installation.stack import free_port


def test_states_prints_the_machine_as_a_mermaid_diagram() -> None:
    assert mash("states").stdout.startswith("stateDiagram-v2")


@pytest.mark.parametrize(
    "content",
    ['[sandwell]\nduty_manager = "not a list"', "not toml at all [", '[sandwell]\nduty_manager = ["nonsense://secret-token"]'],
)
def test_a_wrong_channels_file_is_refused_at_start(hub: Hub, tmp_path: Path, content: str) -> None:
    channels = tmp_path / "channels.toml"
    channels.write_text(content)
    channels.chmod(0o600)
    refused = mash("worker", MASH_DATA_DIR=str(hub.settings.data_dir), MASH_CHANNELS_FILE=str(channels))
    assert (refused.returncode, "MASH_CHANNELS_FILE" in refused.stderr) == (2, True)
    assert "secret-token" not in refused.stderr


def test_secrets_that_others_can_read_are_refused(hub: Hub, tmp_path: Path) -> None:
    channels = tmp_path / "channels.toml"
    channels.write_text("")
    channels.chmod(0o644)
    refused = mash("worker", MASH_DATA_DIR=str(hub.settings.data_dir), MASH_CHANNELS_FILE=str(channels))
    assert f"chmod 600 {channels}" in refused.stderr


def test_up_starts_everything_prints_the_addresses_and_leaves_no_process_behind() -> None:
    folder = Path(tempfile.mkdtemp(prefix="mash-up-"))
    folder.chmod(0o755)
    port = free_port()
    environment = {
        **os.environ,
        "MASH_DATA_DIR": str(folder),
        "MASH_API_PORT": str(port),
        "MASH_PREFECT_API_URL": f"http://127.0.0.1:{free_port()}/api",
    }
    up = subprocess.Popen(
        [sys.executable, "-m", "mash.api.commands.mash", "up"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
    )
    try:
        eventually(lambda: answers(f"http://127.0.0.1:{port}/health"))
        parts = [child.pid for child in psutil.Process(up.pid).children()]
        postmaster = int((folder / "postgres" / "postmaster.pid").read_text().splitlines()[0])
        assert len(parts) == 4 and postmaster in parts
        up.send_signal(signal.SIGINT)
        printed, _ = up.communicate(timeout=30)
        assert up.returncode == 0
        assert f"http://127.0.0.1:{port}/docs" in printed
        eventually(lambda: not any(psutil.pid_exists(pid) for pid in [*parts, postmaster]), 10)
    finally:
        if up.poll() is None:
            up.terminate()
            up.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


def answers(address: str) -> bool:
    """Whether somebody answers there."""
    try:
        return httpx.get(address, timeout=2).status_code == 200
    except httpx.HTTPError:
        return False
