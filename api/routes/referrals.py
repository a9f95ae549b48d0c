"""For referrers: submit a referral, and see what became of it."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import replace
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Header, Request
from fastapi.responses import JSONResponse
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.datastructures import State

from mash.api.auth import REFERRER_ROLE, referrer
from mash.api.permitted import Permitted
from mash.api.problems import ACTING, FINDING, Malformed, answer_for, answers, reply
from mash.api.schemas.contact import DisagreementGiven, Submission
from mash.api.schemas.fields import Reference
from mash.api.schemas.intake import contact_of
from mash.flows.store.apply import apply, receive
from mash.flows.store.reads.case import Case
from mash.flows.store.reads.look import look_at, look_at_family
from mash.flows.store.receipts import Answer, answer_once, record_refused
from mash.flows.store.store import Store
from mash.notifications.links import status_code
from mash.notifications.wording import became
from mash.states.acts.disagreements import RaiseDisagreement, TakeDisagreementFurther
from mash.states.errors import Refusal
from mash.states.values import Actor

router = APIRouter(tags=["referrers"])
Key = Annotated[
    str | None, Header(alias="Idempotency-Key", max_length=200, description="Any value that is unique to this request: needed.")
]
WHAT_NEXT = "If someone is in immediate danger, call 999. A manager decides on the response within {within}."


def idempotency_key(key: str | None) -> str:
    """The key of a POST. Raises Malformed without one."""
    if not key or not key.strip():
        raise Malformed("send an Idempotency-Key header: any value that is unique to this request, so that a repeat is harmless")
    return key.strip()


@router.post("/referrals", status_code=201, responses=answers(401, 403, 409, 422))
async def submit(
    request: Request,
    submission: Submission,
    by: Annotated[Actor, Depends(Permitted("submit_referral", referrer("submit")))],
    key: Key = None,
) -> JSONResponse:
    """Submit a contact. It is durable when the answer is 201. Wrong codes and numbers are kept as given and flagged; it is
    refused (422) only when there is neither a concern nor anything to identify somebody by."""
    return reply(await take_in(request.app.state, submission, by, idempotency_key(key)))


async def take_in(app: State, submission: Submission, by: Actor, key: str) -> Answer:
    """Take a contact in, once per key, however it was written: what whoever made it is told. Raises KeyReused."""
    store: Store = app.store

    async def work(connection: AsyncConnection) -> Answer:
        command, items = contact_of(submission)
        applied, hub = await receive(connection, store, command, items, by), store.hub(by.hub)
        return Answer(
            201,
            {
                "reference": applied.reference,
                "received_at": applied.referral.received_at.isoformat(),
                "status_url": f"/referrals/{applied.reference}",
                "flags": list(command.flags),
                "what_next": WHAT_NEXT.format(within=hub.decides_within) if applied.referral.open else hub.signpost,
            },
            applied.reference,
        )

    body = submission.model_dump(mode="json")
    answer = await answer_once(store, by, key, "submission", body, work, answer_for)
    if answer.reference and answer.status == 201:
        # Not kept with the answer: it is a secret, and can be reckoned again.
        answer = replace(answer, body={**answer.body, "status_code": status_code(app.token_key, answer.reference)})
    return answer


async def record_malformed(request: Request, answer: Answer) -> None:
    """Keep the receipt of a submission that could not be read, when it is known who sent it."""
    # Without a key of theirs it has one of ours: it is counted all the same.
    key = request.headers.get("idempotency-key", "").strip() or secrets.token_urlsafe(16)
    try:
        by = await referrer("submit")(request)
    except Refusal:
        return
    digest = hashlib.sha256(await request.body()).hexdigest()
    await record_refused(request.app.state.store, by, key, "submission", digest, answer)


@router.get("/referrals/{reference}", responses=FINDING)
async def status(
    request: Request,
    reference: Reference,
    by: Annotated[Actor, Depends(Permitted("read_own_referral", referrer("read_status")))],
) -> dict[str, Any]:
    """What has become of a referral of yours, as a referrer may know it."""
    parts = await look_at_family(request.app.state.store, reference, by, "read_own_referral")
    return {
        "reference": reference,
        "received_at": next(part.referral.received_at for part in parts if part.reference == reference),
        "parts": [_part(part) for part in parts],
    }


@router.post("/referrals/{reference}/disagreements", status_code=201, responses=ACTING)
async def disagree(
    request: Request,
    reference: Reference,
    body: DisagreementGiven,
    by: Annotated[Actor, Depends(Permitted("disagree_with_decision", referrer("disagree")))],
    key: Key = None,
) -> JSONResponse:
    """Disagree with what was decided about a referral of yours, or take a disagreement further. The hub's procedure for
    resolving professional differences begins: somebody determines it within a time limit, and you are told."""
    store = request.app.state.store
    case = await look_at(store, reference, by, "disagree_with_decision")
    return reply(await begin_disagreement(store, case, by, body, idempotency_key(key)))


async def begin_disagreement(store: Store, case: Case, by: Actor, body: DisagreementGiven, key: str) -> Answer:
    """Begin a referrer's disagreement, or take one further, once for each key; the answer names it, and says by when it is
    determined. Raises KeyReused."""
    further = body.disagreement
    about: Literal["decision", "rating"] = "decision" if case.referral.decided else "rating"
    command = TakeDisagreementFurther(disagreement=further) if further else RaiseDisagreement(about=about)

    async def work(connection: AsyncConnection) -> Answer:
        applied = await apply(connection, store, case.reference, command, by, words=body.words)
        name = further or list(applied.referral.disagreements)[-1]
        running = (k for k in reversed(applied.referral.clocks.values()) if k.id.split(".")[0] == f"disagreement:{name}")
        clock = next(running)
        content = {"reference": case.reference, "disagreement": name, "determined_by": clock.due_at.isoformat(), "why": clock.why}
        return Answer(201, content, case.reference)

    document = {"reference": case.reference, **body.model_dump(mode="json")}
    return await answer_once(store, by, key, "disagreement", document, work, answer_for)


def _part(case: Case) -> dict[str, Any]:
    r = case.referral
    return {
        "reference": case.reference,
        **became(r).model_dump(),
        "acknowledged": "acknowledgement" in r.deliveries,
        "concluded": not r.open,
        "disagreements": [
            {"disagreement": did, "outcome": None if r.not_to_write else found.outcome, "final": found.final}
            for did, found in r.disagreements.items()
            if found.by_role == REFERRER_ROLE
        ],
    }
