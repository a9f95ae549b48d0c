"""Who is told of an event is said once, and what nobody could mean is refused when the pipeline starts."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mash.notifications import notices
from mash.notifications.notices import NoticeDraft
from mash.notifications.notices.occasion import Occasion, on, on_entering
from mash.notifications.wording import KINDS
from mash.states.acts.checks import ChecksRequested
from mash.states.course import StageEntered


def nobody(event: Any, occasion: Occasion) -> Iterator[NoticeDraft]:
    """Says that nobody is told."""
    yield from ()


def test_a_second_saying_of_who_is_told_of_the_same_event_is_refused_and_names_both() -> None:
    with pytest.raises(TypeError, match=r"ChecksRequested has its notices in mash\.notifications\.notices\.checks already"):
        on(ChecksRequested)(nobody)
    with pytest.raises(TypeError, match=r"triage has its notices in mash\.notifications\.notices\.contact already"):
        on_entering("triage")(nobody)


def test_a_stage_that_there_is_not_and_the_beginning_of_any_stage_are_refused() -> None:
    with pytest.raises(TypeError, match="there is no such stage: traige"):
        on_entering("traige")
    with pytest.raises(TypeError, match="use on_entering"):
        on(StageEntered)


def test_every_notice_that_a_theme_writes_has_its_words() -> None:
    owed = []
    for path in sorted(Path(notices.__path__[0]).glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") in ("notice", "about") and node.args:
                kinds = [word.value for word in ast.walk(node.args[0]) if isinstance(word, ast.Constant)]
                owed += [f"{path.name}:{node.lineno}: notifications/templates/{kind}.j2" for kind in kinds if kind not in KINDS]
    assert owed == [], "expected a template for each"
