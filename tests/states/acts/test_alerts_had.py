"""Whoever has an alert says until when, within the hub's rule; whoever cannot take it passes it on, and the next is told now."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from mash.config.permissions import read_permissions
from mash.states.acts.alerts import AcknowledgeAlert, PassAlertOn
from mash.states.acts.contact import AssignPlace
from mash.states.acts.rating import RateReferral
from mash.states.course import ClockEscalated
from mash.states.errors import Incomplete, NotYours
from mash.states.profile import Rung
from mash.states.roles import PARTNERS

from .worlds import BASIS, MANAGER, NIGHT, NIGHT_DUTY, Case, arrived, climbs, hub, of, partner, person

HAVE = AcknowledgeAlert(clock="triage")
CANNOT = PassAlertOn(clock="triage")


def unrated_and_late() -> Case:
    """The first alert has just gone out."""
    case = arrived(hub())
    case.run_to(case.clock("triage").due_at)
    return case


def test_it_speaks_up_again_when_whoever_has_it_said_and_not_before() -> None:
    case = unrated_and_late()
    until = case.now + timedelta(minutes=30)
    case.give(HAVE.model_copy(update={"until": until}))
    assert case.clock("triage").next_rung_at == until and case.referral.alerts == ()
    assert [at for _, at in climbs(case.run_to(until), "triage")] == [until]


def test_nobody_has_it_for_longer_than_the_hubs_rule_for_its_rating_or_until_a_time_that_has_passed() -> None:
    case = unrated_and_late()
    longest = case.profile.had_until(None, case.now)
    for until in (longest + timedelta(minutes=1), case.now):
        with pytest.raises(Incomplete, match="until"):
            case.give(HAVE.model_copy(update={"until": until}))
    case.give(HAVE.model_copy(update={"until": longest}))
    assert case.clock("triage").next_rung_at == longest


def test_without_a_time_it_is_had_for_as_long_as_the_rule_lets_it_rest() -> None:
    case = unrated_and_late()
    case.give(HAVE)
    assert case.clock("triage").next_rung_at == case.profile.had_until(None, case.now)


def test_whoever_cannot_take_it_passes_it_on_and_the_next_role_is_told_at_once() -> None:
    case = unrated_and_late()
    (told,) = of(ClockEscalated, case.give(CANNOT))
    assert told.passed_on and told.role == case.profile.ladder[1].role == "practice_manager"
    case.run_to(told.next_at)
    by_itself = of(ClockEscalated, (entry.event for entry in case.log))[-1]
    assert "passed_on" not in by_itself.model_dump(mode="json"), "as a log of before reads"


def test_whoever_had_it_passes_it_on_too_and_nobody_passes_on_what_somebody_else_has() -> None:
    case = unrated_and_late()
    case.give(HAVE)
    with pytest.raises(Incomplete, match="yours to pass on"):
        case.give(CANNOT, MANAGER)
    case.give(CANNOT)
    assert case.referral.alerts == ("triage",)


def test_the_last_of_the_ladder_is_told_that_nobody_stands_above() -> None:
    case = unrated_and_late()
    for _ in case.profile.ladder[1:]:
        case.give(CANNOT)
    assert case.clock("triage").rung == len(case.profile.ladder) - 1
    with pytest.raises(Incomplete, match="nobody stands above"):
        case.give(CANNOT)


# --- who passes an alert on ---------------------------------------------------------------------------------------------------


def with_checks_late() -> Case:
    """A red case: every agency's check is late, and so is the response, and their alerts have just gone out."""
    case = arrived(hub())
    case.give(RateReferral(rating="red"))
    case.give(BASIS)
    case.run_to(max(case.clock("check:police").due_at, case.clock("response").due_at))
    assert {"check:police", "check:housing", "response"} <= {*case.referral.alerts}
    return case


@pytest.mark.parametrize("clock", ["response", "check:police"])
def test_a_partner_passes_on_no_alert_that_did_not_come_to_them_though_they_said_that_they_have_it(clock: str) -> None:
    case = with_checks_late()
    with pytest.raises(NotYours, match="did not come to you"):
        case.give(PassAlertOn(clock=clock), partner("housing"))
    case.give(AcknowledgeAlert(clock=clock), partner("housing"))
    with pytest.raises(NotYours, match="did not come to you"):
        case.give(PassAlertOn(clock=clock), partner("housing"))


def test_a_partner_passes_on_what_is_late_of_their_own_agency() -> None:
    case = with_checks_late()
    before = case.clock("check:housing").rung
    (told,) = of(ClockEscalated, case.give(PassAlertOn(clock="check:housing"), partner("housing")))
    assert told.rung == before + 1


@pytest.mark.parametrize("role", ["social_worker", "team_manager", "service_manager", "out_of_hours", "administrator"])
def test_nobody_of_the_hub_passes_on_what_they_were_not_told_of(role: str) -> None:
    case = unrated_and_late()
    stands_in = role == "out_of_hours"  # whoever comes on duty is handed what nobody has
    if stands_in:
        case.profile = hub(out_of_hours=case.profile.out_of_hours.model_copy(update={"service": "same_service"}))
    with pytest.raises(NotYours, match="did not come to you"):
        case.give(CANNOT, person(role))


def test_whoever_took_it_on_passes_it_on_though_it_was_sent_to_somebody_else() -> None:
    case = unrated_and_late()
    case.give(HAVE, MANAGER)
    (told,) = of(ClockEscalated, case.give(CANNOT, MANAGER))
    assert told.role == "practice_manager"


def test_partners_are_those_of_the_table_of_rights() -> None:
    rights = read_permissions()
    assert {*PARTNERS} == rights.reach["involved"]


# --- once, and to somebody else -----------------------------------------------------------------------------------------------


def test_what_has_been_passed_on_since_somebody_looked_is_not_passed_on_again() -> None:
    case = unrated_and_late()
    shown = CANNOT.model_copy(update={"rung": case.clock("triage").rung})
    case.give(shown)
    with pytest.raises(Incomplete, match="passed on already"):
        case.give(shown)
    assert case.clock("triage").rung == 1


def swindons(**changes: Any) -> Case:
    """A contact of Swindon's own triage that came on a Saturday at 01:01, unrated and late at 02:01."""
    case = arrived(hub("wiltshire_swindon", **changes), now=NIGHT - timedelta(minutes=59))
    case.give(AssignPlace(place="swindon"), NIGHT_DUTY)
    case.run_to(case.clock("triage").due_at)
    assert climbs(case.log, "triage")[-1][0] == "out_of_hours" and case.clock("triage").rung == 0
    return case


def test_whoever_stands_in_for_the_next_role_too_does_not_pass_it_on_to_themselves() -> None:
    case = swindons()
    (told,) = of(ClockEscalated, case.give(CANNOT, NIGHT_DUTY))
    assert told.role == "practice_manager" and told.passed_on


def test_nobody_is_left_out_of_whom_only_somebody_else_was_told() -> None:
    case = arrived(hub("wiltshire_swindon"), now=NIGHT.replace(day=5) + timedelta(hours=13, minutes=55))
    case.give(AssignPlace(place="swindon"), NIGHT_DUTY)
    due = case.clock("triage").due_at
    case.run_to(due)
    assert climbs(case.log, "triage") == [("partner_duty_manager", due)]
    case.now = due + timedelta(minutes=10)  # the hub has closed
    (told,) = of(ClockEscalated, case.give(CANNOT, person("partner_duty_manager")))
    assert told.role == "out_of_hours"


def test_where_nobody_else_is_on_duty_above_it_is_refused() -> None:
    case = swindons(ladder=(Rung(role="duty_manager", wait=hub().ladder[0].wait),))
    with pytest.raises(Incomplete, match="nobody stands above"):
        case.give(CANNOT, NIGHT_DUTY)
