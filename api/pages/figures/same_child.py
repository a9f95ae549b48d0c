"""Contacts about a child of whom another contact came in shortly before, as somebody confirmed or the software suggests. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from typing import Literal

from mash.flows.store.reads.figures import Came
from mash.flows.store.reads.same_child import About, Joined, before
from mash.flows.store.reads.sums import Sums, day_of
from mash.states.clocks import LONDON

Known = Literal["confirmed", "suggested", "new"]
"""Whether somebody has confirmed that the child is that of a contact before, or the software suggests it and nobody has confirmed
it yet, or neither."""
Month = tuple[int, int]
"""Year and month, in London."""


class SameChild:
    """Which contacts are about a child of another contact: by what people have confirmed, or have linked by hand, and by what the
    software suggests. A contact that was split is one."""

    def __init__(self) -> None:
        self._came = dict[str, Came]()
        self._about = dict[str, About]()
        self._others = dict[str, Came]()
        self._plain = Counter[tuple[int, bool]]()

    def take(self, sums: Sums, counted: Callable[[int], bool]) -> None:
        """What some referrals add up to; and whether what came in on a day is within the time that is looked at."""
        self._others.update(sums.others)
        for root, contact in sums.contacts.items():
            erased = contact.came.erased or (root in self._came and self._came[root].erased)
            self._came[root] = contact.came._replace(erased=erased)
            if counted(day_of(contact.came.at)):
                about = self._about.setdefault(root, About())
                about.confirmed |= contact.about.confirmed
                about.suggested |= contact.about.suggested
        self._plain.update({(day, referral): number for (day, referral), number in sums.plain.items() if counted(day)})

    def join(self, found: Iterable[Joined]) -> None:
        """What people have confirmed, as it is now: a case that is closed hears neither of that nor of what is taken back."""
        for each in found:
            self._others[each.other] = each.other_came
            if each.contact not in self._about:
                plain = day_of(each.came.at), each.came.referral
                if not self._plain[plain]:
                    continue  # it came in meanwhile
                self._plain[plain] -= 1
                self._came[each.contact], self._about[each.contact] = each.came, About()
            self._about[each.contact].confirmed.add((each.subject, each.other))

    def erase(self, contacts: Iterable[str]) -> None:
        """Of these the people are erased."""
        for contact in contacts:
            if contact in self._others:
                self._others[contact] = self._others[contact]._replace(erased=True)

    @property
    def unseen(self) -> set[str]:
        """The contacts about the same children of which it is not known when they came in: that has to be asked."""
        others = {other for about in self._about.values() for other in about.sure | about.likely}
        return others - self._came.keys() - self._others.keys()

    def referrals(self, unseen: Mapping[str, Came]) -> Counter[Known]:
        """How many referrals are about a child of another referral within the twelve months before. Advice and requests for
        information are none."""
        came = {contact: each for contact, each in self._known_of(unseen).items() if each.referral}
        found = Counter(self._known(contact, came) for contact in self._about if contact in came)
        found["new"] += sum(number for (_, referral), number in self._plain.items() if referral)
        return found

    def contacts(self, unseen: Mapping[str, Came]) -> Counter[tuple[Month, Known]]:
        """How many contacts, of whatever kind, are about a child of another one within the twelve months before, by the month in
        which they came in."""
        came = self._known_of(unseen)
        found = Counter((month_of(came[contact].at), self._known(contact, came)) for contact in self._about)
        for (day, _), number in self._plain.items():
            found[month_of_day(day), "new"] += number
        return found

    def back(self, unseen: Mapping[str, Came], week: Callable[[int], int | None]) -> Counter[tuple[int, bool]]:
        """How many referrals came in in each week, by whether the child is that of another referral within the twelve months
        before: as somebody has confirmed or, where nobody has said yet, the software suggests."""
        came = {contact: each for contact, each in self._known_of(unseen).items() if each.referral}
        about = ((week(day_of(came[of].at)), self._known(of, came) != "new", 1) for of in self._about if of in came)
        plain = ((week(day), False, number) for (day, referral), number in self._plain.items() if referral)
        found = Counter[tuple[int, bool]]()
        for each, back, number in (*about, *plain):
            if each is not None:
                found[each, back] += number
        return found

    def adding_up(self, unseen: Mapping[str, Came], *, suggested: bool) -> Counter[int]:
        """Contacts by how many there are about the same child within twelve months, this one counted, and those before it: as
        somebody has confirmed, or as the software suggests too."""
        came = self._known_of(unseen)
        others = {contact: each.sure | (each.likely if suggested else set()) for contact, each in self._about.items()}
        found = Counter(1 + len(before(came, contact, about)) for contact, about in others.items())
        found[1] += self._plain.total()
        return found

    def _known_of(self, unseen: Mapping[str, Came]) -> dict[str, Came]:
        return {**unseen, **self._others, **self._came}

    def _known(self, contact: str, came: Mapping[str, Came]) -> Known:
        about = self._about[contact]
        if before(came, contact, about.sure):
            return "confirmed"
        return "suggested" if before(came, contact, about.likely) else "new"


def month_of(at: datetime) -> Month:
    """The month of a moment, in London."""
    day = at.astimezone(LONDON)
    return day.year, day.month


def month_of_day(day: int) -> Month:
    """The month of a day, by its ordinal."""
    at = date.fromordinal(day)
    return at.year, at.month
