"""Every command as a form: what it asks is what the command needs, in the hub's own choices."""

from __future__ import annotations

from dataclasses import replace

import pytest
from starlette.datastructures import FormData

from mash.api.pages.filled import first_text, read
from mash.api.pages.forms import Asked, fields_of
from mash.api.pages.questions import CHECK, WRONG, WRONG_ANYWHERE
from mash.config.commands import COMMANDS
from mash.config.profile import load_profile
from mash.states.acts.protection import RecordConference
from mash.states.messages import STAFF_ACTS
from mash.states.referral import Referral, SubjectState
from mash.states.values import Actor

SANDWELL = load_profile("sandwell")
MANAGER = Actor(id="manager", role="duty_manager", agency="social_care", hub="sandwell")
TYPED = {"day": "2026-11-20", "moment": "2026-11-20T14:30", "line": "100"}
LINES = {
    "other": "MASH-26-000002",
    "to": "a.colleague",
    "clock": "triage",
    "item": "x",
    "disagreement": "D1",
    "subject": "S1",
    "subjects": "S1",
}
OF_CASES = ("record_decision",)
"""What asks for an outcome of each subject, and so has nothing to ask without a case."""


def filled(asked: list[Asked]) -> dict[str, str]:
    """What somebody fills in who takes the first choice of everything that is needed."""
    return {
        each.name: each.choices[0][0]
        if each.choices
        else "true"
        if each.shape == "yes_no"
        else LINES.get(each.name, TYPED.get(each.shape, ""))
        for each in asked
        if each.needed or each.shape == "many"
    }


@pytest.mark.parametrize("kind", [kind for kind in STAFF_ACTS if kind not in OF_CASES])
def test_a_form_that_is_filled_in_is_its_command(kind: str) -> None:
    asked = fields_of(kind, None, SANDWELL, MANAGER)
    command, after = read(kind, asked, FormData({**filled(asked), "seen": "3", first_text(kind): "Why.\r\nSo."}), MANAGER)
    assert command is not None, after.errors
    assert command.command.kind == kind and command.seen == 3 and str(command.words).endswith("Why.\nSo.")


def test_views_and_actions_of_a_meeting_are_written_apart_and_kept_together() -> None:
    asked = fields_of("record_meeting", None, SANDWELL, MANAGER)
    command, _ = read("record_meeting", asked, FormData({**filled(asked), "views": "All agree.", "actions": "A visit."}), MANAGER)
    assert command and command.words == "Views\nAll agree.\n\nActions agreed\nA visit."


@pytest.mark.parametrize("kind", STAFF_ACTS)
def test_what_is_needed_and_missing_is_said_beside_its_field(kind: str) -> None:
    asked = fields_of(kind, None, SANDWELL, MANAGER)
    command, after = read(kind, asked, FormData({"words": "Kept as it was typed."}), MANAGER)
    assert after.value("words") == "Kept as it was typed."
    needed = {each.name for each in asked if each.needed and each.shape != "many"}
    assert needed <= set(after.errors) and (command is None) == bool(after.errors)


def test_every_command_of_staff_has_its_words_and_nothing_else_has() -> None:
    assert set(COMMANDS) == set(STAFF_ACTS)
    buttons, helps = [words.button for words in COMMANDS.values()], [words.help for words in COMMANDS.values()]
    assert len(set(buttons)) == len(buttons), "two buttons of one case must not say the same"
    assert all(text.endswith(".") and "_" not in text for text in helps)
    assert all(words.button and words.done and not words.button.endswith(".") for words in COMMANDS.values())


@pytest.mark.parametrize("kind", STAFF_ACTS)
def test_what_cannot_be_taken_is_said_in_words_of_ours(kind: str) -> None:
    asked = [replace(each, needed=False) for each in fields_of(kind, None, SANDWELL, MANAGER)]
    command = {each.name: "\u2603 no such thing" for each in asked}
    _, after = read(
        kind, asked, FormData({**command, first_text(kind): "\x00" + "x" * 20_001, "redacted": "x" * 20_001}), MANAGER
    )
    ours = {CHECK, *WRONG.values(), *WRONG_ANYWHERE.values(), "Shorten this to 20,000 characters"}
    assert {first_text(kind), "redacted"} <= set(after.errors) and set(after.errors.values()) <= ours


@pytest.mark.parametrize(
    ("kind", "field", "typed", "hint"),
    [
        ("record_decision", "transfer_to", "Leeds", "Enter 3 digits, such as 330"),
        ("offer_hand_over", "authority", "999", "No authority has this code"),
        ("link_referral", "other", "the <other> one", "Enter a reference such as MASH-26-000001"),
        ("allocate_check", "to", "a; colleague", "Enter the login"),
        ("convene_meeting", "at", "tomorrow", "Enter a date and a time"),
        ("record_conference", "held_on", "last week", "Enter a date, such as"),
        ("ask_agencies", "agencies", "", "Choose at least one"),
        ("rate_referral", "rating", "\u2603", "Check this"),
    ],
)
def test_what_to_enter_is_said_beside_the_field(kind: str, field: str, typed: str, hint: str) -> None:
    asked = fields_of(kind, None, SANDWELL, MANAGER)
    form = (
        {**filled(asked), "words": "Because.", field: typed}
        if typed
        else {name: value for name, value in filled(asked).items() if name != field}
    )
    _, after = read(kind, asked, FormData(form), MANAGER)
    assert after.errors[field].startswith(hint), after.errors


def test_a_subject_is_called_by_name_for_whoever_may_read_it() -> None:
    state = SubjectState(cohort="unborn")
    case = Referral.model_construct(subjects={"S1": state, "S2": state}, clocks={}, held={}, disagreements={})
    asked = fields_of("record_decision", case, SANDWELL, MANAGER, {"S1": "Isla Marrowby", "S2": " "})
    assert [each.label for each in asked[:2]] == ["Outcome for Isla Marrowby", "Outcome for unborn 2"]


def test_a_time_is_the_hubs_own() -> None:
    asked = fields_of("convene_meeting", None, SANDWELL, MANAGER)
    command, _ = read("convene_meeting", asked, FormData({"at": "2026-07-20T14:30"}), MANAGER)
    assert command and command.command.at.isoformat() == "2026-07-20T14:30:00+01:00"


@pytest.mark.parametrize("hour", ["2026-10-25T01:30", "2026-03-29T01:30"])
def test_an_hour_that_comes_twice_or_never_is_asked_for_again(hour: str) -> None:
    asked = fields_of("convene_meeting", None, SANDWELL, MANAGER)
    command, wrong = read("convene_meeting", asked, FormData({"at": hour}), MANAGER)
    assert command is None and "comes twice, or never" in str(wrong)


def test_nobody_shares_by_leaving_the_question_as_it_is() -> None:
    share = next(each for each in fields_of("record_sharing_basis", None, SANDWELL, MANAGER) if each.name == "share")
    assert share.needed and not share.default


@pytest.mark.parametrize(("known", "wrong"), [("true", {"relevant"}), ("false", set())])
def test_whether_what_is_held_is_relevant_is_said_by_whoever_knows_them(known: str, wrong: set[str]) -> None:
    by = Actor(id="p", role="agency", agency="police", hub="sandwell")
    asked = fields_of("answer_check", None, SANDWELL, by)
    _, after = read("answer_check", asked, FormData({"known": known, "words": "Two calls.", "seen": "1"}), by)
    assert set(after.errors) == wrong


def _conference(**typed: str) -> tuple[object, dict[str, str]]:
    """What comes of the form of a conference about two children, of whom the first gets a plan."""
    state = SubjectState(cohort="child")
    case = Referral.model_construct(subjects={"S1": state, "S2": state}, clocks={}, held={}, disagreements={})
    asked = fields_of("record_conference", case, SANDWELL, MANAGER, {"S1": "Isla Marrowby"})
    labels = [each.label for each in asked if each.name.endswith(".S1")]
    assert labels[1:] == [
        "If Isla Marrowby gets a plan: why?",
        "If Isla Marrowby gets a plan: how many were there before?",
    ]
    form = {"held_on": "2026-11-20", "outcomes.S1": "child_protection_plan", "outcomes.S2": "no_plan", "words": "Why.", **typed}
    command, after = read("record_conference", asked, FormData(form), MANAGER)
    return command and command.command, after.errors


def test_why_a_child_gets_a_plan_is_asked_where_there_is_one_and_what_was_chosen_of_another_is_left_out() -> None:
    _, missing = _conference()
    assert set(missing) == {"abuse_categories.S1", "previous_plans.S1"}
    said = {"abuse_categories.S1": "NEG", "previous_plans.S1": "0", "abuse_categories.S2": "PHY", "previous_plans.S2": "3"}
    command, wrong = _conference(**said)
    assert isinstance(command, RecordConference), wrong
    assert (command.abuse_categories, command.previous_plans) == ({"S1": "NEG"}, {"S1": 0})


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("two", "Enter a whole number, such as 0"),
        ("-1", "Enter a whole number, such as 0"),
        ("999", "Enter a number of 50 or less"),
    ],
)
def test_how_many_plans_there_were_is_a_number(typed: str, said: str) -> None:
    _, wrong = _conference(**{"abuse_categories.S1": "NEG", "previous_plans.S1": typed})
    assert wrong == {"previous_plans.S1": said}
