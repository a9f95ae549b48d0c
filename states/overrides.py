"""Overrides of consent as the log tells them: each as it took effect, with the second person who was asked about that one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from mash.states.acts.countersigning import Countersigned
from mash.states.acts.seconding import OverrideProposed, SecondNamed
from mash.states.acts.sharing import SharingBasisRecorded
from mash.states.log import Recorded
from mash.states.values import EventBase

KINDS = ("sharing_basis_recorded", "override_proposed", "second_named", "countersigned")
"""The kinds of events that say it."""


@dataclass(frozen=True)
class Seconded:
    """An override as it took effect, and what a second person has to do with it."""

    recorded: Recorded
    proposed_by: str | None = None
    """Who had proposed it, where whoever is recorded agreed to that."""
    owed: bool = False
    """Whether it could not wait for a second person, who says afterwards whether it stands."""
    signed_by: str | None = None
    agreed: bool | None = None
    """What the second person said afterwards; None where nobody has yet, or nobody has to."""


def overrides_of(story: Iterable[Recorded]) -> dict[tuple[str, int], Seconded]:
    """Every basis by which consent was overridden in these logs, by reference and sequence, each with its own second person: one
    that was proposed takes effect with the event after the second person's; of one that could not wait, the event before says
    which agreement it is that somebody gives later. Of each log, the events of KINDS are enough."""
    proposed: dict[tuple[str, str], str] = {}
    owed: dict[tuple[str, str], tuple[str, int]] = {}
    found: dict[tuple[str, int], Seconded] = {}
    before: EventBase | None = None
    for each in story:
        event, place = each.event, (each.reference, each.sequence)
        match event:
            case OverrideProposed():
                proposed[each.reference, event.id] = each.by.id
            case SharingBasisRecorded(consent="overridden"):
                found[place] = Seconded(each)
                match before:
                    case Countersigned(about="override", agreed=True):
                        found[place] = Seconded(each, proposed_by=proposed.get((each.reference, before.id)))
                    case SecondNamed(about="override"):
                        found[place] = Seconded(each, owed=True)
                        owed[each.reference, before.id] = place
            case Countersigned() if (each.reference, event.id) in owed:
                of = owed[each.reference, event.id]
                found[of] = replace(found[of], signed_by=each.by.id, agreed=event.agreed)
        before = event
    return found
