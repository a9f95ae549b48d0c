"""A hub's profile: its own file over the product's defaults and the statutory limits, checked before anybody relies on it."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType, UnionType
from typing import Any, get_args, get_origin

import holidays
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from mash.config.agreement import disagreements
from mash.config.edition import DEFAULT, EDITIONS, read_edition, with_additions
from mash.config.permissions import roles
from mash.config.profile_files import SHIPPED, available
from mash.config.toml_lines import Document, Key, Problem, WrongFile, dotted, read_document
from mash.states.clocks import Length
from mash.states.errors import Owed
from mash.states.profile import ClockRule, Profile
from mash.states.stages import CLOCKED

BANK_HOLIDAYS = range(2013, 2036)
"""The years whose bank holidays every calendar knows: from the source documents to the next decade."""
COUNTRIES = "holidays.countries"
IDENTITY = ("name", "title", "area")
"""What a hub is called needs no source."""
LOCAL_LIMITS = ("outcome_told", "pre_birth_conference")
"""The limits of statutory.toml that guidance leaves to the hub."""
WHOLE: tuple[Key, ...] = (("calendar", "windows"), ("intake",), ("ratings",), ("agencies",), ("services",), ("gatherings",))
"""Tables that a hub replaces as a whole: one that opens on three days must not inherit the other two."""
DEFAULTS = read_document(SHIPPED / "defaults.toml")
LENGTH_FORMS = "expected a length such as '4 h', '30 min', '8 hub hours' or '1 working day'"


def _owed_clocks() -> Iterable[str]:
    """What the product's own clocks lack, by file and line: no hub can mend that in its file."""
    for stage in CLOCKED:
        if stage not in DEFAULTS.data["stages"]:
            yield f"config/defaults.toml: expected [stages.{stage}]: length, owner and source of its clock"
            continue
        line = DEFAULTS.line_of(("stages", stage))
        try:
            rule = ClockRule.model_validate(DEFAULTS.data["stages"][stage])
        except ValidationError as wrong:
            for error in wrong.errors(include_url=False, include_input=False):
                yield f"config/defaults.toml:{line}: stages.{stage}.{dotted(error['loc'])}: {error['msg']}"
            continue
        if rule.owner not in roles():
            yield f"config/defaults.toml:{line}: stages.{stage}.owner: expected a role of permissions.toml"


if _owed := [*_owed_clocks()]:
    raise Owed(_owed)


class ProfileError(WrongFile):
    """A profile is refused: file, line and what is expected, for each problem."""


@cache
def load_profile(name: str, directory: Path | None = None, edition: str = "") -> Profile:
    """The hub's profile, complete. A file in `directory` is preferred to the shipped one of the same name, and `edition` to the
    edition of the guidance that the hub has chosen.

    Raises ProfileError. Read once per process: a changed file counts from the next start, under a new digest.
    """
    try:
        return _build(name, *_documents(name, directory, edition))
    except ProfileError:
        raise
    except WrongFile as wrong:
        raise ProfileError(wrong.problems) from None


def own_file(name: str, directory: Path | None = None) -> Document:
    """The hub's own file as it is written. Raises ProfileError for a profile that is refused."""
    load_profile(name, directory)
    return _documents(name, directory)[0]


def stated(name: str, directory: Path | None = None) -> dict[str, str]:
    """The settings that the hub's own file gives, by dotted path, each with its source. The rest are the product's."""
    load_profile(name, directory)
    return dict(_sources(_documents(name, directory)[0].data))


def sources(name: str, directory: Path | None = None, edition: str = "") -> dict[str, str]:
    """Where each setting comes from that a file gives: the hub's own, else the edition of the guidance, else the product's
    defaults, by dotted path."""
    load_profile(name, directory, edition)
    hub, defaults, statutory, chosen = _documents(name, directory, edition)
    layers = (defaults.data, statutory.data, chosen.data, {"services": chosen.data["edition"].get("services", {})}, hub.data)
    found = {path: source for layer in layers for path, source in _sources(layer)}
    for meeting in (needed := chosen.data["edition"].get("quorum", {})):
        if meeting != "source":
            at = f"{meeting}.quorum"
            found[at] = f"{found[at]}; with {needed['source']}"
    return found


def stored_profile(document: str) -> Profile:
    """A profile as a database has it, perhaps since a version of the product that knew fewer settings: what it does not have is
    the product's default. Raises ValidationError for a document that never was a profile."""
    base = _plain(DEFAULTS.data) | _plain(read_document(SHIPPED / "statutory.toml").data)
    base |= {"edition": _plain(read_edition(DEFAULT).data)["edition"]}
    known = {name: value for name, value in base.items() if name in Profile.model_fields}
    settings = json.loads(document)
    return Profile.model_validate(_merge(known, _as_of_today(settings)) if isinstance(settings, dict) else settings)


def _as_of_today(old: dict[str, Any]) -> dict[str, Any]:
    """A stored profile in today's words. Version 0.1 said in four settings of their own what has tables now."""
    if "kinds" not in old:
        return old
    old.pop("unrated_counts_as", None)
    takes = {"title": "What the hub took", "kinds": old.pop("kinds"), "cohorts": old.pop("cohorts", None)}
    out_of_hours, quorum = {"role": old.pop("out_of_hours_role", None)}, {"quorum": old.pop("quorum", None)}
    return {**old, "intake": {"taken": takes}, "out_of_hours": out_of_hours, "strategy_discussion": quorum}


# --- reading ------------------------------------------------------------------------------------------------------------


@cache
def _documents(name: str, directory: Path | None, edition: str = "") -> tuple[Document, Document, Document, Document]:
    """The hub's own file, the defaults, the statutory limits, the edition of the guidance."""
    # The name comes from a command line or a setting: never let it walk out of the folder.
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", name):
        raise ProfileError((Problem("profiles", 1, "a profile's name is lower-case letters, digits, '-' and '_'"),))
    own = directory / f"{name}.toml" if directory else None
    path = own if own and own.is_file() else SHIPPED / "hubs" / f"{name}.toml"
    if not path.is_file():
        there = ", ".join(available(directory))
        raise ProfileError((Problem(f"{name}.toml", 1, f"there is no profile of this name: expected one of {there}"),))
    hub = read_document(path)
    return hub, DEFAULTS, read_document(SHIPPED / "statutory.toml"), read_edition(_chosen(hub, edition))


def _chosen(hub: Document, instead: str) -> str:
    """Which edition of the guidance is meant. Raises ProfileError for one that there is not."""
    name = instead or hub.data.get("edition", DEFAULT)
    if name not in EDITIONS:
        raise ProfileError((hub.problem(("edition",), f"expected one of {', '.join(EDITIONS)}, in quotes"),))
    return str(name)


def _build(name: str, hub: Document, defaults: Document, statutory: Document, edition: Document) -> Profile:
    problems = [*_unsourced(hub), *_beyond_the_hub(name, hub)]
    try:
        profile = Profile.model_validate({**_merged(hub, defaults, statutory, edition), "name": name})
    except ValidationError as wrong:
        raise ProfileError((*problems, *(_problem(hub, error) for error in wrong.errors()))) from None
    problems += [hub.problem(key, expected) for key, expected in disagreements(profile)]
    if problems:
        raise ProfileError(tuple(problems))
    return profile


def _merged(hub: Document, defaults: Document, statutory: Document, edition: Document) -> dict[str, Any]:
    """The hub's settings over the edition's and the product's, ready for the model."""
    base = _merge(_plain(defaults.data) | _plain(statutory.data), _plain(edition.data))
    by_rating, response = base.pop("rating_defaults"), base.pop("response_defaults")
    base["calendar"]["bank_holidays"] = _bank_holidays()
    own = {name: value for name, value in _plain(hub.data).items() if name != "edition"}
    merged = with_additions(_merge(base, own))
    _add_bank_holidays(base["calendar"]["bank_holidays"], merged)
    if isinstance(ratings := merged["ratings"], dict):
        merged["ratings"] = {name: _rating(by_rating[_place(ratings, name)], response, ratings[name]) for name in ratings}
    return merged


def _add_bank_holidays(of_england: tuple[str, ...], merged: dict[str, Any]) -> None:
    """One that is proclaimed late comes on top of England's, which hold anyway. What is no list of days is left as it is, for the
    profile to refuse by its line."""
    calendar = merged["calendar"]
    if isinstance(calendar, dict) and isinstance(extra := calendar["bank_holidays"], list):
        days = [day.isoformat() if isinstance(day, date) else day for day in extra]
        calendar["bank_holidays"] = sorted({*of_england, *days}) if all(isinstance(day, str) for day in days) else days


def _place(ratings: dict[str, Any], name: str) -> str:
    """The place of a rating among the hub's: the most urgent one, the next, or a further one."""
    severities = {n: r["severity"] for n, r in ratings.items() if isinstance(r, dict) and isinstance(r.get("severity"), int)}
    above = sum(severity > severities.get(name, severity) for severity in severities.values())
    return ("first", "second", "further")[min(above, 2)]


def _rating(under: dict[str, Any], response: dict[str, Any], rating: Any) -> Any:
    if not isinstance(rating, dict):
        return rating
    return _merge({**under, "response": response} if "response" in rating else under, rating)


def _merge(under: dict[str, Any], over: dict[str, Any], at: Key = ()) -> dict[str, Any]:
    """`over` on top of `under`, table by table. A rule whose length is not overridden keeps saying where that is from."""
    if at in WHOLE:
        return over
    merged = dict(under)
    for name, value in over.items():
        below = merged.get(name)
        merged[name] = _merge(below, value, (*at, name)) if isinstance(below, dict) and isinstance(value, dict) else value
    if "length" in under and "length" not in over and "source" in under and "source" in over:
        merged["source"] = f"{over['source']}; its length: {under['source']}"
    return merged


@cache
def _bank_holidays() -> tuple[str, ...]:
    with _without_the_world():
        days = holidays.country_holidays("GB", subdiv="ENG", years=BANK_HOLIDAYS)
    return tuple(day.isoformat() for day in sorted(days))


@contextmanager
def _without_the_world() -> Iterator[None]:
    """One country's holidays are asked for within this: the package of countries is there, with nothing in it. By itself it
    imports each country of the world, 280 modules and 9 MB in every process of ours."""
    found = find_spec(COUNTRIES) if COUNTRIES not in sys.modules else None
    if found is None or found.submodule_search_locations is None:
        yield
        return
    empty = ModuleType(COUNTRIES)
    empty.__path__ = list(found.submodule_search_locations)
    sys.modules[COUNTRIES] = empty
    try:
        yield
    finally:
        del sys.modules[COUNTRIES]


# --- sources ------------------------------------------------------------------------------------------------------------


def _keeps_source(at: Key) -> bool:
    """Whether the model has a field for the source of this table; other sources are only shown."""
    match at:
        case ("meeting",) | ("accumulation",) | ("not_ours",) | ("seconding",) | ("strategy_discussion", "put_right"):
            return True
        case ("edition", "disclosure"):
            return True
        case ("ratings" | "stages" | "statutory" | "destinations", _):
            return True
        case ("ratings" | "agencies", _, "response" | "reply" | "allocation"):
            return True
        case ("rating_defaults", _, "reply"):
            return True
    return False


def _plain(table: dict[str, Any], at: Key = (), near: str = "") -> dict[str, Any]:
    """The settings without the sources that the model has no field for; a clock takes over its table's source."""
    near = _own_source(table, near)
    plain = {
        name: _plain(value, (*at, name), _own_source(table.get("source"), near, name)) if isinstance(value, dict) else value
        for name, value in table.items()
        if name != "source"
    }
    if _keeps_source(at) and near:
        plain["source"] = near
    return plain


def _sources(table: dict[str, Any], at: Key = (), near: str = "") -> Iterable[tuple[str, str]]:
    """Every setting of the table with its source: beside it, or in the nearest table around it."""
    near = _own_source(table, near)
    for name, value in table.items():
        if name == "source":
            continue
        source = _own_source(table.get("source"), near, name)
        if isinstance(value, dict):
            yield from _sources(value, (*at, name), source)
        else:
            yield dotted((*at, name)), source


def _own_source(table: Any, otherwise: str, name: str = "source") -> str:
    source = table.get(name) if isinstance(table, dict) else None
    return source if isinstance(source, str) else otherwise


def _unsourced(hub: Document) -> list[Problem]:
    """Settings without a source: nobody could tell later whether a hub stated them or somebody invented them."""
    problems = [
        hub.problem(tuple(path.split(".")), 'expected a source beside it: source = "..."')
        for path, source in _sources(hub.data)
        if not source and path not in IDENTITY
    ]
    source_table = hub.data.get("source", {})
    if not isinstance(source_table, dict):
        return [*problems, hub.problem(("source",), 'expected source.<setting> = "..." at the top of a file')]
    return problems + [
        hub.problem(("source", name), "names no setting of this file") for name in source_table if name not in hub.data
    ]


def _beyond_the_hub(name: str, hub: Document) -> list[Problem]:
    """What a hub's file may not set: another profile's name, and limits that hold for every hub."""
    problems = []
    if hub.data.get("name", name) != name:
        problems.append(hub.problem(("name",), f"expected '{name}', as the file is called"))
    limits = hub.data.get("statutory")
    expected = f"expected only an owner: the limit holds for every hub (of its own, a hub sets only {', '.join(LOCAL_LIMITS)})"
    for limit, rule in (limits if isinstance(limits, dict) else {}).items():
        if limit not in LOCAL_LIMITS and isinstance(rule, dict):
            problems += [hub.problem(("statutory", limit, key), expected) for key in rule if key not in ("owner", "source")]
    return problems


# --- saying what is wrong -----------------------------------------------------------------------------------------------


def _problem(hub: Document, error: ErrorDetails) -> Problem:
    key, kind, message = error["loc"], error["type"], error["msg"].removeprefix("Value error, ")
    around = _annotation(key[:-1])
    if kind == "extra_forbidden":
        return hub.problem(key, f"unknown setting: expected one of {', '.join(_fields(around))}")
    if kind == "missing":
        return hub.problem(key, "missing: the hub must say this, the product has no default for it")
    if _annotation(key) is Length and kind != "value_error":
        return hub.problem(key, LENGTH_FORMS)
    # A rule about a whole table names the field that it is about.
    named = next((word for word in re.findall(r"\w+", message) if word in _fields(_annotation(key))), None)
    if kind == "value_error" and named:
        key = (*key, named)
        message = message.removeprefix(f"{named}: ")
    return hub.problem(key, message.replace("Input should be", "expected"))


def _annotation(key: Key) -> Any:
    """The type the profile has at this place."""
    at: Any = Profile
    for step in key:
        if isinstance(at, type) and issubclass(at, BaseModel):
            at = at.model_fields[str(step)].annotation if step in at.model_fields else None
        else:
            at = (get_args(at) or (None,))[-1 if get_origin(at) is dict else 0]
        if isinstance(at, UnionType):
            at = next(part for part in get_args(at) if part is not type(None))
    return at


def _fields(annotation: Any) -> list[str]:
    return list(annotation.model_fields) if isinstance(annotation, type) and issubclass(annotation, BaseModel) else []
