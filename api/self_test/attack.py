"""What an attack is: something that somebody tries who must not succeed."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import httpx

from mash.api.self_test.scene import Scene

T = TypeVar("T")


class GotIn(Exception):
    """An attack succeeded; says what it got."""


@dataclass(frozen=True)
class Attack:
    """An attack: what is tried, and the trying. It returns how it was refused, and raises GotIn."""

    what: str
    strike: Callable[[Scene], str]


def attack(what: str) -> Callable[[Callable[[Scene], str]], Attack]:
    """Make an attack of a function."""
    return lambda strike: Attack(what, strike)


def hold(holds: bool, otherwise: str) -> None:
    """Go on only where this holds. Raises GotIn, which says what is so `otherwise`."""
    if not holds:
        raise GotIn(otherwise)


def refused(answer: httpx.Response, *statuses: int) -> str:
    """How a request was refused. Raises GotIn where it was answered by another status than these."""
    hold(answer.status_code in statuses, f"answered {answer.status_code}")
    hold("Traceback" not in answer.text, "a stack trace")
    if "json" not in answer.headers.get("content-type", ""):
        return str(answer.status_code)
    return f"{answer.status_code} {answer.json().get('title', '')}"


def allowed(answer: httpx.Response) -> httpx.Response:
    """The answer to whoever may. Raises GotIn where it is none: then nothing is shown by refusing others."""
    hold(answer.status_code < 300, f"those who may were refused with {answer.status_code}: the attack shows nothing")
    return answer


def until(check: Callable[[], T], seconds: float = 30) -> T:
    """The first true answer of `check`. Raises GotIn where there is none in time: then nothing is shown."""
    deadline = time.monotonic() + seconds
    while not (answer := check()):
        hold(time.monotonic() < deadline, "what was to be attacked did not come about: nothing is shown")
        time.sleep(0.05)
    return answer
