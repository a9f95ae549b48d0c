"""The `mash` command, run as a person runs it."""

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
from commands import mash, mash_here
from hub import Hub, eventually

from mash.flows.installation.stack import free_port


def test_states_prints_the_machine_as_a_mermaid_diagram() -> None:
    assert mash("states").stdout.startswith("stateDiagram-v2")


def test_a_further_command_that_cannot_be_loaded_is_said_at_every_start(tmp_path: Path) -> None:
    installed = tmp_path / "broken-1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Name: broken\nVersion: 1.0\n")
    (installed / "entry_points.txt").write_text("[mash.commands]\nmend = no_such_module:mend\n")
    refused = mash("states", PYTHONPATH=str(tmp_path))
    assert refused.returncode == 2
    assert refused.stderr.startswith("mash: the command `mend` (no_such_module:mend) cannot be loaded")


def test_profile_show_marks_what_is_stated_and_what_is_a_default() -> None:
    shown = mash_here("profile", "show", "sandwell", COLUMNS="200").stdout
    assert "Red 4 hours" in shown
    assert "product default" in shown


def test_a_wrong_profile_is_refused_with_file_line_and_what_is_expected(tmp_path: Path) -> None:
    shipped = Path(__file__).parent.parent.parent / "config" / "hubs" / "merton.toml"
    own = tmp_path / "ours.toml"
    own.write_text(shipped.read_text().replace('route = ["strategy_discussion", "decision"]', 'route = ["straight_ahead"]'))
    line = 1 + own.read_text().splitlines().index('route = ["straight_ahead"]')
    refused = mash_here("profile", "check", "ours", MASH_PROFILES_DIR=str(tmp_path))
    assert refused.returncode == 2
    assert f"{own}:{line}: ratings.red.route" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_case_tells_its_story_and_every_chain_verifies(hub: Hub) -> None:
    reference = hub.referral()
    where = {"MASH_DATA_DIR": str(hub.settings.data_dir)}
    story = mash_here("log", reference, **where)
    assert "Contact received" in story.stdout and "Quillfeather" not in story.stdout
    assert mash_here("log", "verify", **where).stdout.strip().endswith("every chain verifies")
    unknown = mash_here("log", "MASH-26-999999", **where)
    assert (unknown.returncode, unknown.stderr) == (2, "mash: no referral MASH-26-999999\n")


def test_a_token_and_a_key_made_on_the_command_line_work(hub: Hub) -> None:
    where = {"MASH_DATA_DIR": str(hub.settings.data_dir)}
    token = mash_here("token", "duty_manager", "sandwell", **where).stdout.strip()
    assert hub.http.get("/cases", headers={"Authorization": f"Bearer {token}"}).status_code == 200
    key = mash_here("key", "create", "clinic", "sandwell", "--agency", "health", **where).stdout.strip()
    headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": "first"}
    assert hub.http.post("/referrals", json={"concern": {"summary": "Worried."}}, headers=headers).status_code == 201


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
