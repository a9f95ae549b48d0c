"""The child's other contacts: what came before, what is possible, and two people side by side."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request

from mash.api.permitted import Permitted
from mash.api.problems import ASKING, FINDING
from mash.api.schemas.answers import EarlierContact, EarlierContacts, PossibleContact, SideBySide
from mash.api.schemas.fields import SUBJECT, Reference
from mash.flows.store.reads.earlier import Earlier, earlier, of_adult, siblings, side_by_side
from mash.flows.store.reads.look import look_at
from mash.flows.store.reads.possible import possible
from mash.states.values import Actor

router = APIRouter(prefix="/cases/{reference}/earlier", tags=["staff"], responses=ASKING)
Finder = Annotated[Actor, Depends(Permitted("find_people"))]
Subject = Annotated[str, Query(pattern=SUBJECT)]


@router.get("", operation_id="read_earlier_contacts", response_model=EarlierContacts, responses=FINDING)
async def read_earlier(request: Request, reference: Reference, by: Finder) -> dict[str, Any]:
    """The other contacts about the people of a case, of the last 12 months one by one; those that are likely and not confirmed
    apart. `looked` says whether anybody has looked yet: until then nothing is known, which is not that there is nothing."""
    store = request.app.state.store
    async with store.one_look(by):
        found = await earlier(store, await look_at(store, reference, by, "read_case"), by)
    return as_answer(found or Earlier(False, (), {}, {}, 0, {}))


def as_answer(found: Earlier) -> dict[str, Any]:
    """What is said of them."""
    return {
        "looked": found.looked,
        "confirmed": [asdict(contact) for contact in found.confirmed],
        "likely": [asdict(contact) for contact in found.likely],
        "before": found.before,
        "possible": found.possible,
        "adds_up": found.adds_up,
        "of_adults": found.of_adults,
    }


@router.get("/possible", operation_id="read_possible_contacts", response_model=list[PossibleContact], responses=FINDING)
async def read_possible(request: Request, reference: Reference, by: Finder) -> list[dict[str, Any]]:
    """The contacts that are possibly about the same people, opened because you ask: each is recorded as a look at that one."""
    store = request.app.state.store
    case = await look_at(store, reference, by, "read_case")
    return [
        {
            "subject": each.of,
            "reference": each.reference,
            "other": each.subject,
            "name": each.name,
            "why": each.why,
            "received_at": each.received_at,
            "stage": each.stage,
            "warnings": each.warnings,
        }
        for each in await possible(store, case, by)
    ]


@router.get("/siblings", operation_id="read_contacts_of_siblings", response_model=list[EarlierContact], responses=FINDING)
async def read_siblings(request: Request, reference: Reference, by: Finder) -> list[dict[str, Any]]:
    """The contacts about brothers and sisters: the other children in contacts that were confirmed to be about a child of this
    case. Each that is opened is recorded as a look at it."""
    store = request.app.state.store
    case = await look_at(store, reference, by, "read_case")
    return [asdict(each) for each in await siblings(store, case, by)]


@router.get("/of-adult", operation_id="read_contacts_of_adult", response_model=list[EarlierContact], responses=FINDING)
async def read_of_adult(request: Request, reference: Reference, by: Finder, subject: Subject) -> list[dict[str, Any]]:
    """The contacts of an adult who was confirmed in several families, once you have said why you must know (`open_adult`)."""
    store = request.app.state.store
    case = await look_at(store, reference, by, "read_case")
    return [asdict(each) for each in await of_adult(store, case, subject, by)]


@router.get("/{other}", operation_id="read_side_by_side", response_model=SideBySide, responses=FINDING)
async def read_side_by_side(
    request: Request, reference: Reference, other: Reference, by: Finder, subject: Subject, other_subject: Subject | None = None
) -> dict[str, Any]:
    """A person of this case and one of another contact, side by side as far as you may read both, with what speaks for and
    against their being one, and what differs in what was said. `compared` is what `close_duplicate` asks for."""
    store = request.app.state.store
    case = await look_at(store, reference, by, "read_case")
    return asdict(await side_by_side(store, case, subject, other, other_subject, by))
