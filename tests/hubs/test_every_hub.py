"""The table of 22 hubs (practice, section 2): each has a profile, and a profile rests on the documents."""

from __future__ import annotations

import pytest
from hubs_at_work import DOCUMENTS

from mash.config.profile import available, load_profile, stated

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
