"""The `mash` command in a process of its own: it starts, refuses to start, and leaves nothing behind."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import httpx
import psutil
import pytest
from commands import mash
from hub import PATIENCE, Hub, eventually

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
        children = eventually(lambda: len(found := psutil.Process(up.pid).children()) == 4 and found)
        parts = [child.pid for child in children]
        postmaster = int((folder / "postgres" / "postmaster.pid").read_text().splitlines()[0])
        assert postmaster in parts
        up.send_signal(signal.SIGINT)
        printed, _ = up.communicate(timeout=PATIENCE)
        assert up.returncode == 0
        assert f"http://127.0.0.1:{port}/docs" in printed
        eventually(lambda: not any(psutil.pid_exists(pid) for pid in [*parts, postmaster]))
    finally:
        if up.poll() is None:
            up.terminate()
            up.wait(PATIENCE)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.parametrize(
    ("setting", "value"), [("MASH_API_PORT", "{}"), ("MASH_PREFECT_API_URL", "http://127.0.0.1:{}/api")], ids=["api", "prefect"]
)
def test_up_says_that_a_port_is_taken_before_anything_starts(tmp_path: Path, setting: str, value: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ports = {"MASH_API_PORT": str(free_port()), "MASH_PREFECT_API_URL": f"http://127.0.0.1:{free_port()}/api"}
        ended = mash("up", **{**ports, "MASH_DATA_DIR": str(tmp_path / "data"), setting: value.format(port)})
    assert ended.returncode == 2 and "http" not in ended.stdout, "no address of somebody else's server is printed"
    assert f"127.0.0.1:{port} cannot be listened at (another program listens there" in ended.stderr
    assert f"choose another by {setting}" in ended.stderr
    assert not (tmp_path / "data").exists()


def test_up_says_how_ports_are_chosen_and_for_what_it_is() -> None:
    printed = mash("up", "--help").stdout
    for word in ("MASH_API_PORT", "MASH_PREFECT_API_URL", "MASH_DATA_DIR", "one machine", "mash init"):
        assert word in printed


def test_up_ends_with_what_to_do_where_a_part_has_to_be_mended_first(hub: Hub, tmp_path: Path) -> None:
    addresses = {
        f"MASH_{name.upper()}": getattr(hub.settings, name).get_secret_value()
        for name in ("database_url", "owner_database_url", "prefect_database_url")
    }
    wrong = addresses["MASH_DATABASE_URL"].replace("mash_app@", "nobody@")
    ended = mash(
        "up",
        **addresses,
        MASH_SYSTEM_DATABASE_URL=wrong,
        MASH_DATA_DIR=str(tmp_path / "data"),
        MASH_API_PORT=str(free_port()),
        MASH_PREFECT_API_URL=f"http://127.0.0.1:{free_port()}/api",
    )
    assert ended.returncode == 2 and "Traceback" not in ended.stderr
    assert re.search(r"mash: (api|worker) cannot start: PostgreSQL refuses the login", ended.stderr), ended.stderr


def test_a_worker_that_prefect_refuses_ends_with_what_to_do(hub: Hub, tmp_path: Path) -> None:
    login = tmp_path / "login"
    login.touch(mode=0o600)
    login.write_text("mash:another")
    told = {"MASH_DATA_DIR": str(hub.settings.data_dir), "MASH_PREFECT_API_URL": hub.settings.prefect_api_url}
    ended = mash("worker", **told, MASH_PREFECT_AUTH_STRING_FILE=str(login))
    assert ended.returncode == 2 and "Prefect's server refuses our login: MASH_PREFECT_AUTH_STRING" in ended.stderr


def test_a_worker_without_what_signs_checkpoints_is_refused_by_day(hub: Hub, tmp_path: Path) -> None:
    names = ("database_url", "system_database_url", "token_key")
    told = {f"MASH_{name.upper()}": getattr(hub.settings, name).get_secret_value() for name in names}
    ended = mash("worker", **told, MASH_DATA_DIR=str(tmp_path), MASH_MASTER_KEY_FILE=str(hub.settings.master_key_file))
    assert ended.returncode == 2 and "MASH_SIGNING_KEY is needed" in ended.stderr


@pytest.mark.parametrize("command", [("key", "list"), ("db", "upgrade"), ("log", "verify")], ids=" ".join)
def test_a_command_says_that_the_database_is_away(hub: Hub, tmp_path: Path, command: tuple[str, ...]) -> None:
    names = ("database_url", "system_database_url", "owner_database_url")
    nowhere = {f"MASH_{name.upper()}": "postgresql://mash_app@127.0.0.1:9/mash" for name in names}
    ended = mash(*command, **nowhere, MASH_DATA_DIR=str(tmp_path), MASH_MASTER_KEY_FILE=str(hub.settings.master_key_file))
    assert (ended.returncode, "cannot be reached" in ended.stderr, "Traceback" in ended.stderr) == (75, True, False), ended.stderr


def answers(address: str) -> bool:
    """Whether somebody answers there."""
    try:
        return httpx.get(address, timeout=2).status_code == 200
    except httpx.HTTPError:
        return False
