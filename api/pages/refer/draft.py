"""The draft of whoever writes: found by what their browser holds, kept whatever they send, shown as they typed it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from fastapi import Request
from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException

from mash.api.auth import cookie_name, same_origin, set_cookie
from mash.api.limits import place_of
from mash.api.pages.forms import Filled
from mash.api.pages.page import page
from mash.api.pages.refer import submission
from mash.api.pages.refer.steps import PUBLIC, Answers, Errors, Step, Typed
from mash.api.problems import Malformed
from mash.flows.store.drafts import LIFETIME, NoRoom, NotWritten, begin_draft, read_draft, write_draft
from mash.flows.store.store import Store
from mash.states.clocks import day_of
from mash.states.profile import Profile

COOKIE = "mash-referral"
"""The cookie that holds the secret of a draft."""
WORDS: dict[str, Any] = {
    "professionals": {code: words for code, (words, _, _) in submission.FROM.items() if code not in PUBLIC},
    "public": {code: submission.FROM[code][0] for code in PUBLIC},
    "categories": submission.CATEGORIES,
    "cohorts": submission.COHORTS,
    "agreed": submission.AGREED,
    "danger": submission.DANGER,
    "yes_no": submission.YES_NO,
    "write": submission.WRITE,
    "wants": submission.WANTS,
    "draft_days": LIFETIME.days,
}
"""What there is to choose from, and for how long a draft is kept."""
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
    secret = request.cookies.get(cookie_name(request, COOKIE), "")
    stored = await read_draft(request.app.state.store, secret) if secret else None
    return Mine(secret, Answers.model_validate(stored)) if stored is not None else None


async def keep(request: Request, change: Callable[[Answers], Answers]) -> Mine:
    """Keep what was written: in the draft of whoever writes, or where there is none any more in a new one. Raises NotWritten."""
    app, secret = request.app.state, request.cookies.get(cookie_name(request, COOKIE), "")

    def changed(stored: dict[str, Any]) -> dict[str, Any]:
        return change(Answers.model_validate(stored)).model_dump(exclude_defaults=True)

    if secret and (draft := await write_draft(app.store, secret, changed, app.settings.drafts_room)) is not None:
        return Mine(secret, Answers.model_validate(draft))
    return await begin(request, change(Answers(begun_again=True, looked_over=True)))


async def begin(request: Request, answers: Answers) -> Mine:
    """Begin a draft. Raises NotWritten; from an address at which too many were begun within the hour, too."""
    app, place, now = request.app.state, place_of(request.client.host) if request.client else "", time.monotonic()
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
    **more: Any,
) -> Response:
    """A page about a draft, with what is wrong first, and what was typed."""
    values = {name: text.split(",") if name in SEVERAL else [text] for name, text in (typed or {}).items()}
    hubs: dict[str, Profile] = request.app.state.store.hubs
    hub = hubs.get(answers.answer("area", "hub")) or next(iter(hubs.values()))
    known = {
        "hubs": hubs,
        "answers": answers,
        "advice": answers.advice,
        "filled": Filled(values, errors or {}),
        "within": hub.decides_within,
        **WORDS,
    }
    return page(request, f"refer/{template}.html", title, status, **{**known, **more})


async def unsent(request: Request) -> Mine | None:
    """The draft of whoever writes, unless it was sent."""
    mine = await find_mine(request)
    return mine if mine and not mine.answers.sent else None


def on(request: Request, mine: Mine, path: str) -> Response:
    """On to another page."""
    return remembering(request, RedirectResponse(path, 303), mine)


def remembering(request: Request, answer: Response, mine: Mine) -> Response:
    """An answer with which the browser keeps the secret, for as long as the draft is kept."""
    set_cookie(request, answer, mine.secret, COOKIE, int(LIFETIME.total_seconds()))
    return answer


def today(request: Request) -> date:
    """The day it is for the hubs."""
    store: Store = request.app.state.store
    return day_of(store.time.now())


async def read_form(request: Request) -> FormData:
    """What the browser sent, from a page of ours. Raises NotYours, or Malformed."""
    same_origin(request)
    try:
        return await request.form(max_files=0, max_fields=50)
    except HTTPException:
        raise Malformed("the form cannot be read: go back, and send it again") from None


def typed_in(form: FormData, step: Step) -> Typed:
    """The fields of a page, as they were typed."""
    # Half a character is no text, and cannot be shown again.
    values = {name: ",".join(str(each) for each in form.getlist(name)) for name in step.fields}
    return {name: text.replace("\r\n", "\n").encode(errors="replace").decode() for name, text in values.items()}
