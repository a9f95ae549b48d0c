"""Attacks on what is stored beside the logs, by whoever can write it: it is put back as the log says, or seen by who verifies."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from pyrage import x25519

from mash.api.client import ORDINARY, person
from mash.api.proof import prove
from mash.api.self_test.attack import GotIn, attack, hold, until
from mash.api.self_test.scene import Scene
from mash.flows.installation.backup import DUMP, check_backup
from mash.flows.installation.copies import BackupFailed
from mash.flows.installation.envelope import encrypt
from mash.flows.installation.signature import Signer
from mash.flows.store.checkpoints import Signed, make_checkpoint, signing_key
from mash.flows.store.elsewhere import write_checkpoint
from mash.flows.store.erasure import erase, rewrite_keys
from mash.flows.store.log import read_log
from mash.flows.store.mending import Mender
from mash.flows.store.store import Store
from mash.states.acts.closing import ErasePeople
from mash.states.log import Recorded

TRIES = 8


def _put_back(scene: Scene, reference: str, change: str, is_back: Callable[[], bool]) -> str:
    """Somebody changes an urgent case; the worker puts it back by itself, and writes down what stood there. Again where the case
    went on in that moment, which writes its row anew."""
    for _ in range(TRIES):
        scene.on.sql(change, reference)
        until(is_back)
        if repaired := _repaired(scene, reference):
            return repaired
    raise GotIn("it is as it was, and nothing says what stood there")


def _repaired(scene: Scene, reference: str) -> str:
    """What was last put back of a case; empty where nothing was."""
    rows = scene.on.sql("SELECT what FROM repair WHERE reference = %s AND was IS NOT NULL ORDER BY id DESC LIMIT 1", reference)
    return str(rows[0][0])[:140] if rows else ""


def _of(scene: Scene, reference: str, column: str) -> Any:
    ((value,),) = scene.on.sql(f"SELECT {column} FROM referral WHERE reference = %s", reference)  # noqa: S608  columns of ours
    return value


def _red(scene: Scene) -> str:
    reference = scene.on.referral()
    scene.on.rate(reference)
    return reference


def _sees(scene: Scene, sentence: str, against: Path | None = None) -> str:
    """What `mash log verify` says of it. Raises GotIn where it says nothing."""
    wrong = scene.on.stored(lambda store: prove(store, scene.on.settings, against, None)).wrong
    for each in wrong:
        if sentence in each:
            return each
    raise GotIn(f"not seen; verified as {wrong or 'good'}")


def _sign(scene: Scene) -> Signed:
    return scene.on.stored(lambda store: make_checkpoint(store, signing_key(scene.on.settings)))


@attack("move a red case's clocks to 2030")
def clocks_moved(scene: Scene) -> str:
    reference = _red(scene)
    change = "UPDATE referral SET next_at = '2030-01-01', due_at = '2030-01-01' WHERE reference = %s"
    return _put_back(scene, reference, change, lambda: _of(scene, reference, "next_at").year < 2030)


@attack("say on the board that a red case is green and over")
def hidden(scene: Scene) -> str:
    reference = _red(scene)
    change = "UPDATE referral SET rating = 'green', is_open = false, finished = true, next_at = NULL WHERE reference = %s"
    return _put_back(scene, reference, change, lambda: _of(scene, reference, "rating") == "red")


@attack("take a red case's row away")
def row_removed(scene: Scene) -> str:
    reference = _red(scene)
    count = "SELECT count(*) FROM referral WHERE reference = %s"
    return _put_back(
        scene, reference, "DELETE FROM referral WHERE reference = %s", lambda: scene.on.sql(count, reference) == [(1,)]
    )


@attack("let another agency take part in a case")
def part_taken(scene: Scene) -> str:
    reference = _red(scene)
    change = "INSERT INTO participant (reference, party, hub) VALUES (%s, 'housing_of_somebody', 'sandwell')"
    there = "SELECT count(*) FROM participant WHERE reference = %s AND party = 'housing_of_somebody'"
    return _put_back(scene, reference, change, lambda: scene.on.sql(there, reference) == [(0,)])


@attack("mark what the police hold as released")
def released(scene: Scene) -> str:
    change = "UPDATE personal_item SET release_state = 'released' WHERE reference = %s AND kind = 'answer_check'"
    there = "SELECT count(*) FROM personal_item WHERE reference = %s AND kind = 'answer_check' AND release_state = 'released'"
    return _put_back(scene, scene.case, change, lambda: scene.on.sql(there, scene.case) == [(0,)])


@attack("change a hub's rules under their digest")
def rules_changed(scene: Scene) -> str:
    change = "UPDATE profile_version SET document = replace(document, '4 h', '4000 h') || ' ' WHERE hub = 'sandwell'"
    scene.on.sql(change)
    until(lambda: scene.on.sql("SELECT count(*) FROM profile_version WHERE document LIKE '%% '") == [(0,)])
    rows = scene.on.sql("SELECT what FROM repair WHERE what LIKE 'profile_version%%' ORDER BY id DESC LIMIT 1")
    hold(bool(rows), "nothing says so")
    return str(rows[0][0])


@attack("change a quiet case's clocks, which only the night looks at")
def quiet_clocks_moved(scene: Scene) -> str:
    reference = scene.submit_there(ORDINARY)

    async def at_night(store: Store) -> None:
        await Mender(store).look_at_all()

    for _ in range(TRIES):
        scene.on.sql("UPDATE referral SET next_at = '2030-01-01', rating = 'no_such' WHERE reference = %s", reference)
        scene.on.stored(at_night)
        if repaired := _repaired(scene, reference):
            return repaired
    raise GotIn("nobody saw it")


@attack("take back that a referral was refused")
def refusal_removed(scene: Scene) -> str:
    scene.on.submit({"subjects": "nonsense"})
    _sign(scene)
    scene.on.sql("DELETE FROM receipt WHERE id = (SELECT max(id) FROM receipt WHERE status >= 400)")
    return _sees(scene, "of receipt are not as they were signed")


@attack("change whom a notice went to")
def notice_changed(scene: Scene) -> str:
    _sign(scene)
    scene.on.sql("UPDATE notice SET role = 'nobody' WHERE id = (SELECT min(id) FROM notice)")
    return _sees(scene, "of notice are not as they were signed")


@attack("plant a session that is dated back")
def session_planted(scene: Scene) -> str:
    scene.on.staff("duty_manager")
    _sign(scene)
    scene.on.sql(
        "INSERT INTO session (hash, person, role, agency, hub, positions, how, started_at, seen_at, idle_seconds, ends_at)"
        " SELECT repeat('0', 64), 'p.lanted', role, agency, hub, positions, how, started_at - interval '1 hour', seen_at,"
        " idle_seconds, ends_at FROM session WHERE ended_at IS NULL AND ends_at > now() ORDER BY started_at DESC LIMIT 1"
    )
    try:
        return _sees(scene, "session 00000000000000000000: it is in force, and was not")
    finally:
        scene.on.sql("DELETE FROM session WHERE hash = repeat('0', 64)")


@attack("write an event now that is dated before the last checkpoint")
def event_dated_back(scene: Scene) -> str:
    reference = scene.submit_there(ORDINARY)
    _sign(scene)
    # In a place that nobody takes meanwhile: what the worker finds of the case is an event of it, too.
    last = scene.on.stored(lambda store: read_log(store, reference))[-1]
    forged = last.model_copy(
        update={
            "sequence": last.sequence + 100,
            "previous": Recorded.digest(last.canonical()),
            "at": last.at - timedelta(days=30),
        }
    )
    scene.on.sql(
        "INSERT INTO event VALUES (%s, %s, %s, %s, %s, %s, 'merton')",
        reference, forged.sequence, forged.event.kind, forged.at, forged.canonical(), Recorded.digest(forged.canonical()),
    )  # fmt: skip
    try:
        return _sees(scene, f"{reference}: event {forged.sequence} says")
    finally:
        scene.on.sql("DELETE FROM event WHERE reference = %s AND sequence = %s", reference, forged.sequence)


@attack("roll back to an older checkpoint")
def rolled_back(scene: Scene) -> str:
    signed = _sign(scene)
    with tempfile.TemporaryDirectory() as folder:
        for document, signature in scene.on.sql("SELECT document, signature FROM checkpoint ORDER BY number"):
            write_checkpoint(Path(folder), Signed(document, signature))
        scene.on.sql("DELETE FROM checkpoint WHERE number = %s", signed.contents["number"])
        return _sees(scene, "was rolled back to an older state", Path(folder))


@attack("forge a backup with the public recipient alone")
def backup_forged(scene: Scene) -> str:
    identity = x25519.Identity.generate()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mash-forged.dump.age"
        with path.open("wb") as file:
            encrypt(io.BytesIO(DUMP + b"a history of their own" * 1000), file, [identity.to_public()])
        try:
            check_backup(scene.on.settings, path, [identity], Signer(signing_key(scene.on.settings).public_key()))
        except BackupFailed as refused:
            hold("nobody signed it" in str(refused), str(refused))
            return "nobody signed it; nothing was restored"
    raise GotIn("taken for a backup")


@attack("find an erased person's key in the database's files")
def key_in_files(scene: Scene) -> str:
    reference = scene.concluded_there()
    ((key, path),) = scene.on.sql(
        "SELECT wrapped, pg_relation_filepath('referral_key') FROM referral_key WHERE reference = %s", reference
    )

    async def erase_it(store: Store) -> list[str]:
        await erase(store, reference, ErasePeople(why="right_to_erasure"), person("information_governance", hub="merton"))
        return (await rewrite_keys(store)).sentences

    sentences = scene.on.stored(erase_it)
    with scene.on.connection("postgres") as superuser:
        superuser.execute("CHECKPOINT")
    assert scene.on.stack.cluster
    data = scene.on.stack.cluster.data
    ((now,),) = scene.on.sql("SELECT pg_relation_filepath('referral_key')")
    hold(now != path and bytes(key) not in (data / now).read_bytes(), "it is in the table's file")
    hold(not (data / path).exists() or bytes(key) not in (data / path).read_bytes(), "it is in the file of before")
    return sentences[1]
