"""Hampshire (practice, section 2): children and adults, reception and then the MASH, own systems and secure e-mail."""

from __future__ import annotations

import pytest
from hubs_at_work import rated, received, says_the_document, takes

from mash.config.profile import load_profile


@pytest.mark.parametrize("cohort", ["child", "unborn", "adult"])
def test_hampshire_takes_children_and_adults(cohort: str) -> None:
    assert takes("hampshire", cohort)


def test_hampshire_a_contact_is_received_first_and_goes_into_the_mash_after() -> None:
    case = received("hampshire")
    assert case.stage == "triage" and not case.referral.checks
    assert rated("hampshire", "amber").stage == "agency_checks"


def test_hampshire_states_that_a_reception_team_receives_and_the_mash_takes_over() -> None:
    assert "reception team receives, then the MASH takes over" in load_profile("hampshire").remarks["reception"].says
    assert says_the_document("hampshire", "remarks.reception.says")


def test_hampshire_the_out_of_hours_service_is_co_located() -> None:
    assert "same office" in load_profile("hampshire").remarks["out_of_hours"].says
    assert says_the_document("hampshire", "remarks.out_of_hours.says")


def test_hampshire_the_fire_service_is_a_virtual_partner_and_is_asked_like_the_others() -> None:
    case = rated("hampshire", "amber")
    assert case.profile.agencies["fire"].presence == "virtual" and "fire" in case.referral.outstanding
    assert says_the_document("hampshire", "agencies.fire.presence")


def test_hampshire_the_fire_service_is_the_only_virtual_partner() -> None:
    agencies = load_profile("hampshire").agencies
    assert [name for name, agency in agencies.items() if agency.presence == "virtual"] == ["fire"]


def test_hampshire_every_agency_works_on_its_own_system() -> None:
    assert "every agency works on its own" in load_profile("hampshire").remarks["own_systems"].says
    assert says_the_document("hampshire", "remarks.own_systems.says")


def test_hampshire_every_agency_is_reached_by_secure_email() -> None:
    assert {agency.reached_by for agency in load_profile("hampshire").agencies.values()} == {"secure_email"}
    assert says_the_document("hampshire", "agencies.police.reached_by")
