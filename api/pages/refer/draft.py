"""The draft of whoever writes: found by what their browser holds, kept whatever they send, shown as they typed it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from fastapi import Request
from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException

from mash.api.auth import cookie_name, same_origin, set_cookie
from mash.api.limits import place_of
from mash.api.pages.filled import Filled
from mash.api.pages.page import page
from mash.api.pages.refer import choices
from mash.api.pages.refer.answers import ROWS, Answers, Typed
from mash.api.pages.refer.doubts import Doubt, Errors
from mash.api.pages.refer.steps import Step
from mash.api.problems import Malformed
from mash.flows.store.drafts import LIFETIME, NoRoom, NotWritten, begin_draft, read_draft, write_draft
from mash.flows.store.store import Store
from mash.states.clocks import day_of
from mash.states.profile import Profile

TOKEN = re.compile("[a-z_]{1,20}[.][0-9a-f]{16}")
"""By what a doubt is known."""
COOKIE = "mash-referral"
"""The cookie that holds the secret of a draft."""
WORDS: dict[str, Any] = {
    "sectors": choices.SECTORS,
    "at_home": choices.AT_HOME,
    "outside": choices.OUTSIDE,
    "cohorts": choices.COHORTS,
    "agreed": choices.AGREED,
    "danger": choices.DANGER,
    "yes_no": choices.YES_NO,
    "write": choices.WRITE,
    "wants": choices.WANTS,
    "most_choices": choices.MOST_CHOICES,
    "draft_days": LIFETIME.days,
}
"""What there is to choose from, and for how long a draft is kept."""
MOST_FIELDS = 200
"""Of a form: the page of the family has two for each of those who live there."""
IN_ROWS = frozenset(name for row in ROWS for name in row)
"""Fields that a page has as many of as are needed; of the others nothing is kept."""
SEVERAL = ("categories",)
"""Fields that hold several answers, with commas between."""


class BegunTooOften(NotWritten):
    """More drafts were begun from an address within the hour than people who are worried begin."""


NOT_WRITTEN: dict[type[NotWritten], int] = {NotWritten: 409, BegunTooOften: 429, NoRoom: 503}
"""With which HTTP status a page says that it has not kept what was typed."""


@dataclass(frozen=True)
class Mine:
    """The draft of whoever writes, with its secret."""

    secret: str
    answers: Answers


async def find_mine(request: Request) -> Mine | None:
    """The draft that this browser has the secret of."""
    secret = secret_of(request)
    stored = await read_draft(request.app.state.store, secret) if secret else None
    return Mine(secret, Answers.model_validate(stored)) if stored is not None else None


async def keep(request: Request, change: Callable[[Answers], Answers]) -> Mine:
    """Keep what was written: in the draft of whoever writes, or where there is none any more in a new one. Raises NotWritten."""
    app, secret = request.app.state, secret_of(request)

    def changed(stored: dict[str, Any]) -> dict[str, Any]:
        return change(Answers.model_validate(stored)).model_dump(exclude_defaults=True)

    if secret and (draft := await write_draft(app.store, secret, changed, app.settings.drafts_room)) is not None:
        return Mine(secret, Answers.model_validate(draft))
    return await begin(request, change(Answers(begun_again=True, looked_over=True)))


async def begin(request: Request, answers: Answers) -> Mine:
    """Begin a draft. Raises NotWritten; from an address at which too many were begun within the hour, too."""
    app, place, now = request.app.state, place_of(request.client.host if request.client else ""), time.monotonic()
    if app.begun.wait(place, now):
        raise BegunTooOften(
            "Many people have begun to write to us from where you are. Please ring your council instead, and say that you are"
            " worried about somebody, or try again in an hour. If somebody is in immediate danger, call 999"
        )
    app.begun.take(place, now)
    return Mine(await begin_draft(app.store, answers.model_dump(exclude_defaults=True), app.settings.drafts_room), answers)


def shown(
    request: Request,
    template: str,
    title: str,
    answers: Answers,
    errors: Errors | None = None,
    status: int = 200,
    typed: Typed | None = None,
    doubts: Mapping[str, Doubt] | None = None,
    **more: Any,
) -> Response:
    """A page about a draft, with what is wrong or in doubt first, and what was typed."""
    values = {name: text.split(",") if name in SEVERAL else [text] for name, text in (typed or {}).items()}
    hubs: dict[str, Profile] = request.app.state.store.hubs
    hub = hubs.get(answers.answer("first", "hub")) or next(iter(hubs.values()))
    known = {
        "hubs": hubs,
        "answers": answers,
        "advice": answers.advice,
        "filled": Filled(values, errors or {}),
        "doubts": doubts or {},
        "within": hub.decides_within,
        **WORDS,
    }
    return page(request, f"refer/{template}.html", title, status, **{**known, **more})


async def unsent(request: Request) -> Mine | None:
    """The draft of whoever writes, unless it was sent."""
    mine = await find_mine(request)
    return mine if mine and not mine.answers.sent else None


def secret_of(request: Request) -> str:
    """The secret that this browser has; empty without one."""
    return request.cookies.get(cookie_name(request, COOKIE), "")


def on(request: Request, mine: Mine, path: str) -> Response:
    """On to another page."""
    return remembering(request, RedirectResponse(path, 303), mine)


def remembering(request: Request, answer: Response, mine: Mine) -> Response:
    """An answer with which the browser keeps the secret until it is closed: others may use the device after that. Who comes back
    later has the link."""
    set_cookie(request, answer, mine.secret, COOKIE)
    return answer


def today(request: Request) -> date:
    """The day it is for the hubs."""
    store: Store = request.app.state.store
    return day_of(store.time.now())


async def read_form(request: Request) -> FormData:
    """What the browser sent, from a page of ours. Raises NotYours, or Malformed."""
    same_origin(request)
    try:
        return await request.form(max_files=0, max_fields=MOST_FIELDS)
    except HTTPException:
        raise Malformed("the form cannot be read: go back, and send it again") from None


def typed_in(form: FormData, step: Step) -> Typed:
    """The fields of a page, as they were typed."""
    # Half a character is no text, and cannot be shown again.
    values = {name: ",".join(str(each) for each in form.getlist(name)) for name in step.fields}
    texts = {name: text.replace("\r\n", "\n").encode(errors="replace").decode() for name, text in values.items()}
    return {name: text for name, text in texts.items() if text or name not in IN_ROWS}


def marked(form: FormData, name: str) -> set[str]:
    """The doubts that a page says were pointed out, or kept."""
    return {text for each in form.getlist(name) if TOKEN.fullmatch(text := str(each))}
