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
from mash.api.schemas.answers import DisagreementReceived, DisagreementStatus, ReferralPart, ReferralReceived, ReferralStatus
from mash.api.schemas.contact import DisagreementGiven, Submission
from mash.api.schemas.fields import Reference
from mash.api.schemas.intake import contact_of, unknown_fields
from mash.flows.store.apply import apply, receive
from mash.flows.store.reads.case import Case
from mash.flows.store.reads.items import field_of
from mash.flows.store.reads.look import look_at, look_at_family
from mash.flows.store.receipts import Answer, answer_once, record_refused
from mash.flows.store.store import Store
from mash.notifications.links import status_code
from mash.notifications.wording import became, warnings_for_referrer
from mash.states.acts.disagreements import RaiseDisagreement, TakeDisagreementFurther
from mash.states.clocks import day_of
from mash.states.errors import ImpossibleMove, Incomplete, NotFound, NotInProfile, NotYours, Refusal
from mash.states.profile import Profile
from mash.states.referral import Referral
from mash.states.values import Actor

router = APIRouter(tags=["referrers"])
Key = Annotated[
    str | None, Header(alias="Idempotency-Key", max_length=200, description="Any value that is unique to this request: needed.")
]
IF_IN_DANGER = "If someone is in immediate danger, call 999."
NOTHING_TO_DISPUTE = (
    "you cannot disagree at the moment: you can once it is being decided how urgent this is or what is done, and go further with"
    " a disagreement of yours once it has been looked at. Check its progress, or ring the hub"
)
"""The one answer to a referrer who cannot disagree now. Why not would tell at which stage the case is, and what the staff can do
there: that a strategy discussion is to be held before they may know of it."""
RECKONED = {"status_code", "referrer_reference", "unknown_fields"}


def idempotency_key(key: str | None) -> str:
    """The key of a POST. Raises Malformed without one."""
    if not key or not key.strip():
        raise Malformed("send an Idempotency-Key header: any value that is unique to this request, so that a repeat is harmless")
    return key.strip()


@router.post(
    "/referrals",
    operation_id="submit_referral",
    status_code=201,
    response_model=ReferralReceived,
    responses=answers(401, 403, 409, 422),
)
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
        hub = store.hub(by.hub)
        command, items = contact_of(submission, day_of(store.time.now()), hub.places)
        applied = await receive(connection, store, command, items, by)
        received = ReferralReceived(
            reference=applied.reference,
            received_at=applied.referral.received_at.isoformat(),
            status_url=f"/referrals/{applied.reference}",
            flags=list(command.flags),
            what_next=what_next(applied.referral, hub),
            status=became(applied.referral, hub).status,
        )
        return Answer(201, received.model_dump(exclude=RECKONED), applied.reference)

    # As it was before there was this field: a request that is sent again is known by its bytes.
    body = submission.model_dump(mode="json", exclude=None if submission.more_people else {"more_people"})
    answer = await answer_once(store, by, key, "submission", body, work, answer_for)
    if answer.reference and answer.status == 201:
        answer = replace(answer, body={**answer.body, **_reckoned(app, submission, answer.reference)})
    return answer


def what_next(referral: Referral, hub: Profile) -> str:
    """What happens next, and what to do until then, for whoever refers: what cannot wait comes first."""
    if not referral.open:
        return hub.signpost
    first = hub.in_danger if referral.in_danger else IF_IN_DANGER
    return f"{first} A manager decides on the response within {hub.decides_within}."


def _reckoned(app: State, submission: Submission, reference: str) -> dict[str, Any]:
    """What is not stored with the answer, as it can be reckoned again: a secret, and words of whoever sent it."""
    own, unknown = submission.referrer_reference, unknown_fields(submission)
    return {
        "status_code": status_code(app.token_key, reference),
        **({"referrer_reference": own} if own else {}),
        **({"unknown_fields": unknown} if unknown else {}),
    }


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


# What somebody did not send is left out.
@router.get("/referrals/{reference}", operation_id="read_referral", response_model_exclude_unset=True, responses=FINDING)
async def status(
    request: Request,
    reference: Reference,
    by: Annotated[Actor, Depends(Permitted("read_own_referral", referrer("read_status")))],
) -> ReferralStatus:
    """What has become of a referral of yours, as a referrer may know it."""
    store = request.app.state.store
    parts = await look_at_family(store, reference, by, "read_own_referral")
    own = await field_of(store, reference, "submission", "referrer_reference")
    return ReferralStatus(
        reference=reference,
        received_at=next(part.referral.received_at for part in parts if part.reference == reference),
        parts=[_part(part, store.hub(part.hub), store.rules(part.referral)) for part in parts],
        **({"referrer_reference": own} if own else {}),
    )


@router.post(
    "/referrals/{reference}/disagreements",
    operation_id="disagree",
    status_code=201,
    response_model=DisagreementReceived,
    responses=ACTING,
)
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
    # Who determines it, and by when, would tell of a section 47 that is held back.
    about: Literal["decision", "rating"] = "decision" if case.referral.decided and not case.referral.held_back else "rating"
    command = TakeDisagreementFurther(disagreement=further) if further else RaiseDisagreement(about=about)

    async def work(connection: AsyncConnection) -> Answer:
        try:
            applied = await apply(connection, store, case.reference, command, by, words=body.words)
        except (ImpossibleMove, Incomplete, NotFound, NotInProfile, NotYours):
            raise Incomplete(NOTHING_TO_DISPUTE) from None
        name = further or list(applied.referral.disagreements)[-1]
        running = (k for k in reversed(applied.referral.clocks.values()) if k.id.split(".")[0] == f"disagreement:{name}")
        clock = next(running)
        begun = DisagreementReceived(
            reference=case.reference, disagreement=name, determined_by=clock.due_at.isoformat(), why=clock.why
        )
        return Answer(201, begun.model_dump(), case.reference)

    document = {"reference": case.reference, **body.model_dump(mode="json")}
    return await answer_once(store, by, key, "disagreement", document, work, answer_for)


def _part(case: Case, hub: Profile, rules: Profile | None) -> ReferralPart:
    r, found = case.referral, became(case.referral, rules)
    return ReferralPart(
        reference=case.reference,
        status=found.status,
        **({"what_next": hub.signpost} if found.status == "not_taken" else {}),
        outcome=list(found.outcome),
        acknowledged="acknowledgement" in r.deliveries,
        concluded=not r.open,
        disagreements=[
            DisagreementStatus(disagreement=did, outcome=None if r.not_to_write else disputed.outcome, final=disputed.final)
            for did, disputed in r.disagreements.items()
            if disputed.by_role == REFERRER_ROLE
        ],
        **({"warnings": warnings} if (warnings := warnings_for_referrer(r)) else {}),
    )
