"""Manager: what other limits would have made late, and what another hub has no place for; of the last weeks, by the log."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, ConfigDict, Field

from mash.api.pages.filled import checked
from mash.api.pages.page import page
from mash.api.permitted import Permitted
from mash.api.whatif import IN_WORDS, PARTING, before_stops, lines_of, stops_of
from mash.config.instead import limits_of
from mash.config.profile import load_profile
from mash.config.profile_files import available
from mash.config.toml_lines import Problem, WrongFile
from mash.config.words import worded
from mash.flows.store import whatif
from mash.flows.store.store import Store
from mash.states.clocks import day_of
from mash.states.profile import Profile
from mash.states.values import Actor
from mash.states.whatif import Coverage, Limits

router = APIRouter(prefix="/manager/whatif", include_in_schema=False)
Manager = Annotated[Actor, Depends(Permitted("read_figures"))]
TITLE = "Other limits"
WEEKS = 13
"""Of which is asked: a large hub's year takes both cores for some twenty seconds, which the command is for."""
BUSY, SOON = "Another question is being reckoned. It is one at a time: ask again in half a minute.", 30
MOST = 100
"""Answers of a day that are kept."""


class Asked(BaseModel):
    """One of the two questions: a limit and what it is to be instead, or another hub's profile."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    limit: Annotated[str, Field(max_length=120)] = ""
    value: Annotated[str, Field(max_length=60)] = ""
    profile: Annotated[str, Field(pattern=r"^[a-z0-9_-]{0,60}$")] = ""


class Question(NamedTuple):
    """What was asked, of which hub, by which rules in force, on which day."""

    day: date
    hub: str
    rules: str
    asked: str


@dataclass(frozen=True)
class Answer:
    """What was found, and when."""

    found: Limits | Coverage
    at: datetime


class Busy(Exception):
    """Another question is being reckoned."""


class Reckoning:
    """What was asked today. Each question is reckoned once, and one at a time: it takes both cores for some seconds, whoever asks
    again, and whoever does not wait."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._answers: dict[Question, Answer] = {}

    async def answer(self, question: Question, now: datetime, find: Callable[[], Awaitable[Limits | Coverage]]) -> Answer:
        """The answer that is kept, or the one that is found now. Raises Busy."""
        if question in self._answers:
            return self._answers[question]
        if self._turn.locked():
            raise Busy
        async with self._turn:
            answer = Answer(await find(), now)
        today = [(each, kept) for each, kept in self._answers.items() if each.day == question.day]
        self._answers = {**dict(today[-MOST + 1 :]), question: answer}
        return answer


@router.get("", response_class=HTMLResponse)
async def show(request: Request, by: Manager) -> HTMLResponse:
    """The two questions."""
    return page(request, "whatif.html", TITLE, **await _known(request, by, Asked()))


@router.post("", response_class=HTMLResponse)
async def ask(request: Request, by: Manager) -> HTMLResponse:
    """The two questions, and the answer to the one that is asked."""
    asked, _ = checked(Asked, await request.form(max_files=0, max_fields=10))
    if asked is None:
        return page(request, "whatif.html", TITLE, 422, **await _known(request, by, Asked()))
    known, status = await _known(request, by, asked), 200
    try:
        if asked.limit:
            known |= await _limits(request, by, asked)
        elif asked.profile in known["hubs"]:
            known |= await _coverage(request, by, asked)
    except WrongFile as wrong:
        known["wrong"], status = "; ".join(problem.what for problem in wrong.problems), 422
    except Busy:
        known["not_reckoned"], status = BUSY, 429
    except whatif.NotReckoned as error:
        known["not_reckoned"], status = f"It could not be reckoned. {error}.", 503
    answer = page(request, "whatif.html", TITLE, status, **known)
    if status in (429, 503):
        answer.headers["Retry-After"] = str(SOON)
    return answer


async def _known(request: Request, by: Actor, asked: Asked) -> dict[str, Any]:
    """What the page has whatever is asked."""
    store: Store = request.app.state.store
    own = store.hub(by.hub)
    limits = limits_of(own)
    hubs = await asyncio.to_thread(_hubs, request.app.state.settings.profiles_dir)
    return {
        "limits": [(name, _named(name, own), limits[name]) for name in limits],
        "hubs": {name: title for name, title in hubs.items() if name != by.hub},
        "asked": asked, "weeks": WEEKS, "in_words": IN_WORDS, "parting": PARTING,
    }  # fmt: skip


def _hubs(folder: Path | None) -> dict[str, str]:
    """All profiles that may be held against the log, with their titles: the first time it reads each."""
    return {name: load_profile(name, folder).title for name in available(folder)}


async def _limits(request: Request, by: Actor, asked: Asked) -> dict[str, Any]:
    """What another limit would have made late. Raises WrongFile, Busy, or NotReckoned."""
    store: Store = request.app.state.store
    own, setting = store.hub(by.hub), f"{asked.limit}={asked.value}"
    if not asked.value.strip():
        raise WrongFile((Problem("value", 1, "expected a length such as 4 h, 30 min or 1 working day"),))
    since = store.time.now() - timedelta(weeks=WEEKS)
    answer = await _answer(request, by, setting, lambda: whatif.limits_of(store, by, since, [setting]))
    found = answer.found
    assert isinstance(found, Limits)
    lines = [line for line in lines_of(found, own) if line.difference or line.late]
    stops = stops_of(found.not_reckoned, own, found.late_by_then)
    known = {"found": found, "at": answer.at, "lines": lines, "stops": stops, "before": before_stops(found, own)}
    return {**known, "reckoned": found.contacts - sum(found.not_reckoned.values())}


async def _coverage(request: Request, by: Actor, asked: Asked) -> dict[str, Any]:
    """What another hub's profile has no place for. Raises Busy, or NotReckoned."""
    store: Store = request.app.state.store
    other = load_profile(asked.profile, request.app.state.settings.profiles_dir)
    since = store.time.now() - timedelta(weeks=WEEKS)
    answer = await _answer(request, by, f"profile {asked.profile}", lambda: whatif.coverage_of(store, by, since, other))
    found = answer.found
    assert isinstance(found, Coverage)
    return {"covered": found, "at": answer.at, "stops": stops_of(found.first, store.hub(by.hub))}


async def _answer(request: Request, by: Actor, asked: str, find: Callable[[], Awaitable[Limits | Coverage]]) -> Answer:
    store: Store = request.app.state.store
    reckoning: Reckoning = request.app.state.reckoning
    now = store.time.now()
    return await reckoning.answer(Question(day_of(now), by.hub, store.hub(by.hub).digest, asked), now, find)


def _named(name: str, own: Profile) -> str:
    """A limit in words: of what, then whose."""
    parts = [part for part in name.split(".") if part not in ("length", "within")]
    return ", ".join(worded(part, own) for part in parts).capitalize()
