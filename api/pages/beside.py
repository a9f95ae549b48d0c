"""Two people who may be one, side by side; and the contacts that are possibly about the same people, opened on request."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from mash.api.pages.find.found import Group, rows, today_in
from mash.api.pages.items import flat, names_of
from mash.api.pages.page import page
from mash.api.permitted import Permitted
from mash.api.schemas.fields import LONGEST_WORDS, SUBJECT, Reference
from mash.flows.store.reads.case import Case
from mash.flows.store.reads.earlier import Pair, Side, of_adult, siblings, side_by_side
from mash.flows.store.reads.items import read_items
from mash.flows.store.reads.look import look_at
from mash.flows.store.reads.look import possible as possible_acts
from mash.flows.store.reads.possible import named_in
from mash.flows.store.reads.possible import possible as possible_contacts
from mash.states.values import Actor

router = APIRouter(prefix="/case/{reference}", include_in_schema=False)
Finder = Annotated[Actor, Depends(Permitted("find_people"))]
SAYS_POSSIBLE = "What is known of these speaks less for the same person than for another one."
SAYS_SIBLINGS = "The other children of contacts that are confirmed to be about a child of this case."
Subject = Annotated[str, Query(pattern=SUBJECT)]


@router.get("/possible")
async def possible(request: Request, reference: Reference, by: Finder) -> Response:
    """The contacts that are possibly about the same people, each of which is looked at with it."""
    store = request.app.state.store
    case = await look_at(store, reference, by, "read_case")
    found, names = await possible_contacts(store, case, by), names_of(await read_items(store, case, by))
    today, groups = today_in(request), []
    for subject in sorted({each.of for each in found}):
        theirs = [each for each in found if each.of == subject]
        groups.append(Group(names.get(subject, ""), "", subject, rows(theirs, today), likely=False))
    known = {"says": SAYS_POSSIBLE, "none": "There are none any more.", "compares": True, "groups": groups}
    return _contacts(request, case, "May be the same people", known)


@router.get("/siblings")
async def of_siblings(request: Request, reference: Reference, by: Finder) -> Response:
    """The contacts about brothers and sisters, each of which is looked at with it."""
    store = request.app.state.store
    case = await look_at(store, reference, by, "read_case")
    found = await named_in(store, case, await siblings(store, case, by), by, the_same=False)
    groups = [Group("", "", "", rows(found, today_in(request)), likely=True)] if found else []
    known = {"says": SAYS_SIBLINGS, "none": "There are no other contacts about them.", "compares": False, "groups": groups}
    return _contacts(request, case, "Brothers and sisters", known)


@router.get("/of-adult")
async def of_an_adult(request: Request, reference: Reference, by: Finder, subject: Subject) -> Response:
    """In which other families an adult was confirmed, for whoever has said why they must know."""
    store = request.app.state.store
    case = await look_at(store, reference, by, "read_case")
    name = names_of(await read_items(store, case, by)).get(subject) or "this adult"
    found = await named_in(store, case, await of_adult(store, case, subject, by), by, the_same=True)
    groups = [Group("", "", subject, rows(found, today_in(request)), likely=True)] if found else []
    known = {"says": "", "none": "There are none.", "compares": True, "groups": groups}
    return _contacts(request, case, f"Contacts about {name} in other families", known)


def _contacts(request: Request, case: Case, title: str, known: dict[str, Any]) -> Response:
    return page(request, "contacts.html", title, reference=case.reference, warnings=case.referral.warnings, **known)


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
