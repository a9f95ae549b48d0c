"""Contacts about a child of whom another contact came in shortly before, as somebody confirmed or the software suggests. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime
from typing import Literal

from mash.flows.store.reads.same_child import Known
from mash.flows.store.reads.sums import Contact, Sums, day_of_ticks
from mash.states.clocks import LONDON

How = Literal["confirmed", "suggested", "new"]
"""Whether somebody has confirmed that the child is that of a contact before, or the software suggests it and nobody has confirmed
it yet, or neither."""
Month = tuple[int, int]
"""Year and month, in London."""


class SameChild:
    """Which contacts are about a child of another contact: by what people have confirmed, or have linked by hand, and by what the
    software suggests. A contact that was split is one."""

    def __init__(self) -> None:
        self._contacts = dict[str, Contact]()
        self._confirmed = Counter[tuple[int, bool, int, bool]]()
        """Of which nothing else is known: by day, whether they are referrals, how many others are about the child, and whether
        one of those is a referral."""
        self._plain = Counter[tuple[int, bool]]()

    def take(self, sums: Sums, counted: Callable[[int], bool]) -> None:
        """What some referrals add up to; and whether what came in on a day is within the time that is looked at."""
        for root, contact in sums.contacts.items():
            if root in self._contacts:
                self._contacts[root].merge(contact)
            elif counted(contact.day):
                self._contacts[root] = contact
        self._plain.update({(day, referral): number for (day, referral), number in sums.plain.items() if counted(day)})

    def join(self, found: Mapping[str, Known]) -> None:
        """What people have confirmed, as it is now: a case that is closed hears neither of that nor of what is taken back."""
        for root, known in found.items():
            if root in self._contacts:
                self._contacts[root].sure.update(known.others)
            elif self._plain[plain := (day_of_ticks(known.at), known.referral)] > 0:  # or it came in meanwhile
                self._plain[plain] -= 1
                self._confirmed[*plain, len(known.others), any(known.others.values())] += 1

    def erase(self, contacts: Iterable[str]) -> None:
        """Of these the people are erased: they are about nobody any more."""
        if gone := set(contacts):
            for contact in self._contacts.values():
                contact.sure = {other: referral for other, referral in contact.sure.items() if other not in gone}
                contact.likely = {other: referral for other, referral in contact.likely.items() if other not in gone}

    def referrals(self) -> Counter[How]:
        """How many referrals are about a child of another referral within the twelve months before. Advice and requests for
        information are none."""
        found = Counter[How]()
        for _, how, number in self._referrals():
            found[how] += number
        return found

    def contacts(self) -> Counter[tuple[Month, How]]:
        """How many contacts, of whatever kind, are about a child of another one within the twelve months before, by the month in
        which they came in."""
        found = Counter[tuple[Month, How]]()
        for each in self._contacts.values():
            found[month_of_day(each.day), _how(bool(each.sure), bool(each.likely))] += 1
        for (day, _, _, _), number in self._confirmed.items():
            found[month_of_day(day), "confirmed"] += number
        for (day, _), number in self._plain.items():
            found[month_of_day(day), "new"] += number
        return found

    def back(self, week: Callable[[int], int | None]) -> Counter[tuple[int, bool]]:
        """How many referrals came in in each week, by whether the child is that of another referral within the twelve months
        before: as somebody has confirmed or, where nobody has said yet, the software suggests."""
        found = Counter[tuple[int, bool]]()
        for day, how, number in self._referrals():
            if (place := week(day)) is not None:
                found[place, how != "new"] += number
        return found

    def adding_up(self, *, suggested: bool) -> Counter[int]:
        """Contacts by how many there are about the same child within twelve months, this one counted, and those before it: as
        somebody has confirmed, or as the software suggests too."""
        found = Counter(1 + len(each.sure | each.likely if suggested else each.sure) for each in self._contacts.values())
        for (_, _, times, _), number in self._confirmed.items():
            found[1 + times] += number
        found[1] += self._plain.total()
        return found

    def _referrals(self) -> Iterator[tuple[int, How, int]]:
        """Referrals by the day on which they came in, how they are known, and how many they are."""
        for each in self._contacts.values():
            if each.referral:
                yield each.day, _how(any(each.sure.values()), any(each.likely.values())), 1
        for (day, referral, _, again), number in self._confirmed.items():
            if referral:
                yield day, _how(again, False), number
        for (day, referral), number in self._plain.items():
            if referral:
                yield day, "new", number


def _how(confirmed: bool, suggested: bool) -> How:
    if confirmed:
        return "confirmed"
    return "suggested" if suggested else "new"


def month_of(at: datetime) -> Month:
    """The month of a moment, in London."""
    day = at.astimezone(LONDON)
    return day.year, day.month


def month_of_day(day: int) -> Month:
    """The month of a day, by its ordinal."""
    at = date.fromordinal(day)
    return at.year, at.month
