"""Whom things are handed over to: what a profile says of them, who accepts there, and which authorities there are."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mash.config import codes
from mash.config.agreement import disagreements
from mash.config.describe import explain
from mash.config.profile import load_profile
from mash.config.profile_files import SHIPPED, available
from mash.states.profile import Destination, Profile


def changed(name: str, **fields: object) -> Profile:
    """Kent's profile, with one destination changed."""
    kent = load_profile("kent")
    destination = Destination.model_validate({**kent.destinations[name].model_dump(), **fields})
    return kent.model_copy(update={"destinations": {**kent.destinations, name: destination}})


@pytest.mark.parametrize("hub", available())
def test_every_hub_has_somebody_for_a_child_who_moves_a_concern_about_a_professional_and_an_adult(hub: str) -> None:
    profile = load_profile(hub)
    assert profile.serving("transfer") and profile.of_kind("lado") and profile.of_kind("adults")
    assert str(profile.destinations[profile.of_kind("lado")[0]].within) == "1 working day"


@pytest.mark.parametrize("hub", available())
def test_explaining_a_hub_says_for_each_exit_who_accepts(hub: str) -> None:
    profile = load_profile(hub)
    said = [row for row in explain(hub, next(iter(profile.ratings))) if row.name.startswith("accepted: ")]
    for title in (*(each.title for each in profile.services.values()), *(each.title for each in profile.destinations.values())):
        (row,) = [row for row in said if row.value.startswith(f"{title}: ")]
        assert ("a login of" in row.value or "by telephone: who, when" in row.value) and row.source


@pytest.mark.parametrize(
    ("name", "fields", "place", "expected"),
    [
        ("marac", {"accepted_by": ["login"]}, "role", "expected the role whose login accepts"),
        ("marac", {"outcomes": ["transfer"]}, "outcomes", "to an authority, or to a team of the hub's own"),
        ("marac", {"owner": "nobody"}, "owner", "unknown role 'nobody'"),
        ("marac", {"role": "wall_display"}, "role", "does not let wall_display accept hand over"),
        ("lado", {"kind": "marac"}, "", "expected one of kind 'lado'"),
        ("another_authority", {"outcomes": []}, "", "expected an authority with the outcome 'transfer'"),
    ],
)
def test_nothing_is_offered_to_whom_nobody_can_accept_for(
    name: str, fields: dict[str, object], place: str, expected: str
) -> None:
    found = dict(disagreements(changed(name, **fields)))
    assert any(expected in text and (not place or key[-1] == place) for key, text in found.items()), found


@pytest.mark.parametrize(
    ("code", "name"), [("330", "Birmingham"), ("E08000025", "Birmingham"), ("943", "Westmorland and Furness"), ("999", "")]
)
def test_an_authority_is_known_by_its_number_and_by_its_ons_code(code: str, name: str) -> None:
    assert codes.authority(code) == name


def test_the_list_of_authorities_says_where_it_is_from_and_agrees_with_itself() -> None:
    lists = json.loads((Path(SHIPPED) / "authorities.json").read_text(encoding="utf-8"))
    assert "2026-11-29" in lists["_source"] and "Office for National Statistics" in lists["_source"]
    assert set(lists["dfe"].values()) == {name for code, name in lists["ons"].items() if code.startswith("E")}
    assert len(set(lists["dfe"].values())) == len(lists["dfe"]) == 153


def test_a_profile_is_explained_with_who_may_not_accept_and_who_writes_down_what_was_said_by_telephone() -> None:
    rows = {row.value.partition(":")[0]: row.value for row in explain("merton", "blue") if row.name.startswith("accepted: ")}
    assert all("not whoever offered it" in value for value in rows.values())
    profile = load_profile("merton")
    named = {*profile.raters, *profile.deciders, *(rung.role for rung in profile.ladder)}
    assert all(role in rows["Another local authority"] for role in named)
