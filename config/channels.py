"""The channels file: by which Apprise addresses a role or a person is reached, in which order, when not, and how often."""

from __future__ import annotations

import re
import tomllib
from datetime import datetime, time, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, SecretStr, ValidationError, field_validator, model_validator

from mash.config.addresses import can_be, tidied
from mash.config.errors import SettingsError
from mash.config.settings import read_secret_file
from mash.states.clocks import LONDON, Frozen

FILE = "MASH_CHANNELS_FILE"
ANY = "*"
_MINUTES = re.compile(r"^(\d{1,4}) (min|h)$")
_QUIET = re.compile(r"^(\d\d:\d\d)-(\d\d:\d\d)$")


def _address(value: Any) -> Any:
    text = tidied(value) if isinstance(value, str) else value
    if isinstance(text, str) and not can_be(text):
        raise ValueError("expected an e-mail address such as name@example.org")
    return text


Address = Annotated[SecretStr, BeforeValidator(_address)]
"""An e-mail address, used letter for letter."""


class Channel(Frozen):
    """One way of reaching somebody. Written as its address alone, or as a table with more."""

    url: SecretStr
    to: Address | None = Field(default=None, description="For mail: to whom, as it stands; a URL has no room for every letter.")
    reply_to: Address | None = Field(default=None, description="For mail: where a reply goes.")
    after: timedelta = Field(default=timedelta(0), description="Waited for an acknowledgement before this one is used too.")
    quiet: tuple[time, time] | None = Field(default=None, description="From when until when only red gets through, local time.")
    per_hour: int | None = Field(default=None, ge=1, le=3600, description="Messages an hour at most; red is not counted out.")

    @model_validator(mode="before")
    @classmethod
    def address_alone(cls, value: Any) -> Any:
        """Take an address that stands alone."""
        return {"url": value} if isinstance(value, str) else value

    @field_validator("after", mode="before")
    @classmethod
    def wait(cls, value: Any) -> Any:
        """Read '5 min' or '1 h'."""
        match = _MINUTES.match(str(value))
        if not match:
            raise ValueError("expected a wait such as '5 min' or '1 h'")
        return timedelta(minutes=int(match[1]) * (60 if match[2] == "h" else 1))

    @field_validator("quiet", mode="before")
    @classmethod
    def hours(cls, value: Any) -> Any:
        """Read '22:00-07:00'."""
        match = _QUIET.match(str(value))
        if not match:
            raise ValueError("expected quiet hours such as '22:00-07:00'")
        return match[1], match[2]

    @property
    def scheme(self) -> str:
        """What kind of channel it is ('mailto'): all of its address that may be shown."""
        return self.url.get_secret_value().split(":", 1)[0]

    @property
    def fingerprint(self) -> str:
        """The same for all addresses that end at one server, so that a way around one that is down can be found; it shows no
        address."""
        parts = urlsplit(self.url.get_secret_value())
        return sha256(f"{parts.scheme}//{parts.netloc.rpartition('@')[2]}".encode()).hexdigest()[:12]

    def is_quiet(self, at: datetime) -> bool:
        """Whether it is in its quiet hours."""
        if self.quiet is None:
            return False
        (begins, ends), now = self.quiet, at.astimezone(LONDON).time()
        return begins <= now < ends if begins <= ends else now >= begins or now < ends


Order = Annotated[tuple[Channel, ...], Field(min_length=1)]


class HubChannels(Frozen):
    """How the roles and the people of a hub are reached, and where a referrer's reply to a mail goes."""

    roles: dict[str, Order] = {}
    people: dict[str, Order] = {}
    reply_to: Address | None = None

    @model_validator(mode="before")
    @classmethod
    def roles_beside(cls, value: Any) -> Any:
        """In the file the roles stand beside `people` and `reply_to`."""
        if not isinstance(value, dict):
            raise ValueError('expected role = ["apprise address", ...] on each line')
        own = {name: value[name] for name in ("people", "reply_to") if name in value}
        return {**own, "roles": {name: order for name, order in value.items() if name not in own}}


class Channels(Frozen):
    """The channels of every hub; '*' is any hub, and among roles any role."""

    hubs: dict[str, HubChannels] = {}

    def of_role(self, hub: str, role: str) -> tuple[Channel, ...]:
        """How a role of a hub is reached."""
        return next((found.roles[name] for found in self._for(hub) for name in (role, ANY) if name in found.roles), ())

    def of_person(self, hub: str, person: str) -> tuple[Channel, ...]:
        """How somebody who works for a hub is reached."""
        return next((found.people[person] for found in self._for(hub) if person in found.people), ())

    def reply_to(self, hub: str) -> SecretStr | None:
        """Where a referrer's reply goes."""
        return next((found.reply_to for found in self._for(hub) if found.reply_to), None)

    def _for(self, hub: str) -> list[HubChannels]:
        return [self.hubs[name] for name in (hub, ANY) if name in self.hubs]


def read_channels(path: Path | None) -> Channels:
    """The channels file; none where there is no path. Raises SettingsError, which names the entry and never its address."""
    if path is None:
        return Channels()
    try:
        return Channels(hubs=tomllib.loads(read_secret_file(path, FILE)))
    except tomllib.TOMLDecodeError as wrong:
        raise SettingsError(f"{FILE}: not TOML: {wrong}") from None
    except ValidationError as wrong:
        raise SettingsError("; ".join(_sentence(error) for error in wrong.errors(include_input=False))) from None
    except (ValueError, RecursionError):
        # tomllib lets these through: a number of thousands of digits, and lists within lists without end.
        raise SettingsError(f"{FILE}: not TOML that can be read: expected numbers of a few digits, lists a few deep") from None


def _sentence(error: Any) -> str:
    _, hub, *rest = error["loc"]
    where = [f"entry {part + 1}" if isinstance(part, int) else str(part) for part in rest if part != "roles"]
    return f"{FILE}: [{hub}] {', '.join(where)}{': ' if where else ''}{error['msg'].removeprefix('Value error, ')}"
