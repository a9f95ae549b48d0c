"""The open cases of a hub as a page that prints: what work goes on by when all is down."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader

from mash.config.words import agency_title, decoded, lead_title, sentence, stage_title, worded
from mash.flows.store.details import secret_address
from mash.flows.store.reads.case import Case
from mash.flows.store.reads.opened import Said
from mash.flows.telling.who import age_said, whole_name
from mash.states.clocks import dated, day_of, local
from mash.states.profile import Profile
from mash.states.referral import Clock

SAFE_CONTACT = "safe_contact"
NOT_SAID_HOW = "Contact may not be safe, and how it is was not said here: ask whoever referred first."
MOST_WORDS = 120
"""Words of the worry that stand on paper, where nobody can ask for the rest."""
HIDDEN = "SECRET, tell nobody: "
"""Before where somebody lives who is kept from others."""
UNREADABLE = "Who it is about cannot be opened here: ask for the key, or look the case up once all is back."


@dataclass(frozen=True)
class OnPaper:
    """One open case, as it stands on paper."""

    reference: str
    people: tuple[str, ...]
    rating: str
    stage: str
    danger: bool
    due: tuple[tuple[str, str, bool], ...]
    """Until when something is due, what it is and whose, and whether that is late; replies that are due together are one."""
    who_has_it: str
    worry: str
    lives: tuple[str, ...]
    """Where they live, and with whom."""
    safe_contact: tuple[str, ...]
    referrer: tuple[str, ...] = field(default=())
    bare: bool = False
    """Whether it could not be written out: that it is open, and when something is due, is all that stands here."""


def by_reference(reference: str, due_at: datetime | None, now: datetime) -> OnPaper:
    """A case of which no more can be written than that it is open, and when something is due."""
    due = ((local(due_at), "look it up to see what", due_at < now),) if due_at else ()
    return OnPaper(
        reference, (UNREADABLE,), rating="", stage="", danger=False, due=due, who_has_it="", worry="", lives=(), safe_contact=(),
        bare=True,
    )  # fmt: skip


def on_paper(case: Case, said: Sequence[Said] | None, rules: Profile | None, now: datetime) -> OnPaper:
    """A case as it stands on paper; `said` is None where its words cannot be opened."""
    r = case.referral
    return OnPaper(
        reference=case.reference,
        people=tuple(_people(said, now)) if said is not None else (UNREADABLE,),
        rating=rules.ratings[r.rating].title if rules and r.rating in rules.ratings else sentence(r.rating) or "Not rated",
        stage=stage_title(r.stage, rules),
        danger=r.in_danger,
        due=tuple(_due(r.running, rules, now)),
        who_has_it=f"{r.worker.login}, {lead_title(r.stage, rules)}" if r.worker else sentence(r.owner) or "Nobody",
        worry=_worry(said or ()),
        lives=tuple(dict.fromkeys(_lives(said or ()))),
        safe_contact=tuple(_safe_contact(case, said or ())),
        referrer=tuple(_referrer(said or ())),
    )


def _due(running: Iterable[Clock], rules: Profile | None, now: datetime) -> Iterable[tuple[str, str, bool]]:
    """What is due when, the soonest first."""
    clocks = sorted(running, key=lambda clock: (clock.due_at, clock.kind))
    for (due_at, kind), some in groupby(clocks, key=lambda clock: (clock.due_at, clock.kind)):
        if kind == "check":
            agencies = ", ".join(agency_title(rules, clock.whose) for clock in some)
            yield local(due_at), f"replies of {agencies}", due_at < now
        else:
            yield from ((local(due_at), f"{k.why.partition(':')[0]} ({worded(k.owner)})", due_at < now) for k in some)


def _people(said: Sequence[Said], now: datetime) -> Iterable[str]:
    """Each subject: name, date of birth, age."""
    for each in said:
        if each.kind != "subject":
            continue
        days = (("date_of_birth", "born"), ("expected_date", "expected"))
        known = (f"{what} {decoded(name, each.fields[name])}" for name, what in days if each.fields.get(name))
        yield ", ".join((whole_name(each.fields), age_said(each.fields, day_of(now)), *known))


def _worry(said: Sequence[Said]) -> str:
    """What the referrer is worried about, in their words."""
    told = (str(each.fields.get("narrative") or each.fields.get("summary") or "") for each in said if each.kind == "concern")
    words = next(filter(None, told), "").split()
    return " ".join(words) if len(words) <= MOST_WORDS else f"{' '.join(words[:MOST_WORDS])} … ({len(words)} words in all)"


def _lives(said: Sequence[Said]) -> Iterable[str]:
    """Each address of the subjects, by where they live of whom it is kept from others as secret; then who lives with them."""
    # As on the page of checks: of one who is hidden, where anybody of the case lives may tell where.
    hidden = any(secret_address(each.fields) for each in said if each.kind in ("subject", "household"))
    for each in said:
        if each.kind == "subject" and (address := each.fields.get("address")):
            parts = address.values() if isinstance(address, dict) else [address]
            yield f"{HIDDEN if hidden else ''}{', '.join(str(part) for part in parts if part)}"
    members = [each.fields for each in said if each.kind == "household"]
    if members:
        yield "With " + ", ".join(_member(fields) for fields in members)


def _member(fields: dict[str, Any]) -> str:
    relation = str(fields.get("relationship") or "").strip()
    return f"{whole_name(fields)} ({relation})" if relation else whole_name(fields)


def _safe_contact(case: Case, said: Sequence[Said]) -> Iterable[str]:
    """How the family is safely reached, in the referrer's words; then what else the case warns of."""
    consents = [each.fields.get("consent") for each in said if each.kind == "submission"]
    ways = [str(each["safe_contact"]) for each in consents if isinstance(each, dict) and each.get("safe_contact")]
    yield from ways
    if SAFE_CONTACT in case.referral.markers and not ways:
        yield NOT_SAID_HOW
        # Sent as text, it may be what warns.
        yield from (f"Of consent was said: {text}" for each in consents if (text := _in_words(each)))
    yield from (sentence(marker) for marker in case.referral.warnings if marker != SAFE_CONTACT)


def _in_words(consent: Any) -> str:
    return str((consent.get("in_words") if isinstance(consent, dict) else consent) or "")


def _referrer(said: Sequence[Said]) -> Iterable[str]:
    """Who referred, by telephone before all."""
    for each in said:
        if each.kind != "referrer":
            continue
        asked: dict[str, Any] = each.fields
        named = ", ".join(str(asked[name]) for name in ("name", "role", "organisation") if asked.get(name))
        yield f"Telephone {asked['phone']}" if asked.get("phone") else "No telephone was given"
        if named:
            yield named
        if asked.get("how_to_reach"):
            yield str(asked["how_to_reach"])
        if asked.get("safe_to_write") is False:
            yield "It is not safe to write to them"


def as_page(profile: Profile, cases: Sequence[OnPaper], at: datetime) -> str:
    """The page: whole in itself, without scripts, and made to be printed."""
    made = Environment(loader=FileSystemLoader(Path(__file__).parent), autoescape=True)
    late = sum(any(overdue for _, _, overdue in case.due) for case in cases)
    known = {"title": profile.title, "cases": sorted(cases, key=lambda case: not case.danger), "at": dated(at), "late": late}
    return made.get_template("open_cases.html").render(known)
