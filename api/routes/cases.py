"""For staff: what is open, one case, and acting on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse
from sqlalchemy.ext.asyncio import AsyncConnection

from mash.api.permitted import Permitted, demand
from mash.api.problems import ACTING, ASKING, FINDING, answer_for, reply
from mash.api.routes.referrals import Key, idempotency_key
from mash.api.schemas.answers import Board, CaseDetail, CommandResult, CorrectedField, StoryLine
from mash.api.schemas.command import CommandGiven
from mash.api.schemas.fields import CODE, Reference
from mash.api.text import REFERENCE
from mash.config.permissions import may
from mash.config.words import lead_title, stage_title
from mash.flows.store.apply import apply
from mash.flows.store.reads.board import open_cases
from mash.flows.store.reads.case import Case, reader_of
from mash.flows.store.reads.census import asked_by_census
from mash.flows.store.reads.corrections import read_corrections
from mash.flows.store.reads.items import read_items
from mash.flows.store.reads.look import look_at, offered, possible, read_story
from mash.flows.store.reads.notices import read_notices
from mash.flows.store.receipts import Answer, answer_once
from mash.flows.store.store import Store
from mash.flows.store.trouble import undelivered
from mash.flows.telling.story import event_in_words
from mash.states.clocks import Frozen
from mash.states.profile import Agency, Profile
from mash.states.reading import NO_FINDINGS, open_to, version_of
from mash.states.referral import Action, Check, Clock, Referral
from mash.states.values import Actor

router = APIRouter(prefix="/cases", tags=["staff"], responses=ASKING)
Reader = Annotated[Actor, Depends(Permitted("read_case"))]


@router.get("", operation_id="read_board", response_model=Board)
async def board(
    request: Request,
    by: Annotated[Actor, Depends(Permitted("read_board"))],
    stage: Annotated[str | None, Query(pattern=CODE)] = None,
    rating: Annotated[str | None, Query(pattern=CODE)] = None,
    late: bool | None = None,
    mine: bool = False,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    after: Annotated[str, Query(pattern=f"^({REFERENCE})?$", max_length=60)] = "",
) -> dict[str, Any]:
    """What is open at your hub, due soonest first; by stage, rating ('unrated' too) and lateness, or what is allocated to you,
    the case or a check of it. To page on, give the last reference as `after`."""
    store = request.app.state.store
    now = store.time.now()
    whose = by.id if mine else None
    cases = await open_cases(store, by, stage=stage, rating=rating, late=late, worker=whose, limit=limit, after=after)
    dead = await undelivered(store, by.hub)
    return {
        "at": now,
        "undelivered": dead.total(),
        "cases": [
            {
                **brief(case, store.rules(case.referral)),
                "late": bool(case.referral.due_at and case.referral.due_at < now),
                "late_partners": case.referral.late_partners(now),
                "undelivered": dead[case.reference],
            }
            for case in cases
        ],
    }


def brief(case: Case, rules: Profile | None) -> dict[str, Any]:
    """A case on a board or an agenda: codes and times, no personal data; named as the `rules` that it goes by name things."""
    r = case.referral
    return {
        "reference": case.reference,
        "version": r.version,
        "stage": r.stage,
        "stage_name": stage_title(r.stage, rules),
        "rating": r.rating,
        "received_at": r.received_at,
        "due_at": r.due_at,
        "owner": r.owner,
        "worker": r.worker and {**r.worker.model_dump(), "title": lead_title(r.stage, rules)},
        "outstanding": r.outstanding,
        "checks_asked": tuple(r.checks),
        "alerts": r.alerts,
        "held_by": {clock.id: clock.acknowledged_by for clock in r.running if clock.acknowledged_by},
        "parent": r.parent,
        "immediate_danger": r.immediate_danger,
        "contact": r.contact,
        "categories": r.categories,
        "place": r.place,
        "markers": r.warnings,
        "disputed": r.disputed,
        "uncountersigned": r.uncountersigned,
    }


def _clock(clock: Clock, now: datetime) -> dict[str, Any]:
    return {
        "id": clock.id,
        "due_at": clock.due_at,
        "why": clock.why,
        "source": clock.source,
        "owner": clock.owner,
        "state": clock.verdict,
        "running": clock.running,
        "late": clock.running and clock.due_at < now,
        "acknowledged_by": clock.acknowledged_by,
    }


def _check(check: Check, agency: Agency | None, shown: bool) -> dict[str, Any]:
    """A check, and how its agency is reached: a partner on the telephone is not waited for at the next desk. Of what it found
    nothing is said to whoever is not to read it."""
    reached = agency.model_dump(include={"title", "presence", "reached_by", "lead"}) if agency else {}
    hidden: dict[str, Any] = {**dict.fromkeys(NO_FINDINGS, True), "told": set(NO_FINDINGS)}
    return {**check.model_dump(exclude=None if shown else hidden), **reached}


def _action(action: Action) -> dict[str, Any]:
    """What somebody is to do. What it is stands in the item, for whoever may read that."""
    return {**action.model_dump(exclude={"words"}), "item": action.words.item}


# What an agency found is left out, not null, where it has not entered the shared record.
@router.get(
    "/{reference}", operation_id="read_case", response_model=CaseDetail, response_model_exclude_unset=True, responses=FINDING
)
async def case(request: Request, reference: Reference, by: Reader) -> dict[str, Any]:
    """One case: where it stands, its clocks and why they are due, its checks, what you may do now, and what was said."""
    store = request.app.state.store
    async with store.one_look(by, of_one_case=True):
        return await whole(store, await look_at(store, reference, by, "read_case"), by)


async def whole(store: Store, found: Case, by: Actor) -> dict[str, Any]:
    """All of a case that somebody may see who looks at it."""
    profile, r, now = store.hub(by.hub), found.referral, store.time.now()
    items, reader = await read_items(store, found, by), reader_of(store, r, by)
    return {
        **brief(found, store.rules(r)),
        "subjects": _plain(r.subjects),
        "flags": r.flags,
        "sharing": r.sharing,
        "sharing_consent": r.sharing_consent,
        "secondings": {name: each.model_dump(exclude={"basis"}) for name, each in r.secondings.items()},
        "checks": {
            agency: _check(check, profile.agencies.get(agency), open_to(r, agency, reader)) for agency, check in r.checks.items()
        },
        "clocks": [_clock(clock, now) for clock in r.clocks.values()],
        "meeting_at": r.meeting_at,
        "discussion_at": r.discussion_at,
        "discussion_mode": r.discussion_mode,
        "discussion_invited": r.discussion_invited,
        "short_of": r.short_of,
        "enquiry": r.enquiry,
        "orders": _plain(r.orders),
        "actions": {aid: _action(action) for aid, action in r.actions.items()},
        "service": r.service,
        "open": r.open,
        "root": found.root,
        "primary_need": r.primary_need,
        "factors": r.factors,
        "proposed": r.proposed and r.proposed.model_dump(),
        "significant_harm": r.significant_harm,
        "held": _plain(r.held),
        "links": r.links,
        "linked_subjects": r.linked_subjects,
        "dissents": r.dissents,
        "disagreements": _plain(r.disagreements),
        "hand_overs": _plain(r.hand_overs),
        "across": _plain(r.across),
        "consent": r.consent.model_dump(),
        "possible": await possible(store, found, by),
        "items": items,
        "census_owed": _owed(r, items, now) if may(by.role, "correct_details") else {},
        "alerts_sent": [
            {"kind": n.kind, "role": n.role, "person": n.person, "status": n.status, "at": n.created_at}
            for n in await read_notices(store, found, by)
        ],
        "flow_run": found.flow_run_id and str(found.flow_run_id),
    }


def _owed(r: Referral, items: Sequence[Mapping[str, Any]], now: datetime) -> dict[str, tuple[str, ...]]:
    return {sid: each.owed for sid, each in asked_by_census(r, items, now).items() if each.owed}


def _plain(parts: Mapping[str, Frozen]) -> dict[str, dict[str, Any]]:
    return {name: part.model_dump() for name, part in parts.items()}


@router.get("/{reference}/log", operation_id="read_story", responses=FINDING)
async def story(
    request: Request, reference: Reference, by: Annotated[Actor, Depends(Permitted("read_story"))]
) -> list[StoryLine]:
    """The story of a case, event by event."""
    store = request.app.state.store
    async with store.one_look(by, of_one_case=True):
        case = await look_at(store, reference, by, "read_story")
        events = await read_story(store, case, by)
        corrections = await read_corrections(store, case, by, events)
    return [
        StoryLine(
            sequence=r.sequence,
            at=r.at,
            happened_at=r.happened_at,
            role=r.by.role,
            agency=r.by.agency,
            what=event_in_words(r, store.rules(case.referral)),
            corrected=[CorrectedField(**asdict(each)) for each in corrections.get(r.sequence, ())],
        )
        for r in events
    ]


@router.post("/{reference}/commands", operation_id="give_command", response_model=CommandResult, responses=ACTING)
async def command(
    request: Request,
    reference: Reference,
    body: CommandGiven,
    by: Annotated[Actor, Depends(Permitted("give_command"))],
    key: Key = None,
) -> JSONResponse:
    """Act on a case. The answer says the stage reached and what is possible next; a refusal says why, and changes nothing."""
    return reply(await give(request.app.state.store, reference, body, by, idempotency_key(key)))


async def give(store: Store, reference: str, body: CommandGiven, by: Actor, key: str) -> Answer:
    """Give a command, once for each key; a refusal is an answer too."""
    # What is not said stays as it is; what is said to be nothing is taken out.
    details = body.details.model_dump(mode="json", exclude_unset=True) if body.details is not None else None

    async def work(connection: AsyncConnection) -> Answer:
        demand(by, body.command.kind)
        came: dict[str, Any] = {"words": body.words, "redacted": body.redacted, "details": details}
        came["happened_at"] = body.happened_at and body.happened_at.astimezone(UTC)
        applied = await apply(connection, store, reference, body.command, by, seen=body.seen, **came)
        r = applied.referral
        result = CommandResult(
            reference=reference,
            version=version_of(r, may(by.role, "find_people")),
            stage=r.stage,
            rating=r.rating,
            open=r.open,
            events=[event.kind for event in applied.events],
            possible=await offered(connection, store, reference, r, by),
        )
        return Answer(200, result.model_dump(), reference)

    document = {"reference": reference, **body.model_dump(mode="json", exclude={"details"})}
    if details is not None:
        document["details"] = details
    # Whoever breaks the glass does not reach the case yet.
    outside = body.command.kind == "break_glass"
    return await answer_once(store, by, key, "command", document, work, answer_for, of_system=outside)
