"""Attacks by what is open to monitors: what it tells, and what it can be filled with."""

from __future__ import annotations

from mash.api.self_test.attack import attack, hold, until
from mash.api.self_test.scene import Scene


@attack("fill /metrics with made-up paths and methods, or read a reference there")
def made_up_labels(scene: Scene) -> str:
    names = [f"made-up-{number}" for number in range(30)]
    for name in names:
        scene.on.http.get(f"/{name}/{scene.case}")
        scene.on.http.request(name.upper(), f"/cases/{name}")
    told = scene.on.http.get("/metrics").text
    hold("made-up" not in told.lower(), "a caller's own words are labels")
    hold(scene.case not in told, "it names a case")
    return "30 paths and methods are counted as one that is none of ours"


@attack("learn from /health where things are, or a secret")
def health_tells(scene: Scene) -> str:
    # Others have used up what is allowed from here within a minute.
    answer = until(lambda: found if (found := scene.on.http.get("/health")).status_code == 200 else None, 90)
    assert answer
    secrets = [scene.on.settings.token_key, scene.on.settings.database_url, scene.on.settings.prefect_auth_string]
    hold(not any(secret and secret.get_secret_value() in answer.text for secret in secrets), "it says a secret")
    hold(scene.case not in answer.text, "it names a case")
    return f"{len(answer.json()['wrong'])} sentences, no secret, no case"
