"""Manchester (practice, section 2): a gangs unit beside the hub, four referrers, and what high risk means there."""

from __future__ import annotations

import pytest
from hubs_at_work import rated, says_the_document, signposted, takes

from mash.config.profile import load_profile


def test_manchester_the_gangs_unit_is_beside_the_hub() -> None:
    assert "same building as the gangs unit" in load_profile("manchester").remarks["beside"].says
    assert says_the_document("manchester", "remarks.beside.says")


@pytest.mark.parametrize("source", ["local_authority", "probation", "police"])
def test_manchester_takes_referrals_about_gangs_of_social_care_youth_offending_probation_and_police(source: str) -> None:
    assert takes("manchester", source_agency=source, categories=("gangs",))


@pytest.mark.parametrize("source", ["education", "health", "housing", "court", "voluntary", "individual", "unknown"])
def test_manchester_signposts_referrals_of_anybody_else(source: str) -> None:
    case = signposted("manchester", source_agency=source, categories=("gangs",))
    assert case.stage == "not_taken"
    assert "from children's services, youth offending, probation and the police" in case.words("outcome")


def test_manchester_says_from_which_document_its_referrers_are() -> None:
    assert says_the_document("manchester", "intake.gangs.sources")


def test_manchester_the_four_referrers_are_its_partners_and_are_asked() -> None:
    four = {"social_care", "youth_justice", "probation", "police"}
    assert set(rated("manchester", "amber", source_agency="police").referral.outstanding) == four


def test_manchester_high_risk_is_the_safeguarding_of_self_or_family_and_not_criminality_alone() -> None:
    says = load_profile("manchester").remarks["high_risk"].says
    assert "safeguarding of self or family, not criminality alone" in says
    assert says_the_document("manchester", "remarks.high_risk.says")
