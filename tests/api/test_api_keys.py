"""API keys of referrers' systems: what each may do, until when, and a new one in the place of an old one without a gap."""

from __future__ import annotations

import re

import httpx
import pytest
from commands import mash_here
from hub import ORDINARY, Hub


def mash(hub: Hub, *arguments: str) -> str:
    done = mash_here(*arguments, MASH_DATA_DIR=str(hub.settings.data_dir))
    assert done.returncode == 0, done.stderr
    return done.stdout


def submit(hub: Hub, key: str, number: str) -> httpx.Response:
    return hub.http.post("/referrals", json=ORDINARY, headers={"Authorization": f"Bearer {key}", "Idempotency-Key": number})


def made(hub: Hub, *more: str) -> str:
    return mash(hub, "key", "create", "north-school", "sandwell", "--agency", "education", *more).strip()


def listed(hub: Hub, key: str, *more: str) -> str:
    name = key.split("_")[1]
    return next(line for line in mash(hub, "key", "list", *more).splitlines() if line.startswith(name))


def test_a_key_does_what_its_scopes_say_and_no_more(hub: Hub) -> None:
    key = made(hub, "--scope", "submit")
    answer = submit(hub, key, "scoped-1")
    assert answer.status_code == 201
    status = hub.http.get(f"/referrals/{answer.json()['reference']}", headers={"Authorization": f"Bearer {key}"})
    assert status.status_code == 403 and "read_status" in status.json()["detail"]
    reader = made(hub, "--scope", "read_status")
    refused = submit(hub, reader, "scoped-2")
    assert refused.status_code == 403 and "'submit'" in refused.json()["detail"]


def test_a_scope_that_there_is_not_is_refused(hub: Hub) -> None:
    with pytest.raises(AssertionError, match="there is no scope everything; there are submit, read_status, disagree"):
        made(hub, "--scope", "everything")


@pytest.mark.parametrize("name", ["St. Mary's, Thornwick", "system", "link:duty_manager", "x" * 121, ""])
def test_a_name_by_which_nobody_could_call_is_refused(hub: Hub, name: str) -> None:
    done = mash_here("key", "create", name, "sandwell", MASH_DATA_DIR=str(hub.settings.data_dir))
    assert done.returncode == 2 and "expected a name of at most 120 letters" in done.stderr
    assert hub.sql("SELECT count(*) FROM api_key WHERE caller = %s", name) == [(0,)]
    odd_agency = mash_here(
        "key", "create", "a-school", "sandwell", "--agency", "children, schools", MASH_DATA_DIR=str(hub.settings.data_dir)
    )
    assert odd_agency.returncode == 2


def test_a_name_may_be_an_address_or_have_an_apostrophe(hub: Hub) -> None:
    made = mash(hub, "key", "create", "st. mary's@thornwick.example.org", "sandwell", "--agency", "education").strip()
    assert submit(hub, made, "apostrophe").status_code == 201


def test_an_unknown_an_expired_and_a_revoked_key_are_told_apart_for_nobody(hub: Hub) -> None:
    expired, revoked = made(hub), made(hub)
    hub.sql("UPDATE api_key SET expires_at = now() - interval '1 second' WHERE id = %s", expired.split("_")[1])
    mash(hub, "key", "revoke", revoked.split("_")[1])
    answers = [submit(hub, key, "none") for key in ("mash_00000000_unknown", expired, revoked)]
    assert {answer.status_code for answer in answers} == {401} and len({answer.text for answer in answers}) == 1
    assert "revoked" in listed(hub, revoked, "--all")


def test_a_rotated_key_goes_on_beside_the_new_one_for_a_while(hub: Hub) -> None:
    old = made(hub)
    new = mash(hub, "key", "rotate", old.split("_")[1], "--overlap", "2").strip()
    assert submit(hub, old, "overlap-1").status_code == submit(hub, new, "overlap-2").status_code == 201
    assert f"replaced by {new.split('_')[1]}" in listed(hub, old)
    hub.sql("UPDATE api_key SET expires_at = expires_at - interval '2 days 1 second' WHERE id = %s", old.split("_")[1])
    assert submit(hub, old, "overlap-3").status_code == 401
    assert submit(hub, new, "overlap-4").status_code == 201


def test_when_a_key_was_last_used_is_known_and_the_key_itself_is_kept_nowhere(hub: Hub) -> None:
    key = made(hub)
    assert "last used never" in listed(hub, key)
    submit(hub, key, "used-1")
    assert re.search(r"last used 20\d\d-\d\d-\d\d", listed(hub, key))
    assert key.split("_", 2)[2] not in str(hub.sql("SELECT * FROM api_key"))
