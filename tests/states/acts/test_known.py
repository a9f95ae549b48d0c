"""A child is known already: what is found, what a person says of it, and what adds up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mash.config.profile import load_profile
from mash.notifications.notices import NoticeDraft, notices_for
from mash.states.acts.closing import ErasePeople, ReopenReferral
from mash.states.acts.contact import ConcludeConsultation, ReceiveContact
from mash.states.acts.decisions import RecordDecision, SignOffDecision
from mash.states.acts.episodes import AttachContact, CloseDuplicate, RecordAdded
from mash.states.acts.known import (
    IdentifySubject,
    LikelyKnown,
    RecordIdentified,
    RecordKnown,
    RecordRejected,
    RejectMatch,
    SubjectIdentified,
    WithdrawIdentity,
)
from mash.states.acts.not_ours import ConfirmNotOurs
from mash.states.acts.rating import RateReferral
from mash.states.acts.sharing import RecordSharingBasis
from mash.states.acts.weighing import WeighContacts, WriteSecondView
from mash.states.acts.withdrawing import WithdrawDecision
from mash.states.errors import ImpossibleMove, Incomplete, NotYours, ReasonNeeded
from mash.states.profile import Consultation, Profile
from mash.states.reading import Reader, as_read
from mash.states.values import Actor, Match, Subject, Words
from mash.states.world import World, system

HUB = load_profile("sandwell")
NOW = datetime(2026, 6, 2, 9, 0, tzinfo=UTC)
WORDS = Words(item="w", hmac="0" * 64)
DUTY = Actor(id="d.manager", role="duty_manager", agency="social_care", hub="sandwell")
OTHER_DUTY = DUTY.model_copy(update={"id": "e.manager"})
PRACTICE = Actor(id="p.manager", role="practice_manager", agency="social_care", hub="sandwell")
WORKER = Actor(id="s.worker", role="social_worker", agency="social_care", hub="sandwell")
NOT_SHARED = RecordSharingBasis(
    share=False, purpose="safeguarding_child", lawful_basis="public_task", consent="not_sought", family_informed=True
)
NOTHING_MORE = RecordDecision(outcomes={"S1": "no_further_action"})


def match(number: int, *, likeness: Any = "likely", days: int = 30, subject: str = "S1", other: str | None = "S1") -> Match:
    return Match(
        subject=subject,
        reference=f"MASH-26-00000{number}",
        other=other,
        likeness=likeness,
        why=("same_name",),
        received_at=NOW - timedelta(days=days),
    )


def received(*subjects: str, profile: Profile = HUB, **fields: Any) -> World:
    world = World(profile, NOW, "MASH-26-000009")
    people = tuple(Subject(id=subject, cohort="child") for subject in subjects or ("S1",))
    command = ReceiveContact(contact="referral", source="2A", source_agency="education", subjects=people, **fields)
    world.give(command, Actor(id="school", role="referrer", agency="education", hub="sandwell"), words=WORDS)
    return world


def know(world: World, *matches: Match, **possible: int) -> list[Any]:
    return world.give(RecordKnown(matches=matches, possible=possible), system(world.profile))


def to_be_decided(*matches: Match, subjects: tuple[str, ...] = ("S1",)) -> World:
    world = received(*subjects)
    know(world, *matches)
    world.give(NOT_SHARED, DUTY, words=WORDS)
    least = min(world.profile.ratings, key=lambda name: world.profile.ratings[name].severity)
    world.give(RateReferral(rating=least), WORKER, words=WORDS)
    assert world.stage == "decision"
    return world


def confirmed(*numbers: int) -> tuple[Match, ...]:
    return tuple(match(number, likeness="confirmed") for number in numbers)


def drafts(world: World, before: Any, events: list[Any]) -> list[NoticeDraft]:
    return notices_for(world.reference, before, world.referral, events, world.profile, system(HUB), world.now)


def test_a_look_that_found_nobody_stands_in_the_log_too_and_the_same_found_again_does_not() -> None:
    world = received()
    assert not world.referral.looked
    assert len(know(world)) == 1 and world.referral.looked
    assert know(world) == []
    assert len(know(world, match(1), S1=2)) == 1
    assert know(world, match(1), S1=2) == []


def test_what_somebody_rejected_is_found_no_more_and_counts_no_more() -> None:
    world = received()
    know(world, match(1), match(2))
    with pytest.raises(ReasonNeeded):
        world.give(RejectMatch(subject="S1", other="MASH-26-000001", other_subject="S1"), WORKER)
    world.give(RejectMatch(subject="S1", other="MASH-26-000001", other_subject="S1"), WORKER, words=WORDS)
    know(world, match(1), match(2), match(3))
    assert [each.reference for each in world.referral.matches] == ["MASH-26-000002", "MASH-26-000003"]


def test_only_a_match_that_there_is_can_be_rejected() -> None:
    world = received()
    know(world, match(1))
    with pytest.raises(Incomplete, match="MASH-26-000001"):
        world.give(RejectMatch(subject="S1", other="MASH-26-000002", other_subject="S1"), WORKER, words=WORDS)


def test_a_rejection_from_the_other_side_holds_before_it_was_found_here() -> None:
    world = received()
    world.give(RecordRejected(subject="S1", other="MASH-26-000001", other_subject="S1"), WORKER)
    know(world, match(1))
    assert world.referral.matches == ()


def test_a_confirmed_child_has_one_link_which_goes_when_it_is_taken_back() -> None:
    world = received()
    know(world, match(1))
    command = IdentifySubject(subject="S1", other="MASH-26-000001", other_subject="S1")
    (event,) = world.give(command, WORKER)
    assert isinstance(event, SubjectIdentified) and world.referral.identities == {"S1": event.link}
    assert "MASH" not in event.model_dump_json(), "the log of an erased contact would point to another one's people"
    assert world.give(RecordIdentified(subject="S1"), WORKER) == []
    with pytest.raises(ReasonNeeded):
        world.give(WithdrawIdentity(subject="S1"), WORKER)
    world.give(WithdrawIdentity(subject="S1"), WORKER, words=WORDS)
    assert world.referral.identities == {}


def test_parts_of_one_contact_are_not_confirmed_as_one_child() -> None:
    world = received()
    with pytest.raises(Incomplete, match="parts of one contact"):
        world.give(IdentifySubject(subject="S1", other="MASH-26-000009-B", other_subject="S1"), WORKER)


def test_an_erased_case_points_to_nobody() -> None:
    world = received("S1", profile=load_profile("merton"))
    world = World(world.profile, NOW, "MASH-26-000009")
    adult = (Subject(id="S1", cohort="adult", age="adult"),)
    command = ReceiveContact(contact="referral", source="2A", source_agency="education", subjects=adult)
    world.give(command, Actor(id="school", role="referrer", agency="education", hub="merton"), words=WORDS)
    world.give(ConfirmNotOurs(signposted_to="adults_social_care"), DUTY, words=WORDS)
    know(world, match(1))
    world.give(ErasePeople(why="retention"), system(world.profile))
    assert (world.referral.matches, world.referral.identities) == ((), {})
    assert know(world, match(1)) == []


# --- what adds up -------------------------------------------------------------------------------------------------------------


def test_two_contacts_within_a_year_are_closed_by_one_person_and_three_are_not() -> None:
    two = to_be_decided(*confirmed(1))
    two.give(NOTHING_MORE, DUTY, words=WORDS)
    assert two.stage == "no_further_action"
    three = to_be_decided(*confirmed(1, 2))
    three.give(WeighContacts(), WORKER, words=WORDS)
    three.give(NOTHING_MORE, DUTY, words=WORDS)
    assert three.stage == "sign_off" and three.referral.proposed is not None
    assert three.referral.proposed.adding_up == 3


def test_what_is_older_than_a_year_or_about_a_household_does_not_count() -> None:
    world = to_be_decided(match(1, likeness="confirmed", days=400), match(2, other=None), match(3, likeness="confirmed"))
    world.give(NOTHING_MORE, DUTY, words=WORDS)
    assert world.stage == "no_further_action"


def test_likely_matches_are_confirmed_or_rejected_and_what_they_come_to_is_said_before_it_is_closed() -> None:
    world = to_be_decided(match(1), match(2))
    with pytest.raises(Incomplete, match=r"identify_subject, reject_match\): MASH-26-000001, MASH-26-000002"):
        world.give(NOTHING_MORE, DUTY, words=WORDS)
    know(world, *confirmed(1, 2))
    with pytest.raises(Incomplete, match="weigh_contacts"):
        world.give(NOTHING_MORE, DUTY, words=WORDS)


def test_what_was_weighed_before_another_contact_came_in_is_weighed_again() -> None:
    world = to_be_decided(*confirmed(1, 2))
    world.give(WeighContacts(), WORKER, words=WORDS)
    know(world, *confirmed(1, 2, 3))
    with pytest.raises(Incomplete, match="contact number 4"):
        world.give(NOTHING_MORE, DUTY, words=WORDS)


def test_a_rejection_that_takes_the_case_below_the_number_is_seen_by_a_second_person_too() -> None:
    world = to_be_decided(match(1), match(2))
    for number in (1, 2):
        reject = RejectMatch(subject="S1", other=f"MASH-26-00000{number}", other_subject="S1")
        world.give(reject, DUTY, words=WORDS)
    world.give(WeighContacts(), DUTY, words=WORDS)
    world.give(NOTHING_MORE, DUTY, words=WORDS)
    assert world.stage == "sign_off"


def test_the_second_person_writes_their_own_view_first_and_is_no_rater() -> None:
    world = to_be_decided(*confirmed(1, 2))
    world.give(WeighContacts(), WORKER, words=WORDS)
    world.give(NOTHING_MORE, DUTY, words=WORDS)
    agrees = SignOffDecision(agreed=True)
    for somebody in (PRACTICE.model_copy(update={"id": DUTY.id}), PRACTICE.model_copy(update={"id": WORKER.id})):
        with pytest.raises(NotYours):
            world.give(WriteSecondView(), somebody, words=WORDS)
        with pytest.raises(NotYours):
            world.give(agrees, somebody, words=WORDS)
    with pytest.raises(Incomplete, match="write your own view first"):
        world.give(agrees, PRACTICE, words=WORDS)
    world.give(WriteSecondView(), PRACTICE, words=WORDS)
    world.give(agrees, PRACTICE, words=WORDS)
    assert world.stage == "no_further_action"


def test_the_second_look_has_a_clock_by_day_and_can_send_it_back() -> None:
    world = to_be_decided(*confirmed(1, 2))
    world.give(WeighContacts(), WORKER, words=WORDS)
    world.give(NOTHING_MORE, DUTY, words=WORDS)
    (clock,) = [clock for clock in world.referral.running if clock.kind == "sign_off"]
    assert clock.owner == "practice_manager" and (clock.due_at.hour, clock.due_at.date()) == (
        16,
        (NOW + timedelta(days=1)).date(),
    )
    world.give(WriteSecondView(), PRACTICE, words=WORDS)
    world.give(SignOffDecision(agreed=False), PRACTICE, words=WORDS)
    assert world.stage == "decision"


def test_nothing_that_protects_waits_for_it_and_the_other_child_of_the_family_is_looked_at_by_two() -> None:
    world = to_be_decided(*confirmed(1, 2), subjects=("S1", "S2"))
    both = RecordDecision(outcomes={"S1": "no_further_action", "S2": "section_47"}, primary_need="N1")
    world.give(both, DUTY, words=WORDS)
    assert world.stage == "strategy_discussion"
    (linked,) = world.linked.values()
    assert linked.stage == "sign_off" and not linked.referral.decided
    with pytest.raises(Incomplete, match="write your own view"):
        linked.give(SignOffDecision(agreed=True), PRACTICE, words=WORDS)
    linked.give(WriteSecondView(), PRACTICE, words=WORDS)
    with pytest.raises(Incomplete, match="weigh_contacts"):
        linked.give(SignOffDecision(agreed=True), PRACTICE, words=WORDS)
    linked.give(WeighContacts(), WORKER, words=WORDS)
    linked.give(SignOffDecision(agreed=True), PRACTICE, words=WORDS)
    assert linked.stage == "no_further_action"


@pytest.mark.parametrize("outcome", ["section_47", "section_17", "early_help"])
def test_what_does_something_for_the_child_needs_no_second_look(outcome: Any) -> None:
    world = to_be_decided(match(1), match(2))
    world.give(RecordDecision(outcomes={"S1": outcome}, primary_need="N1"), DUTY, words=WORDS)
    assert world.stage != "sign_off"


def test_a_consultation_about_a_child_whose_contacts_add_up_does_not_end_in_advice_alone() -> None:
    world = received(profile=HUB.model_copy(update={"consultation": Consultation(kinds=("referral",))}))
    know(world, match(1), match(2))
    with pytest.raises(Incomplete, match="Go on as a referral"):
        world.give(ConcludeConsultation(outcome="advice"), DUTY, words=WORDS)
    world.give(ConcludeConsultation(outcome="referral"), DUTY, words=WORDS)
    assert world.stage == "triage"


def test_the_duty_manager_hears_once_that_contacts_add_up_and_is_told_no_more_than_to_look() -> None:
    world = received()
    before = world.referral
    (notice,) = drafts(world, before, know(world, match(1), match(2)))
    assert (notice.kind, notice.role) == ("look_at_case", "duty_manager")
    assert not {"known", "match", "child", "pattern"} & set(str(notice.facts).lower().split())
    before = world.referral
    assert drafts(world, before, know(world, match(1), match(2), match(3))) == []


# --- an open case hears of another contact --------------------------------------------------------------------------------------


def test_whoever_has_a_case_hears_of_a_later_contact_about_its_child() -> None:
    world = received()
    know(world)
    before, later = world.referral, match(1, days=-1)
    (notice,) = drafts(world, before, know(world, later))
    assert (notice.kind, notice.role) == ("look_at_case", before.owner)


def test_an_owner_whom_the_contact_may_be_about_does_not_hear_of_it() -> None:
    world = received(profile=HUB.model_copy(update={"consultation": Consultation(kinds=("referral",), role="social_worker")}))
    know(world)
    later = match(1, days=-1).model_copy(update={"concerns_a_professional": True})
    assert [notice.role for notice in drafts(world, world.referral.model_copy(update={"matches": ()}), know(world, later))] == [
        "duty_manager"
    ]


def test_a_contact_is_added_to_an_open_case_once_it_is_confirmed_whose_it_is() -> None:
    world = received()
    with pytest.raises(ImpossibleMove):
        world.give(AttachContact(other="MASH-26-000001"), DUTY, words=WORDS)
    know(world, match(1))
    with pytest.raises(Incomplete, match="nobody has confirmed that S1"):
        world.give(AttachContact(other="MASH-26-000001"), DUTY, words=WORDS)
    know(world, *confirmed(1))
    world.give(AttachContact(other="MASH-26-000001"), DUTY, words=WORDS)
    assert (world.stage, world.referral.part_of, world.referral.open) == ("considered", "MASH-26-000001", False)


@pytest.mark.parametrize("command", [WithdrawDecision(), ReopenReferral()], ids=["withdrawn", "reopened"])
def test_a_contact_that_was_added_to_the_wrong_case_can_be_taken_back(command: Any) -> None:
    world = received()
    know(world, *confirmed(1), *confirmed(2))
    world.give(AttachContact(other="MASH-26-000001"), DUTY, words=WORDS)
    world.give(command, DUTY, words=WORDS)
    assert (world.stage, world.referral.part_of, world.referral.open) == ("decision", None, True)
    assert not world.referral.outcomes and world.referral.decided_at is None
    world.give(AttachContact(other="MASH-26-000002"), DUTY, words=WORDS)
    assert world.referral.part_of == "MASH-26-000002"


def test_whoever_referred_still_hears_that_it_was_received_and_considered() -> None:
    world = received(referrer_reachable=True)
    know(world, *confirmed(1))
    before = world.referral
    events = world.give(AttachContact(other="MASH-26-000001"), DUTY, words=WORDS)
    assert {clock.kind for clock in world.referral.running} == {"acknowledgement", "outcome_told"}
    (outcome,) = [notice for notice in drafts(world, before, events) if notice.kind == "outcome"]
    assert outcome.facts["outcomes"] == ["considered"] and "000001" not in str(outcome.facts)


def test_a_danger_that_is_added_to_a_case_alerts_there_at_once() -> None:
    world = received()
    events = world.give(RecordAdded(other="MASH-26-000001", why="added", immediate_danger=True), DUTY)
    assert world.referral.in_danger and any(event.kind == "clock_escalated" for event in events)
    assert world.give(RecordAdded(other="MASH-26-000002", why="added", immediate_danger=True), DUTY)[1:] == []


def test_a_second_copy_ends_as_considered_too() -> None:
    world = received()
    know(world, match(1))
    world.give(CloseDuplicate(other="MASH-26-000001", compared="shown"), DUTY, words=WORDS)
    assert (world.stage, world.referral.part_of) == ("considered", "MASH-26-000001")


# --- who hears of it ----------------------------------------------------------------------------------------------------------


def test_a_partner_reads_the_same_of_a_known_child_as_of_any() -> None:
    known, unknown = received(), received()
    know(known, match(1), match(2), S1=3)
    know(unknown)
    known.give(IdentifySubject(subject="S1", other="MASH-26-000001", other_subject="S1"), WORKER)
    know(known, match(1, likeness="confirmed"), match(2))
    partner = Reader("police", findings=False, inside=False, finds=False)
    assert as_read(known.referral, partner) == as_read(unknown.referral, partner)
    assert any(isinstance(entry.event, LikelyKnown) for entry in known.log)
