"""When all is down, work goes on by a list of the open cases that was sealed within the hour."""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Iterator
from datetime import datetime
from html import unescape
from pathlib import Path

import pytest
from commands import Done, mash, mash_here
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hub import Hub, hub_here, metrics

from mash.config.errors import SettingsError
from mash.config.settings import Settings
from mash.flows.carrying.paper import NOT_MADE, NOT_WHOLE, Paper, make_lists
from mash.flows.installation.copies import BackupFailed
from mash.flows.installation.envelope import make_identity, recipients
from mash.flows.installation.paper import write_list
from mash.flows.store.keys import seal, unseal
from mash.flows.store.store import Store, data_key

SAFE = "Ring her work, never the landline: he answers it."
CHILD = {"name": {"given": "Isolde", "family": "Quillfeather"}, "date_of_birth": "2015-12-20", "cohort": "child"}
SCHOOL = {"code": "2A", "agency": "education", "organisation": "Thornwick Vale", "name": "M. Example", "phone": "01632 960115"}


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """A hub that makes lists for paper; what opens them lies beside it."""
    folder = tmp_path_factory.mktemp("paper")
    (folder / "lists").mkdir()
    recipient = make_identity(folder / "identity")
    with hub_here(paper_dir=folder / "lists", paper_recipient=recipient, paper_keep=3) as running:
        yield running


def folder_of(hub: Hub) -> Path:
    """Where the lists go."""
    assert hub.settings.paper_dir
    return hub.settings.paper_dir


def work(hub: Hub, *, hours: float = 1.1) -> None:
    """So long after the last list, a worker looks whether one is due."""
    hub.sql(
        "UPDATE round SET begun_at = begun_at - %s * interval '1 hour', ended_at = ended_at - %s * interval '1 hour'",
        hours,
        hours,
    )
    hub.sql("UPDATE time_anchor SET simulated = simulated + interval '1 second'")

    async def look(store: Store) -> None:
        await Paper(store, hub.settings).make_if_due()

    hub.stored(look)


def lists(hub: Hub, name: str = "sandwell") -> list[Path]:
    """The lists of a hub that there are, the oldest first."""
    return sorted(folder_of(hub).glob(f"open-cases-{name}-*"))


def opened(hub: Hub, file: Path, *more: str) -> Done:
    """Open a list on a machine that has no installation: with the file, and the identity."""
    to, identity = folder_of(hub).parent / "page.html", folder_of(hub).parent / "identity"
    to.unlink(missing_ok=True)
    elsewhere = {"MASH_DATA_DIR": str(folder_of(hub).parent / "nowhere")}
    return mash_here("paper", "open", str(file), "--identity", str(identity), "--to", str(to), *more, **elsewhere)


def words(hub: Hub) -> str:
    """What stands on the newest list, a line for each thing."""
    done = opened(hub, lists(hub)[-1])
    assert done.returncode == 0, done.stderr
    page = (folder_of(hub).parent / "page.html").read_text(encoding="utf-8")
    return unescape(" ".join(re.sub(r"<[^>]+>", " ", page.partition("</style>")[2]).split()))


def test_what_is_needed_to_work_on_stands_on_the_newest_list(own: Hub) -> None:
    reference = own.referral(
        subjects=[
            {**CHILD, "address": {"line1": "2 Sallow Court", "postcode": "ZZ4 1QD"}},
            {**CHILD, "name": "Una Quillfeather"},
        ],
        household=[{"name": "Tam Vale", "relationship": "mother's partner"}],
        concern={"summary": "She came in with a bruise."},
        source=SCHOOL,
        consent={"safe_contact": SAFE},
    )
    own.rate(reference)
    work(own)
    said = words(own)
    for needed in (
        "Isolde Quillfeather, 10, born 20 December 2015; Una Quillfeather, 10, born 20 December 2015",
        "The worry She came in with a bruise.",
        "Lives 2 Sallow Court, ZZ4 1QD With Tam Vale (mother's partner)",
        reference,
        "Red",
        "Agency checks",
        SAFE,
        "Telephone 01632 960115",
        "M. Example",
        "Who has it Duty manager",
        "Thu 19 Nov 14:00, replies of ",
        "Thu 19 Nov 14:00, red (duty manager)",
    ):
        assert needed in said, needed


def test_what_is_closed_is_on_no_list_and_another_hubs_cases_are_on_its_own(own: Hub) -> None:
    reference = own.referral()
    own.give(reference, "record_sharing_basis", share=False, purpose="safeguarding_child", lawful_basis="public_task",
             consent="refused", family_informed=True, words="Refused.")  # fmt: skip
    work(own)
    assert reference in words(own)
    own.sql("UPDATE referral SET is_open = false WHERE reference = %s", reference)
    work(own)
    assert reference not in words(own) and len(lists(own, "merton")) == len(lists(own))


def test_a_list_says_nothing_before_it_is_opened_by_its_identity(own: Hub) -> None:
    own.referral(subjects=[CHILD])
    work(own)
    sealed = lists(own)[-1].read_bytes()
    assert sealed.startswith(b"age-encryption.org/v1\n") and b"Quillfeather" not in sealed and b"MASH-26" not in sealed
    other = folder_of(own).parent / "another identity"
    make_identity(other) if not other.exists() else None
    refused = mash_here(
        "paper", "open", str(lists(own)[-1]), "--identity", str(other), MASH_DATA_DIR=str(other.parent / "nowhere")
    )
    assert refused.returncode == 1 and "made for another recipient" in refused.stderr


def test_the_page_that_is_opened_is_closed_to_others_and_overwrites_nothing(own: Hub) -> None:
    work(own)
    done = opened(own, lists(own)[-1])
    page = folder_of(own).parent / "page.html"
    assert stat.S_IMODE(page.stat().st_mode) == 0o600 and "shred the paper" in done.stdout
    again = mash_here(
        "paper", "open", str(lists(own)[-1]), "--identity", str(folder_of(own).parent / "identity"), "--to", str(page)
    )
    assert again.returncode == 1 and "Say another one: --to" in again.stderr


def test_who_made_it_is_checked_by_the_installations_key_and_said_not_to_be_without(own: Hub) -> None:
    work(own)
    key = mash_here("checkpoint", "key", MASH_DATA_DIR=str(own.settings.data_dir)).stdout.split()[-1]
    assert "WARNING" not in opened(own, lists(own)[-1], "--key", key).stdout
    assert "who made it was not checked" in opened(own, lists(own)[-1]).stdout
    forged = folder_of(own).parent / "forged"
    forged.mkdir(exist_ok=True)
    at, to = own.stored(_now), recipients(own.settings.paper_recipient)
    made = write_list("<p>Nothing is open.</p>", forged, "sandwell", at, to, Ed25519PrivateKey.generate())
    refused = opened(own, made, "--key", key)
    assert refused.returncode == 1 and "its signature does not hold" in refused.stderr
    assert "is not checked" not in refused.stdout and not (folder_of(own).parent / "page.html").exists()


def test_one_is_made_each_hour_by_one_of_several_workers_and_the_newest_are_kept(own: Hub) -> None:
    work(own)
    before = lists(own)
    work(own, hours=0)
    assert lists(own) == before, "it is not an hour old"
    for _ in range(3):
        work(own)
    assert len(lists(own)) == 3 and lists(own)[0] not in before


def test_that_none_can_be_made_is_told_to_administrators_and_to_monitors(own: Hub) -> None:
    folder = folder_of(own)
    work(own)
    assert "for paper" not in " ".join(own.http.get("/health").json()["wrong"])
    assert own.http.get("/health").json()["ages"]["paper"] < 600 and metrics(own)["mash_paper_failed"] == 0
    folder.rename(folder.with_name("away"))
    try:
        work(own)
        (sentence,) = (each for each in own.http.get("/health").json()["wrong"] if "for paper" in each)
        assert "nothing can be written to MASH_PAPER_DIR" in sentence and metrics(own)["mash_paper_failed"] == 1
        told = own.sql("SELECT facts FROM notice WHERE kind = 'system' AND role = 'administrator' AND hub = 'sandwell'")
        assert any(NOT_MADE in facts for (facts,) in told)
    finally:
        folder.with_name("away").rename(folder)
    work(own)
    assert "for paper" not in " ".join(own.http.get("/health").json()["wrong"])


def test_a_list_that_is_two_hours_old_is_said_by_health(own: Hub) -> None:
    work(own)
    own.sql("UPDATE night SET done_at = done_at - interval '3 hours' WHERE step = 'paper'")
    assert "the list of open cases for paper was last done 3 hours ago" in " ".join(own.http.get("/health").json()["wrong"])
    work(own)


def test_the_doctor_says_how_old_the_newest_is_and_where_none_is_made(own: Hub) -> None:
    work(own)
    environment = {"MASH_DATA_DIR": str(own.settings.data_dir), "MASH_HUBS": "sandwell"}
    configured = {"MASH_PAPER_DIR": str(folder_of(own)), "MASH_PAPER_RECIPIENT": own.settings.paper_recipient}
    assert (
        "list of open cases for paper of sandwell is 0 min old"
        in mash_here("doctor", "worker", **environment, **configured).stdout
    )
    old = lists(own)[-1].stat().st_mtime - 3 * 3600
    os.utime(lists(own)[-1], (old, old))
    assert re.search(r"wrong +the newest list of open cases for paper of sandwell is 180 min old",
                     mash_here("doctor", "worker", **environment, **configured).stdout)  # fmt: skip
    assert "MASH_PAPER_DIR is not set" in mash_here("doctor", "worker", **environment).stdout


def test_a_case_whose_words_cannot_be_opened_is_on_the_list_all_the_same(own: Hub) -> None:
    reference = own.referral()
    own.sql("UPDATE referral_key SET wrapped = NULL WHERE reference = %s", reference)
    work(own)
    assert f"cannot be opened here: ask for the key, or look the case up once all is back. {reference}" in words(own)


@pytest.mark.parametrize(
    "broken",
    [
        "UPDATE personal_item SET sealed = sealed || '\\x00'::bytea WHERE reference = %s AND kind = 'subject'",
        "UPDATE referral_key SET wrapped = wrapped || '\\x00'::bytea WHERE reference = %s",
        'UPDATE referral SET state = \'{"secret": "Quillfeather"}\' WHERE reference = %s',
    ],
)
def test_one_case_that_cannot_be_written_keeps_no_other_off_the_lists(
    own: Hub, broken: str, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = own.referral(), own.referral(subjects=[{**CHILD, "name": "Ottoline Merriweather"}])
    state = own.sql("SELECT state FROM referral WHERE reference = %s", first)[0][0]
    own.sql("DELETE FROM notice WHERE kind = 'system'")
    own.sql(broken, first)
    try:
        work(own)
        said = words(own)
        assert f"look the case up once all is back. {first}. " in said and "Ottoline Merriweather" in said and second in said
        assert re.search(rf"{first}\. .*?Due (Late: )?\w+ \d+ Nov", said), "when it is due stands there all the same"
        assert "for paper" not in " ".join(own.http.get("/health").json()["wrong"])
        told = own.sql("SELECT facts FROM notice WHERE kind = 'system' AND role = 'administrator' AND hub = 'sandwell'")
        assert any(NOT_WHOLE in facts and first in facts and second not in facts for (facts,) in told)
        assert "Quillfeather" not in capsys.readouterr().out
    finally:
        own.sql("UPDATE referral SET state = %s, is_open = false WHERE reference = %s", state, first)


def test_a_case_that_fails_as_it_is_written_stands_there_with_when_it_is_due(own: Hub) -> None:
    reference = own.referral(subjects=[{**CHILD, "name": "Perpetua Lark"}])
    other = own.referral(subjects=[{**CHILD, "name": "Barnaby Lark"}])

    async def seal_a_list(store: Store) -> None:
        """As an older release may have kept it: a list where fields belong."""
        async with store.single.connect() as connection:
            key = AESGCM(await data_key(connection, store, reference))
        own.sql(
            "UPDATE personal_item SET sealed = %s WHERE reference = %s AND kind = 'subject'",
            seal(key, b'["Perpetua Lark"]', reference),
            reference,
        )

    own.stored(seal_a_list)
    try:
        work(own)
        said = words(own)
        assert re.search(rf"once all is back\. {reference}\. Due \w+ \d+ Nov \d\d:\d\d, look it up", said)
        assert "Barnaby Lark" in said and other in said and "Perpetua" not in said
    finally:
        own.sql("UPDATE referral SET is_open = false WHERE reference = %s", reference)


def test_one_hub_whose_list_cannot_be_made_keeps_no_other_hub_without_one(own: Hub) -> None:
    work(own)
    before = lists(own, "merton")[-1]
    own.sql("UPDATE time_anchor SET simulated = simulated + interval '1 second'")

    async def make(store: Store) -> None:
        # A hub of which something is amiss, before those that are well.
        store.hubs = {"nowhere": None, **store.hubs}  # type: ignore[dict-item]
        with pytest.raises(BackupFailed, match=r"AttributeError \(nowhere\); \d+ of \d+ lists were made"):
            await make_lists(store, own.settings)

    own.stored(make)
    assert lists(own, "merton")[-1] > before


@pytest.mark.parametrize("kept_as_text", [False, True])
def test_consent_that_was_given_as_text_stands_in_those_words_beside_safe_contact(own: Hub, kept_as_text: bool) -> None:
    text = f"Mother agreed. Never ring the house before three{' o clock' if kept_as_text else ''}."
    reference = own.referral(consent=text)

    async def keep_as_text(store: Store) -> None:
        """As what another release stored may have it."""
        async with store.single.connect() as connection:
            key = AESGCM(await data_key(connection, store, reference))
        (sealed,) = own.sql("SELECT sealed FROM personal_item WHERE reference = %s AND kind = 'submission'", reference)[0]
        fields = {**json.loads(unseal(key, bytes(sealed), reference)), "consent": text}
        as_text = seal(key, json.dumps(fields).encode(), reference)
        own.sql("UPDATE personal_item SET sealed = %s WHERE reference = %s AND kind = 'submission'", as_text, reference)

    if kept_as_text:
        own.stored(keep_as_text)
    work(own)
    assert f"ask whoever referred first. Of consent was said: {text}" in words(own)


def test_an_address_that_is_kept_from_others_is_said_to_be_secret(own: Hub) -> None:
    refuge = {"line1": "Refuge, 9 Hidden Row, not to be disclosed", "postcode": "ZZ9 9ZZ"}
    own.referral(subjects=[{**CHILD, "address": refuge}])
    own.referral(subjects=[{**CHILD, "address": {"line1": "5 Open Lane", "postcode": "ZZ1 1AA"}}])
    work(own)
    said = words(own)
    assert "Lives SECRET, tell nobody: Refuge, 9 Hidden Row, not to be disclosed, ZZ9 9ZZ" in said
    assert "Lives 5 Open Lane, ZZ1 1AA" in said


def test_where_the_place_is_set_and_nobody_could_open_it_nothing_is_sealed(own: Hub) -> None:
    nobody = Settings(paper_dir=folder_of(own), signing_key=own.settings.signing_key)

    async def seal(store: Store) -> None:
        await make_lists(store, nobody)

    with pytest.raises(SettingsError, match="MASH_PAPER_RECIPIENT"):
        own.stored(seal)


def test_the_command_that_opens_needs_no_installation(own: Hub, tmp_path: Path) -> None:
    work(own)
    where, identity = tmp_path / "page.html", folder_of(own).parent / "identity"
    command = ("paper", "open", str(lists(own)[-1]), "--identity", str(identity), "--to", str(where))
    done = mash(*command, MASH_DATA_DIR=str(tmp_path / "nowhere"))
    assert done.returncode == 0 and "<h1>" in where.read_text() and not (tmp_path / "nowhere").exists()


async def _now(store: Store) -> datetime:
    return store.time.now()


def test_what_a_case_warns_of_is_said_in_words_and_where_nobody_said_how_it_is_said_whom_to_ask(own: Hub) -> None:
    own.referral(consent={"safe_contact": SAFE, "safe_to_tell": False})
    bare = own.referral()
    own.give(bare, "record_marker", marker="safe_contact", holds=True, words="Her sister rang.")
    work(own)
    said = words(own)
    assert "Contact may not be safe, and how it is was not said here: ask whoever referred first." in said
    assert f"{SAFE} Do not tell the family" in said and "take care" not in said


def test_a_list_is_made_before_the_installation_is_stopped_on_purpose(own: Hub) -> None:
    environment = {
        "MASH_DATA_DIR": str(own.settings.data_dir),
        "MASH_PAPER_DIR": str(folder_of(own)),
        "MASH_PAPER_RECIPIENT": own.settings.paper_recipient,
        "MASH_HUBS": "sandwell",
        "MASH_DATABASE_URL": own.settings.database_url.get_secret_value() if own.settings.database_url else "",
        "MASH_SYSTEM_DATABASE_URL": own.settings.system_database_url.get_secret_value()
        if own.settings.system_database_url
        else "",
    }
    own.sql("UPDATE time_anchor SET simulated = simulated + interval '1 second'")
    done = mash_here("paper", "make", **environment)
    assert done.returncode == 0 and done.stdout.strip() == str(lists(own)[-1]), done.stderr
