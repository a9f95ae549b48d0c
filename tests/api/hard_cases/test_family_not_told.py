"""A step-father who must not hear of it: everybody who is asked, invited or offered something reads so; and whoever referred is
told of section 47 once social care, police and health have decided on it together."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from hub import ORDINARY, Hub, hub_here
from papers import words_on

from mash.config.profile import load_profile


@pytest.fixture(scope="module")
def hub() -> Iterator[Hub]:
    """A hub of its own: what stands on its board and in its mail is read here."""
    with hub_here() as running:
        yield running


SILENT = "Do not tell the family"
SAID = "Telling them could put her in danger: her step-father must not find out."


def referred(hub: Hub, name: str, **more: Any) -> dict[str, str]:
    """A school's referral: its reference, its code, and the address that the school gave."""
    source = {**ORDINARY["source"], "organisation": "Thornwick Vale Primary School", "email": f"{name}@school.example.org"}
    answer = hub.submit({**ORDINARY, "source": {**source, **more.pop("source", {})}, **more}).json()
    return {"reference": answer["reference"], "code": answer["status_code"], "email": f"{name}@school.example.org"}


def basis(hub: Hub, reference: str, not_informed: str | None = "prejudices_an_investigation") -> None:
    why = {"family_informed": not_informed is None, **({"not_informed": not_informed} if not_informed else {})}
    fields = {"purpose": "child_protection", "lawful_basis": "public_task", "consent": "not_sought", **why}
    hub.give(reference, "record_sharing_basis", words="The police are to see the flat first.", **fields)


def status(hub: Hub, known: dict[str, str]) -> str:
    page = hub.http.post("/status", data={"reference": known["reference"], "code": known["code"]}).text
    return re.sub(r"MASH-[\d-]+|value=\"[^\"]*\"", "", page)


def sent(hub: Hub, reference: str) -> list[str]:
    """Every mail that names the case, in words."""
    return [text for text in hub.received.texts("") if reference in text]


def test_whoever_is_asked_invited_or_offered_something_reads_that_the_family_is_not_told(hub: Hub) -> None:
    known = referred(hub, "asked")
    reference = known["reference"]
    basis(hub, reference)
    hub.give(reference, "rate_referral", rating="red")
    hub.work()
    asked = [text for text in sent(hub, reference) if "answer a check" in text or "Answer the check" in text]
    assert asked and all(SILENT in text for text in asked)
    for path in ("/checks", f"/case/{reference}", f"/case/{reference}/answer_check"):
        assert SILENT in hub.http.get(path, headers=hub.staff("agency", "education")).text
    assert "do_not_tell_family" in hub.case(reference)["markers"]
    hub.answer_all(reference)
    hub.give(reference, "call_strategy_discussion", words="Bruises in two places.")
    hub.work()
    called = [text for text in sent(hub, reference) if "strategy discussion" in text and "Please take part" in text]
    assert called and all(SILENT in text for text in called)


def test_whoever_follows_the_link_of_an_alert_reads_it_too(hub: Hub) -> None:
    concern = {**ORDINARY["concern"], "immediate_danger": True}
    reference = referred(hub, "alerted", concern=concern, consent={"safe_to_tell": False})["reference"]
    hub.work()
    alerts = [text for text in sent(hub, reference) if "Answer this alert" in text]
    link = re.search(r"/alerts/[\w.~-]+", alerts[0])
    assert link and SILENT in alerts[0] and SILENT in hub.http.get(link[0]).text


def test_the_product_the_paper_and_the_invitation_say_it(hub: Hub) -> None:
    reference = referred(hub, "paper")["reference"]
    basis(hub, reference)
    hub.give(reference, "rate_referral", rating="amber")
    hub.answer_all(reference)
    at = "2026-11-24T10:00:00+00:00"
    hub.give(reference, "convene_meeting", at=at, mode="virtual")
    hub.work()
    manager = hub.staff("duty_manager")
    assert "do_not_tell_family" in hub.http.get(f"/cases/{reference}/product", headers=manager).json()["warnings"]
    assert SILENT in words_on(hub.http.get(f"/case/{reference}/product.pdf", headers=manager).content)
    calendar = hub.http.get(f"/cases/{reference}/meeting.ics", headers=manager).text.replace("\r\n ", "")
    assert SILENT in calendar
    invited = [text for text in sent(hub, reference) if "The meeting is on" in text]
    assert invited and all(SILENT in text for text in invited)


def test_every_list_in_which_the_case_stands_says_it_in_a_few_words(hub: Hub) -> None:
    child = {"name": {"given": "Hephzibah", "family": "Wetherspoone"}, "date_of_birth": "2015-02-03", "cohort": "child"}
    silent = referred(hub, "listed", subjects=[child], household=[])["reference"]
    basis(hub, silent)
    hub.give(silent, "rate_referral", rating="red")
    hub.give(silent, "convene_meeting", at="2026-11-20T10:00:00+00:00", mode="virtual")
    other = hub.referral(subjects=[child], household=[])
    hub.work()
    manager, of_both = hub.staff("duty_manager"), f"/case/{other}/beside/{silent}?subject=S1&other_subject=S1"
    lists = (
        "/board",
        "/meetings",
        "/meetings/convened?day=2026-11-20",
        "/wall",
        f"/case/{other}",
        f"/people/in/{other}",
        of_both,
    )
    for path in (*lists, f"/case/{silent}/possible", f"/case/{silent}/siblings"):
        assert SILENT in hub.http.get(path, headers=manager).text, path
    assert SILENT in hub.http.get("/board", headers=hub.staff("agency", "police")).text
    found = hub.http.post("/people/search", json={"name": "Hephzibah Wetherspoone"}, headers=manager).json()["people"]
    assert {each["reference"]: each["warnings"] for each in found} == {silent: ["do_not_tell_family"], other: []}


def test_a_schools_system_reads_it_and_a_neighbours_never(hub: Hub) -> None:
    school = referred(hub, "system")
    neighbour = referred(hub, "gate", source={"code": "1B", "agency": "individual", "organisation": ""})
    for known in (school, neighbour):
        basis(hub, known["reference"])
    of = {"Authorization": f"Bearer {hub.key}"}
    parts = [hub.http.get(f"/referrals/{each['reference']}", headers=of).json()["parts"][0] for each in (school, neighbour)]
    assert parts[0]["warnings"] == ["do_not_tell_family"] and "warnings" not in parts[1]


def test_each_page_of_the_paper_says_it_as_pages_lie_about_alone(hub: Hub) -> None:
    reference = referred(hub, "pages")["reference"]
    basis(hub, reference)
    hub.give(reference, "rate_referral", rating="amber")
    hub.answer(reference, "police", "Called to the flat.\n" * 120)
    manager = hub.staff("duty_manager")
    held = [item for item, each in hub.case(reference)["held"].items() if each["agency"] == "police"]
    release = {"item": held[0], "necessity": "to_protect_a_child", "proportionality": "whole"}
    hub.give(reference, "release_information", role="agency", agency="police", words="Needed.", **release)
    paper = hub.http.get(f"/case/{reference}/product.pdf", headers=manager).content
    pages = len(re.findall(rb"/Type /Page\b(?!s)", paper))
    assert pages > 2 and words_on(paper).count(SILENT) == pages + 1


def test_it_stands_before_any_basis_where_the_contact_says_so(hub: Hub) -> None:
    for name, consent in {
        "answered": {"safe_to_tell": False},
        "in.words": {"family_informed": False, "override_reason": SAID},
    }.items():
        known = referred(hub, name, consent=consent)
        assert "do_not_tell_family" in hub.case(known["reference"])["markers"]
        hub.work()
        assert SILENT in "\n".join(hub.received.texts(known["email"]))


def test_a_school_that_has_its_acknowledgement_already_is_told_not_to_tell_and_a_neighbour_never(hub: Hub) -> None:
    school = referred(hub, "before")
    neighbour = referred(hub, "next.door", source={"code": "1B", "agency": "individual", "organisation": ""})
    hub.work()
    for known in (school, neighbour):
        basis(hub, known["reference"])
    hub.work()
    assert f"Your referral {school['reference']}: please do not tell the family" in hub.received.to(school["email"])
    assert SILENT in status(hub, school)
    assert "not tell" not in "\n".join(hub.received.texts(neighbour["email"])) + status(hub, neighbour)


def test_a_school_without_an_address_is_rung_about_it(hub: Hub) -> None:
    reference = referred(hub, "no.address", source={"email": ""})["reference"]
    basis(hub, reference)
    hub.work()
    assert hub.received.telling("", f"{reference}: ask the referrer not to tell the family") > 0


def test_whoever_was_asked_before_is_told_when_it_begins_and_when_it_ends(hub: Hub) -> None:
    reference = referred(hub, "later")["reference"]
    basis(hub, reference, not_informed=None)
    hub.give(reference, "rate_referral", rating="red")
    hub.work()
    assert not any(SILENT in text for text in sent(hub, reference))
    basis(hub, reference)
    hub.work()
    title = f"{reference}: do not tell the family"
    assert hub.received.telling("", title) > 0
    basis(hub, reference, not_informed=None)
    hub.work()
    assert "do_not_tell_family" not in hub.case(reference)["markers"]
    assert hub.received.telling("", f"{reference}: a warning is over") > 0


def test_what_the_basis_says_is_taken_back_by_the_basis_alone(hub: Hub) -> None:
    reference = referred(hub, "taken.back")["reference"]
    basis(hub, reference)
    marker = {"marker": "do_not_tell_family", "holds": False}
    refused = hub.ask(reference, "record_marker", words="They know.", **marker)
    assert refused.status_code == 422 and "record the basis anew" in refused.text


def test_who_asked_a_child_is_an_agency_and_nobody_of_the_family(hub: Hub) -> None:
    reference = hub.referral()
    voice = {"subject": "S1", "seen_on": "2026-11-19", "alone": True}
    for asked_by in ("mother", "step_father"):
        assert hub.ask(reference, "record_child_voice", words="I am scared.", asked_by=asked_by, **voice).status_code == 422
    assert hub.ask(reference, "record_child_voice", words="I am scared.", asked_by="education", **voice).status_code == 200


def test_a_schools_referral_is_from_the_school_and_not_from_the_hubs_officer_for_education(hub: Hub) -> None:
    reference = referred(hub, "sector")["reference"]
    said = hub.http.get(f"/case/{reference}?tab=sent", headers=hub.staff("duty_manager")).text
    assert "from the referrer (education)" in said
    assert "attendance" not in said and "Education welfare" not in said


# --- section 47, before and after the discussion -------------------------------------------------------------------------------


def rated(hub: Hub, reference: str) -> None:
    """Green; of an immediate danger with a second person, who has agreed beforehand."""
    if hub.case(reference)["immediate_danger"]:
        hub.give(reference, "agree_as_second", role="practice_manager", about="rating_down", words="He is with his aunt.")
    hub.rate(reference, "green")


def checked(hub: Hub, known: dict[str, str]) -> None:
    """A case at the decision."""
    rated(hub, known["reference"])
    hub.answer_all(known["reference"])


def decided(hub: Hub, known: dict[str, str]) -> None:
    """A case of which section 47 is decided: the strategy discussion is to be held."""
    checked(hub, known)
    hub.give(known["reference"], "record_decision", words="Bruises.", outcomes={"S1": "section_47"}, primary_need="N1")
    hub.work()


def discussed(hub: Hub, known: dict[str, str], outcome: str) -> None:
    quorum = load_profile("sandwell").strategy_discussion.quorum
    held = {"attended": quorum, "mode": load_profile("sandwell").strategy_discussion.modes[0], "outcome": outcome}
    hub.give(known["reference"], "record_strategy_discussion", words="Held.", **held)
    hub.work()


@pytest.mark.parametrize("danger", [False, True])
def test_before_the_discussion_the_answer_and_the_page_say_what_they_say_of_what_is_undecided(hub: Hub, danger: bool) -> None:
    concern = {**ORDINARY["concern"], "immediate_danger": danger}
    known, other = (referred(hub, f"{name}.{danger}", concern=concern) for name in ("held.back", "undecided"))
    checked(hub, other)
    decided(hub, known)
    mails = "\n".join(hub.received.texts(known["email"]))
    assert "is acting on it" in mails and hub.received.to(known["email"]) == [f"Your referral {known['reference']} was received"]
    assert "section 47" not in mails.lower() and "strategy" not in mails.lower()
    assert status(hub, known) == status(hub, other)
    headers = {"Authorization": f"Bearer {hub.key}"}
    parts = [hub.http.get(f"/referrals/{each['reference']}", headers=headers).json()["parts"][0] for each in (known, other)]
    assert [(part["status"], part["outcome"]) for part in parts] == [("being_considered", [])] * 2


def test_once_the_discussion_has_decided_the_school_is_told_of_section_47(hub: Hub) -> None:
    known = referred(hub, "agreed")
    decided(hub, known)
    discussed(hub, known, "section_47")
    assert hub.received.to(known["email"]).count(f"The outcome of your referral {known['reference']}") == 1
    assert "section 47" in hub.received.texts(known["email"])[-1] and "section 47" in status(hub, known)
    assert not any(clock["running"] for clock in hub.case(known["reference"])["clocks"] if clock["id"].startswith("outcome_told"))


def test_a_discussion_that_ends_without_section_47_leaves_nothing_of_it_in_any_word(hub: Hub) -> None:
    known = referred(hub, "without")
    decided(hub, known)
    discussed(hub, known, "no_section_47")
    assert hub.case(known["reference"])["stage"] == "decision" and "being acted on" in status(hub, known)
    hub.give(known["reference"], "record_decision", words="Help.", outcomes={"S1": "early_help"}, primary_need="N1")
    hub.work()
    mails = "\n".join(hub.received.texts(known["email"]))
    assert "section 47" not in mails and "early help" in mails
    assert "no longer holds" not in mails, "what was said of it still holds"
    assert "early help" in status(hub, known)


@pytest.mark.parametrize("source", [{"email": ""}, {"safe_to_write": False}])
def test_whoever_rings_the_referrer_reads_what_not_to_say_yet(hub: Hub, source: dict[str, Any]) -> None:
    known = referred(hub, "rung", source=source)
    decided(hub, known)
    assert not [text for text in sent(hub, known["reference"]) if "what became of it" in text]
    duty, only = hub.staff("duty_manager"), "Say only that it has been received and is being acted on"
    for path in ("inform_referrer", ""):
        assert only in hub.http.get(f"/case/{known['reference']}/{path}".rstrip("/"), headers=duty).text
    discussed(hub, known, "section_47")
    for path in ("inform_referrer", ""):
        assert only not in hub.http.get(f"/case/{known['reference']}/{path}".rstrip("/"), headers=duty).text


def test_a_neighbour_reads_and_is_mailed_the_same_and_no_more_than_of_any_other_case(hub: Hub) -> None:
    neighbour = {"code": "1B", "agency": "individual", "organisation": ""}
    known, other = (referred(hub, name, source=neighbour) for name in ("neighbour.held", "neighbour.undecided"))
    checked(hub, other)
    decided(hub, known)
    assert status(hub, known) == status(hub, other)
    told = [hub.received.texts(each["email"]) for each in (known, other)]
    assert [len(each) for each in told] == [1, 1] and "is acting on it" in told[0][0]
    discussed(hub, known, "section_47")
    assert "has considered what you told us" in hub.received.texts(known["email"])[-1]
    assert "It has been considered" in status(hub, known)


# --- brothers and sisters ------------------------------------------------------------------------------------------------------


def linked(hub: Hub, reference: str, other: str, relation: str) -> None:
    hub.give(reference, "link_referral", other=other, relation=relation)


@pytest.mark.parametrize("silent_first", [True, False])
def test_the_agencies_that_are_asked_about_a_linked_sibling_read_it_too(hub: Hub, silent_first: bool) -> None:
    one, sibling = (referred(hub, f"{name}.{silent_first}")["reference"] for name in ("one", "sibling"))
    basis(hub, sibling, not_informed=None)
    if silent_first:
        basis(hub, one)
        linked(hub, sibling, one, "sibling")
    else:
        linked(hub, sibling, one, "household")
        basis(hub, one)
    assert "do_not_tell_family" in hub.case(sibling)["markers"]
    hub.give(sibling, "rate_referral", rating="red")
    hub.work()
    asked = [text for text in sent(hub, sibling) if "answer a check" in text or "Answer the check" in text]
    assert asked and all(SILENT in text for text in asked)
    assert SILENT in hub.http.get(f"/case/{sibling}", headers=hub.staff("agency", "education")).text


def test_a_silent_case_that_is_linked_from_its_own_side_warns_the_other(hub: Hub) -> None:
    one, sibling, stranger = (referred(hub, f"side.{name}")["reference"] for name in ("one", "sibling", "stranger"))
    basis(hub, one)
    linked(hub, one, sibling, "sibling")
    linked(hub, one, stranger, "same_incident")
    assert "do_not_tell_family" in hub.case(sibling)["markers"]
    assert "do_not_tell_family" not in hub.case(stranger)["markers"], "an incident is of several families"
    words = "Both parents know since today."
    hub.give(sibling, "record_marker", marker="do_not_tell_family", holds=False, words=words)
    assert "do_not_tell_family" not in hub.case(sibling)["markers"]
