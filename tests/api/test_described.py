"""The API is what it says it is: no answer that is not documented, and none that is an error of ours."""

from __future__ import annotations

from pathlib import Path

from against import schemathesis
from hub import Hub


def test_what_schemathesis_tries_in_a_while_is_answered_as_documented(hub: Hub, tmp_path: Path) -> None:
    found = schemathesis(
        hub, tmp_path, "--max-time", "20", "--seed", "7", "--max-examples", "15", "--phases", "examples,coverage,fuzzing"
    )
    assert found.returncode == 0, found.stdout[-6000:]


def test_every_operation_documents_what_any_of_them_may_answer(hub: Hub) -> None:
    described = hub.http.get("/openapi.json").json()
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            assert {"400", "408", "413", "429", "431", "500"} <= operation["responses"].keys(), (method, path)
            problems = [answer for status, answer in operation["responses"].items() if status[0] == "4"]
            assert all("application/problem+json" in answer["content"] for answer in problems)
