"""The night's work: each step stands alone, what became of it is written down, and checkpoints are kept elsewhere too."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from acting import submit
from pydantic import SecretStr
from sqlalchemy import select

from mash.config.settings import Settings
from mash.flows.carrying.night import STEPS, Night, NightNotWhole, copy_checkpoints, take_checkpoint, work_through
from mash.flows.store.nights import record_step
from mash.flows.store.reads.health import read_health
from mash.flows.store.store import Store
from mash.flows.store.tables import NIGHTS, NOTICES

SIGNING = SecretStr(base64.b64encode(bytes(range(32))).decode())


@pytest.fixture
def night(store: Store, settings: Settings, tmp_path: Path) -> Night:
    """A night whose checkpoints are kept elsewhere too."""
    return Night(store, settings.model_copy(update={"signing_key": SIGNING, "checkpoint_dir": tmp_path / "elsewhere"}))


async def done(store: Store) -> dict[str, bool]:
    """Whether each step that was tried was done, and not failed since."""
    async with store.single.connect() as connection:
        rows = (await connection.execute(select(NIGHTS))).all()
    return {row.step: row.done_at is not None and row.failed_at is None for row in rows}


async def told(store: Store) -> list[str]:
    async with store.single.connect() as connection:
        rows = (await connection.execute(select(NOTICES.c.facts).where(NOTICES.c.kind == "system"))).all()
    return [f"{facts['what']}: {facts['detail']}" for facts in (json.loads(row.facts) for row in rows)]


async def test_a_whole_night_is_written_down_and_its_checkpoint_is_elsewhere_too(night: Night) -> None:
    await work_through(night, STEPS)
    assert await done(night.store) == dict.fromkeys(STEPS, True)
    assert night.settings.checkpoint_dir
    assert [path.name for path in night.settings.checkpoint_dir.iterdir()] == ["checkpoint-000001.json"]
    assert await told(night.store) == []


@pytest.mark.parametrize("broken", STEPS)
async def test_whichever_step_fails_the_others_are_done_and_the_administrators_are_told(night: Night, broken: str) -> None:
    async def fails(_: Night) -> None:
        raise ValueError("Zebediah Quillfeather")

    with pytest.raises(NightNotWhole, match=f"^failed: {broken}$"):
        await work_through(night, {**STEPS, broken: fails})
    assert await done(night.store) == {**dict.fromkeys(STEPS, True), broken: False}
    sentences = await told(night.store)
    assert len(sentences) == len(night.store.hubs)
    assert all(f"the night's {broken.replace('_', ' ')} has failed: ValueError" in each for each in sentences)
    assert "Quillfeather" not in str(sentences), "what an error says may name somebody"
    wrong = " ".join((await read_health(night.store)).wrong(night.settings))
    assert f"the night's {broken.replace('_', ' ')} failed last time (ValueError)" in wrong


async def test_without_a_key_to_sign_by_the_rest_of_the_night_is_done(night: Night) -> None:
    night.settings = night.settings.model_copy(update={"signing_key": None})
    with pytest.raises(NightNotWhole):
        await work_through(night, STEPS)
    assert await done(night.store) == {
        "derivation": True,
        "checkpoint": False,
        "checkpoint_copy": True,
        "conservation": True,
        "replay": True,
        "retention": True,
        "returns": True,
        "figures": True,
    }
    assert any("MASH_SIGNING_KEY is needed" in each for each in await told(night.store))


async def test_what_could_not_be_written_elsewhere_one_night_is_written_the_next(night: Night) -> None:
    folder = night.settings.checkpoint_dir
    assert folder
    folder.write_text("a file stands in its place")
    with pytest.raises(NightNotWhole):
        await work_through(night, STEPS)
    folder.unlink()
    await work_through(night, STEPS)
    assert sorted(path.name for path in folder.iterdir()) == ["checkpoint-000001.json", "checkpoint-000002.json"]


async def test_another_checkpoint_under_the_same_number_is_never_written_over(night: Night, tmp_path: Path) -> None:
    await take_checkpoint(night.store, night.settings)
    folder = tmp_path / "there"
    assert await copy_checkpoints(night.store, folder) == 1 and await copy_checkpoints(night.store, folder) == 0
    (path,) = folder.iterdir()
    path.write_text("another")
    await take_checkpoint(night.store, night.settings)
    assert await copy_checkpoints(night.store, folder) == 2, "the first one, by its digest, and the second"
    assert path.read_text() == "another" and len(list(folder.iterdir())) == 3
    assert await copy_checkpoints(night.store, folder) == 0


async def test_a_step_that_failed_is_well_again_once_it_is_done(store: Store, settings: Settings) -> None:
    await submit(store)
    await record_step(store, "retention", "OSError")
    assert any("retention failed last time (OSError)" in each for each in (await read_health(store)).wrong(settings))
    await record_step(store, "retention")
    found = await read_health(store)
    assert found.nights["retention"].done and not any("retention" in each for each in found.wrong(settings))
