"""Reading the hubs' profiles: the hub's file over the product's defaults and the statutory limits, checked line by line."""

from __future__ import annotations

import re
import tomllib
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import holidays
from pydantic import ValidationError

from mash.states.profile import Profile

HERE = Path(__file__).parent
BANK_HOLIDAY_YEARS = range(2013, 2036)


class ProfileError(Exception):
    """A profile that is wrong: each line names the file, the line, the setting and what is expected."""


def available(directory: Path | None = None) -> list[str]:
    """The names of the shipped profiles, and of those in a directory of your own."""
    folders = [HERE / "hubs", *([directory] if directory else [])]
    return sorted({path.stem for folder in folders for path in folder.glob("*.toml")})


@cache
def load_profile(name: str, directory: Path | None = None) -> Profile:
    """A hub's profile. Raises ProfileError with file, line and what is expected."""
    path = _path(name, directory)
    try:
        return Profile.model_validate(_complete(_parse(path)))
    except ValidationError as wrong:
        text = path.read_text(encoding="utf-8")
        raise ProfileError("\n".join(
            f"{path}:{line_of(text, err['loc'])}: {'.'.join(map(str, err['loc'])) or 'profile'}: "
            f"{err['msg'].removeprefix('Value error, ')}" for err in wrong.errors())) from None


def stated(name: str, directory: Path | None = None) -> set[str]:
    """The dotted names of the settings that the hub's own file gives; the rest are defaults."""
    def walk(value: Any, prefix: str) -> set[str]:
        if not isinstance(value, dict):
            return {prefix}
        return set().union(*(walk(v, f"{prefix}.{k}" if prefix else k) for k, v in value.items()))

    return walk(_parse(_path(name, directory)), "")


def describe(name: str, directory: Path | None = None) -> list[tuple[str, str, str, str]]:
    """Every setting as (section, setting, value, source); bank holidays are left out for length."""
    profile, own = load_profile(name, directory), stated(name, directory)
    rows: list[tuple[str, str, str, str]] = []

    def walk(value: Any, path: tuple[str, ...], source: str) -> None:
        if isinstance(value, dict) and "source" in value:
            source = str(value["source"])
        if isinstance(value, dict):
            for key, inner in value.items():
                if key not in ("source", "bank_holidays"):
                    walk(inner, (*path, str(key)), source)
            return
        dotted = ".".join(path)
        rows.append((".".join(path[:-1]), path[-1], str(value), source or ("the hub's profile" if dotted in own else "product default")))

    walk(profile.model_dump(mode="json"), (), "")
    return rows


def _path(name: str, directory: Path | None) -> Path:
    for folder in (*([directory] if directory else []), HERE / "hubs"):
        if (path := folder / f"{name}.toml").is_file():
            return path
    raise ProfileError(f"there is no profile '{name}'; there are: {', '.join(available(directory))}")


def _parse(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as wrong:
        line = re.search(r"line (\d+)", str(wrong))
        raise ProfileError(f"{path}:{line[1] if line else 1}: not TOML: {wrong}") from None
    except OSError as wrong:
        raise ProfileError(f"{path}:1: cannot be read: {wrong.strerror}") from None


def _complete(own: dict[str, Any]) -> dict[str, Any]:
    """The hub's settings over the defaults; each rating over the defaults of a rating; bank holidays added."""
    merged = _merge(_merge(_parse(HERE / "defaults.toml"), _parse(HERE / "statutory.toml")), own)
    defaults = merged.pop("rating_defaults")
    ratings = own.get("ratings")
    if isinstance(ratings, dict):
        merged["ratings"] = {name: _merge(defaults, rating) if isinstance(rating, dict) else rating for name, rating in ratings.items()}
    merged["calendar"] = {**merged["calendar"], "bank_holidays": _bank_holidays()}
    return merged


def _merge(under: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    both = {key: _merge(under[key], value) if isinstance(value, dict) and isinstance(under.get(key), dict) else value
            for key, value in over.items()}
    return {**under, **both}


@cache
def _bank_holidays() -> tuple[date, ...]:
    return tuple(sorted(holidays.country_holidays("GB", subdiv="ENG", years=BANK_HOLIDAY_YEARS)))


def line_of(text: str, where: tuple[Any, ...]) -> int:
    """The line of a TOML text that a setting stands in, or of the nearest table around it; 1 when it is not there at all."""
    tables = {(): 1}
    keys: dict[tuple[str, ...], int] = {}
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*\[+\s*([^\]]+?)\s*\]+", line):
            table = tuple(part.strip(" \"'") for part in header[1].split("."))
            tables.setdefault(table, number)
        elif key := re.match(r"\s*([A-Za-z0-9_\-\"']+(?:\.[A-Za-z0-9_\-]+)*)\s*=", line):
            keys[(*table, *key[1].strip("\"'").split("."))] = number
    path = tuple(str(part) for part in where)
    for length in range(len(path), 0, -1):
        if (found := keys.get(path[:length]) or tables.get(path[:length])) is not None:
            return found
    return 1
