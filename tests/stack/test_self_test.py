"""The attacks of `mash audit self-test`: all refused; and where a wall is taken down, the attack on it is seen to succeed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mash.api.self_test import prefect
from mash.api.self_test.attack import Attack
from mash.api.self_test.run import attacks, strike
from mash.api.self_test.scene import Scene, scene


@pytest.fixture(scope="module")
def attacked() -> Iterator[Scene]:
    with scene() as running:
        yield running


@pytest.mark.nightly
def test_every_attack_on_prefect_is_refused(attacked: Scene) -> None:
    # Each waits for the next of its looks.
    results = [strike(each, attacked) for each in vars(prefect).values() if isinstance(each, Attack)]
    assert [f"{result.attack}: {result.how}" for result in results if not result.refused] == []


def test_every_attack_is_refused(attacked: Scene) -> None:
    on_prefect = list(vars(prefect).values())
    results = [strike(each, attacked) for each in attacks() if each not in on_prefect]
    assert len(results) >= 150
    assert [f"{result.attack}: {result.how}" for result in results if not result.refused] == []
    assert all(result.how for result in results)


@pytest.mark.parametrize(
    ("down", "up", "attack"),
    [
        (
            "ALTER TABLE personal_item DISABLE ROW LEVEL SECURITY",
            "ALTER TABLE personal_item ENABLE ROW LEVEL SECURITY",
            "ask the database for what another agency holds",
        ),
        (
            "GRANT DELETE ON event TO mash_app",
            "REVOKE DELETE ON event FROM mash_app",
            "change or delete an event in the database",
        ),
        ("GRANT mash_system TO mash_app", "REVOKE mash_system FROM mash_app", "become the database's owner, or the software"),
        (
            "GRANT SELECT ON session TO mash_app",
            "REVOKE SELECT ON session FROM mash_app",
            "read sessions and API keys, or make one",
        ),
        (
            "GRANT SELECT ON caller_key TO mash_app",
            "REVOKE SELECT ON caller_key FROM mash_app",
            "read what signs who acts, or have something signed",
        ),
        (
            "GRANT TEMPORARY ON DATABASE mash TO mash_app",
            "REVOKE TEMPORARY ON DATABASE mash FROM mash_app",
            "leave in the database what stops backups, or hold up whoever works with it",
        ),
    ],
)
def test_a_wall_that_is_down_is_seen(attacked: Scene, down: str, up: str, attack: str) -> None:
    (struck,) = [each for each in attacks() if each.what == attack]
    with attacked.on.connection("postgres") as superuser:
        superuser.execute(down.encode())
        try:
            assert not strike(struck, attacked).refused
        finally:
            superuser.execute(up.encode())
    assert strike(struck, attacked).refused


def test_an_attack_that_cannot_be_tried_is_not_taken_for_refused(attacked: Scene) -> None:
    def fails(_: Scene) -> str:
        raise KeyError("reference")

    result = strike(Attack("stumble", fails), attacked)
    assert not result.refused and "could not be tried" in result.how
