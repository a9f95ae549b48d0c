"""The page for whoever made a referral: by reference and code, what has become of it, and that they disagree."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
from hub import ORDINARY, Hub

HEADINGS = re.compile(r"<h1>(.*?)</h1>")


def submitted(hub: Hub, **fields: object) -> dict[str, str]:
    """A referral just made: its reference and the code that came with the answer."""
    answer = hub.submit({**ORDINARY, **fields})
    assert answer.status_code == 201
    return {"reference": answer.json()["reference"], "code": answer.json()["status_code"]}


def shown(hub: Hub, known: dict[str, str], path: str = "/status") -> httpx.Response:
    return hub.http.post(path, data=known)


def test_a_referrer_sees_what_has_become_of_it_by_reference_and_code(hub: Hub) -> None:
    known = submitted(hub)
    assert "is being acted on" in shown(hub, known).text
    spaced = {"reference": f" {known['reference'].lower()} ", "code": known["code"].lower().replace("-", " ")}
    assert "is being acted on" in shown(hub, spaced).text
    page = hub.http.get("/status")
    assert page.status_code == 200 and 'name="code"' in page.text and "999" in page.text


def test_a_wrong_code_and_a_wrong_reference_are_answered_alike(hub: Hub) -> None:
    known, other = submitted(hub), submitted(hub)
    wrong = [
        {**known, "code": other["code"]},
        {**known, "reference": "MASH-26-999999"},
        {**known, "code": ""},
        {},
        {"reference": "x" * 9999},
    ]
    answers = {
        (answer.status_code, re.sub(r' value="[^"]*"', "", answer.text)) for answer in (shown(hub, entered) for entered in wrong)
    }
    assert len(answers) == 1 and answers.pop()[0] == 404


def test_the_code_is_in_no_address_and_is_not_kept_with_the_answer(hub: Hub) -> None:
    known = submitted(hub)
    stored = hub.sql("SELECT answer FROM receipt WHERE reference = %s", known["reference"])
    assert stored and all(known["code"] not in answer for (answer,) in stored)
    assert known["code"] not in "".join(log.read_text() for log in hub.stack.logs.glob("*.log"))


def test_a_repeat_of_the_submission_gets_the_same_code(hub: Hub) -> None:
    first = hub.submit(ORDINARY, key="the-same-one")
    again = hub.submit(ORDINARY, key="the-same-one")
    assert first.json() == again.json() and first.json()["status_code"]


def test_the_acknowledgement_brings_the_code_and_the_page(hub: Hub) -> None:
    known = submitted(hub)
    hub.work()
    mails = [words for words in hub.received.texts("head@school") if known["reference"] in words]
    assert known["code"] in mails[0] and f"{hub.settings.base_url}/status" in mails[0]


def test_i_disagree_begins_the_procedure_and_says_until_when(hub: Hub) -> None:
    known = submitted(hub)
    assert "Do you disagree?" not in shown(hub, known).text, "nothing is decided or rated yet"
    hub.rate(known["reference"], "green")
    assert "Do you disagree?" in shown(hub, known).text
    empty = shown(hub, {**known, "words": "  "}, "/status/disagreements")
    assert empty.status_code == 400 and "Enter why you disagree" in empty.text and 'href="#words"' in empty.text
    long = shown(hub, {**known, "words": "He is afraid. " * 2_000}, "/status/disagreements")
    assert long.status_code == 400 and "He is afraid." in long.text and 'name="code"' in long.text
    page = shown(hub, {**known, "words": "He is afraid to go home: Zebediah Quillfeather."}, "/status/disagreements")
    assert page.status_code == 200 and "who was not involved in the decision will review it by" in page.text
    (found,) = hub.case(known["reference"])["disagreements"].values()
    assert found["by_role"] == "referrer" and found["outcome"] is None
    assert "someone is reviewing it" in shown(hub, known).text
    stolen = shown(hub, {**known, "code": "AAAA-AAAA-AAAA-AAAA", "words": "me too"}, "/status/disagreements")
    assert stolen.status_code == 404


def refusals(hub: Hub, known: dict[str, str]) -> set[tuple[int, str]]:
    """What a referrer is answered who goes further with a disagreement that is none of theirs; by their system, and on a page."""
    path, headers = f"/referrals/{known['reference']}/disagreements", {"Authorization": f"Bearer {hub.key}"}
    bodies: list[dict[str, str]] = [{"words": "Look again.", "disagreement": name} for name in ("D1", "D7")]
    if "Do you disagree?" not in shown(hub, known).text:
        page = shown(hub, {**known, "words": "Look again."}, "/status/disagreements")
        assert "You cannot disagree at the moment" in page.text and "At this stage" not in page.text
        bodies.append({"words": "Look again."})
    sent = [
        hub.http.post(path, json=body, headers={**headers, "Idempotency-Key": f"{known['reference']} {number} {hub.sent}"})
        for number, body in enumerate(bodies, 10 * len(hub.case(known["reference"])["disagreements"]))
    ]
    return {(answer.status_code, answer.text) for answer in sent}


def test_whoever_cannot_disagree_is_answered_alike_at_every_stage(hub: Hub) -> None:
    adult = [{"cohort": "adult", "name": "Theodora Quillfeather", "date_of_birth": "1950-01-01"}]
    cases = {name: submitted(hub) for name in ("triage", "discussion", "checks", "decision", "held back", "agency's", "closed")}
    cases["not ours"] = submitted(hub, subjects=adult)
    reference = {name: known["reference"] for name, known in cases.items()}
    hub.give(reference["discussion"], "call_strategy_discussion", words="Bruises in two places.")
    for name in ("checks", "decision", "held back", "agency's", "closed"):
        hub.rate(reference[name], "green")
        if name != "checks":
            hub.answer_all(reference[name])
    section_47: dict[str, Any] = {"words": "Harm.", "outcomes": {"S1": "section_47"}, "primary_need": "N1"}
    hub.give(reference["held back"], "record_decision", **section_47)
    hub.give(reference["closed"], "record_decision", words="No role.", outcomes={"S1": "no_further_action"})
    hub.give(reference["agency's"], "raise_disagreement", role="agency", agency="police", words="It is red.", about="rating")
    stages = {name: hub.case(each)["stage"] for name, each in reference.items()}
    assert len({*stages.values()}) > 4 and stages["held back"] == stages["discussion"] == "strategy_discussion", stages
    answers = {name: refusals(hub, known) for name, known in cases.items()}
    ((status, only),) = set.union(*answers.values())
    assert status == 422 and "you cannot disagree at the moment" in only, answers
    assert not any(told in only for told in ("stage", "possible", "strategy", "command", "D7", "police"))


def test_how_long_a_disagreement_takes_tells_nothing_of_a_section_47_that_is_held_back(hub: Hub) -> None:
    cases = submitted(hub), submitted(hub)
    for known in cases:
        hub.rate(known["reference"], "green")
        hub.answer_all(known["reference"])
    section_47: dict[str, Any] = {"words": "Harm.", "outcomes": {"S1": "section_47"}, "primary_need": "N1"}
    hub.give(cases[0]["reference"], "record_decision", **section_47)
    pages = [shown(hub, {**known, "words": "Look again."}, "/status/disagreements") for known in cases]
    assert {page.status_code for page in pages} == {200}
    assert len({page.text.replace(known["reference"], "R") for page, known in zip(pages, cases, strict=True)}) == 1


def test_the_button_pressed_twice_begins_one_disagreement(hub: Hub) -> None:
    known = submitted(hub)
    hub.rate(known["reference"], "green")
    (key,) = re.findall(r'name="key" value="([^"]+)"', shown(hub, known).text)
    form = {**known, "words": "He is afraid to go home.", "key": key}
    with ThreadPoolExecutor(4) as fingers:
        pages = list(fingers.map(lambda _: shown(hub, form, "/status/disagreements"), range(4)))
    assert {page.status_code for page in pages} == {200} and len({page.text for page in pages}) == 1
    assert list(hub.case(known["reference"])["disagreements"]) == ["D1"]
    other = shown(hub, {**form, "words": "Something else."}, "/status/disagreements")
    assert other.status_code == 409 and "sent before" in other.text and "Something else." in other.text


def test_whoever_has_the_code_uses_up_no_key_of_the_system_that_made_the_referral(hub: Hub) -> None:
    known = submitted(hub)
    hub.rate(known["reference"], "green")
    shown(hub, {**known, "words": "Look again.", "key": "the-next-one"}, "/status/disagreements")
    assert hub.submit(ORDINARY, key="the-next-one").status_code == 201


def test_what_is_typed_into_the_page_stays_text(hub: Hub) -> None:
    answer = shown(hub, {"reference": '"><script>alert(1)</script>', "code": "x"})
    assert "<script>" not in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]
