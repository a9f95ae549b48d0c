"""Contacts about a child of whom another contact came in shortly before, as somebody confirmed or the software suggests. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Literal

from mash.flows.store.reads.figures import Came, Seen, came_of
from mash.flows.store.reads.same_child import About, Joined, before
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

    def add(self, root: str, referral: Seen, counted: bool) -> None:
        """A referral, the contact that it began with, and whether it came in within the time that is looked at."""
        self._came[root] = came_of(referral)
        if not counted:
            return
        self._about.setdefault(root, About()).add(referral)

    def join(self, found: Iterable[Joined]) -> None:
        """What people have confirmed, as it is now: a case that is closed hears neither of that nor of what is taken back."""
        for contact, subject, other in found:
            if contact in self._about:
                self._about[contact].confirmed.add((subject, other))

    @property
    def unseen(self) -> set[str]:
        """The contacts about the same children that were not added up themselves: when they came in has to be asked."""
        return {other for about in self._about.values() for other in about.sure | about.likely} - self._came.keys()

    def referrals(self, unseen: Mapping[str, Came]) -> Counter[Known]:
        """How many referrals are about a child of another referral within the twelve months before. Advice and requests for
        information are none."""
        came = {contact: each for contact, each in {**unseen, **self._came}.items() if each.referral}
        return Counter(self._known(contact, came) for contact in self._about if contact in came)

    def contacts(self, unseen: Mapping[str, Came]) -> Counter[tuple[Month, Known]]:
        """How many contacts, of whatever kind, are about a child of another one within the twelve months before, by the month in
        which they came in."""
        came = {**unseen, **self._came}
        return Counter((month_of(came[contact].at), self._known(contact, came)) for contact in self._about)

    def back(self, unseen: Mapping[str, Came], week: Callable[[datetime], int | None]) -> Counter[tuple[int, bool]]:
        """How many referrals came in in each week, by whether the child is that of another referral within the twelve months
        before: as somebody has confirmed or, where nobody has said yet, the software suggests."""
        came = {contact: each for contact, each in {**unseen, **self._came}.items() if each.referral}
        found = ((week(came[contact].at), self._known(contact, came) != "new") for contact in self._about if contact in came)
        return Counter((number, back) for number, back in found if number is not None)

    def adding_up(self, unseen: Mapping[str, Came], *, suggested: bool) -> Counter[int]:
        """Contacts by how many there are about the same child within twelve months, this one counted, and those before it: as
        somebody has confirmed, or as the software suggests too."""
        came = {**unseen, **self._came}
        others = {contact: each.sure | (each.likely if suggested else set()) for contact, each in self._about.items()}
        return Counter(1 + len(before(came, contact, about)) for contact, about in others.items())

    def _known(self, contact: str, came: Mapping[str, Came]) -> Known:
        about = self._about[contact]
        if before(came, contact, about.sure):
            return "confirmed"
        return "suggested" if before(came, contact, about.likely) else "new"


def month_of(at: datetime) -> Month:
    """The month of a moment, in London."""
    day = at.astimezone(LONDON)
    return day.year, day.month
