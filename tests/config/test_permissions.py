"""Permissions: what is not listed is denied, and a table that names what does not exist is refused."""

from pathlib import Path

import pytest

from mash.config.commands import SHIPPED as COMMANDS
from mash.config.permissions import SHIPPED, PermissionsError, may, read_permissions, roles
from mash.states.messages import STAFF_ACTS


@pytest.mark.parametrize(
    ("role", "command"),
    [
        ("nobody", "rate_referral"),
        ("duty_manager", "delete_referral"),
        ("", ""),
        ("agency", "record_decision"),
        ("social_worker", "record_decision"),
        ("social_worker", "reopen_referral"),
        ("out_of_hours", "record_decision"),
        ("administrator", "add_note"),
        ("early_help", "answer_check"),
        ("hub", "rate_referral"),
        ("managers", "record_decision"),
    ],
)
def test_what_is_not_listed_is_denied(role: str, command: str) -> None:
    assert not may(role, command)


PARTNERS = {
    "complete_action",
    "break_glass",
    "record_marker",
    "record_dissent",
    "raise_disagreement",
    "take_disagreement_further",
    "acknowledge_alert",
    "pass_alert_on",
    "add_note",
}
"""What everybody outside the hub's own team may do."""


@pytest.mark.parametrize(
    ("role", "commands"),
    [
        (
            "agency",
            {
                "allocate_check",
                "answer_check",
                "contribute_information",
                "decline_disclosure",
                "record_child_voice",
                "release_information",
                *PARTNERS,
            },
        ),
        ("early_help", {"accept_step_down", "return_step_down", *PARTNERS}),
        (
            "adult_social_worker",
            {"complete_adult_enquiry", "record_adult_view", "accept_hand_over", "return_hand_over", *PARTNERS},
        ),
        ("referrer", {"raise_disagreement", "take_disagreement_further"}),
        ("administrator", {"adopt_profile", "acknowledge_alert"}),
        (
            "out_of_hours",
            {
                "agree_as_second",
                "countersign",
                "confirm_not_ours",
                "take_contact",
                "allocate_case",
                "give_case_back",
                "conclude_consultation",
                "assign_place",
                "record_adult_view",
                "record_child_voice",
                "record_threshold",
                "record_marker",
                "record_categories",
                "correct_details",
                "correct_referrer",
                "add_subject",
                "remove_subject",
                "remove_link",
                "correct_cohort",
                "identify_subject",
                "share_earlier_contact",
                "reject_match",
                "withdraw_identity",
                "open_adult",
                "record_birth",
                "record_accused",
                "offer_hand_over",
                "accept_hand_over",
                "return_hand_over",
                "ask_other_hubs",
                "ask_agencies",
                "inform_referrer",
                "link_referral",
                "rate_referral",
                "rerate_referral",
                "record_sharing_basis",
                "call_strategy_discussion",
                "schedule_strategy_discussion",
                "record_strategy_discussion",
                "put_quorum_right",
                "record_protection_order",
                "end_protection_order",
                "cancel_meeting",
                "record_action",
                "complete_action",
                "record_answer_by_telephone",
                "acknowledge_alert",
                "pass_alert_on",
                "add_note",
            },
        ),
        (
            "social_worker",
            set(STAFF_ACTS)
            - {
                "allocate_case",
                "record_decision",
                "write_second_view",
                "sign_off_decision",
                "withdraw_decision",
                "sign_off_withdrawal",
                "conclude_enquiries",
                "reopen_referral",
                "adopt_profile",
                "accept_step_down",
                "return_step_down",
                "break_glass",
            },
        ),
        ("information_governance", set()),
    ],
)
def test_a_role_may_do_what_it_is_there_for_and_no_more(role: str, commands: set[str]) -> None:
    assert {command for command in STAFF_ACTS if may(role, command)} == commands


def test_every_role_may_do_something_and_every_command_is_somebodys() -> None:
    table = read_permissions()
    assert all(any(may(role, what) for what in (*STAFF_ACTS, *table.actions)) for role in roles())
    assert all(any(may(role, command) for role in roles()) for command in STAFF_ACTS)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('managers = ["duty_manager"', 'managers = ["duty"', "groups.managers: expected a list of duty_manager"),
        ("[roles]", "[extra]\n[roles]", "extra: expected the tables"),
        ('own = ["referrer"]', 'owned = ["referrer"]', "reach.owned: unknown reach: expected one of hub, involved, own"),
        ('read_board = ["hub"', 'read_board = ["hubs"', "actions.read_board: expected a list of managers"),
    ],
)
def test_a_wrong_table_is_refused_with_file_and_line(tmp_path: Path, old: str, new: str, expected: str) -> None:
    path = changed(tmp_path, SHIPPED, old, new)
    with pytest.raises(PermissionsError) as refused:
        read_permissions(path)
    assert f"permissions.toml:{line_of(path, new)}: {expected}" in str(refused.value)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("[add_note]", "[add_notes]", "add_notes: unknown command: expected one of confirm_not_ours"),
        ("[ask_agencies]", "[add_note.ask_agencies]", "[ask_agencies] is missing: expected button, done, help, roles"),
        ('roles = ["managers", "administrator"]', 'roles = ["leaders"]', "adopt_profile.roles: expected a list of managers"),
        ('asks.place = "Area"', "", "assign_place: asks.place is missing: expected what the form asks for it"),
        ('asks.place = "Area"', 'asks.place = "Area"\nasks.where = "Where?"', "assign_place.asks.where: no such field"),
        ('button = "Add a note"', 'knob = "Add a note"', "add_note.button: Field required"),
    ],
)
def test_a_command_without_its_words_or_rights_is_refused_with_file_and_line(
    tmp_path: Path, old: str, new: str, expected: str
) -> None:
    path = changed(tmp_path, COMMANDS, old, new)
    with pytest.raises(PermissionsError) as refused:
        read_permissions(of_commands=path)
    assert expected in str(refused.value) and "commands.toml:" in str(refused.value)


def changed(folder: Path, shipped: Path, old: str, new: str) -> Path:
    """A copy of a file of the configuration with something changed."""
    text = shipped.read_text(encoding="utf-8")
    assert old in text
    path = folder / shipped.name
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


def line_of(path: Path, words: str) -> int:
    return next(n for n, text in enumerate(path.read_text().splitlines(), 1) if words.split("\n")[0] in text)
