"""Attacks by whoever owns the database, or has its files, on what was recorded. They can: it must be found, and say nothing."""

from __future__ import annotations

import base64
import os
from pathlib import Path
from typing import Any

import httpx
import psycopg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import SecretStr

from mash.api.client import CANARY, person
from mash.api.proof import prove
from mash.api.self_test.attack import GotIn, attack, hold, refused
from mash.api.self_test.scene import POLICE_ANSWER, Scene
from mash.config.errors import SettingsError
from mash.flows.store.checkpoints import make_checkpoint, public_key, signing_key
from mash.flows.store.erasure import erase
from mash.flows.store.log import fold, read_log
from mash.flows.store.store import Store, open_store
from mash.states.acts.closing import ErasePeople
from mash.states.log import GENESIS, Recorded


def _found(scene: Scene, by: str | None = None) -> list[str]:
    """What `mash log verify` says."""
    return scene.on.stored(lambda store: prove(store, scene.on.settings, None, by)).wrong


def _names(scene: Scene, sentence: str) -> str:
    """The sentence of `mash log verify` that holds this. Raises GotIn where there is none."""
    sentences = _found(scene)
    for each in sentences:
        if sentence in each:
            return each
    raise GotIn(f"not found; verified as {sentences or 'good'}")


def _signed(scene: Scene) -> str:
    """A case that a checkpoint was signed of."""
    reference = scene.on.referral()
    scene.on.give(reference, "rate_referral", rating="green")
    scene.on.stored(lambda store: make_checkpoint(store, signing_key(scene.on.settings)))
    return reference


def _as_owner(scene: Scene, reference: str, *statements: str) -> None:
    """What the database's owner does to a case, all at once; again where the case itself went on in that moment."""
    for last in (False, False, False, False, True):
        try:
            with scene.on.connection("mash_owner") as connection, connection.transaction():
                for statement in statements:
                    connection.execute(statement.encode(), (reference,))
            return
        except (psycopg.errors.IntegrityError, psycopg.errors.DeadlockDetected):
            if last:
                raise


@attack("change an event, as the database's owner")
def event_changed(scene: Scene) -> str:
    reference = _signed(scene)
    scene.on.sql("UPDATE event SET canonical = replace(canonical, 'green', 'blue') WHERE reference = %s", reference)
    return _names(scene, f"{reference}: event")


@attack("remove an event, as the database's owner")
def event_removed(scene: Scene) -> str:
    reference = _signed(scene)
    scene.on.sql("DELETE FROM event WHERE reference = %s AND sequence = 2", reference)
    return _names(scene, f"{reference}: event 2")


@attack("insert an event, as the database's owner")
def event_inserted(scene: Scene) -> str:
    reference = _signed(scene)
    _as_owner(
        scene,
        reference,
        "INSERT INTO event SELECT reference, sequence + 1, kind, at, canonical, hash, hub FROM event"
        " WHERE reference = %s ORDER BY sequence DESC LIMIT 1",
    )
    return _names(scene, f"{reference}: event")


@attack("write a whole history anew, every hash with it")
def rewritten(scene: Scene) -> str:
    reference = _signed(scene)
    log = scene.on.stored(lambda store: read_log(store, reference))
    head, anew = GENESIS, []
    for recorded in log:
        by = person("administrator") if recorded.event.kind == "referral_rated" else recorded.by
        anew.append(recorded.model_copy(update={"previous": head, "by": by}))
        head = Recorded.digest(anew[-1].canonical())
        scene.on.sql(
            "UPDATE event SET canonical = %s, hash = %s WHERE reference = %s AND sequence = %s",
            anew[-1].canonical(), head, reference, recorded.sequence,
        )  # fmt: skip
    state = fold(anew).model_dump_json()
    scene.on.sql("UPDATE referral SET head_hash = %s, state = %s WHERE reference = %s", head, state, reference)
    return _names(scene, f"{reference}: event")


@attack("remove a referral with everything of it")
def referral_removed(scene: Scene) -> str:
    reference = _signed(scene)
    children = ("known_person", "notice", "participant", "personal_item", "event", "access", "referral_key")
    _as_owner(scene, reference, *(f"DELETE FROM {table} WHERE reference = %s" for table in (*children, "referral")))  # noqa: S608  of the line above
    return _names(scene, reference)


@attack("remove who looked, as the database's owner")
def accesses_removed(scene: Scene) -> str:
    scene.on.stored(lambda store: make_checkpoint(store, signing_key(scene.on.settings)))
    scene.on.sql("DELETE FROM access WHERE id = (SELECT min(id) FROM access)")
    return _names(scene, "accesses 1 to")


@attack("sign checkpoints with a key of one's own")
def checkpoints_forged(scene: Scene) -> str:
    ours = public_key(signing_key(scene.on.settings))
    scene.on.stored(lambda store: make_checkpoint(store, Ed25519PrivateKey.generate()))
    found = [sentence for sentence in _found(scene, ours) if "signature does not hold" in sentence]
    hold(bool(found), "taken for ours")
    scene.on.sql("DELETE FROM checkpoint WHERE number = (SELECT max(number) FROM checkpoint)")
    return found[-1]


@attack("put one case's sealed words into another")
def words_moved(scene: Scene) -> str:
    one, other = scene.on.referral(), scene.on.referral(concern={"summary": "Another child."})
    scene.on.sql(
        "UPDATE personal_item i SET sealed = j.sealed FROM personal_item j"
        " WHERE i.reference = %s AND j.reference = %s AND i.kind = 'concern' AND j.kind = 'concern'",
        one, other,
    )  # fmt: skip
    answer = scene.on.http.get(f"/cases/{one}", headers=scene.on.staff("duty_manager"))
    hold("Another child." not in answer.text, "they are read there")
    return _names(scene, one)


@attack("read an erased child's name with the master key in hand")
def erased(scene: Scene) -> str:
    reference = scene.concluded_there()
    reader, by = scene.on.staff("duty_manager", hub="merton"), person("information_governance", hub="merton")
    hold("Whimberry" in scene.on.http.get(f"/cases/{reference}", headers=reader).text, "the name was never there")

    async def erase_it(store: Store) -> None:
        await erase(store, reference, ErasePeople(why="right_to_erasure"), by)

    scene.on.stored(erase_it)
    hold("Whimberry" not in scene.on.http.get(f"/cases/{reference}", headers=reader).text, "it is still there")
    hold(not [sentence for sentence in _found(scene) if reference in sentence], "and the chain does not verify any more")
    return "gone; its chain verifies"


@attack("open the database with another master key")
def another_master(scene: Scene) -> str:
    other = SecretStr(base64.b64encode(os.urandom(32)).decode())
    settings = scene.on.settings.model_copy(update={"master_key": other, "master_key_file": None})

    async def run(_: Any) -> str:
        try:
            await (await open_store(settings, pool_size=1)).close()
        except SettingsError as wrong:
            return str(wrong)
        raise GotIn("opened")

    return scene.on.stored(run)


@attack("find a name in the database's tables")
def names_at_rest(scene: Scene) -> str:
    tables = scene.on.sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    with scene.on.connection("postgres") as connection:
        for (table,) in tables:
            with connection.cursor() as cursor, cursor.copy(f"COPY {table} TO STDOUT") as rows:
                text = b"".join(bytes(row) for row in rows)
            for part in (*CANARY.split(), POLICE_ANSWER):
                hold(part.encode() not in text and part.encode().hex().encode() not in text, f"{part} is in {table}")
    return f"in none of {len(tables)} tables"


@attack("find a name in logs, in Prefect, or in alerts")
def names_elsewhere(scene: Scene) -> str:
    parts = [*CANARY.split(), POLICE_ANSWER]
    logs = {str(path.name): path.read_text(errors="replace") for path in Path(scene.on.stack.logs).iterdir()}
    mails = {"a mail": "\n".join(f"{mail.to} {mail.subject} {mail.text}" for mail in list(scene.mailbox.messages))}
    prefect = {"Prefect": _prefect(scene)}
    for where, text in {**logs, **mails, **prefect}.items():
        hold(not any(part in text for part in parts), f"in {where}")
    hold(bool(mails["a mail"]) and scene.case in prefect["Prefect"], "nothing was looked at")
    return f"in none of {len(logs)} logs, {len(scene.mailbox.messages)} mails, nor in Prefect's tables"


def _prefect(scene: Scene) -> str:
    """All that Prefect's own database holds."""
    assert scene.on.stack.cluster
    with psycopg.connect(host=str(scene.on.stack.cluster.socket), user="postgres", dbname="prefect") as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        found = []
        for (table,) in tables:
            with connection.cursor() as cursor, cursor.copy(f'COPY "{table}" TO STDOUT') as rows:
                found += [bytes(row) for row in rows]
    return b"".join(found).decode(errors="replace")


@attack("use Prefect's server without its login")
def prefects_login(scene: Scene) -> str:
    answer = httpx.post(f"{scene.on.settings.prefect_api_url}/flow_runs/filter", json={}, timeout=60)
    return refused(answer, 401)
