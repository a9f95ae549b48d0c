"""Stages and the moves between them: what acts ask of the chart, the chart has."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from mash.states import acts
from mash.states.acts.decisions import GRAVEST_FIRST
from mash.states.chart import NoSuchMove, diagram, move
from mash.states.errors import Owed
from mash.states.stages import CLOCKED, CONCLUDED, GROUPS, OPEN, SEEN, STAGES

CODE = Path(acts.__path__[0])
MOVES = {name for place in (*STAGES, *GROUPS) for name in place.leads} | {"call_strategy_discussion", "resume"}


def made() -> dict[str, str]:
    """The moves that the code makes by name, each with a place where it does."""
    found = {f"decide_{outcome}": "states/acts/decisions.py" for outcome in GRAVEST_FIRST if outcome != "section_47"}
    for path in (*CODE.glob("*.py"), CODE.parent / "route.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and node.args:
                called = getattr(node.func, "attr", getattr(node.func, "id", ""))
                argument = {"go": 0, "go_by": 0, "close": 1}.get(called)
                if argument is not None:
                    found |= dict.fromkeys(names_in(node.args[argument]), f"{path.name}:{node.lineno}")
    return found


def names_in(argument: ast.expr) -> list[str]:
    """The moves that an argument may name: one, or the one or the other."""
    if isinstance(argument, ast.IfExp):
        return [*names_in(argument.body), *names_in(argument.orelse)]
    return [argument.value] if isinstance(argument, ast.Constant) else []


def test_every_move_that_an_act_makes_is_one_of_the_stages_and_each_of_theirs_is_made() -> None:
    assert {name: where for name, where in made().items() if name not in MOVES} == {}
    assert MOVES - set(made()) == set()


def test_every_open_stage_is_seen_by_somebody_and_has_a_clock_of_its_own_or_a_statutory_one() -> None:
    assert set(OPEN) == {"contact", *SEEN}
    assert set(SEEN) - set(CLOCKED) == {"section_17_assessment", "transfer_offered"}
    assert not set(CONCLUDED) & set(CLOCKED)


def test_a_move_that_the_chart_does_not_have_is_refused() -> None:
    with pytest.raises(NoSuchMove, match="no move 'accept' from triage"):
        move(("triage",), "accept")


def test_a_discussion_that_ends_without_section_47_leads_back_to_where_it_was_called_and_nowhere_else() -> None:
    for stage in STAGES:
        if stage.interrupted:
            away = move((stage.name,), "call_strategy_discussion")
            assert "strategy_discussion" in away
            assert move(away, "resume", stage.name) == (stage.name,)
            with pytest.raises(NoSuchMove):
                move(away, "resume", "elsewhere")


def test_the_diagram_shows_every_stage() -> None:
    shown = diagram()
    assert all(f'state "{stage.title}" as {stage.name}' in shown for stage in STAGES)


def test_what_is_owed_is_said_a_line_each() -> None:
    assert str(Owed(["a.py: expected this", "b.py: expected that"])).splitlines() == [
        "a.py: expected this",
        "b.py: expected that",
    ]
