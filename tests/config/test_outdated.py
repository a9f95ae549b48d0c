"""What is said of packages that are behind their newest release."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[2] / ".ci" / "outdated.py"


@pytest.fixture
def outdated(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script as a module."""
    spec = importlib.util.spec_from_file_location("outdated", SCRIPT)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "outdated", module)
    spec.loader.exec_module(module)
    return module


def test_what_we_ask_for_needs_a_reason_and_the_rest_is_held_by_whoever_does_not_take_the_newest(outdated: ModuleType) -> None:
    ours = outdated.Behind("ours", "1", "2", ((outdated.OURS, ">=1", True), ("other", "<2", False)))
    theirs = outdated.Behind("theirs", "1", "2", (("other", "<2", False), ("third", "any", True)))
    nobodys = outdated.Behind("nobodys", "1", "2", (("third", "any", True),))
    lines, missing = outdated.report([ours, theirs, nobodys], {})
    assert missing and lines[0] == "ours 1, newest 2: NO REASON GIVEN; held by: other (<2)"
    assert lines[1] == "theirs 1, newest 2: held by: other (<2)" and "nobody that says so" in lines[2]
    lines, missing = outdated.report([ours, theirs], {"ours": "other breaks", "gone": "it was slow"})
    assert not missing and lines[0] == "ours 1, newest 2: other breaks"
    assert lines[2:] == ["gone: no longer behind, its reason can go"]
    assert outdated.report([], {}) == (["nothing is behind"], False)


def test_who_asks_for_a_package_is_read_from_what_is_installed(outdated: ModuleType) -> None:
    asked = {who: newest for who, _, newest in outdated.asked("prefect", "99")}
    assert asked[outdated.OURS] is False, "the range of ours ends below"
    assert outdated.OURS in {who for who, _, _ in outdated.asked("pytest", "99")}, "what developers need is ours too"
