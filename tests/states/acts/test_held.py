"""What was held is recorded as it was: who came, on which day, without whom; and what was agreed has an owner and a clock."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from mash.states.acts.actions import Agreed, CompleteAction, RecordAction
from mash.states.acts.assessment import CompleteAssessment, StartAssessment
from mash.states.acts.by_telephone import RecordAnswerByTelephone
from mash.states.acts.checks import AnswerCheck
from mash.states.acts.meetings import ConveneMeeting, MeetingHeld, RecordMeeting
from mash.states.acts.orders import EndProtectionOrder, RecordProtectionOrder
from mash.states.acts.protection import (
    CallStrategyDiscussion,
    ConcludeEnquiries,
    RecordConference,
    RecordStrategyDiscussion,
    StrategyDiscussionHeld,
)
from mash.states.acts.quorum import PutQuorumRight
from mash.states.acts.scheduling import CancelMeeting, MeetingCancelled, ScheduleStrategyDiscussion
from mash.states.errors import ImpossibleMove, Incomplete, NotInProfile, NotYours, QuorumNotMet, ReasonNeeded
from mash.states.profile import Guest
from mash.states.referral import Clock

from .worlds import (
    BASIS,
    DUTY,
    MANAGER,
    NIGHT_DUTY,
    NOT_SHARED,
    QUORUM,
    Case,
    arrived,
    at_decision,
    climbs,
    decision,
    hub,
    london,
    of,
    partner,
    rated,
    seen,
)

SANDWELL = hub()


def called(*cohorts: Any, **discussion: Any) -> Case:
    """A case whose strategy discussion was called on Tuesday 2 June at ten."""
    profile = hub(strategy_discussion=SANDWELL.strategy_discussion.model_copy(update=discussion))
    case = arrived(profile, *cohorts)
    case.give(CallStrategyDiscussion())
    return case


def held(**fields: Any) -> RecordStrategyDiscussion:
    return RecordStrategyDiscussion(**{"attended": QUORUM, "outcome": "section_47", **fields})


def at_meeting() -> Case:
    case = rated(SANDWELL, "amber")
    case.give(NOT_SHARED)
    return case


def one(case: Case, kind: str) -> Clock:
    (clock,) = case.running(kind)
    return clock


# Who came


def test_nobody_attends_and_sends_apologies_as_well() -> None:
    with pytest.raises(Incomplete, match="as well: police"):
        called().give(held(apologies=("police",)))
    with pytest.raises(Incomplete, match="as well: police"):
        at_meeting().give(RecordMeeting(attended=("police",), apologies=("police",), rating="amber"))


def test_who_came_is_said_in_one_table_or_in_lists_and_comes_to_the_same() -> None:
    table = {"social_care": "attended", "police": "attended", "health": "attended", "housing": "apologies", "school": "absent"}
    of_table, of_lists = called(), called()
    of_lists.give(ScheduleStrategyDiscussion(at=of_lists.now + timedelta(hours=1), invited=("school", "housing")))
    of_lists.wait(hours=1)
    (first,) = of(StrategyDiscussionHeld, of_table.give(held(attended=(), attendance=table)))
    (second,) = of(StrategyDiscussionHeld, of_lists.give(held(apologies=("housing",))))
    assert first == second.model_copy(update={"words": first.words})
    assert (first.attended, first.apologies, first.absent) == (QUORUM, ("housing",), ("school",))
    with pytest.raises(Incomplete, match="once"):
        called().give(held(attendance=table))


def test_whoever_was_invited_and_neither_came_nor_apologised_was_absent() -> None:
    case = at_meeting()
    case.give(ConveneMeeting(at=case.now + timedelta(hours=1), invited=("gp",)))
    case.wait(hours=1)
    (event,) = of(MeetingHeld, case.give(RecordMeeting(attended=("police",), rating="amber")))
    assert event.absent == ("gp",)


# Without a quorum


def test_without_somebody_who_must_take_part_it_is_held_with_who_why_and_a_clock_until_that_is_put_right() -> None:
    case = called()
    there = held(attended=("social_care", "police"))
    with pytest.raises(QuorumNotMet, match="missing: health"):
        case.give(there)
    without = there.model_copy(update={"without_quorum": "not_reached"})
    with pytest.raises(ReasonNeeded, match="without health"):
        case.give(without, words=False)
    (event,) = of(StrategyDiscussionHeld, case.give(without))
    assert (event.missing, event.without_quorum, event.absent) == (("health",), "not_reached", ("health",))
    clock = one(case, "quorum_put_right")
    assert case.stage == "enquiries" and clock.due_at == london("2026-06-03 17:00") and "health" in clock.why
    with pytest.raises(Incomplete, match="expected some of health"):
        case.give(PutQuorumRight(agencies=("police",), how="took_part_since"))
    case.give(PutQuorumRight(agencies=("health",), how="gave_their_view"))
    assert not case.referral.short_of and not case.running("quorum_put_right")
    assert case.clock("quorum_put_right").verdict == "kept"
    with pytest.raises(ImpossibleMove):
        case.give(PutQuorumRight(agencies=("health",), how="gave_their_view"))


def test_nobody_says_why_somebody_was_missing_when_everybody_was_there() -> None:
    with pytest.raises(Incomplete, match="had everybody"):
        called().give(held(without_quorum="declined"))


def test_a_further_discussion_with_everybody_puts_right_that_somebody_was_missing() -> None:
    case = called()
    case.give(held(attended=("social_care", "police"), without_quorum="not_reached"))
    case.give(CallStrategyDiscussion())
    case.give(held())
    assert not case.referral.short_of and case.clock("quorum_put_right").verdict == "kept"


def test_where_a_hub_says_who_enquires_section_47_begins_with_that_and_nowhere_is_it_said_of_no_enquiries() -> None:
    case = called(joint_or_single=True)
    with pytest.raises(Incomplete, match="joint"):
        case.give(held())
    with pytest.raises(Incomplete, match="leave it out"):
        case.give(held(outcome="no_section_47", enquiry="joint"))
    case.give(held(enquiry="single_agency"))
    assert case.referral.enquiry == "single_agency"


# On which day


def test_nothing_is_held_in_the_future_or_before_the_contact_was_received() -> None:
    for day in (date(2026, 6, 3), date(2026, 6, 1)):
        with pytest.raises(Incomplete, match="check the date"):
            called().give(held(held_on=day))
        with pytest.raises(Incomplete, match="check the date"):
            at_meeting().give(RecordMeeting(attended=("police",), rating="amber", held_on=day))


def test_a_meeting_that_is_to_be_held_tomorrow_is_not_recorded_as_held_unless_somebody_says_on_which_day() -> None:
    case = at_meeting()
    case.give(ConveneMeeting(at=case.now + timedelta(days=1)))
    with pytest.raises(Incomplete, match="03 June"):
        case.give(RecordMeeting(attended=("police",), rating="amber"))
    case.give(RecordMeeting(attended=("police",), rating="amber", held_on=date(2026, 6, 2)))
    assert case.referral.meeting_held


def test_nor_is_one_of_this_afternoon_recorded_in_the_morning_nor_a_discussion_before_its_time() -> None:
    case = at_meeting()
    case.give(ConveneMeeting(at=case.now + timedelta(hours=4)))
    with pytest.raises(Incomplete, match=r"02 June at 14:00.*held_on"):
        case.give(RecordMeeting(attended=("police",), rating="amber"))
    case.wait(hours=4)
    case.give(RecordMeeting(attended=("police",), rating="amber"))
    discussion = called()
    discussion.give(ScheduleStrategyDiscussion(at=discussion.now + timedelta(days=1)))
    with pytest.raises(Incomplete, match=r"strategy discussion is to be held on 03 June.*held_on"):
        discussion.give(held())
    discussion.give(held(held_on=date(2026, 6, 2)))
    assert discussion.stage == "enquiries"


def test_the_conference_is_due_fifteen_working_days_from_the_day_of_the_discussion_not_from_when_it_was_typed() -> None:
    typed_at_once, typed_later = called(), called()
    typed_at_once.give(held())
    typed_later.wait(days=3)
    typed_later.give(held(held_on=date(2026, 6, 2)))
    assert one(typed_at_once, "initial_conference").due_at == one(typed_later, "initial_conference").due_at


def test_what_was_held_in_time_and_typed_late_is_in_time_though_its_clock_had_run_out() -> None:
    case = called()
    case.wait(days=3)
    case.fire()
    assert case.clock("strategy_discussion").verdict == "missed"
    case.give(held(held_on=date(2026, 6, 2)))
    assert case.clock("strategy_discussion").verdict == "kept"


def test_a_conference_and_an_assessment_are_judged_by_their_days() -> None:
    case = called()
    case.give(held())
    case.give(StartAssessment(held_on=date(2026, 6, 2)))
    seen(case).give(ConcludeEnquiries(outcome="conference"), MANAGER)
    case.run_to(london("2026-06-25 10:00"))
    assert case.clock("initial_conference").verdict == "missed"
    case.give(RecordConference(held_on=date(2026, 6, 22), outcome="no_plan"))
    assert case.clock("initial_conference").verdict == "kept"
    case.run_to(london("2026-08-20 10:00"))
    assert case.clock("assessment").verdict == "missed"
    done = CompleteAssessment(factors=("1A",), outcome="no_further_action", held_on=date(2026, 7, 31))
    case.give(done, MANAGER)
    assert case.clock("assessment").verdict == "kept"


# Scheduled, moved, called off


def test_a_discussion_is_scheduled_for_a_time_to_come_with_anybody_whom_the_hub_names_and_moved_by_scheduling_it_again() -> None:
    case = called()
    at = case.now + timedelta(hours=2)
    with pytest.raises(Incomplete, match="time to come"):
        case.give(ScheduleStrategyDiscussion(at=case.now - timedelta(hours=1)))
    with pytest.raises(NotInProfile):
        case.give(ScheduleStrategyDiscussion(at=at, invited=("Mrs Miller",)))
    case.give(ScheduleStrategyDiscussion(at=at, mode="telephone", invited=("school",)))
    case.give(ScheduleStrategyDiscussion(at=at + timedelta(hours=1), mode="telephone", invited=("school", "midwife")))
    assert case.referral.discussion_at == at + timedelta(hours=1)
    case.wait(hours=3)
    (event,) = of(StrategyDiscussionHeld, case.give(held()))
    assert (event.mode, event.absent) == ("telephone", ("school", "midwife"))
    assert case.referral.discussion_at is None


def test_what_is_not_held_is_called_off_with_a_reason_and_the_stage_waits_on() -> None:
    case = called()
    with pytest.raises(ImpossibleMove):
        case.give(CancelMeeting(what="strategy_discussion"))
    case.give(ScheduleStrategyDiscussion(at=case.now + timedelta(hours=2), invited=("school",)))
    with pytest.raises(ReasonNeeded):
        case.give(CancelMeeting(what="strategy_discussion"), words=False)
    with pytest.raises(Incomplete, match="expected strategy_discussion"):
        case.give(CancelMeeting(what="meeting"))
    (off,) = of(MeetingCancelled, case.give(CancelMeeting(what="strategy_discussion")))
    assert off.invited == (*QUORUM, "school")
    assert case.referral.discussion_at is None and case.running("strategy_discussion")


def test_a_hub_names_others_who_are_always_invited() -> None:
    names = {**SANDWELL.invited, "headteacher": Guest(title="The head teacher")}
    always = SANDWELL.strategy_discussion.model_copy(update={"invites": ("headteacher",)})
    case = arrived(hub(invited=names, strategy_discussion=always))
    case.give(CallStrategyDiscussion())
    (event,) = of(StrategyDiscussionHeld, case.give(held()))
    assert event.absent == ("headteacher",)


# What was agreed


def test_an_action_has_an_owner_who_is_warned_and_late_and_is_told_done_by_them_or_the_hub() -> None:
    case = at_meeting()
    due = case.now + timedelta(hours=8)
    for wrong, refusal in (({"owner": "nobody"}, NotInProfile), ({"due": case.now}, Incomplete)):
        with pytest.raises(refusal):
            case.give(RecordAction(**{"owner": "police", "due": due, **wrong}))
    with pytest.raises(Incomplete, match="nobody who works here has that login"):
        case.give(RecordAction(owner="police", due=due, login="p.constable"))
    with pytest.raises(ReasonNeeded):
        case.give(RecordAction(owner="police", due=due), words=False)
    case.give(RecordAction(owner="police", due=due, login="A.Police"))
    assert case.referral.actions["A1"].login == "a.police"
    case.give(RecordAction(owner="duty_manager", due=due))
    assert [(clock.id, clock.owner) for clock in case.running("action")] == [
        ("action:A1", SANDWELL.agencies["police"].role),
        ("action:A2", "duty_manager"),
    ]
    with pytest.raises(NotYours):
        case.give(CompleteAction(action="A2"), partner("police"))
    case.give(CompleteAction(action="A1"), partner("police"), words=False)
    case.wait(hours=9)
    case.fire()
    assert case.clock("action:A1").verdict == "kept" and case.clock("action:A2").verdict == "missed"
    with pytest.raises(ReasonNeeded):
        case.give(CompleteAction(action="A2", outcome="no_longer_needed"), words=False)
    case.give(CompleteAction(action="A2", outcome="no_longer_needed"))
    assert not case.running("action")


def test_what_was_agreed_may_come_with_the_record_of_the_meeting_and_of_the_discussion() -> None:
    agreed = (Agreed(owner="police", due=london("2026-06-03 12:00")), Agreed(owner="health", due=london("2026-06-04 12:00")))
    meeting, discussion = at_meeting(), called()
    with pytest.raises(ReasonNeeded):
        meeting.give(RecordMeeting(attended=("police",), rating="amber", actions=agreed), words=False)
    meeting.give(RecordMeeting(attended=("police",), rating="amber", actions=agreed))
    discussion.give(held(actions=agreed))
    for case in (meeting, discussion):
        assert [clock.due_at for clock in case.running("action")] == [each.due for each in agreed]


def test_what_is_to_be_done_tonight_is_told_tonight_and_what_is_due_next_week_by_day() -> None:
    friday = london("2026-06-05 20:00")
    case = arrived(SANDWELL, now=friday, immediate_danger=True)
    case.give(CallStrategyDiscussion(), NIGHT_DUTY)
    tonight, next_week = london("2026-06-05 23:00"), london("2026-06-11 12:00")
    actions = (Agreed(owner="police", due=tonight), Agreed(owner="police", due=next_week))
    case.give(held(actions=actions), NIGHT_DUTY)
    action = case.clock("action:A1")
    assert action.warn_at and max(action.warn_at) < tonight and not action.by_day and case.clock("action:A2").by_day
    told = climbs(case.run_to(london("2026-06-06 09:00")), "action:A1")
    assert told[0] == (SANDWELL.agencies["police"].role, tonight)
    assert {role for role, _ in told[1:]} >= {SANDWELL.out_of_hours.role}


# Police protection and emergency orders


def test_police_protection_ends_after_72_hours_at_the_latest_and_its_end_is_a_clock() -> None:
    case = called("child", "unborn")
    taken = case.now - timedelta(hours=3)
    with pytest.raises(Incomplete, match="at the latest"):
        case.give(RecordProtectionOrder(order="police_protection", since=taken, until=taken + timedelta(hours=73)))
    with pytest.raises(Incomplete, match="not s1"):
        case.give(RecordProtectionOrder(order="police_protection", since=taken, subjects=("s1",)))
    case.give(RecordProtectionOrder(order="police_protection", since=taken))
    assert one(case, "police_protection").due_at == taken + timedelta(hours=72)
    assert case.referral.orders["police_protection"].subjects == ("s0",)


def test_an_emergency_order_ends_as_the_court_says_and_takes_the_place_of_police_protection() -> None:
    case = called()
    case.give(RecordProtectionOrder(order="police_protection", since=case.now))
    with pytest.raises(Incomplete, match="until when"):
        case.give(RecordProtectionOrder(order="emergency_protection_order", since=case.now))
    until = case.now + timedelta(days=8)
    case.give(RecordProtectionOrder(order="emergency_protection_order", since=case.now, until=until))
    assert not case.running("police_protection") and one(case, "emergency_protection_order").due_at == until
    assert case.referral.orders["police_protection"].ended == "emergency_protection_order"
    extended = until + timedelta(days=7)
    case.give(RecordProtectionOrder(order="emergency_protection_order", since=case.now, until=extended))
    assert one(case, "emergency_protection_order").due_at == extended
    with pytest.raises(ReasonNeeded):
        case.give(EndProtectionOrder(order="emergency_protection_order", how="discharged"), words=False)
    case.give(EndProtectionOrder(order="emergency_protection_order", how="interim_order_made"))
    assert not case.running("emergency_protection_order")
    with pytest.raises(ImpossibleMove):
        case.give(EndProtectionOrder(order="emergency_protection_order", how="discharged"))


def test_siblings_under_police_protection_from_different_hours_are_each_awaited() -> None:
    case = called("child", "child")
    first = case.now
    case.give(RecordProtectionOrder(order="police_protection", since=first, subjects=("s0",)))
    case.wait(hours=20)
    case.give(RecordProtectionOrder(order="police_protection", since=case.now, subjects=("s1",)))
    ends = {first + timedelta(hours=72): ("s0",), case.now + timedelta(hours=72): ("s1",)}
    assert {order.until: order.subjects for order in case.referral.orders.values()} == ends
    assert [clock.due_at for clock in case.running("police_protection")] == list(ends)
    until = case.now + timedelta(days=8)
    case.give(RecordProtectionOrder(order="emergency_protection_order", since=case.now, until=until, subjects=("s0",)))
    assert one(case, "police_protection").due_at == case.now + timedelta(hours=72)
    assert {o.subjects: o.ended for o in case.referral.orders.values() if o.order == "police_protection"} == {
        ("s0",): "emergency_protection_order",
        ("s1",): None,
    }


def test_what_protects_two_children_ends_for_each_by_themselves() -> None:
    case = called("child", "child")
    case.give(RecordProtectionOrder(order="police_protection", since=case.now))
    due = one(case, "police_protection").due_at
    with pytest.raises(Incomplete, match="not s9"):
        case.give(EndProtectionOrder(order="police_protection", how="released", subjects=("s9",)))
    case.give(EndProtectionOrder(order="police_protection", how="released", subjects=("s0",)))
    assert one(case, "police_protection").due_at == due
    with pytest.raises(Incomplete, match="protects s1"):
        case.give(EndProtectionOrder(order="police_protection", how="released", subjects=("s0",)))
    case.give(EndProtectionOrder(order="police_protection", how="accommodated_by_agreement"))
    assert not case.running("police_protection")
    assert {o.subjects: o.ended for o in case.referral.orders.values()} == {
        ("s0",): "released",
        ("s1",): "accommodated_by_agreement",
    }


def test_an_order_about_one_of_two_children_who_share_another_leaves_the_other_child_theirs() -> None:
    case = called("child", "child")
    case.give(RecordProtectionOrder(order="police_protection", since=case.now))
    both = one(case, "police_protection").due_at
    until = case.now + timedelta(days=8)
    case.give(RecordProtectionOrder(order="emergency_protection_order", since=case.now, until=until, subjects=("s1",)))
    assert one(case, "police_protection").due_at == both and one(case, "emergency_protection_order").due_at == until
    case.give(RecordProtectionOrder(order="emergency_protection_order", since=case.now, until=until + timedelta(days=1)))
    assert not case.running("police_protection")
    assert one(case, "emergency_protection_order").due_at == until + timedelta(days=1)


def test_nobody_is_protected_in_the_future_and_no_adult_by_these_orders() -> None:
    case = called()
    with pytest.raises(Incomplete, match="once it has begun"):
        case.give(RecordProtectionOrder(order="police_protection", since=case.now + timedelta(minutes=1)))
    adult = arrived(SANDWELL, "adult", immediate_danger=True)
    with pytest.raises(ImpossibleMove):
        adult.give(RecordProtectionOrder(order="police_protection", since=adult.now))


def test_a_case_does_not_end_in_nothing_while_a_child_is_protected_so() -> None:
    case = at_decision(None, "child")
    case.give(RecordProtectionOrder(order="police_protection", since=case.now))
    with pytest.raises(Incomplete, match="end_protection_order"):
        case.give(decision(s0="no_further_action"), MANAGER)
    case.give(EndProtectionOrder(order="police_protection", how="released"))
    case.give(decision(s0="no_further_action"), MANAGER)
    assert not case.referral.open


def test_what_protects_a_child_goes_where_the_child_goes() -> None:
    case = at_decision(None, "child", "child")
    since = case.now
    case.give(RecordProtectionOrder(order="police_protection", since=since, subjects=("s1",)))
    with pytest.raises(Incomplete, match="s1 has not ended"):
        case.give(decision(s0="section_17", s1="no_further_action"), MANAGER)
    case.give(decision(s0="section_17", s1="early_help"), MANAGER)
    (linked,) = case.linked.values()
    assert not case.running("police_protection") and not case.referral.orders
    assert linked.referral.orders["police_protection"].subjects == ("s1",)
    assert linked.referral.clocks["police_protection"].due_at == since + timedelta(hours=72)


# Times of odd days

LONG_AGO, NEVER = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, tzinfo=UTC)


def test_nobody_gives_a_time_of_another_age() -> None:
    case, meeting = called(), at_meeting()
    order = {"order": "police_protection", "since": case.now}
    for field, command in (
        ("since", RecordProtectionOrder(order="police_protection", since=LONG_AGO)),
        ("since", RecordProtectionOrder(order="police_protection", since=NEVER)),
        ("since", RecordProtectionOrder(order="police_protection", since=london("2001-01-01 10:00"))),
        ("until", RecordProtectionOrder(until=NEVER, **order)),
        ("until", RecordProtectionOrder(until=LONG_AGO, **order)),
        ("due", RecordAction(owner="police", due=NEVER)),
        ("due", held(actions=(Agreed(owner="police", due=NEVER),))),
        ("at", ScheduleStrategyDiscussion(at=NEVER)),
    ):
        with pytest.raises(Incomplete, match=rf"check the time \({field}\)"):
            case.give(command)
    with pytest.raises(Incomplete, match=r"check the time \(at\)"):
        meeting.give(ConveneMeeting(at=NEVER))


def test_an_order_that_has_ended_protects_nobody_now() -> None:
    case = called()
    with pytest.raises(Incomplete, match="has ended"):
        case.give(RecordProtectionOrder(order="police_protection", since=case.now - timedelta(hours=73)))


def test_no_assessment_was_completed_before_it_was_decided_on() -> None:
    case = at_decision()
    case.wait(days=2)
    case.give(decision(s0="section_17"), MANAGER)
    case.wait(days=3)
    done = CompleteAssessment(factors=("1A",), outcome="no_further_action", held_on=date(2026, 6, 3))
    with pytest.raises(Incomplete, match="04 Jun 2026 at the earliest"):
        seen(case).give(done, MANAGER)
    case.give(done.model_copy(update={"held_on": date(2026, 6, 4)}), MANAGER)
    assert not case.referral.open


# Answered by telephone


def asked() -> Case:
    case = rated(SANDWELL, "amber")
    case.give(BASIS)
    assert "police" in case.referral.outstanding
    return case


def test_an_answer_by_telephone_counts_and_stands_as_told_until_the_agency_answers_itself() -> None:
    case = asked()
    by_telephone = RecordAnswerByTelephone(answering="police", read_back=True, known=True, relevant=True)
    with pytest.raises(ReasonNeeded):
        case.give(by_telephone, words=False)
    case.give(by_telephone)
    check = case.referral.checks["police"]
    assert "police" not in case.referral.outstanding and check.told and check.told.to == DUTY.id
    assert case.clock("check:police").verdict == "kept" and case.clock("confirmation:police").running
    assert case.clock("confirmation:police").owner == SANDWELL.agencies["police"].role
    with pytest.raises(Incomplete, match="waited for"):
        case.give(by_telephone)
    case.give(AnswerCheck(agency="police", known=False), partner("police"))
    check = case.referral.checks["police"]
    assert (check.known, check.told and check.told.known, check.confirmed_at) == (False, True, case.now)
    assert case.clock("confirmation:police").verdict == "kept"
    with pytest.raises(Incomplete, match="nothing is asked"):
        case.give(AnswerCheck(agency="police", known=False), partner("police"))


def test_an_answer_is_told_after_it_was_asked_for_and_in_time_if_it_was_told_in_time() -> None:
    case = asked()
    told_at = case.now + timedelta(hours=1)
    early = RecordAnswerByTelephone(answering="police", read_back=False, known=True, told_at=case.now - timedelta(hours=1))
    for wrong in (early, early.model_copy(update={"told_at": told_at})):
        with pytest.raises(Incomplete, match="told_at"):
            case.give(wrong)
    case.run_to(case.clock("check:police").due_at + timedelta(hours=1))
    case.give(early.model_copy(update={"told_at": told_at}))
    assert case.clock("check:police").verdict == "kept"


def test_the_last_answer_moves_the_case_on_though_it_was_told_by_telephone() -> None:
    case = asked()
    for agency in case.referral.outstanding:
        assert case.stage == "agency_checks"
        case.give(RecordAnswerByTelephone(answering=agency, read_back=True, known=False))
    assert case.stage == "mash_meeting"
