"""What both outside validators find in a thousand random histories of all hubs, a quarter about children known already."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path

from outside import annex_log, census_issues, schema_errors
from returning import histories, known_of

from mash.config.profile import load_profile
from mash.config.profile_files import available
from mash.flows.returns.annex_a import Period, lists, workbook
from mash.flows.returns.children import in_year
from mash.flows.returns.cin import Conference, census
from mash.flows.returns.year import Year

YEAR = Year(2026)
PERIOD = Period(date(2025, 4, 1), date(2026, 3, 31))
RULESET = "cin2025_26"
SEED = 2026
MADE_AT = datetime(2026, 5, 1, tzinfo=UTC)


@dataclass
class Accepted:
    """What came of it."""

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
    """By rule: in how many files it found something."""
    queries: Counter[str] = field(default_factory=Counter)
    schema: list[str] = field(default_factory=list)
    annex: dict[str, str] = field(default_factory=dict)
    """By hub: what liiatools says of its workbook."""
    rows: Counter[str] = field(default_factory=Counter)


def make(name: str, number: int, folder: Path) -> tuple[int, int, int, int, dict[str, int]]:
    """The files of one hub: how many cases, contacts attached, children, episodes, and rows by list they have."""
    profile = load_profile(name)
    made = histories(profile, number, SEED, YEAR.number)
    people = known_of(made, SEED)
    children, _ = in_year(people, YEAR, profile.returns)
    limit = Conference(profile.statutory["conference"], profile.calendar)
    (folder / f"{name}.xml").write_bytes(census(children, YEAR, "202", MADE_AT, "1", limit))
    rows = lists(people, PERIOD, profile.returns, lambda course: profile.title)
    (folder / f"{name}.xlsx").write_bytes(workbook(rows))
    episodes = [episode for child in children for episode in child.episodes]
    attached = sum(len({course.root for course in episode.courses}) - 1 for episode in episodes)
    counted = {which: len(some) for which, some in rows.items()}
    return number, attached, len(children), len(episodes), counted


def accepted(number: int, folder: Path, processes: int = 2) -> Accepted:
    """Play so many histories in all, write every hub's files, and ask both validators."""
    found, hubs = Accepted(), available()
    each = -(-number // len(hubs))
    with ProcessPoolExecutor(processes) as pool:
        for count, attached, children, episodes, rows in pool.map(partial(make, number=each, folder=folder), hubs):
            found.histories += count
            found.attached += attached
            found.children += children
            found.episodes += episodes
            found.rows.update(rows)
    files = sorted(folder.glob("*.xml"))
    issues = census_issues(RULESET, files)
    found.version, found.rules = issues["version"], len(issues["rules"])
    found.run = min(of["run"] for of in issues["files"].values())
    for of in issues["files"].values():
        found.crashed |= {*of["crashed"]}
        for rule in of["broken"]:
            (found.errors if issues["rules"][rule] == "Error" else found.queries)[rule] += 1
    found.schema = [error for some in schema_errors(files).values() for error in some]
    for book in sorted(folder.glob("*.xlsx")):
        place = folder / f"annex-{book.stem}"
        place.mkdir()
        found.annex[book.stem] = annex_log(book, place)
    return found


def annex_faults(log: str) -> list[str]:
    """What liiatools finds wrong in a workbook, but that lists are missing which are not of the front door."""
    return [line for line in log.splitlines() if line.strip() and not line.startswith("The following sheets are missing")]
