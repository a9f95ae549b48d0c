"""Whether the contacts about one child add up: each small, none looked at beside the others.

Serious case reviews find it again and again: a child of whom many had told, each contact closed by itself. From how many on it
counts is the profile's (`[accumulation]`); that it is looked at by a second person is the product's own default.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from mash.states.profile import Accumulation
from mash.states.referral import Referral
from mash.states.values import Match

LIGHT = ("no_further_action", "advice", "information_provided")
"""Outcomes by which nothing more is done for a child."""


def contact_of(reference: str) -> str:
    """The contact that a referral belongs to: one that was split has parts, MASH-26-000007-B."""
    return "-".join(reference.split("-")[:3])


def months_before(at: datetime, months: int) -> datetime:
    """So many months earlier; of a day that the month does not have, its 28th."""
    years, month = divmod(at.year * 12 + at.month - 1 - months, 12)
    return at.replace(year=years, month=month + 1, day=min(at.day, 28) if at.day > 28 else at.day)


def within(referral: Referral, rule: Accumulation, matches: Iterable[Match]) -> list[Match]:
    """Those of the matches that count: contacts about a subject itself, not older than the rule's months when this one was
    received. Contacts about whom a concern about a professional is about are not contacts about a child."""
    since = months_before(referral.received_at, rule.months)
    accused = [sid for sid, subject in referral.subjects.items() if subject.accused]
    counted = (match for match in matches if match.subject not in accused)
    return [match for match in counted if match.other is not None and match.received_at > since]


def contacts_of(referral: Referral, rule: Accumulation, *, rejected: bool = False) -> int:
    """How many contacts there are about one of its subjects, this one counted; of several subjects, about whom there are most.
    `rejected`: those that somebody has rejected counted too, as a second person sees that."""
    counted = within(referral, rule, (*referral.matches, *(referral.rejected if rejected else ())))
    others: dict[str, set[str]] = {}
    for match in counted:
        others.setdefault(match.subject, set()).add(contact_of(match.reference))
    return 1 + max((len(some) for some in others.values()), default=0)


def add_up(referral: Referral, rule: Accumulation, *, rejected: bool = False) -> int:
    """How many contacts about one child there are, where they are as many as the rule names; else 0."""
    number = contacts_of(referral, rule, rejected=rejected)
    return number if number >= rule.contacts else 0
