"""Meetings: the hub's regular gatherings with their agendas, invitations, and what is shared at them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from mash.api.permitted import Permitted
from mash.api.problems import ASKING, FINDING
from mash.api.routes.cases import Reader, brief
from mash.api.schemas.answers import Agenda, Disputes, GatheringSummary, InformationProduct
from mash.api.schemas.fields import CODE, Day, Reference
from mash.flows.store.reads.agenda import agenda
from mash.flows.store.reads.disagreements import disagreements
from mash.flows.store.reads.items import information_product
from mash.flows.store.reads.look import look_at
from mash.notifications.invitation import invitation
from mash.notifications.notices.occasion import WARNINGS
from mash.states.clocks import LONDON
from mash.states.errors import NotFound
from mash.states.referral import NOT_TO_TELL
from mash.states.values import Actor

router = APIRouter(tags=["staff"], responses=ASKING)


@router.get("/gatherings", operation_id="read_gatherings", response_model=list[GatheringSummary])
async def gatherings(request: Request, by: Annotated[Actor, Depends(Permitted("read_meetings"))]) -> list[dict[str, Any]]:
    """The regular gatherings of your hub, and when each is next."""
    store = request.app.state.store
    profile, now = store.hub(by.hub), store.time.now()
    return [
        {
            "name": name,
            "title": gathering.title,
            "ratings": gathering.ratings,
            "categories": gathering.categories,
            "modes": gathering.modes,
            "next": profile.calendar.next_time(gathering.at, gathering.days, now),
        }
        for name, gathering in profile.gatherings.items()
    ]


@router.get("/gatherings/{name}", operation_id="read_agenda", response_model=Agenda, responses=FINDING)
async def gathering(
    request: Request,
    name: Annotated[str, Path(pattern=CODE)],
    by: Annotated[Actor, Depends(Permitted("read_agenda"))],
    day: Annotated[Day | None, Query(description="The next one, unless given.")] = None,
) -> dict[str, Any]:
    """A gathering's agenda: what came in since the last one and belongs there, and what was convened for it."""
    store = request.app.state.store
    profile = store.hub(by.hub)
    if name not in profile.gatherings:
        raise NotFound(f"{profile.title} has no such gathering; it has: {', '.join(profile.gatherings) or 'none'}")
    found, after = profile.gatherings[name], store.time.now()
    if day is not None:
        after = datetime.combine(day, found.at, LONDON) - timedelta(seconds=1)
    at = profile.calendar.next_time(found.at, found.days, after)
    cases = await agenda(store, by, profile, found, at)
    return {"name": name, "title": found.title, "at": at, "cases": [brief(case, store.rules(case.referral)) for case in cases]}


@router.get(
    "/cases/{reference}/meeting.ics",
    operation_id="read_invitation",
    response_class=Response,
    responses={200: {"content": {"text/calendar": {"schema": {"type": "string"}}}}, **FINDING},
)
async def meeting(request: Request, reference: Reference, by: Reader) -> Response:
    """The meeting that is convened for a case, as an iCalendar file without personal data."""
    store = request.app.state.store
    case = await look_at(store, reference, by, "read_case")
    if case.referral.meeting_at is None:
        raise NotFound("no meeting is convened for this referral")
    profile = store.hub(by.hub)
    file = invitation(
        reference,
        profile.title,
        case.referral.meeting_at,
        case.referral.meeting_mode,
        profile.meeting.chair,
        case.referral.version,
        store.time.now(),
        [WARNINGS[NOT_TO_TELL]] if NOT_TO_TELL in case.referral.warnings else (),
    )
    return Response(file, media_type="text/calendar", headers={"Content-Disposition": f'attachment; filename="{reference}.ics"'})


@router.get(
    "/cases/{reference}/product", operation_id="read_information_product", response_model=InformationProduct, responses=FINDING
)
async def product(
    request: Request, reference: Reference, by: Annotated[Actor, Depends(Permitted("read_information_product"))]
) -> dict[str, Any]:
    """The information product: what the agencies released, in the versions that they released; for the rest, signposts."""
    store = request.app.state.store
    case = await look_at(store, reference, by, "read_information_product")
    return {
        "reference": reference,
        "at": store.time.now(),
        "warnings": case.referral.warnings,
        "contributions": await information_product(store, case, by),
    }


@router.get("/disagreements", operation_id="read_disagreements", response_model=Disputes)
async def disputes(request: Request, by: Annotated[Actor, Depends(Permitted("read_disagreements"))]) -> dict[str, Any]:
    """Your hub's disagreements, and how many there are by what they are about and how they were determined."""
    found = await disagreements(request.app.state.store, by)
    counts: dict[str, dict[str, int]] = {}
    for one in found:
        outcomes = counts.setdefault(one["about"], {})
        outcome = one["outcome"] or "to be determined"
        outcomes[outcome] = outcomes.get(outcome, 0) + 1
    return {"counts": counts, "disagreements": found}
