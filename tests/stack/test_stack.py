"""The embedded PostgreSQL and Prefect's server as child processes: they start, hold the rules, survive crashes, leave nothing."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import psycopg
import pytest
from hub import PATIENCE, eventually
from psycopg import errors
from pydantic import SecretStr
from sqlalchemy import create_engine, make_url, text

from mash.config.behind import stand_behind
from mash.config.errors import SettingsError
from mash.config.settings import Settings
from mash.flows.installation.cluster import start_cluster
from mash.flows.installation.postmaster import Cluster
from mash.flows.installation.stack import PORTS, Stack, free_port


@pytest.fixture
def folder() -> Iterator[Path]:
    """A data directory of its own."""
    made = Path(tempfile.mkdtemp(prefix="mash-stack-"))
    yield made
    assert not servers(made)
    shutil.rmtree(made)


def connect(cluster: Cluster, role: str, database: str = "mash") -> psycopg.Connection:
    return psycopg.connect(host=str(cluster.socket), user=role, dbname=database, autocommit=True)


def servers(folder: Path) -> list[psutil.Process]:
    """PostgreSQL's processes that work in the folder."""
    found = psutil.process_iter(["name", "cwd"])
    return [process for process in found if process.info["name"] == "postgres" and str(folder) in (process.info["cwd"] or "")]


def stands_behind(pid: int, by: int) -> bool:
    """Whether a process is behind others by so much, and its session too where the system has groups of sessions."""
    group = Path(f"/proc/{pid}/autogroup")
    return psutil.Process(pid).nice() == by and (not os.access(group, os.W_OK) or group.read_text().endswith(f"nice {by}\n"))


def settings_of(folder: Path) -> Settings:
    return Settings(data_dir=folder, api_port=free_port(), prefect_api_url=f"http://127.0.0.1:{free_port()}/api")


def test_the_application_may_connect_but_not_create_nor_reach_prefects_database(cluster: Cluster) -> None:
    with connect(cluster, "mash_app") as connection:
        with pytest.raises(errors.InsufficientPrivilege):
            connection.execute("CREATE TABLE mine (id int)")
        with pytest.raises(errors.InsufficientPrivilege):
            connection.execute("CREATE TEMPORARY TABLE mine (id int)")
        role = connection.execute(
            "SELECT rolsuper, rolbypassrls, rolcreatedb, rolcreaterole FROM pg_roles WHERE rolname = current_user"
        ).fetchone()
        assert role == (False, False, False, False)
    with pytest.raises(psycopg.OperationalError, match="permission denied"):
        connect(cluster, "mash_app", "prefect")
    with pytest.raises(psycopg.OperationalError, match="permission denied"):
        connect(cluster, "mash_prefect", "mash")


def test_the_cluster_keeps_what_it_is_told_to_keep_and_logs_no_values(cluster: Cluster) -> None:
    expected = {
        "fsync": "on",
        "synchronous_commit": "on",
        "max_connections": "200",
        "listen_addresses": "",
        "log_error_verbosity": "terse",
        "log_min_error_statement": "panic",
    }
    with connect(cluster, "mash_owner") as connection:
        for name, value in expected.items():
            assert connection.execute("SELECT current_setting(%s)", (name,)).fetchone() == (value,), name
    with connect(cluster, "mash_prefect", "prefect") as connection:
        assert connection.execute("SELECT similarity('Anna', 'Anne') > 0").fetchone() == (True,)
    assert (cluster.socket / ".s.PGSQL.5432").stat().st_mode & 0o777 == 0o700


def test_what_was_committed_outlives_a_killed_postmaster(folder: Path) -> None:
    first = start_cluster(folder)
    with connect(first, "mash_owner") as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    assert first.server
    first.server.kill()
    first.server.wait()
    second = start_cluster(folder)
    try:
        assert second.pid != first.pid
        with connect(second, "mash_owner") as connection:
            assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)
    finally:
        second.stop()
        first.stop()


def test_a_cluster_starts_although_its_dead_postmasters_number_is_now_somebody_elses(folder: Path) -> None:
    cluster = start_cluster(folder)
    cluster.stop()
    lock = f"{os.getpid()}\n{cluster.data}\n0\n5432\n{cluster.socket}\n\n0 0\nready\n"
    (cluster.data / "postmaster.pid").write_text(lock)
    again = start_cluster(folder)
    assert again.pid != os.getpid()
    again.stop()


def test_starting_twice_is_one_cluster_which_the_first_to_start_stops(folder: Path) -> None:
    first = start_cluster(folder)
    second = start_cluster(folder)
    assert second.pid == first.pid
    second.stop()
    assert first.running
    first.stop()
    assert not first.running and not servers(folder)


def test_a_path_too_long_for_a_socket_or_with_odd_characters_is_no_obstacle(folder: Path) -> None:
    for name in ("x" * 150, "a b, c%d"):
        cluster = start_cluster(folder / name)
        try:
            engine = create_engine(make_url(cluster.app_url).set(drivername="postgresql+psycopg"))
            with engine.connect() as connection:
                assert connection.execute(text("SELECT current_user")).scalar() == "mash_app"
            engine.dispose()
        finally:
            cluster.stop()
        assert cluster.socket == cluster.data or not cluster.socket.exists()


def test_nothing_outlives_a_process_that_is_killed(folder: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path; from mash.config.settings import Settings; "
        "from mash.flows.installation.stack import Stack, free_port\n"
        "port = free_port()\n"
        "settings = Settings(data_dir=Path(sys.argv[1]), prefect_api_url=f'http://127.0.0.1:{port}/api')\n"
        "with Stack(settings, {'prefect'}) as stack:\n"
        "    print(*stack.processes.values(), flush=True); time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script, str(folder)], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        pids = [int(pid) for pid in parent.stdout.readline().split()]
        parent.kill()
    assert len(pids) == 2
    eventually(lambda: not any(psutil.pid_exists(pid) for pid in pids))
    eventually(lambda: not servers(folder))
    start_cluster(folder).stop()


def test_prefects_server_asks_for_a_login_and_secrets_are_nobody_elses_to_read(folder: Path) -> None:
    with Stack(settings_of(folder), {"prefect"}) as stack:
        stack.wait_ready()
        pids = list(stack.processes.values())
        assert stands_behind(stack.processes["prefect"], 5)
        address = f"{stack.settings.prefect_api_url}/flow_runs/count"
        assert httpx.post(address, json={}, timeout=60).status_code == 401
        assert stack.settings.prefect_auth_string
        user, password = stack.settings.prefect_auth_string.get_secret_value().split(":")
        assert httpx.post(address, json={}, auth=(user, password), timeout=60).json() == 0
        keys = list((folder / "keys").iterdir())
        assert {"master_key", "token_key", "prefect_auth_string"} <= {key.name for key in keys}
        assert all(key.stat().st_mode & 0o777 == 0o600 for key in keys)
    assert not any(psutil.pid_exists(pid) for pid in pids)


def test_a_database_and_a_prefect_that_die_are_started_again(folder: Path) -> None:
    with Stack(settings_of(folder), {"prefect"}) as stack:
        before = stack.processes

        def look(*_: object) -> None:
            signal.setitimer(signal.ITIMER_REAL, 0.1)
            if not killed:
                killed.extend(before)
                for part in before:
                    stack.kill(part)
            elif stack.processes.keys() == before.keys() or time.monotonic() > deadline:
                stack.stopping = True

        killed: list[str] = []
        deadline = time.monotonic() + PATIENCE
        signals = {number: signal.getsignal(number) for number in (signal.SIGALRM, signal.SIGINT, signal.SIGTERM)}
        signal.signal(signal.SIGALRM, look)
        signal.setitimer(signal.ITIMER_REAL, 0.5)
        try:
            stack.supervise()
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            for number, handler in signals.items():
                signal.signal(number, handler)
        assert stack.processes.keys() == before.keys()
        assert not set(stack.processes.values()) & set(before.values())
        stack.wait_ready()


def test_a_free_port_is_none_that_the_system_gives_to_others() -> None:
    assert all(free_port() in PORTS for _ in range(20))


def test_a_simulation_stands_behind_all_else() -> None:
    command = [sys.executable, "-m", "mash.flows.foresight.process"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, start_new_session=True)
    try:
        eventually(lambda: stands_behind(process.pid, 10))
    finally:
        process.kill()
        process.communicate()


@pytest.mark.skipif(sys.platform != "linux", reason="no processor can be named")
def test_a_part_that_stands_behind_gets_less_of_a_busy_processor() -> None:
    """In a session of its own, as each part has."""
    alike = [subprocess.Popen([sys.executable, "-c", "while True: pass"], start_new_session=True) for _ in range(2)]
    try:
        first, behind = (psutil.Process(each.pid) for each in alike)
        for each in (first, behind):
            each.cpu_affinity([min(os.sched_getaffinity(0))])
        stand_behind(behind.pid, 10)
        assert stands_behind(behind.pid, 10)

        def used(process: psutil.Process) -> float:
            return process.cpu_times().user

        begun = used(first), used(behind)
        eventually(lambda: used(first) + used(behind) > sum(begun) + 2)
        assert used(first) - begun[0] > 3 * (used(behind) - begun[1])
    finally:
        for each in alike:
            each.kill()
            each.wait()


ADDRESSES = ("system_database_url", "owner_database_url", "prefect_database_url")


@pytest.mark.parametrize("missing", ADDRESSES)
def test_a_database_of_ones_own_needs_the_other_addresses_too(tmp_path: Path, missing: str) -> None:
    addresses = {name: SecretStr("postgresql://nowhere") for name in ADDRESSES if name != missing}
    settings = Settings(data_dir=tmp_path, database_url=SecretStr("postgresql://nowhere"), **addresses)
    with pytest.raises(SettingsError, match=f"MASH_{missing.upper()}"), Stack(settings, {"prefect"}):
        pass
