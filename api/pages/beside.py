"""Two people who may be one, side by side; and the contacts that are possibly about the same people, opened on request."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from mash.api.pages.items import flat
from mash.api.pages.page import page
from mash.api.permitted import Permitted
from mash.api.schemas.fields import LONGEST_WORDS, SUBJECT, Reference
from mash.flows.store.reads.earlier import Pair, Side, of_adult, siblings, side_by_side
from mash.flows.store.reads.earlier import possible as possible_contacts
from mash.flows.store.reads.look import look_at
from mash.flows.store.reads.look import possible as possible_acts
from mash.states.values import Actor

router = APIRouter(prefix="/case/{reference}", include_in_schema=False)
Finder = Annotated[Actor, Depends(Permitted("find_people"))]
Subject = Annotated[str, Query(pattern=SUBJECT)]


@router.get("/possible")
async def possible(request: Request, reference: Reference, by: Finder) -> Response:
    """The contacts that are possibly about the same people, each of which is looked at with it."""
    store = request.app.state.store
    case = await look_at(store, reference, by, "read_case")
    contacts = await possible_contacts(store, case, by)
    known: dict[str, Any] = {"reference": reference, "contacts": contacts, "warnings": case.referral.warnings}
    return page(request, "possible.html", f"{reference}: contacts that are possible", **known)


@router.get("/siblings")
async def of_siblings(request: Request, reference: Reference, by: Finder) -> Response:
    """The contacts about brothers and sisters, each of which is looked at with it."""
    store = request.app.state.store
    case = await look_at(store, reference, by, "read_case")
    contacts, caption = await siblings(store, case, by), "Contacts about brothers and sisters"
    known: dict[str, Any] = {"reference": reference, "contacts": contacts, "caption": caption, "warnings": case.referral.warnings}
    return page(request, "contacts.html", f"{reference}: {caption.lower()}", **known)


@router.get("/of-adult")
async def of_an_adult(request: Request, reference: Reference, by: Finder, subject: Subject) -> Response:
    """In which other families an adult was confirmed, for whoever has said why they must know."""
    store = request.app.state.store
    case = await look_at(store, reference, by, "read_case")
    contacts, caption = await of_adult(store, case, subject, by), f"Contacts about {subject}"
    known: dict[str, Any] = {"reference": reference, "contacts": contacts, "caption": caption, "warnings": case.referral.warnings}
    return page(request, "contacts.html", f"{reference}: {caption}", **known)


@router.get("/beside/{other}")
async def beside(
    request: Request, reference: Reference, other: Reference, by: Finder, subject: Subject, other_subject: Subject | None = None
) -> Response:
    """Two people who may be one, and what may be said of them."""
    store = request.app.state.store
    case = await look_at(store, reference, by, "read_case")
    pair = await side_by_side(store, case, subject, other, other_subject, by)
    there = await look_at(store, other, by, "read_case")
    known: dict[str, Any] = {
        "reference": reference,
        "subject": subject,
        "other_subject": other_subject,
        "pair": pair,
        "warnings": case.referral.warnings,
        "rows": _rows(pair),
        "open": there.referral.open,
        "acts": await possible_acts(store, case, by),
        "seen": case.referral.version,
        "keys": [secrets.token_urlsafe(16) for _ in range(3)],
        "longest": LONGEST_WORDS,
    }
    return page(request, "beside.html", f"{reference} and {other}: the same child?", **known)


def _rows(pair: Pair) -> list[tuple[str, str, str]]:
    """What is known of both, field by field."""
    here, there = _shown(pair.here.details), _shown(pair.there.details)
    rows = [(label, here.get(label, ""), there.get(label, "")) for label in dict.fromkeys((*here, *there))]
    return [*rows, ("Household", _household(pair.here), _household(pair.there))]


def _household(side: Side) -> str:
    return "; ".join(str(each.get("name") or "") for each in side.household)


def _shown(details: Mapping[str, Any]) -> dict[str, str]:
    return dict(flat("", dict(details)))
