"""What is written of the children of random histories: all that the census asks, the same in each contact; or as people write it,
with gaps, slips and contradictions, and some erased since."""

from __future__ import annotations

import hashlib
import random
from datetime import date, timedelta
from typing import Any

from returning import Histories
from stdnum.gb import upn

from mash.flows.returns.children import known
from mash.flows.returns.extract import Gathered, authorities
from mash.flows.returns.people import Written, merged
from mash.states.accumulation import contact_of
from mash.states.clocks import day_of

PSEUDO_AUTHORITY = "202"
SLIPS: dict[str, tuple[Any, ...]] = {
    "sex": ("female", "X", "M", "F"),
    "ethnicity": ("White British", "not known", "BCRB"),
    "disability": (["deaf"], "MOB", ["NONE", "HAND"]),
    "upn": ("X00", "A000000000000"),
    "upn_unknown": ("UN9", "UN7", "new to the area"),
    "date_of_birth": ("about 2015", "1990-02-03", "2026-05-01", "2014-09-01"),
    "expected_date": ("June", "2025-05-01", "2026-06-01"),
}
"""What people write in place of what is so: no code at all, or another one."""
BESIDE: dict[str, tuple[Any, ...]] = {"died_on": ("2020-01-01", "2026-02-02", "in May"), "former_upn": ("X00",)}
"""What is written of few."""


def a_upn(number: int) -> str:
    """A unique pupil number with the right check letter."""
    digits = f"{PSEUDO_AUTHORITY}{number:09}"[:12]
    return f"{upn.calc_check_digit(digits)}{digits}"


def all_of(born: date, unborn: bool, dice: random.Random, number: int) -> dict[str, Any]:
    """All that the census asks of a child."""
    details: dict[str, Any] = {
        "sex": dice.choice("MF"),
        "ethnicity": dice.choice(("WBRI", "MWBC", "APKN", "REFU")),
        "disability": dice.choice((["NONE"], ["NONE"], ["MOB", "LD"], ["AUT"])),
    }
    if unborn:
        return {**details, "expected_date": born.isoformat()}
    details["date_of_birth"] = born.isoformat()
    number_of = {"upn": a_upn(number)} if dice.random() < 0.8 else {"upn_unknown": dice.choice(("UN2", "UN5"))}
    return {**details, **number_of}


def as_people_write(details: dict[str, Any], dice: random.Random) -> dict[str, Any]:
    """The same with something left out, or wrong, and now and then more than that."""
    some = {name: dice.choice(SLIPS[name]) if dice.random() < 0.12 else value for name, value in details.items()}
    beside = {name: dice.choice(values) for name, values in BESIDE.items() if dice.random() < 0.04}
    return {name: value for name, value in {**some, **beside}.items() if dice.random() < 0.8}


def gathered(made: Histories, seed: int, *, whole: bool) -> Gathered:
    """What the returns see of these histories."""
    dice = random.Random(f"people {made.profile.name} {seed} {whole}")
    standing = [(case, sid) for case in made.cases.values() for sid in case.state.subjects]
    prefix = f"{made.profile.name[:6].upper().replace('_', '')}{seed:02}"
    ids = {child: f"{prefix}{n:06}" for n, child in enumerate(sorted({*made.children.values()}))}
    identities = {(case.reference, sid): ids[made.children[contact_of(case.reference), sid]] for case, sid in standing}
    roots = sorted({contact_of(reference) for reference in made.cases})
    gone = {root for root in roots if not whole and dice.random() < 0.03}
    erased = [reference for reference in made.cases if contact_of(reference) in gone]
    written: dict[str, list[Written]] = {}
    so = _so(made, identities, dice, prefix)
    for case, sid in standing:
        name = identities[case.reference, sid]
        fields = so[name] if whole else as_people_write(so[name], dice)
        since = case.state.received_at + timedelta(days=dice.random() * 40)
        if case.reference not in erased:
            written.setdefault(name, []).append(Written(case.reference, sid, {each: (fields[each], since) for each in fields}))
    people = {name: merged(some) for name, some in written.items()}
    numbers = authorities(made.profile)
    return Gathered(made.profile, known(made.cases, identities, people, b"key of the tests", erased, numbers))


def _so(made: Histories, identities: dict[tuple[str, str], str], dice: random.Random, prefix: str) -> dict[str, dict[str, Any]]:
    """What is so of each child."""
    cases: dict[str, list[tuple[date, str]]] = {}
    for (reference, sid), name in identities.items():
        state = made.cases[reference].state
        cases.setdefault(name, []).append((day_of(state.reported_at or state.received_at), state.subjects[sid].cohort))
    numbers = int(hashlib.sha256(prefix.encode()).hexdigest()[:6], 16) % 90_000 * 10_000
    found = {}
    for number, (name, some) in enumerate(cases.items(), start=numbers):
        first, cohorts = min(some)[0], {cohort for _, cohort in some}
        unborn = "unborn" in cohorts
        born = first + timedelta(days=dice.randint(20, 200)) if unborn else first - timedelta(days=dice.randint(30, 16 * 365))
        found[name] = all_of(born, cohorts == {"unborn"}, dice, number)
    return found
