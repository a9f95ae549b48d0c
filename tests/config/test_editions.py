"""Editions of the guidance: data that a hub chooses, each line with its source and how that was read."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from commands import mash_here as mash

from mash.config.commands import COMMANDS
from mash.config.describe import describe, differences
from mash.config.edition import EDITIONS
from mash.config.profile import ProfileError, load_profile, stored_profile
from mash.config.profile_files import SHIPPED, available
from mash.config.quotations import unread
from mash.config.toml_lines import read_document
from mash.config.words import in_words_of, lead_title, sentence, stage_title, worded
from mash.flows.telling.walk import walk_all
from mash.notifications.notices.occasion import subject_of
from mash.notifications.wording import message_for

OLD, NEW = load_profile("merton"), load_profile("merton", None, "2026")


def test_a_hub_that_says_nothing_goes_by_the_edition_of_2023() -> None:
    assert {load_profile(name).edition.name for name in available()} == {"2023"}
    assert (OLD.edition.disclosure, OLD.edition.words) == (None, {})


@pytest.mark.parametrize("name", available())
def test_every_hub_can_go_by_the_edition_of_2026_and_education_is_of_its_quorum(name: str) -> None:
    before, after = load_profile(name), load_profile(name, None, "2026")
    assert set(after.strategy_discussion.quorum) == {*before.strategy_discussion.quorum, *NEW.strategy_discussion.quorum}
    assert "education" in after.strategy_discussion.quorum
    assert set(after.services) == {*before.services, "family_group_decision_making"}
    assert before.digest != after.digest


def test_a_hub_chooses_an_edition_in_its_file_and_a_wrong_one_is_refused_by_line(tmp_path: Path) -> None:
    text = (SHIPPED / "hubs" / "merton.toml").read_text()
    own = tmp_path / "own.toml"
    own.write_text(f'edition = "2026"\nsource.edition = "a letter of the board"\n{text}')
    assert load_profile("own", tmp_path).edition == NEW.edition
    wrong = tmp_path / "wrong.toml"
    wrong.write_text(f'edition = "2024"\nsource.edition = "a letter of the board"\n{text}')
    with pytest.raises(ProfileError, match=r"wrong\.toml:1: edition: expected one of 2023, 2026"):
        load_profile("wrong", tmp_path)


def test_early_help_and_section_17_are_family_help_by_the_edition_of_2026_and_what_they_were_by_the_other() -> None:
    assert (worded("early_help", OLD), worded("early_help", NEW)) == ("early help", "family help")
    assert (worded("section_17", OLD), sentence("section_17", NEW)) == ("section 17", "Family help (section 17)")
    assert stage_title("section_17_assessment", OLD) == "Section 17 assessment"
    assert stage_title("section_17_assessment", NEW) == "Family help assessment (section 17)"
    assert stage_title("triage", NEW) == "Triage"


REPLACED = re.compile(r"early help|step[- ]down|(?<!\()section 17\b", re.IGNORECASE)
"""What the edition of 2026 calls otherwise; 'section 17' stands in its own names, in brackets."""


@pytest.mark.parametrize("name", ["sandwell", "bradford"])
def test_by_the_edition_of_2026_nothing_that_a_walk_or_a_notice_says_is_called_as_it_was_before(name: str) -> None:
    rules = load_profile(name, None, "2026")
    own = {service.title for service in load_profile(name).services.values() if service.title != "Early help"}
    said = [line.what for done in walk_all(rules) for line in done.lines]
    called_before = [line.what for done in walk_all(load_profile(name)) for line in done.lines]
    assert any("family help" in text for text in said) and not any("family help" in text for text in called_before)
    assert [text for text in said if REPLACED.search(text) and not any(title in text for title in own)] == []


@pytest.mark.parametrize("kind", sorted(COMMANDS))
def test_by_the_edition_of_2026_no_button_names_what_is_called_otherwise(kind: str) -> None:
    texts = (COMMANDS[kind].button, COMMANDS[kind].done, COMMANDS[kind].help, *COMMANDS[kind].asks.values())
    assert [text for text in texts if REPLACED.search(in_words_of(text, NEW))] == []
    assert [in_words_of(text, OLD) for text in texts] == list(texts)


def test_a_step_down_is_offered_returned_and_not_accepted_in_the_words_of_the_edition() -> None:
    facts = {"rating": "green", "stage": "Family help, offered", "service": "Family help", "step_down": "family help"}
    now = datetime(2026, 3, 2, 10, tzinfo=UTC)
    changed = {**facts, "changes": [{"what": "offer", "of": "x", "was": "y", "now": None, "title": "family help"}]}
    kinds = {"step_down_offered": facts, "step_down_returned": facts, "step_down_not_accepted": facts, "case_changed": changed}
    titles = [message_for(kind, "R", known, now, "").title for kind, known in kinds.items()]
    assert all("family help" in title for title in titles) and not any(map(REPLACED.search, titles)), titles


def test_what_a_clock_waits_for_is_called_as_the_edition_calls_it() -> None:
    walked = [done.referral.clocks for done in walk_all(load_profile("sandwell", None, "2026"))]
    clock = next(clocks["step_down_offered"] for clocks in walked if "step_down_offered" in clocks)
    assert (subject_of(clock, NEW), subject_of(clock, OLD)) == ("family help, offered", "step down offered")
    assert clock.why.startswith("family help, offered: 5 working days")


def test_the_button_of_an_assessment_says_what_the_edition_calls_it() -> None:
    assert in_words_of("Start a section 17 assessment", NEW) == "Start a family help assessment (section 17)"


def test_whoever_has_a_case_is_called_by_the_edition_and_otherwise_during_section_47() -> None:
    assert (lead_title("section_17_assessment", OLD), lead_title("enquiries", OLD)) == ("lead practitioner", "lead social worker")
    assert lead_title("decision", NEW) == "family help lead practitioner"
    assert lead_title("strategy_discussion", NEW) == "lead child protection practitioner"


@pytest.mark.parametrize("edition", EDITIONS)
def test_every_line_of_an_edition_and_every_limit_says_that_it_was_not_read_in_the_original(edition: str) -> None:
    for setting in describe("merton", edition=edition):
        if setting.name.startswith("edition.") and setting.value != "none":
            assert "[check]" in setting.source, setting.name
        if setting.name.startswith("statutory.") and setting.source.startswith("statutory"):
            assert "read in summary, 29 November 2026" in setting.value and "[check]" in setting.value, setting.name


SOURCED = [
    *(SHIPPED / name for name in ("defaults.toml", "statutory.toml")),
    *sorted((SHIPPED / "editions").glob("*.toml")),
    *sorted((SHIPPED / "hubs").glob("*.toml")),
]


@pytest.mark.parametrize("path", SOURCED, ids=lambda path: path.stem)
def test_whatever_names_a_law_or_guidance_says_when_it_was_read_and_that_it_is_to_be_compared(path: Path) -> None:
    assert [str(problem) for problem in unread(read_document(path))] == []
    said = [line for line in path.read_text().splitlines() if not line.startswith("#")]
    assert [line for line in said if "in the original" in line.replace("not in the original", "")] == []


def test_a_hubs_file_that_names_a_law_and_not_when_it_was_read_is_refused_by_line(tmp_path: Path) -> None:
    text = (SHIPPED / "hubs" / "sandwell.toml").read_text()
    said = 'source.edition = "statutory: Working Together to Safeguard Children 2026{}"'
    for name, read, good in (
        ("neither", "", False),
        ("undated", " [check]", False),
        ("summary", ", read in summary, 3 March 2026 [check]", True),
        ("original", ", read in the original, 3 March 2026", True),
    ):
        (tmp_path / f"{name}.toml").write_text(f'edition = "2026"\n{said.format(read)}\n{text}')
        checked = mash("profile", "check", name, MASH_PROFILES_DIR=str(tmp_path))
        assert (checked.returncode == 0) is good, checked.stderr
        assert good or f"{name}.toml:2: source.edition: expected when the law or guidance was read" in checked.stderr


def test_the_difference_between_two_editions_of_one_hub_is_what_changes_for_it() -> None:
    found = {name: (a and a.value, b and b.value) for name, a, b in differences("merton", "merton@2026")}
    assert found["strategy_discussion.quorum"] == ("social_care, police, health", "social_care, police, health, education")
    assert found["edition.leads.case"] == ("lead practitioner", "family help lead practitioner")
    assert found["edition.disclosure"][0] is None and "1 working day" in str(found["edition.disclosure"][1])
    assert found["services.family_group_decision_making.title"] == (None, "Family group decision-making")
    assert "deciders" not in found and differences("merton@2023", "merton") == []


def test_the_command_line_shows_it_with_every_mark_to_check() -> None:
    shown = mash("profile", "diff", "merton", "merton@2026", COLUMNS="400").stdout
    assert "family help lead practitioner" in shown and "[check]" in shown
    assert mash("profile", "diff", "merton", "merton@2024").returncode != 0


def test_what_a_rating_leads_to_is_explained_shown_and_walked_by_the_edition_that_is_named() -> None:
    explained, shown, walked = (
        mash("profile", *asked, COLUMNS="400") if asked[0] != "walk" else mash(*asked, COLUMNS="400")
        for asked in (("explain", "sandwell@2026", "red"), ("show", "sandwell@2026"), ("walk", "sandwell@2026"))
    )
    assert "Working Together to Safeguard Children 2026" in explained.stdout and "edition.disclosure" in explained.stdout
    assert "family help lead practitioner" in shown.stdout and "now at Family help, preparing" in walked.stdout
    assert "edition.disclosure" not in mash("profile", "explain", "sandwell", "red", COLUMNS="400").stdout
    assert "expected one of 2023, 2026" in mash("profile", "explain", "sandwell@2024", "red").stderr


def test_a_profile_that_was_stored_before_there_were_editions_goes_by_that_of_2023_and_a_later_one_keeps_its_own() -> None:
    document = OLD.model_dump(mode="json")
    del document["edition"]
    assert stored_profile(json.dumps(document)).edition == OLD.edition
    assert stored_profile(NEW.canonical) == NEW
