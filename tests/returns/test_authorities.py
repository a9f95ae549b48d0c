"""Whose return a child is in, where a hub serves two authorities: each has its own file, and no child is in another's."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Any

import pytest
from hubs_at_work import TEAM_MANAGER, Case, at_decision, changed, london, outcome
from returning import cases_of

from mash.config.profile import load_profile
from mash.flows.returns.annex_a import Period
from mash.flows.returns.children import known
from mash.flows.returns.extract import Gathered, annex_files, authorities, census_files
from mash.flows.returns.people import Person
from mash.flows.returns.year import Year
from mash.states.acts.contact import AssignPlace
from mash.states.errors import Incomplete
from mash.states.profile import Profile

HUB = load_profile("staffordshire_stoke")
YEAR, MADE_AT = Year(2026), london("2026-05-04 10:00")
PERIOD = Period(YEAR.start, YEAR.end)


def open_at(place: str, day: str, reference: str) -> Case:
    """A case under section 17 at one of the hub's places."""
    case = at_decision(HUB, now=london(f"{day} 10:00"))
    case.reference = reference
    case.give(AssignPlace(place=place))
    case.give(outcome(case, "section_17"), TEAM_MANAGER)
    return case


def with_stoke_as(**settings: Any) -> Profile:
    """The hub, with its second place called something else."""
    return changed("staffordshire_stoke", places={**HUB.places, "stoke": HUB.places["stoke"].model_copy(update=settings)})


def gathered(profile: Profile, *worlds: Case) -> Gathered:
    """What the returns see of these cases, all about one child."""
    some = {each.reference: each for world in worlds for each in cases_of(world)}
    identities = {(reference, subject): "CHILD" for reference, case in some.items() for subject in case.state.subjects}
    person = {"CHILD": Person({"sex": "F", "date_of_birth": "2015-03-04"})}
    return Gathered(profile, known(some, identities, person, b"key", (), authorities(profile)))


def referred(content: bytes) -> list[str]:
    return [element.text or "" for element in ET.fromstring(content).iter("CINreferralDate")]


@pytest.fixture(scope="module")
def both() -> Gathered:
    """A child with an open episode in Staffordshire, who was referred to Stoke three months later."""
    return gathered(HUB, open_at("staffordshire", "2025-06-02", "P"), open_at("stoke", "2025-09-02", "Q"))


def test_a_child_with_an_open_episode_in_one_authority_is_referred_to_the_other_all_the_same(both: Gathered) -> None:
    files = {file.authority: file for file in census_files(both, YEAR, MADE_AT)}
    assert {number: referred(file.content) for number, file in files.items()} == {"860": ["2025-06-02"], "861": ["2025-09-02"]}
    assert {number: file.references for number, file in files.items()} == {"860": ("P",), "861": ("Q",)}


def test_annex_a_is_of_one_authority_too(both: Gathered) -> None:
    files = annex_files(both, PERIOD)
    assert [file.name for file in files] == [f"annex_a_{n}_2025-04-01_2026-03-31.xlsx" for n in ("860", "861")]
    assert [(file.children, file.references) for file in files] == [(1, ("P",)), (1, ("Q",))]


def test_one_authority_may_be_chosen_and_no_other_than_the_hubs(both: Gathered) -> None:
    (file,) = census_files(both, YEAR, MADE_AT, "861")
    assert (file.authority, referred(file.content)) == ("861", ["2025-09-02"])
    (book,) = annex_files(both, PERIOD, "861")
    assert book.references == ("Q",)
    for made in (lambda: census_files(both, YEAR, MADE_AT, "333"), lambda: annex_files(both, PERIOD, "333")):
        with pytest.raises(Incomplete, match="expected one of 860, 861"):
            made()


def test_a_place_whose_authority_nothing_says_is_in_no_others_return() -> None:
    unnamed = with_stoke_as(title="Family Contact Point")
    assert authorities(unnamed) == {"": "860", "staffordshire": "860", "stoke": ""}
    with pytest.raises(Incomplete, match="place stoke is: say its number"):
        census_files(gathered(unnamed, open_at("stoke", "2025-06-02", "P")), YEAR, MADE_AT)
    with pytest.raises(Incomplete, match="place stoke is"):
        annex_files(gathered(unnamed), PERIOD, "860")


def test_a_satellite_that_is_named_after_no_authority_is_the_first_ones() -> None:
    assert authorities(with_stoke_as(title="The North", kind="satellite"))["stoke"] == "860"


def test_where_nothing_says_which_authority_it_is_whoever_asks_says_it() -> None:
    hub = changed("sandwell", area="Somewhere")
    case = at_decision(hub, now=london("2025-06-02 10:00"))
    case.give(outcome(case, "section_17"), TEAM_MANAGER)
    some = gathered(hub, case)
    (file,) = census_files(some, YEAR, MADE_AT, "202")
    assert file.name == "cin_2026_202.xml" and referred(file.content) == ["2025-06-02"]
    with pytest.raises(Incomplete, match="for this once"):
        census_files(some, YEAR, MADE_AT)
    assert [each.name for each in annex_files(some, PERIOD)] == ["annex_a_2025-04-01_2026-03-31.xlsx"]
