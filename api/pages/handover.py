"""What a shift hands over to the next: to be read on the screen, talked through, or printed."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from mash.api.pages.board_rows import has_it
from mash.api.pages.page import page
from mash.api.permitted import Permitted
from mash.api.routes.cases import brief
from mash.config.words import agency_title, destination_title, sentence, worded
from mash.flows.store.reads.case import Case
from mash.flows.store.reads.end_of_shift import EndOfShift, Promise, end_of_shift
from mash.flows.store.store import Store
from mash.flows.telling.who import in_few_words
from mash.states.clocks import day_of
from mash.states.profile import Profile
from mash.states.referral import NOT_TO_TELL
from mash.states.values import Actor

router = APIRouter(include_in_schema=False)
LONGEST = 200
"""Characters of what is to be done; the rest is on the case."""
MARKS = {NOT_TO_TELL: "Do not tell the family", "safe_contact": "Safe contact", "staff_safety": "Risk to staff"}
"""What must be minded before anybody rings or visits: how, the case says."""
TELL_REFERRER = {
    "acknowledgement": "that their referral has arrived",
    "outcome": "what was decided",
    "disagreement": "what was determined on their disagreement",
    "withdrawal": "that the decision no longer holds",
}
"""What a referrer waits to hear, as it is promised."""


@router.get("/handover", response_class=HTMLResponse)
async def show(request: Request, by: Annotated[Actor, Depends(Permitted("read_end_of_shift"))]) -> HTMLResponse:
    """What is open, what was promised, and what is due before the next shift begins."""
    store = request.app.state.store
    found = await end_of_shift(store, by)
    profile = store.hub(by.hub)
    known: dict[str, Any] = {
        "shift": found,
        "due": [_row(store, case, found) for case in found.due],
        "later": [_row(store, case, found) for case in found.later],
        "promises": [{**_promised(each, profile), **_row(store, each.case, found)} for each in found.promises],
        "on_duty": {sentence(role): [each.person for each in some] for role, some in found.next_on_duty.items()},
    }
    return page(request, "handover.html", "Hand over to the next shift", **known)


def _row(store: Store, case: Case, shift: EndOfShift) -> dict[str, Any]:
    """A case as it stands in a list: who it is about by initials and age, and whose turn it is."""
    now, r = store.time.now(), case.referral
    return {
        **brief(case, store.rules(r)),
        "people": in_few_words(shift.people.get(case.reference, []), day_of(now)),
        "marks": [text for marker, text in MARKS.items() if marker in r.warnings],
        "in_danger": r.immediate_danger,
        "late_partners": r.late_partners(now),
        "has_it": has_it(r, store.rules(r), None),
    }


def _promised(promise: Promise, profile: Profile) -> dict[str, Any]:
    """A promise in words: what, and whose it is."""
    match promise.what:
        case "action":
            what = promise.words if len(promise.words) <= LONGEST else f"{promise.words[:LONGEST].rsplit(' ', 1)[0]} …"
            known = {*profile.agencies, *profile.invited}
            owner = agency_title(profile, promise.who) if promise.who in known else sentence(promise.who)
            said = what or "What was agreed at the meeting", ", ".join(filter(None, (owner, promise.login)))
        case "hand_over":
            said = "Accepts what was offered, or returns it", destination_title(profile, promise.who)
        case "referrer":
            said = f"Tell the referrer {TELL_REFERRER[promise.who]}: nothing was written to them", "A person of the hub"
        case "alert":
            said = f"Has the alert: {promise.why}", f"{promise.login}, {worded(promise.who)}"
    return {"what": said[0], "whose": said[1], "by_when": promise.due_at}
