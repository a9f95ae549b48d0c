"""One section 47 for one child: a second one beside an open one is refused where it is sure that it is the same child, and asked
about where it is likely. (Children in Need census rule 8890: the dates of section 47 enquiries do not overlap.)"""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

from mash.states.deciding import Deciding
from mash.states.errors import Incomplete
from mash.states.values import Enquiry

SameChild = Literal["no", "cannot_tell"]
FLAG = "may_be_second_section_47"


def demand_single_enquiry(d: Deciding, subjects: Collection[str], said: SameChild | None) -> None:
    """Refuse a section 47 of these subjects where one is open in another case: always if somebody has confirmed that it is the
    same child; if that is likely, until it was said that it is not, or cannot be told yet. Raises Incomplete."""
    found = [enquiry for enquiry in d.enquiries if enquiry.subject in subjects]
    for enquiry in found:
        if enquiry.likeness == "confirmed":
            raise Incomplete(
                f"section 47 enquiries about the same child are open in {enquiry.reference}: add this contact to that case"
                " (attach_contact), or talk to whoever has it",
                other=enquiry.reference,
            )
    if found and said is None:
        named = ", ".join(dict.fromkeys(enquiry.reference for enquiry in found))
        raise Incomplete(
            f"section 47 enquiries are open about a child who is likely the same ({named}): confirm it (identify_subject), or say"
            " that it is not, or cannot be told yet (same_child)",
            needs=["same_child"],
        )


def likely_elsewhere(subject: str) -> Enquiry:
    """A section 47 that is likely to be about the same child, as an act found one whose event says only that there was one."""
    return Enquiry(subject=subject, reference="", likeness="likely")


def flagged(d: Deciding, subjects: Collection[str]) -> bool:
    """Whether it may be the second section 47 of one child, all the same."""
    return any(enquiry.subject in subjects for enquiry in d.enquiries)
