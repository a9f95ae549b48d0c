"""Facts put right over HTTP and on the pages: found, printed, answered and written to as they are now."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest
from hub import ORDINARY, Hub
from papers import words_on

from mash.flows.telling.access_request import answer

ISLA = {"name": {"given": "Isla", "family": "Quillfeather"}, "date_of_birth": "2015-12-20", "cohort": "child"}
EILIDH = {"name": {"given": "Eilidh", "family": "Drummond"}, "date_of_birth": "2014-03-01"}


def put_right(hub: Hub, reference: str, kind: str, details: Any, *, role: str = "duty_manager", **fields: Any) -> httpx.Response:
    """Give a command with details beside it, having looked at the case."""
    hub.sent += 1
    body = {"seen": hub.case(reference)["version"], "command": {"kind": kind, **fields}, "details": details, "words": "She rang."}
    headers = {**hub.staff(role), "Idempotency-Key": f"right-{hub.sent}"}
    return hub.http.post(f"/cases/{reference}/commands", headers=headers, json=body)


def found(hub: Hub, name: str, born: str = "") -> set[str]:
    asked = hub.http.post("/people/search", headers=hub.staff("duty_manager"), json={"name": name, "born": born})
    return {each["name"] for each in asked.json()["people"]}


def story(hub: Hub, reference: str, role: str, agency: str = "social_care") -> dict[str, Any]:
    """The lines of the log of a case that say that something was put right, by what they say."""
    lines = hub.http.get(f"/cases/{reference}/log", headers=hub.staff(role, agency)).json()
    return {line["what"].partition(";")[0]: line.get("corrected") for line in lines if " corrected" in line["what"]}


def page(hub: Hub, path: str, role: str = "duty_manager", agency: str = "social_care") -> str:
    shown = hub.http.get(path, headers=hub.staff(role, agency))
    assert shown.status_code == 200, shown.text
    return shown.text


def test_a_name_that_was_corrected_is_found_printed_and_answered_everywhere_at_once(hub: Hub) -> None:
    reference = hub.referral(subjects=[ISLA])
    hub.rate(reference)
    assert put_right(hub, reference, "correct_details", EILIDH, item="S1").status_code == 200
    assert "Eilidh Drummond" in found(hub, "Eilidh Drummond") and "Isla Quillfeather" not in found(hub, "Isla Quillfeather")
    case = hub.case(reference)
    assert [item["fields"]["name"] for item in case["items"] if item["kind"] == "subject"] == [EILIDH["name"]]
    paper = hub.http.get(f"/case/{reference}/product.pdf", headers=hub.staff("duty_manager"))
    text = words_on(paper.content)
    assert "Eilidh Drummond, born 1 March 2014" in text and "Isla" not in text
    told = hub.stored(lambda store: answer(store, reference, "S1", "cli:governor")).page
    assert "Eilidh" in told and "Isla" in told and "Details corrected: S1; name, date of birth" in told


def test_whoever_may_read_the_child_sees_both_values_in_the_timeline_and_nobody_reads_them_in_the_log(hub: Hub) -> None:
    reference = hub.referral(subjects=[ISLA])
    hub.rate(reference)
    put_right(hub, reference, "correct_details", EILIDH, item="S1")
    put_right(hub, reference, "correct_referrer", {"name": "Agnes Nosworthy"})
    name = {"field": "name", "was": "Isla Quillfeather", "now": "Eilidh Drummond"}
    corrected = story(hub, reference, "duty_manager")
    assert name in corrected["Details corrected: S1"]
    assert corrected["Referrer corrected: name"] == [{"field": "name", "was": "Head Teacher", "now": "Agnes Nosworthy"}]
    partner = story(hub, reference, "agency", "police")
    assert name in partner["Details corrected: S1"] and partner["Referrer corrected"] is None
    shown = page(hub, f"/case/{reference}?tab=story")
    assert "<del>Isla Quillfeather</del> <ins>Eilidh Drummond</ins>" in shown and "<ins>Agnes Nosworthy</ins>" in shown
    for tab in ("", "story", "sent", "people", "facts", "answers", "told", "clocks"):
        assert "Agnes" not in page(hub, f"/case/{reference}?tab={tab}", "agency", "police")
    assert not hub.sql("SELECT FROM event WHERE canonical ~ 'Isla|Eilidh|Nosworthy'")


def test_mail_that_could_not_arrive_goes_to_the_corrected_address(hub: Hub) -> None:
    reference = hub.referral(source={**ORDINARY["source"], "email": "head@school,example", "phone": "", "organisation": ""})
    hub.work()
    answered = put_right(hub, reference, "correct_referrer", {"email": "right.one@school.example.org"})
    assert answered.status_code == 200, answered.text
    hub.work()
    assert [subject for subject in hub.received.to("right.one@school") if reference in subject]
    assert not any(clock["running"] for clock in hub.case(reference)["clocks"] if clock["id"].startswith("acknowledgement"))


def test_a_referrer_who_had_been_told_reads_that_it_no_longer_holds_and_no_outcome(hub: Hub) -> None:
    reference = hub.referral(source={**ORDINARY["source"], "email": "withdrawn@school.example.org"})
    hub.rate(reference, "green")
    hub.answer_all(reference)
    hub.give(reference, "record_decision", words="Not her.", outcomes={"S1": "no_further_action"})
    hub.work()
    hub.give(reference, "withdraw_decision", words="It was her cousin.")
    hub.work()
    assert hub.case(reference)["stage"] == "decision"
    last = hub.received.to("withdrawn@school")[-1]
    assert "no longer holds" in last and "no further action" not in last


@pytest.mark.parametrize(
    ("details", "status"),
    [({"nickname": "Ish"}, 400), ({"email": "a@example.org"}, 422), ({}, 422), (None, 422), ({"name": "\x00"}, 400)],
)
def test_details_are_understood_wholly_or_refused_and_nothing_is_stored(hub: Hub, details: Any, status: int) -> None:
    reference = hub.referral(subjects=[ISLA])
    before = hub.case(reference)
    refused = put_right(hub, reference, "correct_details", details, item="S1")
    assert refused.status_code == status and hub.case(reference)["items"] == before["items"]
    assert "Ish" not in refused.text


def test_the_same_correction_sent_again_is_answered_as_before_and_another_one_under_its_key_is_refused(hub: Hub) -> None:
    reference = hub.referral(subjects=[ISLA])
    command = {"kind": "correct_details", "item": "S1"}
    headers = {**hub.staff("duty_manager"), "Idempotency-Key": f"again-{reference}"}
    seen = hub.case(reference)["version"]
    bodies = [{"seen": seen, "command": command, "details": {"upn": upn}} for upn in ("A1", "A1", "B2")]
    answers = [hub.http.post(f"/cases/{reference}/commands", headers=headers, json=body) for body in bodies]
    version = hub.case(reference)["version"]
    assert [each.status_code for each in answers] == [200, 200, 409] and answers[0].json() == answers[1].json()
    assert hub.case(reference)["version"] == version


@pytest.mark.parametrize("role", ["agency", "early_help", "administrator", "information_governance"])
def test_nobody_outside_the_hub_puts_facts_right(hub: Hub, role: str) -> None:
    reference = hub.referral(subjects=[ISLA])
    assert put_right(hub, reference, "correct_details", {"upn": "A1"}, role=role, item="S1").status_code == 403


def test_a_form_asks_whose_details_and_then_shows_what_is_stored(hub: Hub) -> None:
    reference = hub.referral(subjects=[ISLA])
    path = f"/case/{reference}/correct_details"
    chosen = page(hub, path)
    assert (
        re.search(r'<label class="govuk-label govuk-radios__label"[^>]*>\s*Isla Quillfeather', chosen)
        and "Given name" not in chosen
    )
    item = next(each["item"] for each in hub.case(reference)["items"] if each["kind"] == "subject")
    form = _form(hub, path, {"item": item})
    onward = hub.http.post(path, headers=_by_form(hub), data=form)
    assert onward.status_code == 303 and onward.headers["location"] == f"{path}?item={item}"
    filled = page(hub, onward.headers["location"])
    assert 'value="Isla"' in filled and 'value="2015-12-20"' in filled
    values = dict(re.findall(r'name="(details\.[a-z_.0-9]+)" type="(?:text|date)"[^>]* value="([^"]*)"', filled))
    sent = {**_form(hub, onward.headers["location"], values), "item": item, "details.name.given": "Eilidh"}
    done = hub.http.post(path, headers=_by_form(hub), data=sent)
    assert done.status_code == 303, done.text
    (fields,) = [each["fields"] for each in hub.case(reference)["items"] if each["kind"] == "subject"]
    assert fields["name"] == {"given": "Eilidh", "family": "Quillfeather"} and fields["date_of_birth"] == "2015-12-20"


def test_a_brother_is_added_by_the_form_and_taken_out_again(hub: Hub) -> None:
    reference = hub.referral(subjects=[ISLA])
    path = f"/case/{reference}/add_subject"
    form = {"cohort": "child", "details.name.given": "Fenn", "details.name.family": "Quillfeather"}
    assert hub.http.post(path, headers=_by_form(hub), data=_form(hub, path, form)).status_code == 303
    assert "Fenn Quillfeather" in found(hub, "Fenn Quillfeather")
    hub.give(reference, "remove_subject", words="Another family's.", subject="S2")
    assert "Fenn Quillfeather" not in found(hub, "Fenn Quillfeather")
    assert "<del>Fenn Quillfeather</del>" in page(hub, f"/case/{reference}?tab=story")
    for tab in ("", "people", "sent"):
        assert "Fenn" not in page(hub, f"/case/{reference}?tab={tab}")


def _by_form(hub: Hub) -> dict[str, str]:
    return hub.staff("duty_manager")


def _form(hub: Hub, path: str, values: dict[str, str]) -> dict[str, str]:
    """What a browser would send of a form, with these values."""
    shown = page(hub, path)
    hidden = dict(re.findall(r'<input type="hidden" name="([a-z]+)" value="([^"]*)">', shown))
    return {**hidden, **values}
