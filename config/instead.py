"""A hub's own rules with other limits or another calendar, as somebody asks what these would have made late."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError

from mash.config.toml_lines import Problem, WrongFile
from mash.states.profile import Profile

LIMITS = ("length", "within", "child_within", "settle_within", "start")
"""The settings that say how long something may take, or from when on it counts; beside them all of the calendar's."""
OWN = "calendar"


def settable(profile: Profile) -> list[str]:
    """The limits of a profile by name, as they may be set to something else; and those of its calendar."""
    return [name for name, _ in _limits(profile.model_dump(mode="json"), ())]


def limits_of(profile: Profile) -> dict[str, str]:
    """Those that are lengths of time, each with how long it is."""
    limits = _limits(profile.model_dump(mode="json"), ())
    return {name: str(value) for name, value in limits if value and not name.startswith(OWN) and not name.endswith(".start")}


def _limits(settings: Any, path: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    if not isinstance(settings, dict):
        return
    for name, value in settings.items():
        here = (*path, name)
        if path[:1] == (OWN,) or (name in LIMITS and not isinstance(value, dict)):
            yield ".".join(here), value
        else:
            yield from _limits(value, here)


def instead_of(profile: Profile, settings: Sequence[str]) -> Profile:
    """The profile with these settings, each `KEY=VALUE` as a profile's file has them: `ratings.red.response.length=2 h`, or
    without `.length`. Raises WrongFile for what is no limit and no calendar's, and for a value that is none."""
    changed, known = profile.model_dump(mode="json"), settable(profile)
    for number, setting in enumerate(settings, 1):
        key, equals, value = (part.strip() for part in setting.partition("="))
        if not equals:
            raise _wrong(number, "expected KEY=VALUE, such as ratings.red.response=2 h")
        name = next((each for each in (key, f"{key}.length", f"{key}.within") if each in known), None)
        if name is None:
            near = " or ".join(get_close_matches(key, known, 3, 0.4) or known[:3])
            raise _wrong(number, f"'{key}' is no limit, and not of the calendar: expected for instance {near}")
        _put(changed, name.split("."), _read(value))
    try:
        return Profile.model_validate(changed)
    except ValidationError as wrong:
        first = wrong.errors(include_url=False, include_input=False)[0]
        at = ".".join(str(part) for part in first["loc"])
        raise _wrong(_setting_of(at, settings), f"{at}: {first['msg']}") from None


def _setting_of(at: str, settings: Sequence[str]) -> int:
    """Which of the settings is about what is wrong there, counted from one; the first where none is."""
    keys = [setting.partition("=")[0].strip() for setting in settings]
    return next((number for number, key in enumerate(keys, 1) if at.startswith(key) or key.startswith(at)), 1)


def _read(value: str) -> Any:
    """A value as TOML has it; a length needs no quotes."""
    try:
        return tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return value


def _put(settings: dict[str, Any], path: list[str], value: Any) -> None:
    for part in path[:-1]:
        settings = settings[part]
    settings[path[-1]] = value


def _wrong(number: int, expected: str) -> WrongFile:
    return WrongFile((Problem("--set", number, expected),))
