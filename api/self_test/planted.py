"""Attacks by whoever owns the database, and writes into it what lets somebody in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from mash.api.client import person
from mash.api.self_test.attack import allowed, attack, hold, refused
from mash.api.self_test.scene import Scene
from mash.flows.store.api_keys import NewKey, make_api_key
from mash.flows.store.sessions import begin_session, end_sessions, hash_of

MADE_UP = "mash-session-made-up"
COLUMNS = "person, role, agency, hub, positions, how, started_at, seen_at, idle_seconds, ends_at"


def _bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


@contextmanager
def _administrators_are_told(scene: Scene) -> Iterator[None]:
    """What happens here is told to the administrators: a row of the outbox, which is taken out for the next one."""
    scene.on.sql("DELETE FROM notice WHERE facts LIKE '%%written into the database%%'")
    yield
    found = scene.on.sql("SELECT id FROM notice WHERE facts LIKE '%%written into the database%%' AND role = 'administrator'")
    hold(bool(found), "nobody was told")


@attack("write a session into the database, with the seal of another")
def session(scene: Scene) -> str:
    theirs = scene.on.stored(lambda store: begin_session(store, [person("duty_manager")], "local"))
    allowed(scene.on.http.get("/cases", headers=_bearer(theirs)))
    copy = f"INSERT INTO session (hash, {COLUMNS}, seal) SELECT %s, {COLUMNS}, seal FROM session WHERE hash = %s"  # noqa: S608  constants of ours
    scene.on.sql(copy, hash_of(MADE_UP), hash_of(theirs))
    with _administrators_are_told(scene):
        return refused(scene.on.http.get("/cases", headers=_bearer(MADE_UP)), 401)


@attack("change in the database who a session is of, or that it was ended")
def changed_session(scene: Scene) -> str:
    theirs = scene.on.stored(lambda store: begin_session(store, [person("agency", "police")], "local"))
    allowed(scene.on.http.get("/cases", headers=_bearer(theirs)))
    scene.on.sql("UPDATE session SET role = 'duty_manager', agency = 'social_care' WHERE hash = %s", hash_of(theirs))
    refused(scene.on.http.get("/cases", headers=_bearer(theirs)), 401)
    ended = scene.on.stored(lambda store: begin_session(store, [person("social_worker")], "local"))
    scene.on.stored(lambda store: end_sessions(store, hash_=hash_of(ended)))
    scene.on.sql("UPDATE session SET ended_at = NULL WHERE hash = %s", hash_of(ended))
    return refused(scene.on.http.get("/cases", headers=_bearer(ended)), 401)


@attack("change in the database whose an API key is")
def api_key(scene: Scene) -> str:
    key = scene.on.stored(lambda store: make_api_key(store, NewKey("another-school", "sandwell", "education")))
    status = f"/referrals/{scene.case}"
    refused(scene.on.http.get(status, headers=_bearer(key)), 404)
    scene.on.sql("UPDATE api_key SET caller = 'school' WHERE id = %s", key.split("_")[1])
    with _administrators_are_told(scene):
        return refused(scene.on.http.get(status, headers=_bearer(key)), 401)


@attack("write a part in a case into the database")
def part(scene: Scene) -> str:
    join = "INSERT INTO participant (reference, party, hub, person, seal) SELECT reference, 'coastguard', hub, person, seal"
    scene.on.sql(f"{join} FROM participant WHERE reference = %s AND party = 'police'", scene.case)
    try:
        with _administrators_are_told(scene):
            theirs = scene.on.headers_of(person("agency", "coastguard"))
            hold(scene.case not in scene.on.http.get("/cases", headers=theirs).text, "their board shows it")
            return refused(scene.on.http.get(f"/cases/{scene.case}", headers=theirs), 404)
    finally:
        scene.on.sql("DELETE FROM participant WHERE party = 'coastguard' AND reference = %s", scene.case)
