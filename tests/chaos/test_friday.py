"""One Friday evening, from the alerts' side: who got what, when, by which channel."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

Got = list[dict[str, Any]]


@pytest.fixture(scope="module")
def evening() -> dict[str, Any]:
    """The story as `mash demo` plays it."""
    played = subprocess.run(
        [sys.executable, "-m", "mash.api.commands.mash", "demo", "--story", "friday", "--json"],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert played.returncode == 0, played.stderr[-2000:]
    return dict(json.loads(played.stdout.splitlines()[-1]))


def got(evening: dict[str, Any], person: str, word: str) -> Got:
    """What a person received with this word in its title."""
    return [message for message in evening["received"] if message["to"] == person and word in message["title"]]


def clock(message: dict[str, Any]) -> str:
    return str(message["at"])[-5:]


def test_the_duty_manager_is_told_by_mail_and_five_minutes_later_by_text(evening: dict[str, Any]) -> None:
    mail, text = got(evening, "dm1", "IMMEDIATE DANGER")
    assert (mail["by"], text["by"]) == ("mail", "text")
    assert "16:50" <= clock(mail) < clock(text) <= "17:02"


def test_who_comes_on_at_five_is_handed_what_nobody_has(evening: dict[str, Any]) -> None:
    first = got(evening, "edt1", "IMMEDIATE DANGER")[0]
    assert "17:00" <= clock(first) <= "17:12" and first["by"] == "text"


def test_the_ladder_climbs_and_the_text_stands_in_while_the_mail_server_is_down(evening: dict[str, Any]) -> None:
    climbed = got(evening, "pm1", "IMMEDIATE DANGER")
    assert [message["by"] for message in climbed] == ["text"]
    assert "17:20" <= clock(climbed[0]) <= "17:35"


def test_whoever_takes_it_is_known_and_the_others_are_told(evening: dict[str, Any]) -> None:
    assert evening["held_by"] == "pm1"
    for person in ("dm1", "edt1"):
        assert got(evening, person, "acknowledged (")


def test_forty_late_checks_reach_the_hub_as_one_message_for_each_child(evening: dict[str, Any]) -> None:
    late = [message for message in got(evening, "edt1", "10 alerts") if message["by"] == "text"]
    assert len(late) == 4 and len({message["title"] for message in late}) == 4
    assert sum(message["text"].count("reply of") for message in late) == 40


def test_what_is_over_is_said_to_be_over_and_the_gap_in_the_rota_was_told(evening: dict[str, Any]) -> None:
    assert got(evening, "housing_lead", "OVER")
    (gap,) = got(evening, "administrator", "nobody will be on duty")
    assert "service manager" in gap["text"]
    assert evening["dead"] == 0
