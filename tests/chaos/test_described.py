"""The API is what it says it is: no answer that is not documented, and none that is an error of ours."""

from __future__ import annotations

from pathlib import Path

from against import schemathesis
from hub import Installation


def test_what_schemathesis_tries_in_a_while_is_answered_as_documented(installation: Installation, tmp_path: Path) -> None:
    found = schemathesis(
        installation, tmp_path, "--max-time", "20", "--seed", "7", "--max-examples", "15", "--phases", "examples,coverage,fuzzing"
    )
    assert found.returncode == 0, found.stdout[-6000:]
