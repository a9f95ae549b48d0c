"""By the 2026 edition an agency discloses what it holds within a clock, or says in words why that would be worse for the child;
and everybody reads of family help."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hub import Hub, hub_here

from mash.config.profile_files import SHIPPED

BASIS = {
    "purpose": "safeguarding_child",
    "lawful_basis": "duty_to_disclose",
    "consent": "not_sought",
    "family_informed": False,
}


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """A hub that has chosen the edition of 2026."""
    folder = tmp_path_factory.mktemp("profiles")
    chosen = 'edition = "2026"\nsource.edition = "a test"\n'
    own = (SHIPPED / "hubs" / "sandwell.toml").read_text()
    (folder / "sandwell.toml").write_text(f"{chosen}{own}")
    with hub_here(profiles_dir=Path(folder)) as running:
        yield running


def shared(hub: Hub) -> str:
    """A referral rated red, shared under the duty."""
    reference = hub.referral()
    hub.give(reference, "record_sharing_basis", words="The Act.", **BASIS)
    hub.give(reference, "rate_referral", rating="red")
    return reference


def answers(hub: Hub, reference: str, *, relevant: bool) -> str:
    """The police answer, with something that they hold; which item that is."""
    command = {"kind": "answer_check", "agency": "police", "known": True, "relevant": relevant}
    assert hub.command(reference, command, hub.staff("agency", "police"), "He was arrested.").status_code == 200
    return next(iid for iid, held in hub.case(reference)["held"].items() if held["agency"] == "police")


def clock_of(hub: Hub, reference: str) -> dict[str, object]:
    return next((c for c in hub.case(reference)["clocks"] if c["id"].startswith("disclosure:police")), {})


def test_an_agency_that_holds_something_relevant_has_a_clock_to_disclose_it_and_is_told(hub: Hub) -> None:
    reference = shared(hub)
    item = answers(hub, reference, relevant=True)
    clock = clock_of(hub, reference)
    assert clock["running"] and clock["owner"] == "police_navigator" and "16LA" in str(clock["source"])
    told = [(n["kind"], n["role"]) for n in hub.case(reference)["alerts_sent"]]
    assert ("disclosure_owed", "police_navigator") in told
    command = {"kind": "release_information", "item": item, "necessity": "to_protect_a_child", "proportionality": "whole"}
    released = hub.command(reference, command, hub.staff("agency", "police"), "They must know.")
    assert released.status_code == 200, released.text
    assert clock_of(hub, reference)["state"] == "kept"


def test_the_only_exception_is_said_in_words_and_by_the_agency_that_holds_it(hub: Hub) -> None:
    reference = shared(hub)
    item = answers(hub, reference, relevant=True)
    decline = {"kind": "decline_disclosure", "item": item}
    police = hub.staff("agency", "police")
    assert hub.command(reference, decline, police).status_code == 422, "a reason is needed"
    assert hub.command(reference, decline, hub.staff("agency", "health"), "No.").status_code == 403
    form = hub.http.get(f"/case/{reference}/decline_disclosure", headers=police)
    assert item in form.text and "Why disclosing it would be worse for the child" in form.text
    assert hub.command(reference, decline, police, "He would learn who told us.").status_code == 200
    case = hub.case(reference)
    assert clock_of(hub, reference)["state"] == "kept" and case["held"][item]["declined"]
    assert not case["held"][item]["released"], "what is held stays the agency's"
    reasons = [each["content"] for each in case["items"] if each["kind"] == "decline_disclosure"]
    assert reasons == ["He would learn who told us."]


def test_what_is_not_relevant_is_not_owed(hub: Hub) -> None:
    reference = shared(hub)
    answers(hub, reference, relevant=False)
    assert clock_of(hub, reference) == {}


def test_everybody_reads_of_family_help(hub: Hub) -> None:
    reference = shared(hub)
    hub.answer_all(reference)
    form = hub.http.get(f"/case/{reference}/record_sharing_basis", headers=hub.staff("duty_manager")).text
    assert "Duty to disclose (Children Act 2004, section 16LA)" in form
    stage = hub.case(reference)["stage"]
    if stage == "mash_meeting":
        hub.give(reference, "record_meeting", attended=["social_care", "police", "health"], rating="red", words="Met.")
    decision = {"outcomes": {"S1": "section_17"}, "primary_need": "N1"}
    hub.give(reference, "record_decision", words="They need help.", **decision)
    assert hub.case(reference)["stage_name"] == "Family help assessment (section 17)"
    page = hub.http.get(f"/case/{reference}", headers=hub.staff("duty_manager")).text
    assert "Family help assessment (section 17)" in page
    hub.work()
    assert "a family help worker will assess" in hub.received.text()
