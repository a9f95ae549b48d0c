"""A second person: consent is overridden, an immediate danger rated down, not shared or closed; and a decision that waits."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from mash.states.acts.checks import ProceedWithoutReplies
from mash.states.acts.countersigning import Countersign
from mash.states.acts.decisions import RecordDecision, SignOffDecision
from mash.states.acts.disagreements import RaiseDisagreement, SettleDisagreement
from mash.states.acts.episodes import RecordAdded
from mash.states.acts.meetings import ConveneMeeting, RecordMeeting
from mash.states.acts.protection import CallStrategyDiscussion
from mash.states.acts.rating import RateReferral, RerateReferral
from mash.states.acts.seconding import AgreeAsSecond, OverrideProposed, SecondNamed
from mash.states.acts.sharing import SharingBasisRecorded
from mash.states.acts.step_down import AcceptStepDown, OfferStepDown, ReturnStepDown
from mash.states.course import ClockEscalated, ClockWarned
from mash.states.errors import ImpossibleMove, Incomplete, NotYours, ReasonNeeded
from mash.states.profile import SignOff
from mash.states.values import Actor

from .worlds import (
    BASIS,
    DUTY,
    MANAGER,
    NIGHT,
    NIGHT_DUTY,
    NOT_SHARED,
    QUORUM,
    SYSTEM,
    Case,
    arrived,
    at_decision,
    climbs,
    decision,
    hub,
    london,
    of,
    partner,
    person,
    rated,
)

SANDWELL, MERTON = hub(), hub("merton")
OVERRIDE = BASIS.model_copy(update={"consent": "overridden"})
PRACTICE = person("practice_manager")


def in_danger(**fields: Any) -> Case:
    return arrived(SANDWELL, immediate_danger=True, **fields)


def acting(about: str) -> Actor:
    """Who rates and shares, or decides."""
    return MANAGER if about == "closing" else DUTY


def agreed(name: str = "A1") -> Countersign:
    return Countersign(seconding=name, agreed=True)


def not_agreed(name: str = "A1") -> Countersign:
    return Countersign(seconding=name, agreed=False)


def by_telephone(command: Any) -> Any:
    """The same, with the practice manager's agreement by telephone."""
    return command.model_copy(update={"second": PRACTICE.id})


# Overriding consent


def test_of_a_case_that_is_not_the_most_urgent_nothing_leaves_until_a_second_person_agrees_to_override_consent() -> None:
    case = rated(SANDWELL, "amber")
    (proposed,) = of(OverrideProposed, case.give(OVERRIDE))
    assert case.referral.sharing is None and case.referral.checks == {}
    assert case.clock(f"countersignature:{proposed.id}").due_at == london("2026-06-03 12:00")
    with pytest.raises(NotYours, match="not the one who acted"):
        case.give(agreed())
    (basis,) = of(SharingBasisRecorded, case.give(agreed(), PRACTICE))
    assert (basis.consent, basis.words) == ("overridden", proposed.words), "the reason is the first one's"
    assert case.referral.sharing is True and case.referral.checks != {}
    assert case.running("countersignature") == []


def test_who_does_not_agree_to_override_consent_has_nothing_shared() -> None:
    case = rated(SANDWELL, "amber")
    case.give(OVERRIDE)
    with pytest.raises(ReasonNeeded):
        case.give(not_agreed(), PRACTICE, words=False)
    case.give(not_agreed(), PRACTICE)
    assert case.referral.sharing is None and case.referral.checks == {} and case.referral.uncountersigned == ()


@pytest.mark.parametrize("fields", [{"immediate_danger": True}, {}], ids=["in immediate danger", "rated most urgent"])
def test_what_protects_waits_for_nobody_one_person_overrides_consent_and_a_second_countersigns_next_morning(
    fields: dict[str, Any],
) -> None:
    case = rated(SANDWELL, "red", now=NIGHT, **fields)
    case.give(OVERRIDE, NIGHT_DUTY)
    assert case.referral.sharing is True and case.referral.checks != {}
    assert case.clock("countersignature:A1").due_at == london("2026-06-08 12:00"), "Saturday night: Monday noon"
    case.give(agreed(), PRACTICE)
    assert case.clock("countersignature:A1").met is True and case.referral.sharing is True


def test_early_on_a_working_day_the_next_working_morning_is_the_same_days() -> None:
    case = rated(SANDWELL, "red", now=london("2026-06-09 02:00"))
    case.give(OVERRIDE, NIGHT_DUTY)
    assert case.clock("countersignature:A1").due_at == london("2026-06-09 12:00")


def test_an_override_that_the_second_does_not_agree_to_no_longer_stands() -> None:
    case = rated(SANDWELL, "red")
    case.give(OVERRIDE)
    case.give(not_agreed(), PRACTICE)
    assert case.referral.sharing is None, "nothing more leaves until a basis is recorded anew"


def test_nobody_countersigns_in_time_and_the_ladder_is_climbed() -> None:
    case = rated(SANDWELL, "red")
    case.give(OVERRIDE)
    case.run_to(london("2026-06-03 12:00"))
    assert climbs(case.log, "countersignature:A1")[0][1] == london("2026-06-03 12:00")


def test_whoever_is_to_countersign_by_noon_is_reminded_while_the_hub_is_open_and_nobody_is_at_night() -> None:
    case = rated(SANDWELL, "red")
    case.give(OVERRIDE)
    assert case.clock("countersignature:A1").by_day
    told = [
        at
        for at, _, event in case.run_to(london("2026-06-05 12:00"))
        if isinstance(event, ClockWarned | ClockEscalated) and event.id == "countersignature:A1"
    ]
    assert len(told) > 3 and all(SANDWELL.calendar.is_open(at) for at in told)


def test_another_basis_takes_the_place_of_what_was_proposed() -> None:
    case = rated(SANDWELL, "amber")
    case.give(OVERRIDE)
    case.give(BASIS)
    assert case.referral.sharing is True and case.referral.uncountersigned == () and case.running("countersignature") == []


def test_what_is_rated_most_urgent_meanwhile_does_not_wait_for_the_second_any_more() -> None:
    case = rated(SANDWELL, "amber")
    case.give(OVERRIDE)
    case.give(RerateReferral(rating="red"))
    case.give(OVERRIDE)
    assert case.referral.sharing is True and case.referral.uncountersigned == ("A2",)


# Immediate danger: rated down, not shared, closed


DOWN = [
    (in_danger, RateReferral(rating="green"), "rating_down"),
    (lambda: rated(SANDWELL, "red", immediate_danger=True), RerateReferral(rating="amber"), "rating_down"),
    (in_danger, NOT_SHARED, "not_sharing"),
    (
        lambda: at_decision(MERTON, immediate_danger=True),
        RecordDecision(outcomes={"s0": "no_further_action"}),
        "closing",
    ),
]
NAMES = ["rated down at first", "re-rated down", "not shared", "closed"]


@pytest.mark.parametrize(("make", "command", "about"), DOWN, ids=NAMES)
def test_about_an_immediate_danger_one_person_alone_does_not_decide_that(make: Any, command: Any, about: Any) -> None:
    case, by = make(), acting(about)
    with pytest.raises(Incomplete, match="needs a second person"):
        case.give(command, by)
    with pytest.raises(NotYours, match="not the one who acts"):
        case.give(command.model_copy(update={"second": by.id}), by)
    case.give(AgreeAsSecond(about=about), PRACTICE)
    (named,) = of(SecondNamed, case.give(command, by))
    assert (named.about, named.agreement, named.second) == (about, "signed_in", PRACTICE.id)
    assert about not in {case.referral.secondings[name].about for name in case.referral.uncountersigned}


@pytest.mark.parametrize(("make", "command", "about"), DOWN, ids=NAMES)
def test_who_agreed_by_telephone_confirms_that_when_they_sign_in(make: Any, command: Any, about: Any) -> None:
    case = make()
    (named,) = of(SecondNamed, case.give(by_telephone(command), acting(about)))
    assert (named.about, named.agreement, named.agreed_at) == (about, "telephone", case.now)
    with pytest.raises(NotYours, match="for them to countersign"):
        case.give(agreed(named.id), person("duty_manager", name="another"))
    case.give(agreed(named.id), PRACTICE)
    assert case.clock(f"countersignature:{named.id}").met is True


@pytest.mark.parametrize(
    ("named", "refusal"),
    [
        ("nobody.at.all", "nobody who works here has that login"),
        (DUTY.id.upper(), "not the one who acts"),
        ("a.police", "agreed to by a second person who is duty_manager"),
    ],
    ids=["nobody", "oneself, in capitals", "a partner"],
)
def test_only_somebody_else_who_may_be_a_second_person_agrees_by_telephone(named: str, refusal: str) -> None:
    case = in_danger()
    with pytest.raises((Incomplete, NotYours), match=refusal):
        case.give(RateReferral(rating="green", second=named))
    case.give(RateReferral(rating="green", second=PRACTICE.id.title()))
    assert case.referral.secondings["A1"].second == PRACTICE.id


def test_who_says_that_they_never_agreed_has_the_case_count_as_the_most_urgent_again() -> None:
    case = in_danger()
    case.give(by_telephone(RateReferral(rating="green")))
    case.give(not_agreed(), PRACTICE)
    assert case.referral.rating == "red"


def stepping_down() -> Case:
    """A danger rated blue with the practice manager's agreement by telephone, and offered to early help on that rating."""
    case = at_decision(MERTON, immediate_danger=True)
    case.give(decision(s0="early_help"), MANAGER)
    case.give(OfferStepDown(service="early_help"), MANAGER)
    return case


@pytest.mark.parametrize("accepted", [False, True], ids=["offered", "accepted"])
def test_who_says_that_they_never_agreed_has_what_was_decided_on_that_rating_decided_again(accepted: bool) -> None:
    case = stepping_down()
    if accepted:
        case.give(AcceptStepDown(), person("early_help", "early_help"))
    case.give(not_agreed(), PRACTICE)
    assert (case.stage, case.referral.rating) == ("strategy_discussion", "red") and case.referral.in_danger
    with pytest.raises(ImpossibleMove):
        case.give(AcceptStepDown(), person("early_help", "early_help"))


def test_what_protects_a_child_goes_on_though_the_second_never_agreed_to_the_rating() -> None:
    case = at_decision(MERTON, immediate_danger=True)
    case.give(decision(s0="section_17"), MANAGER)
    case.give(not_agreed(), PRACTICE)
    assert (case.stage, case.referral.rating) == ("section_17_assessment", "red")


def test_naming_who_came_to_a_meeting_that_was_never_called_is_no_second_person() -> None:
    case = rated(SANDWELL, "red", immediate_danger=True)
    case.give(BASIS)
    case.give(ProceedWithoutReplies())
    held = RecordMeeting(attended=QUORUM, rating="green")
    with pytest.raises(Incomplete, match=r"needs a second person .* \(agree_as_second\)$"):
        case.give(held)
    case.give(ConveneMeeting(at=case.now))
    case.give(held)
    assert case.referral.rating == "green"


def test_who_says_that_they_never_agreed_has_what_was_closed_decided_again() -> None:
    case = at_decision(MERTON, immediate_danger=True)
    case.give(by_telephone(RecordDecision(outcomes={"s0": "advice"})), MANAGER)
    assert not case.referral.open
    case.give(not_agreed(case.referral.uncountersigned[-1]), PRACTICE)
    assert case.stage == "decision" and case.referral.open


def test_where_the_one_who_was_named_is_late_somebody_else_says_whether_it_stands() -> None:
    case = in_danger()
    case.give(by_telephone(RateReferral(rating="green")))
    case.run_to(london("2026-06-03 12:00"))
    case.give(agreed(), MANAGER)
    assert case.referral.uncountersigned == ()


def test_an_agreement_given_beforehand_holds_for_a_day_and_once() -> None:
    case = in_danger()
    case.give(AgreeAsSecond(about="rating_down"), PRACTICE)
    case.now += timedelta(hours=25)
    with pytest.raises(Incomplete, match="needs a second person"):
        case.give(RateReferral(rating="green"))
    case.give(AgreeAsSecond(about="rating_down"), PRACTICE)
    case.give(RateReferral(rating="amber"))
    with pytest.raises(Incomplete, match="needs a second person"):
        case.give(RerateReferral(rating="green"))


def test_rating_an_immediate_danger_up_needs_nobody_else() -> None:
    case = in_danger()
    case.give(by_telephone(RateReferral(rating="green")))
    case.give(RerateReferral(rating="amber"))
    assert case.referral.rating == "amber"


def test_a_second_person_who_is_not_needed_is_not_named() -> None:
    with pytest.raises(Incomplete, match="no second person is needed"):
        arrived(SANDWELL).give(by_telephone(RateReferral(rating="green")))


def test_where_a_second_person_signs_the_decision_off_nobody_else_is_asked_too() -> None:
    second = SignOff(ratings=("blue",), outcomes=("no_further_action",), role="service_manager")
    case = at_decision(hub("merton", sign_off={"blue": second}), immediate_danger=True)
    case.give(RecordDecision(outcomes={"s0": "no_further_action"}), MANAGER)
    assert case.stage == "sign_off"


def test_protecting_one_child_closes_an_immediate_danger_of_another_no_sooner() -> None:
    case = at_decision(MERTON, "child", "child", immediate_danger=True)
    case.give(decision(s0="no_further_action", s1="section_17"), MANAGER)
    assert case.stage == "section_17_assessment"
    other = case.linked["R-B"]
    assert (other.stage, other.referral.in_danger, other.referral.outcomes) == ("decision", True, {}) and other.referral.running
    with pytest.raises(Incomplete, match="needs a second person"):
        other.give(decision(s0="no_further_action"), MANAGER, words=case.fresh_words())
    other.give(AgreeAsSecond(about="closing"), PRACTICE, words=case.fresh_words())
    other.give(decision(s0="no_further_action"), MANAGER, words=case.fresh_words())
    assert not other.referral.open


def told_on_friday_night() -> Case:
    """Decided and offered to early help; then another contact tells of an immediate danger."""
    case = at_decision(MERTON)
    case.give(decision(s0="early_help"), MANAGER)
    case.give(OfferStepDown(service="early_help"), MANAGER)
    case.now = london("2026-06-05 20:00")
    case.give(RecordAdded(other="MASH-26-000009", why="added", immediate_danger=True), SYSTEM, words=False)
    return case


def test_a_danger_that_reaches_a_decided_case_does_not_rest_for_the_weekend() -> None:
    case = told_on_friday_night()
    assert case.referral.in_danger
    alerts = [entry for entry in case.run_to(london("2026-06-06 02:00")) if isinstance(entry.event, ClockEscalated)]
    assert alerts, "the ladder is climbed that night"


def test_a_danger_that_reaches_a_decided_case_is_not_closed_over_by_one_person() -> None:
    case, service = told_on_friday_night(), person("early_help", "early_help")
    with pytest.raises(Incomplete, match=r"closing an immediate danger needs a second person .* \(agree_as_second\)$"):
        case.give(AcceptStepDown(), service)
    case.give(AgreeAsSecond(about="closing"), PRACTICE)
    case.give(AcceptStepDown(), service)
    assert not case.referral.open


def test_a_danger_that_was_known_when_it_was_decided_waits_for_no_second_when_the_service_accepts() -> None:
    case = told_on_friday_night()
    case.give(ReturnStepDown(), person("early_help", "early_help"))
    case.wait(hours=1)
    case.give(decision(s0="early_help"), MANAGER)
    case.give(OfferStepDown(service="early_help"), MANAGER)
    case.give(AcceptStepDown(), person("early_help", "early_help"))
    assert not case.referral.open


# A decision while the rating is disputed


def disputed() -> Case:
    case = at_decision(MERTON, "child", "child")
    case.give(RaiseDisagreement(about="rating", rating="red"), partner("health"))
    return case


@pytest.mark.parametrize("outcome", ["no_further_action", "advice", "early_help", "transfer"])
def test_a_decision_waits_while_somebody_is_to_say_whether_the_rating_is_right(outcome: Any) -> None:
    case = disputed()
    decision = RecordDecision(outcomes={"s0": outcome, "s1": outcome}, primary_need="N1", transfer_to="330")
    with pytest.raises(Incomplete, match=r"the rating is disputed: D1 .* \(settle_disagreement\)"):
        case.give(decision, MANAGER)
    role = case.referral.disagreements["D1"].role
    case.give(SettleDisagreement(disagreement="D1", outcome="stands"), person(role, name="referee"))
    case.give(decision, MANAGER)
    assert case.referral.decided_at == case.now


@pytest.mark.parametrize("outcome", ["section_47", "section_17"])
def test_what_protects_one_child_does_not_wait_for_the_dispute(outcome: Any) -> None:
    case = disputed()
    case.give(RecordDecision(outcomes={"s0": outcome, "s1": "no_further_action"}, primary_need="N1"), MANAGER)
    assert case.referral.decided_at == case.now
    other = case.linked["R-B"]
    assert (other.stage, other.referral.outcomes) == ("decision", {}), "the other child's outcome does wait"


def test_a_strategy_discussion_does_not_wait_for_the_dispute() -> None:
    case = disputed()
    case.give(CallStrategyDiscussion())
    assert case.stage == "strategy_discussion"


def test_a_decision_that_waits_to_be_signed_off_waits_for_a_dispute_raised_since() -> None:
    second = SignOff(ratings=("blue",), outcomes=("no_further_action",), role="service_manager")
    case = at_decision(hub("merton", sign_off={"blue": second}))
    case.give(RecordDecision(outcomes={"s0": "no_further_action"}), MANAGER)
    case.give(RaiseDisagreement(about="rating", rating="red"), partner("health"))
    with pytest.raises(Incomplete, match="the rating is disputed"):
        case.give(SignOffDecision(agreed=True), person("service_manager"))
