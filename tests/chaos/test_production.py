"""docs/run/production.md, followed line by line: from a machine with nothing to the first referral."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import provider
import pytest
from hub import PATIENCE, eventually
from units import start_unit

from mash.api.commands.init import USERS
from mash.flows.installation.places import as_system_user, let_system_user_in, wheel_programs
from mash.flows.installation.stack import free_port

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "run" / "production.md"
BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
SERVICES = ("mash-prefect", "mash-worker", "mash-api")

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="the page is for root's shell: it makes a user for each part")


def lines() -> list[str]:
    """What the page has an administrator type."""
    return [line for block in BLOCK.findall(PAGE.read_text()) for line in block.splitlines()]


@dataclass
class Machine:
    """A folder that stands for a machine: everything is under it. What systemd, apt and nginx do is done by hand, or left out."""

    root: Path
    api_port: int = field(default_factory=free_port)
    prefect_port: int = field(default_factory=free_port)
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    shell: dict[str, str] = field(default_factory=dict)
    cwd: str = "/"

    @property
    def address(self) -> str:
        """Where the proxy would lead to."""
        return f"http://127.0.0.1:{self.api_port}"

    def type(self, line: str) -> str:
        """Type a line of the page; what was printed."""
        word, *rest = line.split()
        if line.startswith(("apt-get", "python3 -m venv", "/opt/mash/bin/pip", "nginx", "editor", "ln -s ../sites-available")):
            return ""  # packages are there, as tests/chaos/test_wheel.py shows; there is no proxy; files are edited below
        if word == "systemctl":
            return self.systemctl(*rest)
        if word == "cd":
            self.cwd = self.here(rest[0])
            return ""
        if word == "su":
            return self.postgres(self.here(line.split('"')[1]))
        if word == "/opt/mash/bin/mash":
            ports = f"--api-port {self.api_port} --prefect-port {self.prefect_port} --socket {self.root}/run"
            line = f"{line} --root {self.root} {ports}".replace("/opt/mash/bin/mash", f"{Path(sys.executable).parent}/mash")
        return self.sh(self.here(line))

    def here(self, line: str) -> str:
        """A line, of this machine's folder in place of /, and without the proxy."""
        line = line.replace("https://mash.example.org/", f"{self.address}/")
        return re.sub(r"(?<![\w.])/(etc|usr/local|var/lib)/", rf"{self.root}/\1/", line)

    def sh(self, line: str) -> str:
        """Run it in the shell that an administrator has: what is set stays set."""
        environment = {"PATH": f"{self.root}/usr/local/bin:{os.environ['PATH']}", **self.shell}
        assignment = re.match(r"([A-Z]+)=\$\(", line)
        told = f'{line}\necho "${{{assignment[1]}}}"' if assignment else line
        done = subprocess.run(
            ["sh", "-uc", told], cwd=self.cwd, env=environment, capture_output=True, text=True, check=False, timeout=120
        )
        assert done.returncode == 0 or " doctor " in line, f"{line}\n{done.stdout}{done.stderr}"
        if assignment:
            self.shell[assignment[1]] = done.stdout.strip()
        return done.stdout + done.stderr

    def postgres(self, command: str) -> str:
        """As `postgres`, PostgreSQL's superuser."""
        programs = wheel_programs()
        environment = {"PATH": f"{programs}:{os.defpath}", "PGHOST": f"{self.root}/run", "PGUSER": "postgres"}
        done = subprocess.run(
            ["sh", "-c", command], env=environment, cwd="/", capture_output=True, text=True, check=False, **as_system_user()
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def systemctl(self, verb: str, *names: str) -> str:
        """What systemd would do."""
        if (verb, names) == ("restart", ("postgresql",)):
            self.stop("postgresql")
            self.start_postgresql()
        for name in names[1:] if verb == "enable" else ():
            self.start(name)
        return ""

    def start(self, name: str) -> None:
        """Start a unit; one that only runs once is waited for."""
        self.running[name] = start_unit(self.root / "etc/systemd/system" / f"{name}.service", self.root / f"{name}.log")
        if name == "mash-migrate":
            assert self.running.pop(name).wait(PATIENCE) == 0, (self.root / f"{name}.log").read_text()

    def stop(self, name: str, how: signal.Signals = signal.SIGINT) -> None:
        """Stop it, if it runs."""
        if process := self.running.pop(name, None):
            process.send_signal(how)
            process.wait(PATIENCE)

    def start_postgresql(self) -> None:
        """Debian's package would have made it; ours is that of the wheel."""
        programs, main = wheel_programs(), self.root / "etc/postgresql/15/main"
        with (self.root / "postgresql.log").open("ab") as log:
            words = [
                str(programs / "postgres"),
                "-D",
                str(main.resolve()),
                "-k",
                f"{self.root}/run",
                "-c",
                "listen_addresses=",
                "-c",
                "fsync=off",
            ]
            self.running["postgresql"] = subprocess.Popen(words, cwd="/", stdout=log, stderr=log, **as_system_user())
        eventually(lambda: (self.root / "run" / ".s.PGSQL.5432").exists() and self.ready())

    def ready(self) -> bool:
        """Whether PostgreSQL takes connections."""
        asked = [str(wheel_programs() / "pg_isready"), "-q", "-h", f"{self.root}/run"]
        return subprocess.run(asked, check=False).returncode == 0

    def make_postgresql(self) -> None:
        """A cluster, as installing the package makes it: its superuser may come in by the socket."""
        data, as_user = self.root / "pg", as_system_user()
        for folder in (data, self.root / "run"):
            folder.mkdir(mode=0o700)
            os.chown(folder, as_user["user"], as_user["group"])
        (self.root / "run").chmod(0o755)
        let_system_user_in(data, wheel_programs())
        words = [str(wheel_programs() / "initdb"), "-D", str(data), "-U", "postgres", "--auth-local=trust", "--auth-host=reject"]
        subprocess.run(words, check=True, capture_output=True, cwd="/", **as_user)
        (data / "conf.d").mkdir()
        with (data / "postgresql.conf").open("a") as settings:
            settings.write("include_dir = 'conf.d'\n")
        (self.root / "etc/postgresql/15").mkdir(parents=True)
        (self.root / "etc/postgresql/15/main").symlink_to(data)
        self.start_postgresql()


@contextmanager
def parts_let_in() -> Iterator[None]:
    """Let others pass through (not read) the folders above the interpreter, which may be root's; they are closed again."""
    folders = {folder for path in (Path(sys.executable), Path(sys.executable).resolve()) for folder in path.parents}
    before = {folder: stat.S_IMODE(folder.stat().st_mode) for folder in folders}
    closed = {folder: mode for folder, mode in before.items() if not mode & stat.S_IXOTH}
    try:
        for folder, mode in closed.items():
            folder.chmod(mode | stat.S_IXOTH)
        yield
    finally:
        for folder, mode in closed.items():
            folder.chmod(mode)


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    """A machine with a PostgreSQL, and nothing of ours."""
    folder = Path(tempfile.mkdtemp(prefix="mash-debian-"))
    folder.chmod(0o755)
    made, users = Machine(folder), {entry.pw_name for entry in pwd.getpwall()}
    with parts_let_in():
        try:
            made.make_postgresql()
            yield made
        finally:
            for name in [*made.running]:
                made.stop(name, signal.SIGINT if name == "postgresql" else signal.SIGTERM)
            shutil.rmtree(folder)
            for user in {*USERS.values()} - users:
                subprocess.run(["userdel", user], check=False, capture_output=True)


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    """The council's OpenID provider, where whoever comes is a duty manager of Sandwell's."""
    with provider.running(free_port()) as address:
        claims = {"groups": ["MASH sandwell duty managers"]}
        httpx.post(f"{address}/behave", json={"claims": claims}, timeout=60).raise_for_status()
        yield address


@pytest.fixture(scope="module")
def followed(machine: Machine, issuer: str) -> dict[str, str]:
    """The page, followed to its end; what each line printed."""
    printed = {}
    for line in lines():
        printed[line] = machine.type(line)
        if line.startswith("editor") and "sign_on" in line:
            path = machine.root / "etc/mash/sign_on.toml"
            asked = path.read_text().replace("https://login.example.org/realms/council", issuer)
            path.write_text(asked.replace("what the provider gave you", provider.SECRET))
        if "mash-api" in line and line.startswith("systemctl enable"):
            eventually(lambda: answers(machine))
            eventually(lambda: not re.search("Prefect|worker", said(machine)))
    return printed


def said(machine: Machine) -> str:
    """What /health says is wrong; all parts run."""
    for name in SERVICES:
        assert machine.running[name].poll() is None, (machine.root / f"{name}.log").read_text()
    return " ".join(httpx.get(f"{machine.address}/health", timeout=30).json()["wrong"])


def answers(machine: Machine) -> bool:
    """Whether the API answers."""
    assert machine.running["mash-api"].poll() is None, (machine.root / "mash-api.log").read_text()
    try:
        return httpx.get(f"{machine.address}/health", timeout=60).status_code == 200
    except httpx.HTTPError:
        return False


def test_the_page_leads_to_the_first_referral_with_its_story(machine: Machine, followed: dict[str, str]) -> None:
    assert re.fullmatch(r"MASH-\d\d-000001", machine.shell["REFERENCE"])
    (story,) = (printed for line, printed in followed.items() if line.startswith("mash log"))
    assert "received" in story.lower()


def test_whoever_signs_in_at_the_provider_sees_it_on_the_board(machine: Machine, followed: dict[str, str]) -> None:
    behind_the_proxy = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.1"}
    with httpx.Client(timeout=60, headers=behind_the_proxy) as browser:

        def keep(answer: httpx.Response) -> httpx.Response:
            """Cookies that are for TLS alone, which the proxy has and we have not."""
            for name, value in (each.split(";")[0].split("=", 1) for each in answer.headers.get_list("set-cookie")):
                kept[name] = value
            browser.headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in kept.items())
            return answer

        kept: dict[str, str] = {}
        away = keep(browser.get(f"{machine.address}/sign-in/start?onward=/board"))
        back = httpx.get(away.headers["location"], timeout=60).headers["location"]
        assert back.startswith("https://mash.example.org/sign-in/callback?")
        keep(browser.get(back.replace("https://mash.example.org", machine.address)))
        board = browser.get(f"{machine.address}/board?later=shown")  # at night it is due in the morning
    assert board.status_code == 200 and machine.shell["REFERENCE"] in board.text


def test_each_part_runs_as_a_user_of_its_own_and_reads_no_other_parts_keys(machine: Machine, followed: dict[str, str]) -> None:
    users = {name: Path(f"/proc/{machine.running[name].pid}").owner() for name in SERVICES}
    assert users == {"mash-prefect": "mash-prefect", "mash-worker": "mash-worker", "mash-api": "mash-api"}
    keys = machine.root / "etc/mash/keys"
    assert {path.owner() for path in (keys / "api").iterdir()} == {"mash-api"} and not (keys / "api" / "signing_key").exists()
    assert {path.stat().st_mode & 0o777 for path in keys.glob("*/*")} == {0o600}
    assert {path.stat().st_mode & 0o777 for path in keys.iterdir()} == {0o700}
    as_api = [
        "setpriv",
        "--reuid=mash-api",
        "--regid=mash-api",
        "--clear-groups",
        str(wheel_programs() / "psql"),
        "-h",
        f"{machine.root}/run",
    ]
    for role, database in (("mash_owner", "mash"), ("mash_prefect", "prefect")):
        refused = subprocess.run(
            [*as_api, "-U", role, "-d", database, "-c", "SELECT 1"], capture_output=True, text=True, check=False
        )
        assert refused.returncode != 0 and "eer authentication failed" in refused.stderr


def test_doctor_says_what_is_right_and_what_is_still_to_be_done(machine: Machine, followed: dict[str, str]) -> None:
    (printed,) = (printed for line, printed in followed.items() if " doctor " in line)
    api, worker, prefect, owner = re.split(r"^(?:api|worker|prefect|owner)$", printed, flags=re.MULTILINE)[1:]
    for part, role in (
        (api, "mash_app"),
        (api, "mash_system"),
        (worker, "mash_system"),
        (prefect, "mash_prefect"),
        (owner, "mash_owner"),
    ):
        assert f"reached as {role}, PostgreSQL" in part
    assert "the master key is the one of this database" in api and "the master key is the one of this database" in worker
    assert "what every role may do by default is taken back" in api and "may do what none of ours needs" not in printed
    assert "takes the login" in prefect and "max_connections is 200" in api
    assert [line.strip() for line in owner.splitlines() if line.startswith("  wrong")] == [
        "wrong MASH_BACKUP_RECIPIENT is missing: `mash backup-key` makes one, on another machine"
    ]
    assert [line for line in api.splitlines() if line.startswith("  wrong")] == []


def test_the_worker_reaches_prefect_and_the_proxys_address_is_the_one_in_links(
    machine: Machine, followed: dict[str, str]
) -> None:
    assert not re.search("Prefect|worker", said(machine))
    onward = httpx.get(f"{machine.address}/sign-in", headers={"X-Forwarded-For": "192.0.2.1"}, timeout=60)
    assert onward.headers["strict-transport-security"]


def test_systemd_takes_the_units(machine: Machine, followed: dict[str, str]) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    units = sorted((machine.root / "etc/systemd/system").iterdir())
    checked = subprocess.run(["systemd-analyze", "verify", *map(str, units)], capture_output=True, text=True, check=False)
    assert checked.returncode == 0 and str(machine.root) not in checked.stderr, checked.stderr


def test_what_is_written_once_is_not_written_again(machine: Machine, followed: dict[str, str]) -> None:
    before = {path: path.read_bytes() for path in (machine.root / "etc/mash").rglob("*") if path.is_file()}
    again = machine.type("/opt/mash/bin/mash init --public-url https://mash.example.org --hubs sandwell")
    assert "written  " not in again and "was there, and is left as it is" in again
    assert before == {path: path.read_bytes() for path in before}


def test_a_part_that_needs_mending_first_ends_with_two_and_its_last_line_says_what(
    machine: Machine, followed: dict[str, str]
) -> None:
    signing = machine.root / "etc/mash/keys/worker/signing_key"
    kept = signing.read_text()
    machine.stop("mash-worker", signal.SIGTERM)
    settings = machine.root / "etc/mash/worker.env"
    whole = settings.read_text()
    try:
        settings.write_text(re.sub("^MASH_SIGNING_KEY_FILE.*$", "", whole, flags=re.MULTILINE))
        machine.start("mash-worker")
        assert machine.running.pop("mash-worker").wait(PATIENCE) == 2
        assert "MASH_SIGNING_KEY is needed" in (machine.root / "mash-worker.log").read_text().splitlines()[-1]
        settings.write_text(whole)
        login = machine.root / "etc/mash/keys/worker/prefect_auth_string"
        right = login.read_text()
        login.write_text("mash:another\n")
        machine.start("mash-worker")
        assert machine.running.pop("mash-worker").wait(PATIENCE) == 2
        assert "Prefect's server refuses our login" in (machine.root / "mash-worker.log").read_text().splitlines()[-1]
        login.write_text(right)
    finally:
        settings.write_text(whole)
        assert signing.read_text() == kept
        machine.start("mash-worker")
