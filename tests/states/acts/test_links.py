"""Links: referrals that belong together say so on both sides, and the people in them stay apart."""

from __future__ import annotations

from typing import get_args

import pytest
from pydantic import ValidationError

from mash.states.acts.closing import ReopenReferral
from mash.states.acts.rating import RateReferral
from mash.states.acts.upkeep import LinkReferral, RecordLinked, ReferralLinked, Relation
from mash.states.errors import Incomplete

from .worlds import MANAGER, SYSTEM, arrived, at_decision, decision, hub, of, rated

SANDWELL = hub()
SIBLING = LinkReferral(other="Q", relation="sibling")


@pytest.mark.parametrize("relation", get_args(Relation))
def test_a_link_says_what_the_other_referral_has_to_do_with_this_one(relation: str) -> None:
    case = arrived(SANDWELL)
    case.give(SIBLING.model_copy(update={"relation": relation}))
    assert case.referral.links == {"Q": relation}


def test_both_sides_say_so_and_keep_their_own_people() -> None:
    one, other = arrived(SANDWELL, "child"), arrived(SANDWELL, "child", "adult")
    one.give(SIBLING)
    other.give(RecordLinked(other="R1", relation="sibling"), SYSTEM, words=False)
    assert (one.referral.links, other.referral.links) == ({"Q": "sibling"}, {"R1": "sibling"})
    assert (set(one.referral.subjects), set(other.referral.subjects)) == ({"s0"}, {"s0", "s1"})


def test_the_other_sides_link_does_not_outdate_what_somebody_has_in_view() -> None:
    case = arrived(SANDWELL)
    case.give(RateReferral(rating="red"))
    seen = case.referral.acted
    case.give(RecordLinked(other="Q", relation="household"), SYSTEM, words=False)
    assert case.referral.acted == seen and case.referral.version > seen


def test_a_referral_is_not_linked_with_itself() -> None:
    case = arrived(SANDWELL)
    for command, by in (
        (LinkReferral(other="R", relation="same_child"), MANAGER),
        (RecordLinked(other="R", relation="sibling"), SYSTEM),
    ):
        with pytest.raises(Incomplete, match="not with itself"):
            case.give(command, by)
    assert case.referral.links == {}


def test_saying_it_twice_records_it_once_and_saying_better_what_it_is_replaces_it() -> None:
    case = arrived(SANDWELL)
    assert len(case.give(SIBLING)) == 1
    assert case.give(SIBLING) == []
    assert case.give(RecordLinked(other="Q", relation="sibling"), SYSTEM, words=False) == []
    (event,) = of(ReferralLinked, case.give(SIBLING.model_copy(update={"relation": "same_child"})))
    assert event.relation == "same_child" and case.referral.links == {"Q": "same_child"}


def test_a_link_says_which_of_the_children_it_is_about_where_that_is_known() -> None:
    case = arrived(SANDWELL, "child", "child")
    case.give(SIBLING)
    about = SIBLING.model_copy(update={"subjects": ("s1",)})
    (event,) = of(ReferralLinked, case.give(about))
    assert event.subjects == ("s1",) and case.referral.linked_subjects == {"Q": ("s1",)}
    assert case.give(about) == []
    assert case.give(RecordLinked(other="Q", relation="sibling"), SYSTEM, words=False) == [], "the other side takes nothing back"
    with pytest.raises(Incomplete, match="there are s0, s1"):
        case.give(SIBLING.model_copy(update={"subjects": ("s1", "s9")}))


def test_a_referral_belongs_with_several_others() -> None:
    case = arrived(SANDWELL)
    for other in ("Q", "P"):
        case.give(LinkReferral(other=other, relation="same_incident"))
    assert case.referral.links == {"Q": "same_incident", "P": "same_incident"}


def test_a_link_needs_no_words_moves_nothing_and_stops_no_clock() -> None:
    case = rated(SANDWELL, "red")
    before = case.referral
    case.give(SIBLING, words=False)
    assert (case.stage, case.referral.clocks) == (before.stage, before.clocks)


def test_a_concluded_referral_is_linked_with_a_new_concern_and_stays_concluded() -> None:
    case = at_decision()
    case.give(decision(s0="no_further_action"), MANAGER)
    case.give(LinkReferral(other="R-NEW", relation="same_child"))
    assert case.referral.links == {"R-NEW": "same_child"} and not case.referral.open
    case.give(ReopenReferral(), MANAGER)
    assert case.referral.links == {"R-NEW": "same_child"}


@pytest.mark.parametrize("other", ["", "Zoë Quill", "R\n1", "<b>", "x" * 61])
def test_the_other_referral_is_named_by_its_reference_and_by_nothing_that_could_be_words(other: str) -> None:
    with pytest.raises(ValidationError):
        LinkReferral(other=other, relation="sibling")


@pytest.mark.parametrize("relation", ["", "cousin", "SIBLING"])
def test_a_relation_is_one_of_those_that_the_product_knows(relation: str) -> None:
    with pytest.raises(ValidationError):
        LinkReferral.model_validate({"other": "Q", "relation": relation})
