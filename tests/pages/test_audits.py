"""The pages of audits, near misses and inspectors' questions, and the same on the command line."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
from commands import Done, mash_here
from hub import Hub, hub_here
from reading import Form, Page

from mash.states.auditing import QUESTIONS

AUDITOR = ("practice_manager", "social_care")
GOVERNOR = ("information_governance", "social_care")
PERIOD = {"since": "2026-11-01", "until": "2026-11-30"}
RIGHT = {**dict.fromkeys(QUESTIONS, "yes"), "should_have": "as_was_done"}


@pytest.fixture(scope="module")
def own() -> Iterator[Hub]:
    """A hub of its own: a sample is open at a time."""
    with hub_here() as running:
        yield running


def decided(hub: Hub, role: str = "duty_manager") -> str:
    """A case that was decided."""
    reference = hub.referral()
    hub.rate(reference, "green")
    hub.answer_all(reference)
    hub.give(reference, "record_decision", role=role, outcomes={"S1": "no_further_action"}, words="The school acts.")
    return reference


def page_of(hub: Hub, path: str, who: tuple[str, str] = AUDITOR) -> Page:
    """A page as somebody is shown it."""
    answer = hub.http.get(path, headers=hub.staff(*who))
    assert answer.status_code == 200, answer.text
    return Page(answer.text)


def form_of(page: Page, action: str) -> Form:
    """The form of a page that leads there."""
    return next(each for each in page.forms if each.action == action)


def sent(hub: Hub, path: str, who: tuple[str, str] = AUDITOR, **data: str) -> tuple[int, str]:
    """What a form is answered."""
    answer = hub.http.post(path, headers=hub.staff(*who), data=data)
    return answer.status_code, answer.text


def command(hub: Hub, *words: str) -> Done:
    """A command on the hub's machine."""
    return mash_here(*words, MASH_DATA_DIR=str(hub.settings.data_dir))


def test_a_sample_is_drawn_audited_and_corrected_and_what_was_learnt_is_a_figure(own: Hub) -> None:
    cases = {decided(own) for _ in range(3)}
    assert form_of(page_of(own, "/audit"), "/audit").choices["rule"][0] == "any_decision"
    assert sent(own, "/audit", rule="any_decision", size="2", **PERIOD)[0] == 303
    listed = page_of(own, "/audit")
    links = [link for link in listed.links if link.startswith("/audit/cases/")]
    assert len(links) == 2 and {re.split("[/?]", link)[3] for link in links} <= cases
    assert "of 3 decisions" in listed.text and "Not audited yet" in listed.text
    status, text = sent(own, "/audit", rule="any_decision", size="2", **PERIOD)
    assert status == 422 and "is open: audit its cases, or close it" in text

    form = form_of(page_of(own, links[0]), links[0])
    assert set(form.choices) == {*QUESTIONS}
    status, text = sent(own, links[0], **form.hidden, **{**RIGHT, "child_heard": "no", "should_have": "child_seen_or_heard"})
    assert status == 422 and "Say why, in a sentence" in text
    status, text = sent(own, links[0], **form.hidden, **{**RIGHT, "child_heard": "no"}, words="Nobody asked her.")
    assert status == 422 and "stands alone" in text
    status, text = sent(own, links[0], **form.hidden)
    assert status == 422 and text.count("Choose what it is") >= len(QUESTIONS)
    not_right = {**RIGHT, "child_heard": "no", "should_have": "child_seen_or_heard", "words": "Nobody asked her."}
    assert sent(own, links[0], **form.hidden, **not_right)[0] == 303
    mine = {**RIGHT, "rating_right": "no", "should_have": "rated_higher", "words": "I read it otherwise."}
    status, text = sent(own, links[0], **form.hidden, **mine)
    beside = Page(text)
    assert status == 422 and "Theirs is beneath" in beside.text and "Nobody asked her." in beside.text
    assert "I read it otherwise." in text, "what was written is not lost"
    assert form_of(beside, links[0]).hidden["seen"] == "1", "sent again, it stands beside theirs"
    assert sent(own, links[0], **{**form.hidden, "seen": "9" * 5_000}, **RIGHT)[0] == 422
    again = page_of(own, links[0], ("service_manager", "social_care"))
    assert "Nobody asked her." in again.text and "Correct what was found" in again.text
    assert sent(own, links[1], **form.hidden, **RIGHT)[0] == 303
    assert "Closed by practice_manager.social_care" in page_of(own, "/audit").text

    figure = page_of(own, "/manager?figure=audits").text
    assert "Right in 2026 Q4: Any decision, 1 of 2." in figure and "2026 Q4: Any decision" in figure and "9 to 91%" in figure
    answers = page_of(own, "/manager?figure=audit-answers").text
    assert "Answered no most often in 2026 Q4: “Was the child heard?”, 1 of 2 (Any decision)." in answers
    by_command = command(own, "dip-audit", "figures", "--hub", "sandwell")
    assert "2026 Q4  Any decision" in by_command.stdout and "1 of 2 right (50%, between 9 and 91%)" in by_command.stdout


def test_whoever_decided_is_shown_no_form(own: Hub) -> None:
    reference = decided(own, AUDITOR[0])
    done = command(own, "dip-audit", "sample", "--rule", "any_decision", "--size", "200", "--from", "2026-11-01",
                   "--until", "2026-11-30", "--hub", "sandwell", "--json")  # fmt: skip
    drawn = json.loads(done.stdout)
    assert reference in drawn["drawn"] and drawn["population"] == len(drawn["drawn"]) and drawn["drawn_by"].startswith("cli:")
    path = f"/audit/cases/{reference}?draw={drawn['id']}"
    answer = own.http.get(path, headers=own.staff(*AUDITOR))
    assert answer.status_code == 403 and "somebody else audits it" in answer.text
    assert own.http.get(path, headers=own.staff("service_manager", "social_care")).status_code == 200
    assert own.http.get(path, headers=own.staff("duty_manager", "social_care")).status_code == 403
    another = command(own, "dip-audit", "sample", "--rule", "any_decision", "--size", "5", "--from", "2026-11-01",
                      "--until", "2026-11-30", "--hub", "sandwell")  # fmt: skip
    assert another.returncode == 2 and "one sample is drawn at a time" in another.stderr
    again = command(own, "dip-audit", "again", str(drawn["id"]), "--hub", "sandwell")
    assert again.stdout.splitlines()[:-1] == drawn["drawn"] and "the same cases" in again.stdout
    assert "Close it before all are audited" in page_of(own, "/audit").text
    assert sent(own, "/audit/close", draw=str(drawn["id"]))[0] == 422
    assert sent(own, "/audit/close", draw=str(drawn["id"]), why="enough_was_learnt")[0] == 303
    assert "enough was learnt" in page_of(own, "/audit").text


def test_a_near_miss_is_recorded_by_anybody_once_and_read_by_managers(own: Hub) -> None:
    worker = ("social_worker", "social_care")
    form = form_of(page_of(own, "/near-misses", worker), "/near-misses")
    assert sent(own, "/near-misses", worker, **form.hidden)[0] == 422
    status, text = sent(own, "/near-misses", worker, **form.hidden, kind="nearly_closed", words="x", reference="MASH-26-999999")
    assert status == 422 and "leave the case out" in text
    for _ in range(2):
        told = {**form.hidden, "kind": "nearly_closed", "words": "A second pair of eyes saw it."}
        assert sent(own, "/near-misses", worker, **told)[0] == 303
    kept = "A near miss without a case is kept until what it says is removed."
    said = page_of(own, "/near-misses?recorded=true", worker).text
    assert "It is recorded" in said and kept in said
    read = page_of(own, "/near-misses/recorded", ("duty_manager", "social_care")).text
    assert read.count("A second pair of eyes saw it.") == 1 and kept in read
    assert "ocial worker" not in read and "social_worker" not in read
    assert "It is removed" not in page_of(own, "/near-misses/remove", GOVERNOR).text
    assert own.http.get("/near-misses/remove", headers=own.staff(*AUDITOR)).status_code == 403
    assert sent(own, "/near-misses/remove", GOVERNOR, number="999", why="court_order")[0] == 422
    status, text = sent(own, "/near-misses/remove", GOVERNOR, number=re.findall("Number ([0-9]+)", read)[0], why="names_somebody")
    assert (
        status == 200
        and "nobody reads what it said any more" in text
        and "gone for good when the last of them is removed" in text
    )
    read = page_of(own, "/near-misses/recorded", ("duty_manager", "social_care")).text
    assert "A second pair of eyes saw it." not in read and "What it said was removed." in read and "Nearly closed" in read
    assert own.http.get("/near-misses/recorded", headers=own.staff(*worker)).status_code == 403
    table = own.http.get("/manager/near-misses.csv", headers=own.staff(*AUDITOR))
    assert table.status_code == 200 and "2026 Q4: Nearly closed,1" in table.text


def test_who_looked_at_a_child_is_answered_on_a_page_and_on_the_command_line_and_is_a_look_itself(own: Hub) -> None:
    reference = own.referral()
    own.case(reference)
    assert own.http.get("/inspect/looks", headers=own.staff("service_manager", "social_care")).status_code == 403
    assert "/inspect/looks" in page_of(own, "/inspect", GOVERNOR).links
    asked = {"reference": reference, "asked_for": "inspection", **PERIOD}
    status, text = sent(own, "/inspect/looks", GOVERNOR, **asked)
    assert status == 200 and "duty_manager.social_care" in text and f"Person 1 of {reference}: looks at {reference}" in text
    status, text = sent(own, "/inspect/looks", GOVERNOR, **asked)
    assert "Asked for inspection: who looked at this child" in Page(text).text
    assert sent(own, "/inspect/looks", GOVERNOR, reference=reference)[0] == 422
    done = command(own, "inspect", "looks", "--child", f"{reference}/S1", "--from", "2026-11-01", "--until", "2026-11-30")
    assert "duty_manager.social_care" in done.stdout and f"looks at S1 of {reference}" in done.stdout, done.stderr
    found = json.loads(command(own, "inspect", "looks", "--child", reference, "--json").stdout)
    assert any(row["person"].startswith("cli:") and row["action"] == "inspect_looks" for row in found["looks"])


def test_all_contacts_about_a_child_and_every_override_are_answered_in_codes_and_without_a_name(own: Hub) -> None:
    reference = own.referral()
    status, text = sent(own, "/inspect/contacts", GOVERNOR, reference=reference, subject="1", asked_for="complaint")
    assert (
        status == 200
        and reference in text
        and "Quillfeather" not in text
        and "1 contact about this child" in text
        and "Person 1" in text
    )
    status, text = sent(own, "/inspect/contacts", GOVERNOR, reference=reference, subject="7", asked_for="complaint")
    assert status == 422 and f"{reference} is about person 1" in text
    status, text = sent(own, "/inspect/overridden", GOVERNOR, asked_for="inspection", **PERIOD)
    assert status == 200 and "Consent was overridden 0 times" in text
    done = command(own, "inspect", "contacts", "--child", f"{reference}/S1")
    assert reference in done.stdout and "1 contact about this child" in done.stdout and "Quillfeather" not in done.stdout
    every = command(own, "inspect", "overridden", "--from", "2026-11-01", "--until", "2026-11-30", "--hub", "sandwell")
    assert "consent was overridden 0 times, in 0 cases" in every.stdout
    wrong = command(own, "inspect", "contacts", "--child", "Isla")
    assert wrong.returncode == 2 and "expected a reference" in wrong.stderr
    unsaid = command(own, "inspect", "overridden", "--from", "yesterday", "--until", "2026-11-30", "--hub", "sandwell")
    assert unsaid.returncode == 2 and "expected a day such as" in unsaid.stderr


@pytest.mark.parametrize("until", ["9999-12-31", "2026-02-31", "soon"])
def test_a_day_that_cannot_be_reckoned_with_is_asked_for_again(own: Hub, until: str) -> None:
    period = {"since": "2026-11-01", "until": until}
    assert sent(own, "/audit", rule="any_decision", size="2", **period)[0] == 422
    assert sent(own, "/inspect/overridden", GOVERNOR, asked_for="inspection", **period)[0] == 422
    days = ("--from", "2026-11-01", "--until", until, "--hub", "sandwell")
    for words in (("dip-audit", "sample", "--rule", "any_decision", "--size", "2"), ("inspect", "overridden")):
        done = command(own, *words, *days)
        assert done.returncode == 2 and "expected a day such as" in done.stderr, words
