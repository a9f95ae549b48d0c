"""The table of 22 hubs (practice, section 2): each has a profile, and a profile rests on the documents."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hubs_at_work import DOCUMENTS, census_told, person, received

from mash.config.profile import load_profile, stated
from mash.config.profile_files import available
from mash.states.acts.protection import CallStrategyDiscussion, RecordStrategyDiscussion
from mash.states.acts.scheduling import CancelMeeting, ScheduleStrategyDiscussion

TABLE = {
    "Sandwell": "sandwell",
    "Merton": "merton",
    "Camden": "camden",
    "Bury": "bury",
    "Blackburn": "blackburn",
    "Nottinghamshire": "nottinghamshire",
    "Wiltshire + Swindon": "wiltshire_swindon",
    "Kent": "kent",
    "Cornwall": "cornwall",
    "Northamptonshire": "northamptonshire",
    "Hampshire": "hampshire",
    "Bradford": "bradford",
    "Ealing": "ealing",
    "Staffordshire + Stoke": "staffordshire_stoke",
    "London / Devon model": "london_devon",
    "Cambridgeshire": "cambridgeshire",
    "East Sussex": "east_sussex",
    "Derbyshire": "derbyshire",
    "Suffolk": "suffolk",
    "Manchester": "manchester",
    "Westminster": "westminster",
    "Alexi hub-and-spoke": "alexi",
}


@pytest.mark.parametrize(("row", "name"), TABLE.items(), ids=str)
def test_every_hub_of_the_table_has_a_profile(row: str, name: str) -> None:
    profile = load_profile(name)
    assert profile.name == name and profile.title


def test_there_is_no_profile_of_a_hub_that_the_table_does_not_have() -> None:
    assert sorted(TABLE.values()) == available()


@pytest.mark.parametrize("name", TABLE.values())
def test_every_hub_says_of_each_of_its_settings_which_document_states_it_or_that_it_is_the_products(name: str) -> None:
    for setting, source in stated(name).items():
        assert setting in ("title", "area") or source.startswith((*DOCUMENTS, "product default")), setting


@pytest.mark.parametrize("name", available())
def test_whoever_must_take_part_in_a_strategy_discussion_is_invited_whether_or_not_the_hub_checks_with_them(name: str) -> None:
    """Health takes part at Manchester, Westminster, Derbyshire and Alexi, and is no agency of these hubs."""
    takes = next(iter(load_profile(name).intake.values()))
    source, contact = (takes.sources or ("education",))[0], (takes.kinds or ("referral",))[0]
    case = received(name, source_agency=source, contact=contact, categories=takes.categories[:1])
    case.give(CallStrategyDiscussion())
    hub = case.profile.strategy_discussion
    case.give(ScheduleStrategyDiscussion(at=case.now + timedelta(hours=1), invited=("school",)))
    roles = {(case.profile.agencies.get(each) or case.profile.invited[each]).role for each in hub.quorum}
    for kind in ("strategy_discussion", "strategy_discussion_scheduled"):
        assert roles <= set(case.recipients(kind)), kind
    assert "the child's school" in case.words("ring_invited")


@pytest.mark.parametrize("name", available())
def test_what_the_census_asks_moves_nothing_at_any_hub_and_is_asked_at_all_of_them(name: str) -> None:
    profile = load_profile(name)
    takes = next(iter(profile.intake.values()))
    source, contact = (takes.sources or ("education",))[0], (takes.kinds or ("referral",))[0]
    case = received(name, source_agency=source, contact=contact, categories=takes.categories[:1])
    case.give(CallStrategyDiscussion())
    joint = {"enquiry": "joint"} if profile.strategy_discussion.joint_or_single else {}
    case.give(RecordStrategyDiscussion(attended=profile.strategy_discussion.quorum, outcome="section_47", **joint))
    before, notices = case.referral, len(case.notices)
    census_told(case)
    after = case.referral
    assert after.put_right == before.put_right + 1, "asked, and answered"
    assert (after.stage, after.clocks, len(case.notices)) == (before.stage, before.clocks, notices)


@pytest.mark.parametrize("name", available())
def test_the_manager_on_duty_hears_that_a_colleague_moves_or_calls_off_the_strategy_discussion(name: str) -> None:
    """They may have set its time themselves, and need not be among those who must take part."""
    takes = next(iter(load_profile(name).intake.values()))
    source, contact = (takes.sources or ("education",))[0], (takes.kinds or ("referral",))[0]
    case = received(name, source_agency=source, contact=contact, categories=takes.categories[:1])
    duty = case.profile.on_duty(case.profile.ladder[0].role, case.now)
    case.give(CallStrategyDiscussion())
    case.give(ScheduleStrategyDiscussion(at=case.now + timedelta(hours=1)))
    case.give(ScheduleStrategyDiscussion(at=case.now + timedelta(hours=2)), person("practice_manager"))
    assert duty in case.recipients("strategy_discussion_scheduled")
    case.give(CancelMeeting(what="strategy_discussion"), person("practice_manager"))
    assert duty in case.recipients("strategy_discussion_called_off")
