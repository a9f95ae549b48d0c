"""Making a referral, for whoever does so once a month: begun, left and taken up again, looked over, and sent once."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from mash.api.auth import REFERRER_ROLE, drop_cookie, holder, same_origin
from mash.api.pages.refer import submission
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
from mash.api.pages.refer.steps import Answers, Errors, after, faults
from mash.api.pages.refusals import answer_in_words
from mash.api.routes.referrals import take_in
from mash.flows.store.drafts import LIFETIME, NotWritten, finish_draft, pressed_again, read_draft, show_sent
from mash.flows.store.reads.case import read_case
from mash.flows.store.reads.look import look_at
from mash.flows.store.receipts import KeyReused
from mash.flows.store.sessions import hash_of
from mash.notifications.links import status_code
from mash.states.errors import NotFound
from mash.states.values import Actor

router = APIRouter(prefix="/refer", include_in_schema=False, default_response_class=HTMLResponse)
START, CHECK, SAVE = "Tell us you are worried about someone", "Check your answers before you send them", "Come back later"
RETURN = "Continue your referral"
RECEIVED, ADVICE = "We have your referral", "We have your request for advice"
RECORDED = "We have recorded what you wrote"
SENT = "You have sent this"
ELSEWHERE = "https://www.bbc.co.uk/weather"
"""Where `Exit this page` leads, as the Design System has it."""
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
    first = after("", Answers(), len(request.app.state.store.hubs))
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
    drop_cookie(request, answer, COOKIE)
    return answer


@router.get("/call-999")
async def call_999(request: Request) -> Response:
    """To call 999, then to go on."""
    if (mine := await unsent(request)) is None:
        return RedirectResponse("/refer", 303)
    hubs = len(request.app.state.store.hubs)
    return shown(request, "call_999", "Call 999 now", mine.answers, onward=after("danger", mine.answers, hubs))


# --- checking and sending ------------------------------------------------------------------------------------------------------


@router.get("/check")
async def check(request: Request) -> Response:
    """All answers, to be changed or sent."""
    if (mine := await unsent(request)) is None:
        return RedirectResponse("/refer/sent", 303)
    return remembering(request, _check_page(request, mine.answers), mine)


def _check_page(request: Request, answers: Answers, errors: Errors | None = None, status: int = 200) -> Response:
    rows = submission.rows_of(answers, request.app.state.store.hubs, today(request))
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
    hub = app.store.hub(mine.answers.answer("area", "hub") or next(iter(app.store.hubs))).name
    by = Actor(id=f"form:{key[:24]}", role=REFERRER_ROLE, agency=submission.agency_of(mine.answers), hub=hub)
    try:
        answer = await take_in(app, submission.submission_of(mine.answers), by, key)
    except KeyReused:
        return _check_page(request, mine.answers, {"/refer": CHANGED}, 409)
    if answer.reference is None:
        return _check_page(request, mine.answers, {"/refer/worries": answer_in_words(answer.body)}, answer.status)
    await finish_draft(app.store, mine.secret, answer.reference)
    return on(request, mine, "/refer/sent")


@router.get("/sent")
async def sent(request: Request) -> Response:
    """That it was received: the reference, the code, and what happens next. It is shown once: others may use the device."""
    mine = await find_mine(request)
    if mine is None or not mine.answers.sent:
        return RedirectResponse("/refer", 303)
    app = request.app.state
    reference = await show_sent(app.store, mine.secret)
    answer = await _sent_page(request, reference) if reference else shown(request, "sent_before", SENT, Answers())
    drop_cookie(request, answer, COOKIE)
    return answer


async def _sent_page(request: Request, reference: str) -> Response:
    app = request.app.state
    who = holder(await read_case(app.store, reference))
    case = await look_at(app.store, reference, who, "read_own_referral", holds="wrote it here")
    hub = app.store.hub(case.hub)
    signpost = hub.signpost if case.referral.stage == "not_taken" else ""
    title = RECORDED if signpost else ADVICE if case.referral.contact == "advice" else RECEIVED
    code, r = status_code(app.token_key, reference), case.referral
    ways = {"reachable": r.referrer_reachable, "not_to_write": r.not_to_write, "by_person": r.by_person}
    known = {"reference": reference, "code": code, "signpost": signpost, **ways}
    known["in_danger"] = hub.in_danger if r.in_danger else ""
    return shown(request, "sent", title, Answers(), known=known, asks=title == ADVICE, within=hub.decides_within)


@router.get("/exit")
async def leave_at_once(request: Request) -> Response:
    """Away from here, to a page that says nothing of anybody; the browser forgets what was written. Without scripts too."""
    answer = RedirectResponse(ELSEWHERE, 303)
    # Another site that leads here has nobody lose what they have written.
    if request.headers.get("sec-fetch-site", "none") in ("same-origin", "none"):
        drop_cookie(request, answer, COOKIE)
    return answer
