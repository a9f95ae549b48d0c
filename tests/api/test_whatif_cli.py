"""`mash whatif` and `mash log replay`, as an administrator gives them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from commands import mash_here
from hub import Hub


@pytest.fixture
def here(hub: Hub) -> dict[str, str]:
    """The installation's environment."""
    hub.rate(hub.referral())
    return {"MASH_DATA_DIR": str(hub.settings.data_dir), "COLUMNS": "200"}


def test_other_limits_are_reckoned_over_the_hubs_own_log_and_say_what_they_cannot(here: dict[str, str]) -> None:
    asked = ("whatif", "limits", "--hub", "sandwell", "--set", "ratings.red.response=0.0001 min")
    told = mash_here(*asked, **here)
    assert told.returncode == 0, told.stderr
    assert "reckoned: something was late in" in told.stdout and "Nobody would have acted just so" in told.stdout
    found = json.loads(mash_here(*asked, "--json", **here).stdout)
    assert found["contacts"] > 0 and found["would_be_late"] >= found["late"] and found["limits"]
    assert "Nobody would have acted just so" in found["means"]


def test_what_is_to_be_different_is_said_once_and_as_a_profile_has_it(here: dict[str, str], tmp_path: Path) -> None:
    nothing = mash_here("whatif", "limits", "--hub", "sandwell", **here)
    assert nothing.returncode == 2 and "--set KEY=VALUE, or --profile-file FILE" in nothing.stderr
    wrong = mash_here("whatif", "limits", "--hub", "sandwell", "--set", "ratings.red.respond=2 h", **here)
    assert wrong.returncode == 2 and "ratings.red.response.length" in wrong.stderr and "Traceback" not in wrong.stderr
    other = tmp_path / "merton.toml"
    other.write_text((Path(__file__).parents[2] / "config" / "hubs" / "merton.toml").read_text())
    refused = mash_here("whatif", "limits", "--hub", "sandwell", "--profile-file", str(other), **here)
    assert refused.returncode == 2 and "mash whatif profile" in refused.stderr


def test_another_hubs_profile_is_held_against_what_was_done(here: dict[str, str]) -> None:
    told = mash_here("whatif", "profile", "merton", "--hub", "sandwell", **here).stdout
    assert "Merton MASH has a place for all that was done in" in told and "nothing of how well anybody works" in told
    found = json.loads(mash_here("whatif", "profile", "merton", "--hub", "sandwell", "--json", **here).stdout)
    assert found["contacts"] == found["has_a_place_for_all"] + sum(each["contacts"] for each in found["first_without_a_place"])
    assert "nothing of how well anybody works" in found["means"]


def test_every_act_decided_again_comes_out_the_same(here: dict[str, str]) -> None:
    told = mash_here("log", "replay", **here)
    assert told.returncode == 0, told.stdout + told.stderr
    assert "decided again came out the same; 0 of an earlier edition" in told.stdout
