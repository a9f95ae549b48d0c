"""The `mash` command, run as a person runs it."""

from __future__ import annotations

from pathlib import Path

from commands import mash, mash_here
from hub import Hub


def test_a_further_command_that_cannot_be_loaded_is_said_at_every_start(tmp_path: Path) -> None:
    installed = tmp_path / "broken-1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Name: broken\nVersion: 1.0\n")
    (installed / "entry_points.txt").write_text("[mash.commands]\nmend = no_such_module:mend\n")
    refused = mash("states", PYTHONPATH=str(tmp_path))
    assert refused.returncode == 2
    assert refused.stderr.startswith("mash: the command `mend` (no_such_module:mend) cannot be loaded")


def test_profile_show_marks_what_is_stated_and_what_is_a_default() -> None:
    shown = mash_here("profile", "show", "sandwell", COLUMNS="200").stdout
    assert "Red 4 hours" in shown
    assert "product default" in shown


def test_a_wrong_profile_is_refused_with_file_line_and_what_is_expected(tmp_path: Path) -> None:
    shipped = Path(__file__).parent.parent.parent / "config" / "hubs" / "merton.toml"
    own = tmp_path / "ours.toml"
    own.write_text(shipped.read_text().replace('route = ["strategy_discussion", "decision"]', 'route = ["straight_ahead"]'))
    line = 1 + own.read_text().splitlines().index('route = ["straight_ahead"]')
    refused = mash_here("profile", "check", "ours", MASH_PROFILES_DIR=str(tmp_path))
    assert refused.returncode == 2
    assert f"{own}:{line}: ratings.red.route" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_case_tells_its_story_and_every_chain_verifies(hub: Hub) -> None:
    reference = hub.referral()
    where = {"MASH_DATA_DIR": str(hub.settings.data_dir)}
    story = mash_here("log", reference, **where)
    assert "Contact received" in story.stdout and "Quillfeather" not in story.stdout
    assert mash_here("log", "verify", **where).stdout.strip().endswith("every chain verifies")
    unknown = mash_here("log", "MASH-26-999999", **where)
    assert (unknown.returncode, unknown.stderr) == (2, "mash: no referral MASH-26-999999\n")


def test_a_token_and_a_key_made_on_the_command_line_work(hub: Hub) -> None:
    where = {"MASH_DATA_DIR": str(hub.settings.data_dir)}
    token = mash_here("token", "duty_manager", "sandwell", **where).stdout.strip()
    assert hub.http.get("/cases", headers={"Authorization": f"Bearer {token}"}).status_code == 200
    key = mash_here("key", "create", "clinic", "sandwell", "--agency", "health", **where).stdout.strip()
    headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": "first"}
    assert hub.http.post("/referrals", json={"concern": {"summary": "Worried."}}, headers=headers).status_code == 201
