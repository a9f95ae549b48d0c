"""Adding a stage: a pre-birth panel with two commands needs five files, and each part that is left out is named before anything
runs. docs/build/stages.md tells the steps; here they are taken in a copy of the tree."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
THEME = '''"""The pre-birth panel: an unborn child's plan before it is born."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from mash.states.acts import demands
from mash.states.deciding import Deciding
from mash.states.fold import Changes, changes_nothing
from mash.states.rebuild import says_all
from mash.states.register import act
from mash.states.usual import Give, Step, Wait, usually
from mash.states.values import CommandBase, EventBase, Words

if TYPE_CHECKING:
    from mash.states.world import World


class ReferToPanel(CommandBase):
    """The unborn child's plan is to be made by the panel."""

    kind: Literal["refer_to_example_panel"] = "refer_to_example_panel"


class RecordPanel(CommandBase):
    """The panel met."""

    kind: Literal["record_example_panel"] = "record_example_panel"
    midwife_came: bool


class ReferredToPanel(EventBase):
    kind: Literal["referred_to_example_panel"] = "referred_to_example_panel"
    words: Words | None = Field(alias="said")


class PanelHeld(EventBase):
    kind: Literal["example_panel_held"] = "example_panel_held"
    midwife_came: bool
    words: Words | None = Field(alias="said")


@act(ReferToPanel, stages=("decision",), when=lambda referral: "unborn" in referral.cohorts)
def refer(d: Deciding, cmd: ReferToPanel, words: Words | None) -> None:
    """Only an unborn child's plan is made here."""
    d.record(ReferredToPanel(words=demands.words(words, "referring to the panel")))
    d.go("refer_to_example_panel")


says_all(ReferredToPanel, ReferToPanel)


@act(RecordPanel, stages=("example_panel",))
def record(d: Deciding, cmd: RecordPanel, words: Words | None) -> None:
    """The panel met, and the case is decided."""
    d.record(PanelHeld(midwife_came=cmd.midwife_came, words=words))
    d.go("end_example_panel")


says_all(PanelHeld, RecordPanel)


changes_nothing(ReferredToPanel)
changes_nothing(PanelHeld)


@usually("example_panel")
def _example_panel(world: World, rating: str) -> Iterator[Step]:
    yield Wait(("example_panel",))
    yield Give(RecordPanel(midwife_came=True), "duty_manager", "the panel met")
'''
STAGE = """    Stage(
        "example_panel",
        "Pre-birth panel",
        interrupted=True,
        leads={"end_example_panel": "decision"},
    ),
"""
CLOCK = """
[stages.example_panel]
length = "10 working days"
owner = "duty_manager"
source = "ours: an example"
"""
WORDS = """
[refer_to_example_panel]
button = "Refer to the pre-birth panel"
done = "Referred to the pre-birth panel"
help = "The panel makes the unborn child's plan. Say why."
roles = ["managers"]

[record_example_panel]
button = "Record the panel"
done = "Panel recorded"
help = "Say whether the midwife came."
roles = ["hub"]
asks.midwife_came = "Did the midwife come?"
"""


@dataclass(frozen=True)
class Edit:
    """A part of the new stage: in a file, `new` beside `beside` (or at the end of the file)."""

    file: str
    new: str
    beside: str = ""


PARTS = {
    "the stage": Edit("states/stages.py", STAGE, '    Stage(\n        "decision",'),
    "the move to it": Edit("states/stages.py", '"refer_to_example_panel": "example_panel", ', '"ask_sign_off": "sign_off"'),
    "the theme": Edit("states/acts/example.py", THEME),
    "its import": Edit("states/messages.py", "    example,\n", "    protection,\n"),
    "its commands": Edit(
        "states/messages.py", "    | example.ReferToPanel\n    | example.RecordPanel\n", "    | upkeep.AddNote,\n"
    ),
    "its events": Edit(
        "states/messages.py", "    | example.ReferredToPanel\n    | example.PanelHeld\n", "    | course.ClocksStarted\n"
    ),
    "its words": Edit("config/commands.toml", WORDS),
    "its clock": Edit("config/defaults.toml", CLOCK),
}
LIVES = """
import sys
from datetime import datetime, UTC
from mash.config.commands import COMMANDS
from mash.config.permissions import may
from mash.config.profile import load_profile
from mash.states.acts.contact import ReceiveContact
from mash.states.acts.example import RecordPanel, ReferToPanel
from mash.states.acts.rating import RateReferral
from mash.states.chart import diagram
from mash.states.stages import awaiting
from mash.states.values import Actor, Subject
from mash.states.world import World

unborn = (Subject(id="S1", cohort="unborn"),)
manager = Actor(id="m", role="team_manager", agency="social_care", hub="merton")
rater = Actor(id="d", role="duty_manager", agency="social_care", hub="merton")
case = World(load_profile("merton"), datetime(2026, 6, 2, 9, tzinfo=UTC))
contact = ReceiveContact(contact="referral", source="1A", source_agency="health", subjects=unborn)
case.give(contact, rater, words=case.fresh_words())
case.give(RateReferral(rating="blue"), rater)
case.give(ReferToPanel(), manager, words=case.fresh_words())
(clock,) = (clock for clock in case.referral.running if clock.kind == "example_panel")
print(awaiting(case.stage), "|", clock.why.split(" from")[0], "|", "example_panel" in diagram())
for role in ("team_manager", "agency"):
    print(role, may(role, "refer_to_example_panel"))
print(COMMANDS["record_example_panel"].asks["midwife_came"])
case.give(RecordPanel(midwife_came=True), manager)
print(case.stage)
"""


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what the new stage touches."""
    copy = tmp_path_factory.mktemp("tree") / "mash"
    for part in ("states", "config"):
        shutil.copytree(ROOT / part, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


@pytest.fixture
def panel(tree: Path) -> Iterator[dict[str, Edit]]:
    """The parts of the new stage; the tree is as it was afterwards."""
    files = {edit.file for edit in PARTS.values()}
    before = {file: (tree / file).read_text() if (tree / file).exists() else None for file in files}
    yield dict(PARTS)
    for file, text in before.items():
        if text is None:
            (tree / file).unlink(missing_ok=True)
        else:
            (tree / file).write_text(text)


def build(tree: Path, parts: dict[str, Edit]) -> None:
    for part in parts.values():
        path = tree / part.file
        text = path.read_text() if path.exists() else ""
        assert not part.beside or part.beside in text, f"{part.file} was changed: say here where the example goes now"
        path.write_text(text.replace(part.beside, part.new + part.beside, 1) if part.beside else text + part.new)


def run(tree: Path, code: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-B", "-c", f"import sys; sys.path.insert(0, {str(tree.parent)!r})\n{code}"]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=tree)


STARTS = "import mash.config.profile, mash.config.permissions; mash.config.permissions.read_permissions()"
"""What everything of the product does first."""


def test_a_stage_with_two_commands_needs_five_files_and_lives(tree: Path, panel: dict[str, Edit]) -> None:
    build(tree, panel)
    lived = run(tree, LIVES)
    assert lived.stdout.splitlines() == [
        "Awaiting pre-birth panel | example panel: 10 working days | True",
        "team_manager True",
        "agency False",
        "Did the midwife come?",
        "decision",
    ], lived.stderr
    assert len({edit.file for edit in panel.values()}) <= 6


def without(parts: dict[str, Edit], name: str, *words: str) -> None:
    """Leave words out of a part."""
    text = parts[name].new
    for each in words:
        assert each in text
        text = text.replace(each, "", 1)
    parts[name] = Edit(parts[name].file, text, parts[name].beside)


@pytest.mark.parametrize(
    ("part", "owed"),
    [
        ("the stage", "states/stages.py: expected the stage 'example_panel', which states/acts/example.py:"),
        ("the move to it", "states/stages.py: nothing leads to example_panel: expected a move in `leads` of a stage before it"),
        ("its commands", "states/messages.py: expected a line for ReferToPanel in StaffCommand (states/acts/example.py:"),
        ("its events", "states/messages.py: expected a line for PanelHeld in Event (states/acts/example.py:"),
        ("its words", "config/commands.toml:1: [record_example_panel] is missing: expected button, done, help, roles"),
        ("its clock", "config/defaults.toml: expected [stages.example_panel]: length, owner and source of its clock"),
        ("the theme", "No module named 'mash.states.acts.example'|cannot import name 'example'"),
        ("its import", "states/messages.py"),
    ],
)
def test_a_part_that_is_left_out_is_named(tree: Path, panel: dict[str, Edit], part: str, owed: str) -> None:
    if part == "the stage":
        del panel["the move to it"]  # without its stage the move is named instead, as one to nowhere
    del panel[part]
    build(tree, panel)
    started = run(tree, STARTS)
    assert started.returncode and any(each in started.stderr for each in owed.split("|")), started.stderr


@pytest.mark.parametrize(
    ("part", "words", "owed"),
    [
        ("the stage", 'leads={"end_example_panel": "decision"},', "states/stages.py: example_panel leads nowhere"),
        ("the stage", "interrupted=True,", "example_panel: a strategy discussion may be called there: expected interrupted=True"),
        ("its clock", 'source = "ours: an example"', "stages.example_panel.source: Field required"),
        ("its clock", 'length = "10 working days"', "stages.example_panel.length: Field required"),
        ("the theme", '@act(RecordPanel, stages=("example_panel",))', "expected a function with @act(RecordPanel, ...)"),
        ("the theme", ', stages=("example_panel",)', "expected the stages in which a person may give record_example_panel"),
        ("the theme", "says_all(PanelHeld, RecordPanel)", "expected @rebuilds(RecordPanel, ...), or says_all"),
        ("the theme", "changes_nothing(PanelHeld)", "expected @folds(PanelHeld), or changes_nothing(PanelHeld)"),
        ("the theme", '@usually("example_panel")', "states/acts: expected a function with @usually('example_panel')"),
        ("its words", 'asks.midwife_came = "Did the midwife come?"', "record_example_panel: asks.midwife_came is missing"),
        ("its words", 'button = "Record the panel"', "record_example_panel.button: Field required"),
        ("its words", 'done = "Panel recorded"', "record_example_panel.done: Field required"),
        ("its words", 'help = "Say whether the midwife came."', "record_example_panel.help: Field required"),
        ("its words", 'roles = ["hub"]', "record_example_panel.roles: Field required"),
    ],
)
def test_words_that_are_left_out_are_named(tree: Path, panel: dict[str, Edit], part: str, words: str, owed: str) -> None:
    without(panel, part, words)
    build(tree, panel)
    started = run(tree, STARTS)
    assert started.returncode and owed in started.stderr, started.stderr
