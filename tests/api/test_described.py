"""The API says of itself what any of its operations may answer."""

from __future__ import annotations

from hub import Hub


def test_every_operation_documents_what_any_of_them_may_answer(hub: Hub) -> None:
    described = hub.http.get("/openapi.json").json()
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            assert {"400", "408", "413", "429", "431", "500"} <= operation["responses"].keys(), (method, path)
            problems = [answer for status, answer in operation["responses"].items() if status[0] == "4"]
            assert all("application/problem+json" in answer["content"] for answer in problems)
