"""Making a referral, for whoever does so once a month: begun, left and taken up again, looked over, and sent once."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from itsdangerous import BadSignature, URLSafeTimedSerializer

from mash.api.auth import REFERRER_ROLE, cookie_name, drop_cookie, holder, same_origin, set_cookie
from mash.api.pages.refer import submission
from mash.api.pages.refer.answers import Answers
from mash.api.pages.refer.doubts import Errors
from mash.api.pages.refer.draft import (
    COOKIE,
    NOT_WRITTEN,
    Mine,
    begin,
    find_mine,
    on,
    remembering,
    secret_of,
    shown,
    today,
    unsent,
)
from mash.api.pages.refer.looked_over import rows_of
from mash.api.pages.refer.paper import as_pdf
from mash.api.pages.refer.steps import ORDER, address_of, after, faults
from mash.api.pages.refusals import answer_in_words
from mash.api.routes.referrals import take_in
from mash.flows.store.drafts import (
    COPYING,
    LIFETIME,
    NotWritten,
    Shown,
    discard_copy,
    finish_draft,
    pressed_again,
    read_draft,
    show_sent,
)
from mash.flows.store.reads.case import read_case
from mash.flows.store.reads.look import look_at
from mash.flows.store.receipts import KeyReused
from mash.flows.store.sessions import hash_of
from mash.notifications.links import status_code
from mash.states.clocks import day_of
from mash.states.errors import NotFound
from mash.states.values import Actor

router = APIRouter(prefix="/refer", include_in_schema=False, default_response_class=HTMLResponse)
START, CHECK, SAVE = "Tell us you are worried about someone", "Check your answers before you send them", "Come back later"
RETURN = "Continue your referral"
RECEIVED, ADVICE = "We have your referral", "We have your request for advice"
RECORDED = "We have recorded what you wrote"
SENT = "You have sent this"
ELSEWHERE = "https://www.bbc.co.uk/weather"
"""Where `Leave this page quickly` leads, as the Design System has it."""
COPY_COOKIE = "mash-referral-copy"
"""The cookie that holds the secret of the copy of what was sent."""
NO_COPY = "this copy is not to be had any more: it can be downloaded for half an hour after sending, from the page that says so"
CHANGED = "You have sent this already, and changed it since. We did not receive the changes: start a new referral to tell us"


# --- beginning, leaving, returning ---------------------------------------------------------------------------------------------


@router.get("")
async def start(request: Request) -> Response:
    """What to expect; and that 999 comes first."""
    return await _start_page(request)


async def _start_page(request: Request, errors: Errors | None = None, status: int = 200) -> Response:
    mine = await unsent(request)
    return shown(request, "start", START, mine.answers if mine else Answers(), errors, status, begun=mine is not None)


@router.post("")
async def begin_new(request: Request) -> Response:
    """Begin a new draft."""
    same_origin(request)
    first = address_of(ORDER[0], Answers())
    try:
        return on(request, await begin(request, Answers(at=first)), first)
    except NotWritten as why:
        return await _start_page(request, {"": str(why)}, NOT_WRITTEN[type(why)])


@router.get("/return/{secret}")
async def come_back(request: Request, secret: str) -> Response:
    """Whether they want to go on by their secret link: opening it alone changes nothing in their browser, for the link may be
    somebody else's. Raises NotFound for a secret of no draft."""
    await _drafted(request, secret)
    return shown(request, "return", RETURN, Answers(), secret=secret)


@router.post("/return/{secret}")
async def go_on(request: Request, secret: str) -> Response:
    """Back to where they were. Raises NotFound for a secret of no draft."""
    same_origin(request)
    answers = await _drafted(request, secret)
    return on(request, Mine(secret, answers), "/refer/sent" if answers.sent else answers.at)


async def _drafted(request: Request, secret: str) -> Answers:
    stored = await read_draft(request.app.state.store, secret)
    if stored is None:
        raise NotFound(f"this link does not work: it is incomplete, or it has not been used for {LIFETIME.days} days")
    return Answers.model_validate(stored)


@router.get("/save")
async def save(request: Request) -> Response:
    """The link by which they come back."""
    if (mine := await unsent(request)) is None:
        return RedirectResponse("/refer", 303)
    link = f"{request.app.state.base_url}/refer/return/{mine.secret}"
    return shown(request, "save", SAVE, mine.answers, link=link)


@router.post("/leave")
async def leave(request: Request) -> Response:
    """Have this browser forget the draft: others may use it too."""
    same_origin(request)
    answer = RedirectResponse("/refer", 303)
    await _forget(request, answer)
    return answer


@router.get("/call-999")
async def call_999(request: Request) -> Response:
    """To call 999, then to go on."""
    if (mine := await unsent(request)) is None:
        return RedirectResponse("/refer", 303)
    return shown(request, "call_999", "Call 999 now", mine.answers, onward=after(ORDER[0], mine.answers))


# --- checking and sending ------------------------------------------------------------------------------------------------------


@router.get("/check")
async def check(request: Request) -> Response:
    """All answers, to be changed or sent."""
    if (mine := await unsent(request)) is None:
        return RedirectResponse("/refer/sent", 303)
    # What must still be set right is said as soon as they come here, and not when they press the button.
    wrong = faults(mine.answers, len(request.app.state.store.hubs))
    return remembering(request, _check_page(request, mine.answers, wrong), mine)


def _check_page(request: Request, answers: Answers, errors: Errors | None = None, status: int = 200) -> Response:
    rows = rows_of(answers, request.app.state.store.hubs, today(request))
    return shown(request, "check", CHECK, answers, errors, status, parts=rows)


@router.post("/send")
async def send(request: Request) -> Response:
    """Send it, once however often it is pressed."""
    same_origin(request)
    app = request.app.state
    if (mine := await unsent(request)) is None:
        await pressed_again(app.store, secret_of(request))
        return RedirectResponse("/refer/sent", 303)
    if wrong := faults(mine.answers, len(app.store.hubs)):
        return _check_page(request, mine.answers, wrong, 422)
    key = hash_of(mine.secret)
    hub = app.store.hub(mine.answers.answer("first", "hub") or next(iter(app.store.hubs))).name
    by = Actor(id=f"form:{key[:24]}", role=REFERRER_ROLE, agency=submission.agency_of(mine.answers), hub=hub)
    try:
        answer = await take_in(app, submission.submission_of(mine.answers), by, key)
    except KeyReused:
        return _check_page(request, mine.answers, {"/refer": CHANGED}, 409)
    if answer.reference is None:
        return _check_page(request, mine.answers, {"/refer/worries#worries": answer_in_words(answer.body)}, answer.status)
    await finish_draft(app.store, mine.secret, answer.reference, mine.answers.model_dump(exclude_defaults=True))
    return on(request, mine, "/refer/sent")


@router.get("/sent")
async def sent(request: Request) -> Response:
    """That it was received: the reference, the code, and what happens next. It is shown once: others may use the device."""
    mine = await find_mine(request)
    if mine is None or not mine.answers.sent:
        return RedirectResponse("/refer", 303)
    found = await show_sent(request.app.state.store, mine.secret)
    answer = await _sent_page(request, found) if found else shown(request, "sent_before", SENT, Answers())
    drop_cookie(request, answer, COOKIE)
    if found:
        set_cookie(request, answer, found.copy, COPY_COOKIE, int(COPYING.total_seconds()))
    return answer


async def _sent_page(request: Request, found: Shown) -> Response:
    app, reference = request.app.state, found.reference
    who = holder(await read_case(app.store, reference))
    case = await look_at(app.store, reference, who, "read_own_referral", holds="wrote it here")
    hub = app.store.hub(case.hub)
    signpost = hub.signpost if case.referral.stage == "not_taken" else ""
    title = RECORDED if signpost else ADVICE if case.referral.contact == "advice" else RECEIVED
    code, r = status_code(app.token_key, reference), case.referral
    ways = {"reachable": r.referrer_reachable, "not_to_write": r.not_to_write, "by_person": r.by_person}
    known = {"reference": reference, "code": code, "signpost": signpost, **ways}
    known["in_danger"] = hub.in_danger if r.in_danger else ""
    known["paper"] = _signer(request).dumps([reference, hash_of(found.copy)])
    return shown(request, "sent", title, Answers(), known=known, asks=title == ADVICE, within=hub.decides_within)


@router.post("/copy")
async def download_copy(request: Request, of: Annotated[str, Form(max_length=500)] = "") -> Response:
    """What they wrote, as a PDF for their own file: for whoever has the page before them that says that it was received, in the
    browser that sent it, for half an hour. Raises NotFound for anybody else."""
    same_origin(request)
    app, secret = request.app.state, request.cookies.get(cookie_name(request, COPY_COOKIE), "")
    try:
        reference, digest = _signer(request).loads(of, max_age=COPYING.total_seconds())
    except (BadSignature, ValueError):
        raise NotFound(NO_COPY) from None
    stored = await read_draft(app.store, secret) if secret and digest == hash_of(secret) else None
    if stored is None:
        raise NotFound(NO_COPY)
    case = await read_case(app.store, reference)
    await look_at(app.store, reference, holder(case), "read_own_referral", holds="wrote it here")
    answers, hub = Answers.model_validate(stored), app.store.hub(case.hub)
    parts = rows_of(answers, app.store.hubs, day_of(case.referral.received_at))
    known = (hub.title, reference, status_code(app.token_key, reference), case.referral.received_at, parts)
    content = await run_in_threadpool(as_pdf, *known)
    named = {"Content-Disposition": f'attachment; filename="{reference}.pdf"'}
    return Response(content, media_type="application/pdf", headers=named)


def _signer(request: Request) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(request.app.state.token_key, salt="copy of a referral")


@router.get("/exit")
async def leave_at_once(request: Request) -> Response:
    """Away from here, to a page that says nothing of anybody; the browser forgets what was written. Without scripts too."""
    answer = RedirectResponse(ELSEWHERE, 303)
    # Another site that leads here has nobody lose what they have written.
    if request.headers.get("sec-fetch-site", "none") in ("same-origin", "none"):
        await _forget(request, answer)
    return answer


async def _forget(request: Request, answer: Response) -> None:
    """Have this browser forget what was written in it. A draft stays for whoever has its link; a copy has none."""
    drop_cookie(request, answer, COOKIE)
    if secret := request.cookies.get(cookie_name(request, COPY_COOKIE)):
        drop_cookie(request, answer, COPY_COOKIE)
        await discard_copy(request.app.state.store, secret)
