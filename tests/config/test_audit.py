"""What the audit of packages says where the package index said nothing: that is no pass."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[2] / ".ci" / "audit.py"
KNOWN = {"name": "sound", "version": "1", "vulns": []}
SILENT = {"name": "unheard-of", "skip_reason": "not found"}
WRONG = {"name": "wrong", "version": "1", "vulns": [{"id": "PYSEC-1", "aliases": [], "fix_versions": ["2"]}]}


def audit(monkeypatch: pytest.MonkeyPatch, answer: str, required: str = "") -> int:
    """What the script ends with where its tool prints this."""
    spec = importlib.util.spec_from_file_location("audit", SCRIPT)
    assert spec and spec.loader
    script: ModuleType = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    done = subprocess.CompletedProcess((), 1, answer, "the index cannot be reached")
    monkeypatch.setattr(script.subprocess, "run", lambda *_, **__: done)
    monkeypatch.setenv("MASH_AUDIT_REQUIRED", required)
    return int(script.main())


def told(*packages: object) -> str:
    return json.dumps({"dependencies": packages})


@pytest.mark.parametrize("answer", ["", told(KNOWN, SILENT)], ids=["the index is away", "it does not know a package"])
def test_what_was_not_audited_is_said_and_fails_where_an_audit_was_promised(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], answer: str
) -> None:
    assert audit(monkeypatch, answer) == 0
    assert "NOT AUDITED: requirements.lock" in (said := capsys.readouterr()).err and "This is no pass." in said.err
    assert audit(monkeypatch, answer, required="1") == 1


def test_what_was_audited_passes_and_what_is_vulnerable_does_not_wherever(monkeypatch: pytest.MonkeyPatch) -> None:
    for required in ("", "1"):
        assert audit(monkeypatch, told(KNOWN), required) == 0
        assert audit(monkeypatch, told(KNOWN, WRONG), required) == 1


def test_the_script_is_the_one_that_make_audit_runs() -> None:
    assert str(SCRIPT.relative_to(SCRIPT.parents[1])) in (SCRIPT.parents[1] / "Makefile").read_text() and sys.executable
