"""What both outside validators find in a thousand random histories of all hubs, a quarter about children known already: in the
files as the product makes them, where all is recorded that the census asks, and where people have written what they knew."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import openpyxl
from outside import annex_log, census_issues, schema_errors
from returning import histories
from written_of_children import PSEUDO_AUTHORITY, gathered

from mash.config.profile import load_profile
from mash.config.profile_files import available
from mash.flows.returns.annex_a import Period
from mash.flows.returns.children import in_year
from mash.flows.returns.extract import annex_files, authorities, census_files
from mash.flows.returns.rules import findings
from mash.flows.returns.year import Year

YEAR = Year(2026)
PERIOD = Period(YEAR.start, YEAR.end)
RULESETS = {2025: "cin2024_25", 2026: "cin2025_26", 2027: "cin2026_27"}
"""The outside validator's rules of each year whose form is written."""
RULESET = RULESETS[YEAR.number]
SEED = 2026
WHOLE, PART = "whole", "part"
"""How the names of files begin: all is recorded of the children, or what people knew."""
OF_THE_WHOLE = ("2886Q", "2887Q", "2888Q")
"""Queries about a file as a whole: how many have no sex recorded, and how few disabilities."""
MADE_AT = datetime(2026, 5, 1, tzinfo=UTC)


@dataclass
class Accepted:
    """What came of it."""

    hubs: int = 0
    histories: int = 0
    attached: int = 0
    """Contacts about a child with an open episode, which are part of it."""
    children: int = 0
    episodes: int = 0
    version: str = ""
    rules: int = 0
    run: int = 0
    """Rules that ran, in the file in which fewest did."""
    crashed: set[str] = field(default_factory=set)
    errors: Counter[str] = field(default_factory=Counter)
    """By rule: in how many files of children of whom all is recorded it found something."""
    unforeseen: Counter[str] = field(default_factory=Counter)
    """By rule: in how many of the others it found something that our own list does not say."""
    foreseen: set[str] = field(default_factory=set)
    """What both found there."""
    queries: Counter[str] = field(default_factory=Counter)
    schema: list[str] = field(default_factory=list)
    annex: dict[str, str] = field(default_factory=dict)
    """By workbook: what liiatools says of it."""
    rows: Counter[str] = field(default_factory=Counter)


@dataclass
class Made:
    """The files of one hub, and what is in them."""

    attached: int = 0
    children: int = 0
    episodes: int = 0
    foreseen: dict[str, set[str]] = field(default_factory=dict)
    """By file: the rules that our own list says are broken, of which the outside may find no others."""


def make(name: str, number: int, folder: Path, year: Year) -> Made:
    """The files of one hub: of children of whom all is recorded, and of the same of whom people wrote what they knew."""
    profile, made = load_profile(name), Made()
    played = histories(profile, number, SEED, year.number)
    authority = "" if any(authorities(profile).values()) else PSEUDO_AUTHORITY
    for whole in (True, False):
        some = gathered(played, SEED, whole=whole)
        found = {each.rule for each in findings(some.people, some.checks(year))}
        for file in census_files(some, year, MADE_AT, authority):
            if not file.children:
                continue  # the census' schema has no return of nobody
            path = folder / f"{WHOLE if whole else PART}-{name}-{file.authority}.xml"
            path.write_bytes(file.content)
            made.foreseen[str(path)] = found
        for file in annex_files(some, Period(year.start, year.end), authority):
            (folder / f"{WHOLE if whole else PART}-{name}-{file.authority}.xlsx").write_bytes(file.content)
        if whole:
            children, _ = in_year(some.people, year, profile.returns)
            episodes = [episode for child in children for episode in child.episodes]
            made.attached = sum(len({course.root for course in episode.courses}) - 1 for episode in episodes)
            made.children, made.episodes = len(children), len(episodes)
    return made


def accepted(number: int, folder: Path, processes: int = 2, year: Year = YEAR) -> Accepted:
    """Play so many histories in all, write every hub's files of a year, and ask both validators."""
    found, hubs, foreseen = Accepted(), available(), dict[str, set[str]]()
    each = -(-number // len(hubs))
    found.hubs, found.histories = len(hubs), each * len(hubs)
    with ProcessPoolExecutor(processes) as pool:
        for made in pool.map(partial(make, number=each, folder=folder, year=year), hubs):
            found.attached += made.attached
            found.children += made.children
            found.episodes += made.episodes
            foreseen |= made.foreseen
    issues = census_issues(RULESETS[year.number], sorted(folder.glob("*.xml")))
    found.version, found.rules = issues["version"], len(issues["rules"])
    found.run = min(of["run"] for of in issues["files"].values())
    for path, of in issues["files"].items():
        found.crashed |= {*of["crashed"]}
        if Path(path).name.startswith(WHOLE):
            for rule in of["broken"]:
                (found.errors if issues["rules"][rule] == "Error" else found.queries)[rule] += 1
        else:
            found.foreseen |= foreseen[path] & {*of["broken"]}
            found.unforeseen.update({*of["broken"]} - foreseen[path] - {*OF_THE_WHOLE})
    found.schema = [error for some in schema_errors(sorted(folder.glob("*.xml"))).values() for error in some]
    for book in sorted(folder.glob("*.xlsx")):
        place = folder / f"annex-{book.stem}"
        place.mkdir()
        found.annex[book.stem] = annex_log(book, place)
        if book.stem.startswith(WHOLE):
            sheets = openpyxl.load_workbook(book, read_only=True)
            found.rows.update({sheet.title: sum(1 for _ in sheet.iter_rows(min_row=2)) for sheet in sheets})
    return found


def annex_faults(log: str) -> list[str]:
    """What liiatools finds wrong in a workbook, but that lists are missing which are not of the front door."""
    return [line for line in log.splitlines() if line.strip() and not line.startswith("The following sheets are missing")]
