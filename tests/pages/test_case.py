"""A case's page where it matters who looks; and its information product on paper."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hub import Hub, hub_here, later
from papers import drawn, words_on

from mash.api.pages.items import parts_of
from mash.api.pages.page import environment
from mash.api.pages.product import as_pdf
from mash.config.profile import load_profile
from mash.flows.store.apply import act
from mash.flows.store.log import read_log
from mash.flows.store.reads.case import Case, read_case
from mash.flows.store.store import Store, system_actor
from mash.flows.telling.story import lines_of
from mash.states.acts.of_age import SayOfAge
from mash.states.clocks import LONDON
from mash.states.course import ClockBreached, ClockEscalated, ClockWarned
from mash.states.values import Actor

NOON = datetime(2026, 11, 19, 12, tzinfo=UTC)


def test_a_partner_who_must_know_now_is_shown_the_glass_and_breaks_it(hub: Hub) -> None:
    reference = hub.referral()
    probation = hub.staff("agency", "probation")
    shut = hub.http.get(f"/case/{reference}", headers=probation)
    assert shut.status_code == 404 and f"/case/{reference}/break_glass" in shut.text
    without = hub.http.post(f"/case/{reference}/break_glass", headers=probation, data={"key": "glass"})
    assert without.status_code == 422 and "Enter the reason in words." in without.text
    form = {**hidden(without.text), "words": "He is at our door."}
    assert hub.http.post(f"/case/{reference}/break_glass", headers=probation, data=form).status_code == 303
    assert hub.http.get(f"/case/{reference}", headers=probation).status_code == 200


def test_the_same_form_sent_twice_acts_once(hub: Hub) -> None:
    reference = hub.referral()
    form = {"key": f"twice {reference}", "words": "Rang the school.", "seen": "1"}
    for _ in range(2):
        assert hub.http.post(f"/case/{reference}/add_note", headers=hub.staff("duty_manager"), data=form).status_code == 303
    assert sum(item["kind"] == "add_note" for item in hub.case(reference)["items"]) == 1


def hidden(page: str) -> dict[str, str]:
    """What a form sends without being asked."""
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page))


def test_what_was_refused_is_corrected_and_sent_again_by_the_same_form(hub: Hub) -> None:
    reference = hub.referral()
    hub.rate(reference)
    by, address = hub.staff("duty_manager"), f"/case/{reference}/rerate_referral"
    form = {**hidden(hub.http.get(address, headers=by).text), "rating": "amber"}
    refused = hub.http.post(address, headers=by, data=form)
    assert refused.status_code == 422 and "Say why, in a sentence" in refused.text
    corrected = {**form, **hidden(refused.text), "words": "The bruise is older."}
    assert hub.http.post(address, headers=by, data=corrected).status_code == 303
    assert hub.case(reference)["rating"] == "amber"
    back = hub.http.post(address, headers=by, data={**corrected, "words": "Another thought."})
    assert back.status_code == 409 and "sent before" in back.text and "Another thought." in back.text


def test_whoever_was_not_the_first_sees_what_happened_meanwhile_and_sends_it_again(hub: Hub) -> None:
    reference = hub.referral()
    hub.rate(reference)
    by, address = hub.staff("duty_manager"), f"/case/{reference}/rerate_referral"
    form = {**hidden(hub.http.get(address, headers=by).text), "rating": "amber", "words": "The bruise is older."}
    hub.give(reference, "record_marker", marker="staff_safety", words="A dog.")
    late = hub.http.post(address, headers=by, data=form)
    assert late.status_code == 409 and "The bruise is older." in late.text
    assert "Marker recorded" in late.text and "Since you opened this form" in late.text
    assert hub.http.post(address, headers=by, data={**form, **hidden(late.text)}).status_code == 303
    assert hub.case(reference)["rating"] == "amber"


def test_an_act_that_there_is_not_or_that_is_not_theirs_is_a_page_that_says_so(hub: Hub) -> None:
    reference = hub.referral()
    for kind, role, status in (("fire_clocks", "duty_manager", 404), ("record_decision", "social_worker", 403)):
        answer = hub.http.get(f"/case/{reference}/{kind}", headers=hub.staff(role))
        assert answer.status_code == status and answer.text.startswith("<!doctype html>")
    too_soon = hub.http.get(f"/case/{reference}/record_decision", headers=hub.staff("duty_manager"))
    assert too_soon.status_code == 409 and "is not possible now" in too_soon.text


@pytest.mark.parametrize(
    ("words", "printed"),
    [
        ("Known since May.", "Known since May."),
        ("Łukasz, Ødegård", "Łukasz, Ødegård"),
        ("نص", "Women's Aid"),
        ("a" * 20_000, "a" * 60),
        ("x\ty\n\nz", "x"),
        ("\u202etxt", "txt"[::-1]),
    ],
)
def test_whatever_was_released_can_be_printed(hub: Hub, words: str, printed: str) -> None:
    text = words_on(product(hub, words))
    assert printed in text and "cannot show" not in text
    assert "not yet rated" in text and "Sandwell Women's Aid" in text and " 2026, " in text


@pytest.mark.parametrize(
    ("words", "missing"),
    [
        ("A 字 at the door", "CJK UNIFIED IDEOGRAPH-5B57 (U+5B57)"),
        ("He sent \U0001f9f8\U0001f9f8", "TEDDY BEAR (U+1F9F8)"),
    ],
)
def test_a_paper_says_which_characters_it_could_not_print_and_where_they_were(hub: Hub, words: str, missing: str) -> None:
    text = words_on(product(hub, words))
    assert text.count(missing) == 1 and "on the case's page" in text
    assert words[:2] in text and text.count("\N{REPLACEMENT CHARACTER}") == 1 + sum(ord(each) > 0x2FFF for each in words)


def product(hub: Hub, words: str) -> bytes:
    """The information product of a case beside which one agency has released this, and another one nothing."""
    reference = hub.referral()
    case: Case = hub.stored(lambda store: read_case(store, reference))
    by = Actor(id="chair", role="duty_manager", agency="social_care", hub="sandwell")
    at = case.referral.received_at
    lines: list[dict[str, Any]] = [
        {"agency": "womens_aid", "at": at, "content": words, "signpost": None},
        {"agency": "health", "at": at, "content": None, "signpost": "this agency holds information"},
    ]
    return as_pdf(load_profile("sandwell"), case, lines, at, by)


@pytest.mark.parametrize("word", ["\u062f\u0627\u0631", "\u05e8\u05d1\u05e7", "\u062f\u0648\u0631"])
def test_a_word_of_a_script_that_is_read_from_the_right_is_drawn_from_the_right(hub: Hub, word: str) -> None:
    text = words_on(product(hub, f"{word}. Rang 01632 960115."))
    assert word[::-1] in text.replace(" ", "") and "\N{REPLACEMENT CHARACTER}" not in text


@pytest.mark.parametrize("letter", ["\u06c1", "\u0633", "\u0645", "\u062d"])
def test_letters_of_arabic_and_urdu_are_joined(hub: Hub, letter: str) -> None:
    before = {glyph for glyph, _ in drawn(product(hub, "x"))}
    shapes = [glyph for glyph, _ in drawn(product(hub, letter * 3)) if glyph and glyph not in before]
    assert len(shapes) == len(set(shapes)) == 3, "three shapes of one letter: of the beginning, the middle and the end"


def test_a_number_within_arabic_stays_as_it_is_dialled_and_a_date_as_it_is_written(hub: Hub) -> None:
    said = "\u0627\u062a\u0635\u0644\u0648\u0627 01632 960115 \u0628\u0639\u062f 2015-03-27"
    text = words_on(product(hub, said)).replace(" ", "").replace("\u200e", "")
    assert "01632960115" in text and "2015-03-27" in text


def test_a_script_that_is_read_from_the_right_and_has_no_typeface_is_named(hub: Hub) -> None:
    assert "THAANA LETTER DHAALU" in words_on(product(hub, "\u078b\u07a8"))


def fields(content: str) -> dict[str, Any]:
    return {"content": content, "fields": json.loads(content)}


def test_what_was_said_is_shown_by_its_parts() -> None:
    content = '{"name": {"given": "Isla"}, "disability": ["NONE"], "told": false, "school": null, "more": [{"a": 1}]}'
    shown = parts_of(fields(content))
    assert shown == [("Name, given", "Isla"), ("Disability", "NONE: No disability"), ("Told", "no"), ("More 1, a", "1")]
    assert parts_of(fields('{"factors": ["3B", "?"], "sex": "F"}'))[0][1].startswith("3B: Domestic violence")
    assert parts_of({"content": "plain words", "fields": None}) == [("", "plain words")]
    assert parts_of({"content": None, "fields": None}) == []


def test_a_date_is_written_as_people_write_it_and_what_is_no_date_stays() -> None:
    assert parts_of(fields('{"date_of_birth": "2015-02-03"}')) == [("Date of birth", "3 February 2015")]
    assert parts_of(fields('{"date_of_birth": "about ten"}')) == [("Date of birth", "about ten")]


def test_reminders_that_follow_one_another_are_one_line_and_none_is_left_out(hub: Hub) -> None:
    reference = hub.referral()
    story = hub.stored(lambda store: read_log(store, reference))[:3]
    system = Actor(id="system", role="system", agency="system", hub="sandwell")
    clock = {"id": "check:womens_aid", "due_at": NOON}
    reminders = [
        story[-1].model_copy(update={"by": system, "at": NOON, "event": event})
        for event in (
            ClockWarned(role="womens_aid_lead", **clock),
            ClockBreached(**clock),
            ClockEscalated(rung=0, role="duty_manager", next_at=NOON, **clock),
        )
    ]
    lines = lines_of([*story, *reminders, story[0], reminders[0]], load_profile("sandwell"))
    assert [len(line.within) for line in lines[:3]] == [0, 0, 3]
    assert lines[0].facts == "check of Sandwell Women's Aid; to womens aid lead; due Thu 19 Nov 2026, 12:00"
    assert lines[2].what == "3 reminders and alerts since Thu 19 Nov 2026, 12:00"
    assert [line.what for line in lines[2].within] == ["Alert", "Not done in time", "Reminder"]


def test_a_case_names_its_subjects_to_those_who_may_read_them(hub: Hub) -> None:
    reference = hub.referral(subjects=[{"cohort": "child", "name": {"given": "Isla", "family": "Marrowby"}}])
    shown = hub.http.get(f"/case/{reference}", headers=hub.staff("duty_manager")).text
    assert "<h1>Isla Marrowby</h1>" in shown and "Child, birthday not recorded" in shown


@pytest.mark.parametrize(
    ("subject", "said"),
    [
        (
            {"cohort": "child", "sex": "F", "date_of_birth": "about Easter 2018"},
            "Girl, born “about Easter 2018”, as it was written",
        ),
        ({"cohort": "child", "sex": "F", "date_of_birth": "2018-04-01"}, "Girl, born 1 April 2018"),
        ({"cohort": "unborn", "expected_date": "in spring"}, "Expected “in spring”"),
        ({"cohort": "unborn", "expected_date": "2027-03-04"}, "Expected 4 March 2027"),
        ({"cohort": "unborn"}, "Not yet born"),
    ],
)
def test_when_somebody_was_born_stands_under_their_name_as_it_is_on_record(hub: Hub, subject: dict[str, str], said: str) -> None:
    reference = hub.referral(subjects=[{**subject, "name": {"given": "Rosalind", "family": "Tetherby"}}])
    assert said in hub.http.get(f"/case/{reference}", headers=hub.staff("duty_manager")).text


def test_what_is_printed_leaves_none_of_its_letters_in_the_log(hub: Hub) -> None:
    reference = hub.referral()
    hub.rate(reference)
    hub.answer(reference, "police", "李小龙 is his uncle, \u0639\u0644\u064a: Zebediah.")
    police = hub.staff("agency", "police")
    mine = hub.http.get(f"/cases/{reference}", headers=police).json()["items"]
    item = next(each["item"] for each in mine if each["agency"] == "police")
    release = {"kind": "release_information", "item": item, "necessity": "to_protect_a_child", "proportionality": "whole"}
    released = hub.command(reference, release, police, "The meeting must know.")
    assert released.status_code == 200, released.text
    before = len((hub.stack.logs / "api.log").read_text())
    paper = hub.http.get(f"/case/{reference}/product.pdf", headers=hub.staff("duty_manager"))
    assert paper.status_code == 200 and paper.content.startswith(b"%PDF")
    words = (hub.stack.logs / "api.log").read_text()[before:]
    assert not any(
        letter in words.lower() for letter in ("李", "\u0639", "0639", "0644", "674e", "5c0f", "9f99", "glyph", "fonttools")
    ), words


def test_a_decision_is_recorded_by_its_form_subject_by_subject(hub: Hub) -> None:
    isla = {"cohort": "child", "name": {"given": "Isla", "family": "Marrowby"}}
    reference = hub.referral(subjects=[isla, {"cohort": "unborn"}])
    hub.rate(reference, "green")
    hub.answer_all(reference)
    by = hub.staff("duty_manager")
    page = hub.http.get(f"/case/{reference}/record_decision", headers=by)
    assert page.status_code == 200 and "Outcome for Isla Marrowby" in page.text and "Outcome for Unborn child 2" in page.text
    seen = str(hub.case(reference)["version"])
    form = {"seen": seen, "outcomes.S1": "no_further_action", "outcomes.S2": "", "words": "Seen well."}
    half = hub.http.post(f"/case/{reference}/record_decision", headers=by, data=form)
    assert half.status_code == 422 and "Seen well." in half.text and 'href="#outcomes.S2"' in half.text
    done = hub.http.post(f"/case/{reference}/record_decision", headers=by, data={**form, "outcomes.S2": "no_further_action"})
    assert done.status_code == 303, done.text
    assert {subject["outcome"] for subject in hub.case(reference)["subjects"].values()} == {"no_further_action"}


def test_whether_a_child_was_seen_is_on_the_page_and_the_child_is_heard_by_a_form(hub: Hub) -> None:
    isla = {"cohort": "child", "name": {"given": "Isla", "family": "Marrowby"}}
    reference = hub.referral(subjects=[isla, {"cohort": "unborn"}])
    hub.rate(reference)
    by, health = hub.staff("duty_manager"), hub.staff("agency", "health")
    page = hub.http.get(f"/case/{reference}?tab=people", headers=by).text
    assert "Isla Marrowby" in page and page.count("<strong>Not yet seen") == 1
    address = f"/case/{reference}/record_child_voice"
    form = hub.http.get(address, headers=health).text
    assert "Day the child was seen" in form and "Isla Marrowby" in form and "Unborn child 2<" not in form.partition("<form")[2]
    today = datetime.fromisoformat(hub.case(reference)["received_at"]).astimezone(LONDON).date()
    told = {"subject": "S1", "seen_on": today.isoformat(), "alone": "true", "words": "I sleep at Nan’s."}
    late = {**hidden(form), **told, "seen_on": (today + timedelta(days=1)).isoformat()}
    refused = hub.http.post(address, headers=health, data=late)
    assert refused.status_code == 422 and "not in the future" in refused.text and "I sleep at Nan" in refused.text
    again = {**hidden(refused.text), **told}
    assert hub.http.post(address, headers=health, data=again).status_code == 303
    page = hub.http.get(f"/case/{reference}?tab=people", headers=by).text
    assert "Not yet seen" not in page and "what the child says is on record" in page and "I sleep at Nan" not in page
    theirs = hub.http.get(f"/case/{reference}?tab=sent", headers=health).text
    assert "I sleep at Nan’s." in theirs


def test_what_an_assessment_found_is_asked_child_by_child_and_why_a_child_was_not_seen(hub: Hub) -> None:
    isla = {"cohort": "child", "name": {"given": "Isla", "family": "Marrowby"}}
    reference = hub.referral(subjects=[isla, {"cohort": "child"}])
    hub.rate(reference, "green")
    hub.answer_all(reference)
    both = {"S1": "section_17", "S2": "section_17"}
    hub.give(reference, "record_decision", words="Both are assessed.", outcomes=both, primary_need="N1")
    by, address = hub.staff("duty_manager"), f"/case/{reference}/complete_assessment"
    page = hub.http.get(address, headers=by).text
    assert "What does the assessment lead to for Isla Marrowby?" in page
    assert "Assessment factors for Child 2" in page and "If nobody has seen Child 2, why not?" in page
    found = {"outcomes.S1": "child_in_need_plan", "outcomes.S2": "early_help", "factors_of.S1": "1A", "words": "Assessed."}
    why_not = {"not_seen_because.S1": "refused_access", "not_seen_because.S2": "family_left"}
    half = hub.http.post(address, headers=by, data={**hidden(page), **found, **why_not})
    assert half.status_code == 422 and 'href="#factors_of.S2"' in half.text
    whole = {**hidden(half.text), **found, **why_not, "factors_of.S2": "21"}
    unseen = hub.http.post(address, headers=by, data={**whole, "not_seen_because.S2": ""})
    assert unseen.status_code == 422 and "Nobody has seen Child 2 yet: record that each child was seen" in unseen.text
    done = hub.http.post(address, headers=by, data={**whole, **hidden(unseen.text)})
    assert done.status_code == 303, done.text
    assert {sid: each["outcome"] for sid, each in hub.case(reference)["subjects"].items()} == {"S1": "child_in_need_plan"}
    assert {sid: each["assessment"] for sid, each in hub.case(f"{reference}-B")["subjects"].items()} == {"S2": "early_help"}
    page = hub.http.get(f"/case/{reference}?tab=story", headers=by).text
    assert "Isla Marrowby: child in need plan" in page and "2: early help" in page


def test_a_case_that_ended_over_who_came_of_age_says_so_and_lets_them_be_handed_over(hub: Hub) -> None:
    reference = hub.referral(subjects=[{"cohort": "child"}])
    hub.rate(reference, "green")
    hub.answer_all(reference)

    async def birthday(store: Store) -> None:
        await act(store, reference, SayOfAge(subject="S1", when="today"), system_actor("sandwell"))

    hub.stored(birthday)
    given = {"outcomes": {"S1": "transfer"}, "transfer_to": "E08000025", "primary_need": "N1"}
    hub.give(reference, "record_decision", words="They have moved.", **given)
    taken = {"role": "social_worker", "words": "Ms Ray has it."}
    hub.give(reference, "accept_hand_over", hand_over="another_authority", **taken)
    by, waits = hub.staff("duty_manager"), "Child turned 18, and nobody has handed them over to adults"
    page = hub.http.get(f"/case/{reference}", headers=by).text
    assert waits in page and f"/case/{reference}/hand_over_to_adults" in page
    hub.give(reference, "hand_over_to_adults", words="They know.", subject="S1", to="adult_social_care")
    assert waits in hub.http.get(f"/case/{reference}", headers=by).text, "nobody has accepted them yet"
    hub.give(reference, "accept_hand_over", hand_over="adult_social_care", **taken)
    page = hub.http.get(f"/case/{reference}", headers=by).text
    assert waits not in page and f"/case/{reference}/hand_over_to_adults" not in page


def test_an_alert_that_nobody_has_is_not_hidden_by_one_that_somebody_has() -> None:
    parts: Any = environment().get_template("parts.html").module
    case = {"alerts": ("check:police",), "held_by": {"triage": "d.manager"}, "owner": "police_lead"}
    both = parts.who(case)
    assert "Nobody has it" in both and "police lead" in both and "d.manager" in both
    assert parts.who({**case, "alerts": ()}) == "d.manager"
    assert parts.who({**case, "alerts": (), "held_by": {}}) == "Police lead"


def who_has(hub: Hub, reference: str, path: str, role: str = "duty_manager") -> str:
    """What a page that lists cases says of who has this one."""
    page = hub.http.get(path, headers=hub.staff(role)).text
    (row,) = (each for each in page.split("<tr")[1:] if reference in each)
    said = re.search("Nobody has it|Somebody|You", re.sub(r"<[^>]+>", " ", row))
    return said[0] if said else ""


def test_board_and_wall_say_that_somebody_has_it_before_it_is_rated() -> None:
    with hub_here() as own:
        reference = own.referral(concern={"summary": "He is at the door.", "immediate_danger": True})
        own.work()
        assert who_has(own, reference, "/wall") == who_has(own, reference, "/board") == "Nobody has it"
        own.give(reference, "acknowledge_alert", role="practice_manager", clock="triage")
        assert who_has(own, reference, "/wall") == who_has(own, reference, "/board") == "Somebody"
        assert who_has(own, reference, "/board", "practice_manager") == "You"


def test_board_and_wall_do_not_hide_an_alert_that_nobody_has_behind_one_that_somebody_has() -> None:
    with hub_here() as own:
        reference = own.referral()
        own.rate(reference)
        due = datetime.fromisoformat(own.case(reference)["due_at"])
        with later(own, due + timedelta(hours=2)) as late:
            first, *others = late.case(reference)["alerts"]
            late.give(reference, "acknowledge_alert", clock=first)
            assert others and who_has(late, reference, "/wall") == who_has(late, reference, "/board") == "Nobody has it"
            for each in others:
                late.give(reference, "acknowledge_alert", clock=each)
            assert who_has(late, reference, "/board") == "You" and who_has(late, reference, "/wall") != "Nobody has it"


def test_what_is_not_possible_is_said_on_a_page_without_a_code(hub: Hub) -> None:
    reference = hub.referral()
    by, seen = hub.staff("duty_manager"), str(hub.case(reference)["version"])
    answer = hub.http.post(
        f"/case/{reference}/record_meeting", headers=by, data={"seen": seen, "attended": "police", "mode": "telephone"}
    )
    assert answer.status_code == 409 and "“Record the meeting” is not possible while the case is at “Triage”" in answer.text
    assert "Rate it; " in answer.text and not re.search(r"[a-z]_[a-z]", re.sub(r"<[^>]*>", "", answer.text))


def test_an_address_that_is_no_reference_is_said_in_words(hub: Hub) -> None:
    answer = hub.http.get("/case/MASH-1", headers=hub.staff("duty_manager"))
    assert answer.status_code == 400 and "Check the address" in answer.text and "String" not in answer.text
