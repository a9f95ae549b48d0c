"""The master key: rotated while everything goes on, from a program, a file or the environment; and never a wrong one."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from acting import DUTY, SCHOOL, submit
from hub import ORDINARY
from pydantic import SecretStr
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from mash.api.problems import answer_for
from mash.api.schemas.contact import Submission
from mash.api.schemas.intake import contact_of
from mash.config.errors import SettingsError
from mash.config.settings import Settings, read_settings
from mash.flows.installation.secret_files import new_master, write_secret
from mash.flows.store.apply import receive
from mash.flows.store.log import verify
from mash.flows.store.reads.case import read_case
from mash.flows.store.reads.items import read_items
from mash.flows.store.receipts import Answer, answer_once
from mash.flows.store.rotation import is_retired, retire_older, wrap_anew, wrapped_by
from mash.flows.store.store import Store, open_store


@pytest.fixture
def key_file(settings: Settings, tmp_path: Path) -> Settings:
    """The settings of an installation whose master key is kept in a file."""
    path = tmp_path / "master"
    assert settings.master_key
    write_secret(path, settings.master_key.get_secret_value())
    return settings.model_copy(update={"master_key": None, "master_key_file": path})


async def words(store: Store, reference: str) -> set[str]:
    return {item["content"] for item in await read_items(store, await read_case(store, reference), DUTY)}


async def test_a_rotation_goes_on_beside_parts_that_run_and_the_old_key_opens_nothing_afterwards(
    key_file: Settings, empty_database: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = key_file.master_key_file
    assert path
    before = path.read_text()
    running = await open_store(key_file)
    references = [await submit(running, words=f"concern {n}") for n in range(3)]
    write_secret(path, f"{new_master()}\n{before}")
    rotating = await open_store(key_file)
    try:
        assert await wrap_anew(rotating) == 3
        assert await wrapped_by(rotating) == {rotating.keyring.current.name: 3}
        # What runs already reads the new key when it meets something that it wrapped; what it takes in goes on too.
        assert "concern 1" in await words(running, references[1])
        late = await submit(running, words="during")
        assert "during" in await words(rotating, late)
        write_secret(path, path.read_text().split()[0])
        after = await open_store(key_file)
        assert "concern 0" in await words(after, references[0])
        assert [sentence async for sentence in verify(after)] == []
        await after.close()
        write_secret(path, before)
        with pytest.raises(SettingsError, match="not the one of this database"):
            await open_store(key_file)
    finally:
        await running.close()
        await rotating.close()


async def test_what_a_part_wraps_that_has_not_read_the_new_key_is_taken_once_it_has(
    key_file: Settings, empty_database: None
) -> None:
    path = key_file.master_key_file
    assert path
    copy = path.with_name("copy")  # of another machine, which is to be brought up to date by hand
    write_secret(copy, path.read_text())
    running = await open_store(key_file.model_copy(update={"master_key_file": copy}))
    write_secret(path, f"{new_master()}\n{path.read_text()}")
    rotating = await open_store(key_file)
    late = await submit(running, words="wrapped by the older one")
    await retire_older(rotating)
    write_secret(path, path.read_text().split()[0])
    assert "wrapped by the older one" in await words(rotating, late)
    with pytest.raises(IntegrityError) as refused:
        await submit(running)
    assert is_retired(refused.value)
    write_secret(copy, path.read_text())
    command, items = contact_of(Submission.model_validate(ORDINARY), date(2026, 6, 1))

    async def work(connection: AsyncConnection) -> Answer:
        return Answer(201, {}, (await receive(connection, running, command, items, SCHOOL)).reference)

    answer = await answer_once(running, SCHOOL, "k-1", "submission", {}, work, answer_for)
    assert answer.reference and "Zebediah" in str(await words(rotating, answer.reference))
    assert await wrapped_by(rotating) == {rotating.keyring.current.name: 2}
    await running.close()
    await rotating.close()


async def test_after_a_rotation_whatever_runs_wraps_by_the_new_key_alone(key_file: Settings, empty_database: None) -> None:
    path = key_file.master_key_file
    assert path
    running = await open_store(key_file)
    await submit(running)
    write_secret(path, f"{new_master()}\n{path.read_text()}")
    rotating = await open_store(key_file)
    await wrap_anew(rotating)
    for _ in range(3):
        await submit(running)
    assert await wrapped_by(rotating) == {rotating.keyring.current.name: 4}
    await running.close()
    await rotating.close()


async def test_the_same_request_is_known_again_after_a_rotation(key_file: Settings, empty_database: None) -> None:
    path = key_file.master_key_file
    assert path
    store = await open_store(key_file)
    before = store.keyring.fingerprint(b"body")
    await store.close()
    write_secret(path, f"{new_master()}\n{path.read_text()}")
    store = await open_store(key_file)
    await wrap_anew(store)
    await store.close()
    write_secret(path, path.read_text().split()[0])
    store = await open_store(key_file)
    assert store.keyring.fingerprint(b"body") == before
    await store.close()


async def test_the_master_key_may_come_from_a_program_that_asks_a_key_service(key_file: Settings, empty_database: None) -> None:
    path = key_file.master_key_file
    asked = key_file.model_copy(update={"master_key_file": None, "master_key_command": f"cat '{path}'"})
    store = await open_store(asked)
    reference = await submit(store, words="a concern")
    await store.close()
    again = await open_store(key_file)
    assert "a concern" in await words(again, reference)
    await again.close()


async def test_that_program_gets_none_of_our_settings(
    key_file: Settings, empty_database: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MASH_TOKEN_KEY", "not for it")
    monkeypatch.setenv("PREFECT_API_AUTH_STRING", "nor this")
    monkeypatch.setenv("VAULT_TOKEN", "its own")
    seen = tmp_path / "seen"
    command = f"sh -c 'env > {seen}; cat {key_file.master_key_file}'"
    await (await open_store(key_file.model_copy(update={"master_key_file": None, "master_key_command": command}))).close()
    names = {line.partition("=")[0] for line in seen.read_text().splitlines()}
    assert "VAULT_TOKEN" in names
    assert [name for name in names if name.startswith(("MASH", "PREFECT"))] == []


@pytest.mark.parametrize(
    ("command", "refusal"),
    [
        ("false", "ended with code 1"),
        ("/nowhere/kms", "is the program there"),
        ("echo short", "expected 32 random bytes"),
        ("true", "empty"),
    ],
)
async def test_a_program_that_gives_no_key_is_refused_in_words(key_file: Settings, command: str, refusal: str) -> None:
    with pytest.raises(SettingsError, match=refusal):
        await open_store(key_file.model_copy(update={"master_key_command": command}))


def test_the_file_is_read_again_so_its_place_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "master"
    write_secret(path, new_master())
    settings = read_settings({"MASH_MASTER_KEY_FILE": str(path)})
    assert settings.master_key_file == path and settings.master_key == SecretStr(path.read_text())
