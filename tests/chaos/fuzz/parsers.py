"""What every parser is held to: it gives what it is for, or its own error, which says what is expected and no secret."""

from __future__ import annotations

import atexit
import json
import shutil
import tempfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from seeds import AT, KEY, SECRET

from mash.api.problems import Malformed, malformed
from mash.api.routes import accesses, people
from mash.api.schemas.command import CommandGiven
from mash.api.schemas.contact import DisagreementGiven, Submission
from mash.api.schemas.intake import MOST_NAMED, contact_of, unknown_fields
from mash.api.text import plain
from mash.config.channels import read_channels
from mash.config.errors import SettingsError
from mash.config.permissions import read_permissions
from mash.config.profile import load_profile, stored_profile
from mash.config.settings import Settings, read_settings
from mash.config.sign_on import accounts_in, read_sign_on
from mash.config.toml_lines import WrongFile
from mash.flows.installation.envelope import identities
from mash.notifications.links import is_status_code, read
from mash.notifications.rota_entries import RotaFileWrong
from mash.notifications.rota_files import read_rota_file
from mash.notifications.times import NotATime, spoken_time
from mash.states.errors import NotFound, NothingToActOn

FOLDER = Path(tempfile.mkdtemp(prefix="mash-fuzz-"))
atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)
TYPES: dict[str, type[Any]] = {
    "submission": Submission,
    "command": CommandGiven,
    "disagreement": DisagreementGiven,
    "search": people.PersonQuestion,
    "accesses": accesses.AccessQuestion,
}


def _file(name: str, data: bytes) -> Path:
    path = FOLDER / name
    path.touch(mode=0o600)
    path.write_bytes(data)
    return path


def _profile(data: bytes) -> None:
    _file("fuzzed.toml", data)
    load_profile.__wrapped__("fuzzed", FOLDER)


def _body(name: str, data: bytes) -> None:
    """As the API does it: JSON, the model, and what is wrong in our words (Pydantic's name the caller's fields)."""
    try:
        command = TYPES[name].model_validate(json.loads(data))
    except ValidationError as wrong:
        raise malformed([dict(error) for error in wrong.errors()]) from None
    if isinstance(command, Submission):
        contact_of(command, date(2026, 6, 1))
        named = unknown_fields(command)
        assert len(named) <= MOST_NAMED and all(name.isprintable() for name in named), "names are few, and can be shown"


def _sign_on(data: bytes) -> None:
    read_sign_on(Settings(sign_on_file=_file("sign_on.toml", data)))


def _settings(data: bytes) -> None:
    lines = (line.partition("=") for line in data.decode(errors="replace").split("\n"))
    read_settings({name: value for name, _, value in lines})


OF_FILES = ("profile", "permissions")
"""What an administrator writes and reads, and no secret stands in: their errors quote it."""
OF_BODIES = (Malformed, ValueError, RecursionError)
"""The latter two are JSON's own, for what is not JSON; FastAPI knows them, and answers 400."""
PARSERS: dict[str, tuple[Callable[[bytes], object], tuple[type[Exception], ...]]] = {
    "profile": (_profile, (WrongFile,)),
    "stored_profile": (lambda data: stored_profile(data.decode(errors="replace")), (ValueError, RecursionError)),
    "permissions": (lambda data: read_permissions.__wrapped__(_file("permissions.toml", data)), (WrongFile,)),
    "channels": (lambda data: read_channels(_file("channels.toml", data)), (SettingsError,)),
    "sign_on": (_sign_on, (SettingsError,)),
    "accounts": (lambda data: accounts_in(_file("accounts.toml", data)), (SettingsError,)),
    "backup_identity": (lambda data: identities(data.decode(errors="replace")), (SettingsError,)),
    "rota_csv": (lambda data: read_rota_file(data, AT), (RotaFileWrong,)),
    "rota_ical": (lambda data: read_rota_file(data, AT), (RotaFileWrong,)),
    "spoken_time": (lambda data: spoken_time(data.decode(errors="replace"), AT), (NotATime,)),
    "link": (lambda data: read(KEY, data.decode(errors="replace")), (NotFound,)),
    "status_code": (lambda data: is_status_code(KEY, "MASH-26-000001", data.decode(errors="replace")), ()),
    "settings": (_settings, (SettingsError,)),
    "submission": (lambda data: _body("submission", data), (NothingToActOn, *OF_BODIES)),
    "command": (lambda data: _body("command", data), OF_BODIES),
    "disagreement": (lambda data: _body("disagreement", data), OF_BODIES),
    "search": (lambda data: _body("search", data), OF_BODIES),
    "accesses": (lambda data: _body("accesses", data), OF_BODIES),
    "text": (lambda data: plain(data.decode(errors="surrogatepass")), (ValueError,)),
}
"""Each parser, and the errors that it may raise."""


def check(name: str, data: bytes) -> None:
    """Hold a parser to its promise. Raises AssertionError, or what it should not have raised."""
    parse, documented = PARSERS[name]
    outcome = "fine"
    try:
        parse(data)
    except documented as refused:
        outcome = str(refused)
    assert outcome, "an error says what is wrong"
    assert SECRET not in outcome or name in OF_FILES, "an error repeats nothing that may be secret"
