"""Every command as a form: what it asks is what the command needs, in the hub's own choices."""

from __future__ import annotations

import pytest
from starlette.datastructures import FormData

from mash.api.pages.forms import KINDS, Asked, fields_of, first_text, read
from mash.config.profile import load_profile
from mash.states.commands import Actor
from mash.states.machine import COMMANDS

SANDWELL = load_profile("sandwell")
MANAGER = Actor(id="manager", role="duty_manager", agency="social_care", hub="sandwell")
TYPED = {"day": "2026-11-20", "moment": "2026-11-20T14:30", "line": "100"}
LINES = {"other": "MASH-26-000002", "to": "a.colleague", "clock": "triage", "item": "x", "disagreement": "D1", "subject": "S1"}
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


@pytest.mark.parametrize("kind", [kind for kind in COMMANDS if kind not in OF_CASES])
def test_a_form_that_is_filled_in_is_its_command(kind: str) -> None:
    asked = fields_of(kind, None, SANDWELL, MANAGER)
    given, after = read(kind, asked, FormData({**filled(asked), "seen": "3", first_text(kind): "Why.\r\nSo."}), MANAGER)
    assert given is not None, after.errors
    assert given.command.kind == kind and given.seen == 3 and str(given.words).endswith("Why.\nSo.")


def test_views_and_actions_of_a_meeting_are_written_apart_and_kept_together() -> None:
    asked = fields_of("record_meeting", None, SANDWELL, MANAGER)
    given, _ = read("record_meeting", asked, FormData({**filled(asked), "views": "All agree.", "actions": "A visit."}), MANAGER)
    assert given and given.words == "Views\nAll agree.\n\nActions agreed\nA visit."


@pytest.mark.parametrize("kind", COMMANDS)
def test_what_is_needed_and_missing_is_said_beside_its_field(kind: str) -> None:
    asked = fields_of(kind, None, SANDWELL, MANAGER)
    given, after = read(kind, asked, FormData({"words": "Kept as it was typed."}), MANAGER)
    assert after.value("words") == "Kept as it was typed."
    needed = {each.name for each in asked if each.needed and each.shape != "many"}
    assert needed <= set(after.errors) and (given is None) == bool(after.errors)


def test_every_command_of_staff_has_a_form() -> None:
    assert set(COMMANDS) <= set(KINDS)


def test_a_time_is_the_hubs_own() -> None:
    asked = fields_of("convene_meeting", None, SANDWELL, MANAGER)
    given, _ = read("convene_meeting", asked, FormData({"at": "2026-07-20T14:30"}), MANAGER)
    assert given and given.command.at.isoformat() == "2026-07-20T14:30:00+01:00"


def test_nobody_shares_by_leaving_the_question_as_it_is() -> None:
    share = next(each for each in fields_of("record_sharing_basis", None, SANDWELL, MANAGER) if each.name == "share")
    assert share.needed and not share.default
