"""`mash init`: what a machine needs that runs each part by systemd, each as a user of its own; nothing that is there is
changed."""

from __future__ import annotations

import base64
import os
import pwd
import secrets
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from mash.api.commands.installed import out
from mash.config.errors import SettingsError
from mash.config.profile_files import available

WRITTEN = Path(__file__).parent / "written"
"""What is written: the templates."""
TARGETS = {
    "etc/mash": ("environment", "api.env", "worker.env", "prefect.env", "owner.env", "sign_on.toml", "channels.toml"),
    "etc/mash/postgresql": ("roles.sql", "pg_hba.conf", "pg_ident.conf", "mash.conf"),
    "etc/systemd/system": (
        "mash-migrate.service",
        "mash-prefect.service",
        "mash-worker.service",
        "mash-api.service",
        "mash-backup.service",
        "mash-backup.timer",
    ),
    "etc/systemd": ("journald@mash.conf",),
    "etc/nginx/sites-available": ("nginx-site",),
    "usr/local/bin": ("mash.sh",),
}
"""Where each goes."""
CALLED = {"nginx-site": "mash", "mash.sh": "mash"}
"""What it is called there, where that is another name."""
USERS = {"api": "mash-api", "worker": "mash-worker", "prefect": "mash-prefect", "owner": "mash-owner"}
"""Each part's user. The owner of the tables runs migrations and backups, and is no part that anybody calls."""
ROLES = {
    "api": ("mash_app", "mash_system"),
    "worker": ("mash_app", "mash_system"),
    "prefect": ("mash_prefect",),
    "owner": ("mash_owner",),
}
"""Which roles of the database each may be."""
KEYS = {
    "api": ("master_key", "token_key"),
    "worker": ("master_key", "token_key", "signing_key", "prefect_auth_string"),
    "prefect": ("prefect_auth_string",),
}
"""Each part's keys, in files of its own: a key that two have is two files."""
OWNED = {"etc/mash/sign_on.toml": "api", "etc/mash/channels.toml": "worker"}
"""Files with secrets that one part reads itself."""
SECRET = ("etc/mash/api.env", "etc/mash/worker.env", "etc/mash/prefect.env", "etc/mash/owner.env")
"""Read by systemd, as root, before a part is its user."""
PROGRAMS = ("usr/local/bin/mash",)


@dataclass
class Machine:
    """Where things go, and whose they are."""

    root: Path
    users: dict[str, str]
    new: list[Path] = field(default_factory=list)
    left: list[Path] = field(default_factory=list)

    def write(self, name: str, text: str, mode: int, part: str | None = None) -> None:
        """Write a file that is not there yet, with this mode from its first moment on; it is a part's, or else root's."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        except FileExistsError:
            self.left.append(path)
            return
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            os.fchmod(descriptor, mode)
            self._give(descriptor, part)
            file.write(text)
        self.new.append(path)

    def folder(self, name: str, mode: int, part: str | None = None) -> None:
        """Make a folder of a part's."""
        path = self.root / name
        path.mkdir(parents=True, exist_ok=True)
        path.chmod(mode)
        self._give(path, part)

    def _give(self, what: Path | int, part: str | None) -> None:
        if part and os.geteuid() == 0:
            whose = pwd.getpwnam(self.users[part])
            os.chown(what, whose.pw_uid, whose.pw_gid)


def init(
    public_url: Annotated[str, typer.Option(help="The address people reach it by: https://...")],
    hubs: Annotated[str, typer.Option(help="The hubs it serves, by their profiles' names, separated by commas.")],
    root: Annotated[
        Path, typer.Option(help="Write under this folder instead, and say so in what is written: to look at it.")
    ] = Path("/"),
    socket: Annotated[str, typer.Option(help="The folder of PostgreSQL's socket.")] = "/var/run/postgresql",
    api_port: Annotated[int, typer.Option(help="Where the API listens, on loopback.")] = 8000,
    prefect_port: Annotated[int, typer.Option(help="Where Prefect's server listens, on loopback.")] = 4200,
    own_users: Annotated[bool, typer.Option("--users/--no-users", help="A user for each part, made where missing.")] = True,
) -> None:
    """Write what this machine needs to run each part by systemd: units, settings, keys, log rotation, PostgreSQL's roles, and a
    proxy to look at. What is there already is left as it is. docs/run/production.md goes on from here."""
    _check(public_url, hubs)
    if own_users and os.geteuid() != 0:
        raise SettingsError("users are made by root: run it as root, or with --no-users")
    users = USERS if own_users else dict.fromkeys(USERS, pwd.getpwuid(os.geteuid()).pw_name)
    for user in dict.fromkeys(users.values()):
        _make_user(user)
    machine = Machine(root.absolute(), users)
    asked = {
        "public_url": public_url.rstrip("/"),
        "hubs": hubs.replace(" ", ""),
        "api_port": api_port,
        "prefect_port": prefect_port,
    }
    for name, text in _texts(machine, {**asked, "socket": socket}):
        mode = 0o600 if name in SECRET or name in OWNED else 0o755 if name in PROGRAMS else 0o644
        machine.write(name, text, mode, OWNED.get(name))
    _make_keys(machine)
    for path in machine.new:
        out.print(f"written  {path}", markup=False)
    for path in machine.left:
        out.print(f"was there, and is left as it is  {path}", markup=False)
    out.print("Keep a copy of the master key apart from the database: without it nobody in a referral can be read.")


def _check(public_url: str, hubs: str) -> None:
    if urlsplit(public_url).scheme != "https" or not urlsplit(public_url).hostname:
        raise SettingsError("--public-url: expected an address that begins with https://, without a path")
    if unknown := {hub.strip() for hub in hubs.split(",")} - set(available()):
        raise SettingsError(f"--hubs: there is no profile {', '.join(sorted(unknown))}; there are: {', '.join(available())}")


def _make_user(user: str) -> None:
    try:
        pwd.getpwnam(user)
    except KeyError:
        # useradd is the system's own, wherever the distribution puts it (S607).
        words = ["useradd", "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", user]
        subprocess.run(words, check=True)


def _texts(machine: Machine, asked: dict[str, object]) -> Iterator[tuple[str, str]]:
    """What is written, by the path where it goes."""
    from mash.flows.installation.cluster import LIMITS, NOT_FOR_EVERYBODY

    root = "" if machine.root == Path("/") else str(machine.root)
    known = {
        **asked,
        "root": root,
        "bin": Path(sys.executable).parent,
        "host": urlsplit(str(asked["public_url"])).hostname,
        "users": machine.users,
        "not_for_everybody": NOT_FOR_EVERYBODY.rstrip(),
        "limits": LIMITS,
        "peers": list(dict.fromkeys((machine.users[part], role) for part, roles in ROLES.items() for role in roles)),
    }
    # Files for programs, not pages: nothing is escaped (S701).
    made = Environment(loader=FileSystemLoader(WRITTEN), undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False)  # noqa: S701  # nosec B701
    for folder, names in TARGETS.items():
        for name in names:
            yield f"{folder}/{CALLED.get(name, name)}", made.get_template(name).render(known)


def _make_keys(machine: Machine) -> None:
    """Each part's keys. One that another part has already is a copy of that."""
    made = {
        "master_key": lambda: base64.b64encode(os.urandom(32)).decode(),
        "signing_key": lambda: base64.b64encode(os.urandom(32)).decode(),
        "token_key": lambda: secrets.token_urlsafe(32),
        "prefect_auth_string": lambda: f"mash:{secrets.token_urlsafe(18)}",
    }
    machine.folder("etc/mash/keys", 0o755)
    for part, names in KEYS.items():
        machine.folder(f"etc/mash/keys/{part}", 0o700, part)
        for name in names:
            others = (machine.root / "etc/mash/keys" / other / name for other in KEYS)
            there = next((path.read_text().strip() for path in others if path.is_file()), None)
            machine.write(f"etc/mash/keys/{part}/{name}", f"{there or made[name]()}\n", 0o600, part)
    for part in machine.users:
        machine.folder(f"var/lib/mash/{part}", 0o700, part)
    machine.folder("var/lib/mash/backups", 0o700, "owner")
    machine.folder("var/lib/mash/paper", 0o700, "worker")
