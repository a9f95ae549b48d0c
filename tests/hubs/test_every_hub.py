"""The table of 22 hubs (practice, section 2): each has a profile, and a profile rests on the documents."""

from __future__ import annotations

import pytest
from hubs_at_work import DOCUMENTS, received

from mash.config.profile import available, load_profile, stated
from mash.states.acts.protection import CallStrategyDiscussion

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


# Merton's social care is the hub itself, which calls the discussion.
ITSELF = {"merton": {"social_care"}}


@pytest.mark.parametrize("name", TABLE.values())
def test_whoever_a_strategy_discussion_needs_is_invited_to_it(name: str) -> None:
    profile = load_profile(name)
    taken = {"contact": "police_notification", "source_agency": "police", "categories": ("exploitation",)}
    case = received(name, **taken)
    case.give(CallStrategyDiscussion())
    needed = set(profile.strategy_discussion.quorum) - ITSELF.get(name, set())
    assert {profile.agencies[agency].role for agency in needed} <= set(case.recipients("strategy_discussion"))


@pytest.mark.parametrize("name", TABLE.values())
def test_a_step_down_is_offered_to_services_and_never_to_a_statutory_team(name: str) -> None:
    profile = load_profile(name)
    assert profile.step_downs and all(service.kind != "statutory" for service in profile.step_downs.values())
