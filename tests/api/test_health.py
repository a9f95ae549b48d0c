"""What /health says is what is so: that something can be written, which key is missing, what every night was not done."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from commands import mash_here
from hub import ORDINARY, Hub, eventually, hub_here, metrics, served

from mash.flows.installation.secret_files import new_master, write_secret
from mash.flows.store.reads import health


@pytest.fixture(scope="module")
def own() -> Iterator[Hub]:
    """A hub of its own, whose database may be made to refuse."""
    with hub_here() as running:
        yield running


@pytest.fixture(autouse=True)
def proven_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proof holds for no time: what is asked is what is so now."""
    monkeypatch.setattr(health, "PROVEN_FOR", -1.0)


def told(hub: Hub) -> str:
    """What is wrong, as one text."""
    return " | ".join(hub.http.get("/health").json()["wrong"])


def stored(hub: Hub, statement: str, *values: Any) -> None:
    """Change something as the superuser, whom no policy holds."""
    with hub.connection("postgres") as connection:
        connection.execute(statement.encode(), values)


# --- writing ------------------------------------------------------------------------------------------------------------------


def test_a_database_that_only_reads_is_down_and_whoever_sends_is_asked_to_send_again(own: Hub) -> None:
    anew = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename IN ('mash_app', 'mash_system')"
    with served(own) as hub:
        for role in ("mash_app", "mash_system"):
            stored(own, f"ALTER ROLE {role} SET default_transaction_read_only = on")
        stored(own, anew)
        try:
            found, refused = hub.http.get("/health"), hub.submit(ORDINARY)
            assert (found.status_code, refused.status_code, refused.headers["Retry-After"]) == (503, 503, "10")
            eventually(lambda: "the database is read-only" in told(hub))  # what was ended may be found to be gone first
        finally:
            for role in ("mash_app", "mash_system"):
                stored(own, f"ALTER ROLE {role} RESET default_transaction_read_only")
            stored(own, anew)
        eventually(lambda: hub.submit(ORDINARY).status_code == 201)


def test_what_cannot_be_written_is_said_by_health_and_not_first_by_whoever_sends(own: Hub) -> None:
    with served(own) as hub:
        assert hub.http.get("/health").json()["ready"] is True, told(hub)
        stored(own, "REVOKE INSERT ON write_proof FROM mash_system")
        try:
            answer = hub.http.get("/health")
            assert (answer.status_code, answer.json()["status"], answer.json()["ready"]) == (503, "down", False)
            assert "run `mash db upgrade`" in answer.json()["wrong"][0] and answer.headers["Retry-After"] == "10"
        finally:
            stored(own, "GRANT INSERT ON write_proof TO mash_system")
        assert hub.http.get("/health").json()["ready"] is True


def test_the_proof_leaves_nothing_behind(own: Hub) -> None:
    for _ in range(3):
        assert own.http.get("/health").status_code == 200
    assert own.sql("SELECT count(*) FROM write_proof") == [(0,)]


def test_with_the_database_away_everything_is_503_with_when_to_try_again(own: Hub) -> None:
    with served(own) as hub:
        headers = hub.staff("duty_manager")
        own.stack.kill("postgres")
        try:
            answers = [
                hub.submit(ORDINARY),
                hub.submit({"concern": 7}),
                hub.http.get("/cases", headers=headers),
                hub.http.get("/board", headers=headers),
                hub.http.get("/metrics"),
                hub.http.get("/health"),
            ]
        finally:
            own.stack.start("postgres")
        assert [(answer.status_code, answer.headers.get("Retry-After")) for answer in answers] == [(503, "10")] * len(answers)
        assert answers[0].json()["type"] == "urn:mash:Unavailable" and "MASH_" not in answers[0].text
        assert "cannot be reached" in answers[-1].json()["wrong"][0]
        eventually(lambda: hub.submit(ORDINARY).status_code == 201)


# --- keys ---------------------------------------------------------------------------------------------------------------------


def test_what_another_master_key_wrapped_is_503_and_never_said_to_be_erased(own: Hub, tmp_path: Path) -> None:
    """Two machines are two copies of the file: one of them was forgotten when the key was rotated."""
    assert own.settings.master_key_file
    old, new = tmp_path / "old", tmp_path / "new"
    before = own.settings.master_key_file.read_text()
    write_secret(old, before)
    write_secret(new, f"{new_master()}\n{before}")
    with served(own, master_key_file=old) as behind, served(own, master_key_file=new) as ahead:
        ahead.stack, behind.stack = own.stack, own.stack
        reference = ahead.referral()
        headers = own.staff("duty_manager")
        assert ahead.http.get(f"/cases/{reference}", headers=headers).status_code == 200
        read = behind.http.get(f"/cases/{reference}", headers=headers)
        assert (read.status_code, read.json()["title"]) == (503, "No key opens it here")
        assert "erased" not in read.text and read.headers["Retry-After"] == "60"
        page = behind.http.get(f"/case/{reference}", headers=headers)
        assert page.status_code == 503 and "erased" not in page.text
        found = behind.http.get("/health").json()
        assert found["ready"] is True and any("referrals that cannot be read here: 1." in each for each in found["wrong"])
        write_secret(old, new.read_text())
        eventually(lambda: "cannot be read here" not in told(behind))
        assert behind.http.get(f"/cases/{reference}", headers=headers).status_code == 200
    write_secret(own.settings.master_key_file, new.read_text())


def test_a_master_keys_file_that_is_gone_is_said_before_the_part_is_started_again(own: Hub, tmp_path: Path) -> None:
    assert own.settings.master_key_file
    copy = tmp_path / "master"
    write_secret(copy, own.settings.master_key_file.read_text())
    with served(own, master_key_file=copy) as hub:
        copy.unlink()
        assert "the file of the master key cannot be read" in told(hub) and str(copy) not in told(hub)
        assert hub.submit(ORDINARY).status_code == 201


# --- the night, the backup, hubs ------------------------------------------------------------------------------------------------


def test_a_step_of_the_night_that_was_not_done_is_said_with_its_age(own: Hub) -> None:
    stored(own, "UPDATE night SET done_at = now(), failed_at = NULL")
    assert "night" not in told(own) and "backup" not in told(own)
    stored(own, "UPDATE night SET done_at = now() - interval '50 hours' WHERE step = 'checkpoint'")
    assert "the night's checkpoint was last done 50 hours ago" in told(own)
    stored(own, "UPDATE night SET done_at = NULL, since = now() - interval '30 hours' WHERE step = 'retention'")
    assert "the night's retention has not been done for 30 hours" in told(own)
    stored(own, "UPDATE night SET failed_at = now(), why = 'OSError' WHERE step = 'conservation'")
    assert "the night's conservation failed last time (OSError) and was last done 0 hours ago" in told(own)
    ages = own.http.get("/health").json()["ages"]
    assert ages["retention"] is None and 50 * 3600 <= ages["checkpoint"] < 51 * 3600
    stored(own, "UPDATE night SET done_at = now(), failed_at = NULL")


def test_an_old_backup_is_said_unless_backups_are_made_in_another_way(own: Hub) -> None:
    stored(own, "UPDATE night SET done_at = now() - interval '100 hours' WHERE step = 'backup'")
    try:
        assert "the backup was last done 4 days ago: run `mash backup`" in told(own)
        with served(own, backup_hours=0) as elsewhere:
            assert "backup" not in told(elsewhere)
    finally:
        stored(own, "UPDATE night SET done_at = now() WHERE step = 'backup'")


def test_a_hub_that_is_left_out_with_open_cases_is_said_and_nobody_acts_there(own: Hub) -> None:
    reference, headers = own.referral(), own.staff("duty_manager")
    with served(own, hubs="merton") as hub:
        assert "the hub sandwell is not served, and has " in told(hub) and "put it into MASH_HUBS" in told(hub)
        command = {"seen": 1, "command": {"kind": "record_information_sharing", "basis": "consent"}}
        for refused in (
            hub.http.post(f"/cases/{reference}/commands", json=command, headers={**headers, "Idempotency-Key": "left-out"}),
            hub.http.get(f"/cases/{reference}", headers=headers),
            hub.http.get("/cases", headers=headers),
            hub.submit(ORDINARY),
        ):
            assert refused.status_code in (400, 404), refused.text
        read = hub.http.get(f"/cases/{reference}", headers=headers)
        assert "does not serve a hub 'sandwell'" in read.json()["detail"] and "MASH_HUBS" in read.json()["detail"]
    assert "is not served" not in told(own)


# --- tables -------------------------------------------------------------------------------------------------------------------


def test_tables_of_a_newer_release_are_said(own: Hub) -> None:
    (revision,) = own.sql("SELECT version_num FROM alembic_version")[0]
    stored(own, "UPDATE alembic_version SET version_num = '9999'")
    try:
        assert "the tables are of a newer release (9999): upgrade this part" in told(own)
    finally:
        stored(own, "UPDATE alembic_version SET version_num = %s", revision)


@pytest.mark.nightly
def test_a_wrong_login_of_the_database_or_tables_that_are_missing_end_with_what_to_do(own: Hub) -> None:
    from commands import mash

    there = {f"MASH_{name.upper()}": getattr(own.settings, name).get_secret_value() for name in ("database_url", "token_key")}
    keys = {"MASH_MASTER_KEY_FILE": str(own.settings.master_key_file), "MASH_HUBS": "sandwell", **there}
    assert own.settings.system_database_url
    address = own.settings.system_database_url.get_secret_value()
    for wrong, code, sentence in (
        (address.replace("mash_system@", "nobody@"), 2, "refuses the login"),
        (address.replace("/mash?", "/nothing?"), 2, "no such database"),
        (address.replace("/mash?", "/template1?"), 2, "run `mash db upgrade`"),
        ("postgresql+asyncpg://mash_system@127.0.0.1:9/mash", 75, "cannot be reached"),
    ):
        ended = mash("api", MASH_API_PORT="0", MASH_SYSTEM_DATABASE_URL=wrong, **keys)
        assert (ended.returncode, sentence in ended.stderr) == (code, True), ended.stderr


# --- looking ------------------------------------------------------------------------------------------------------------------


def waiting(hub: Hub, *references: str, seconds: int) -> None:
    """These contacts, and no others, have waited for so long to be looked at."""
    stored(hub, "DELETE FROM to_look WHERE NOT reference = ANY(%s)", list(references))
    stored(hub, "UPDATE to_look SET since = now() - %s * interval '1 second'", seconds)


def of_looks(hub: Hub) -> dict[str, float]:
    """What monitors are given of it, by name."""
    return {name: value for name, value in metrics(hub).items() if name.startswith("mash_contact") and "not_looked_at" in name}


def test_contacts_that_wait_to_be_looked_at_are_said_after_a_minute_and_nothing_of_who_is_known(own: Hub) -> None:
    one, other = own.referral(), own.referral()
    waiting(own, one, other, seconds=50)
    assert "looked at" not in told(own) and set(of_looks(own).values()) == {0}
    waiting(own, one, other, seconds=75)
    assert "2 contacts have not been looked at yet, whether anybody in them is known, the first for 7" in told(own)
    assert "alerts do not wait for it" in told(own) and one not in told(own)
    found = of_looks(own)
    assert found["mash_contacts_not_looked_at"] == 2 and 75 <= found["mash_contact_not_looked_at_seconds"] < 120
    page = own.http.get("/admin", headers=own.staff("administrator")).text
    assert "2 contacts have not been looked at yet" in page
    waiting(own, one, seconds=75)
    assert "1 contact has not been looked at yet, whether anybody in it is known" in told(own)
    waiting(own, seconds=0)
    assert "looked at" not in told(own) and set(of_looks(own).values()) == {0}


def test_what_is_looked_at_in_time_is_not_counted_from_outside_however_many_cases_it_leads_to(own: Hub) -> None:
    """The other cases of a known child are looked at again: their number would say that the child is known."""
    for _ in range(3):
        own.referral()
        assert set(of_looks(own).values()) == {0}


def test_doctor_says_which_looks_are_late_and_how_many_states_are_still_of_before_an_upgrade(own: Hub) -> None:
    where = {"MASH_DATA_DIR": str(own.settings.data_dir), "COLUMNS": "300"}
    reference = own.referral()
    waiting(own, reference, seconds=0)
    said = mash_here("doctor", "worker", **where).stdout
    assert "ok    the states of all cases are of this release" in said and "ok    no contact waits long to be looked at" in said
    waiting(own, reference, seconds=75)
    stored(own, "UPDATE referral SET made = 0 WHERE reference = %s", reference)
    try:
        said = mash_here("doctor", "worker", **where).stdout
    finally:
        stored(own, "UPDATE referral SET made = 1 WHERE reference = %s", reference)
        waiting(own, seconds=0)
    assert "note  1 case waits to have its state made anew after an upgrade" in said
    assert "wrong 1 contact has not been looked at yet" in said and reference not in said
