"""Find somebody, or a case by its reference: also cases that are closed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.datastructures import FormData

from mash.api.pages import questions
from mash.api.pages.filled import Filled, checked
from mash.api.pages.find import sought
from mash.api.pages.find.found import Group, rows, today_in, whom
from mash.api.pages.find.typed import birthday, name_and_birthday, number_of_a_person, references
from mash.api.pages.page import page
from mash.api.permitted import Permitted
from mash.api.routes.people import PersonQuestion
from mash.api.schemas.fields import Reference
from mash.config.permissions import may
from mash.flows.store.particulars import particulars
from mash.flows.store.reads.look import first_reached, look_at, possible
from mash.flows.store.reads.search import Found, Wanted, find, find_by_number, known_elsewhere, looks_at, named
from mash.states.values import Actor

router = APIRouter(include_in_schema=False)
Finder = Annotated[Actor, Depends(Permitted("find_people"))]
Opener = Annotated[Actor, Depends(Permitted("read_case"))]
MOST_TYPED = 240
"""Characters that are read of a field: more than a name may have, so that what is too long is said to be."""
HERE = "/people"
"""Where the page is, whichever form leads to it."""
NO_CASE = "There is no case with this number that you can open. Check the reference, or type a name"
NO_CASE_OF_YOURS = "There is no case with this number that you take part in. Check the reference"


@router.get("/people", response_class=HTMLResponse)
async def ask(request: Request, by: Finder) -> Response:
    """Who is looked for, or which case."""
    return _page(request, by, Filled({}))


@router.get("/find", response_class=HTMLResponse)
async def again(request: Request, by: Opener) -> Response:
    """Who was found for what was typed last, as it is now: also when somebody comes back to it. It is one search, however often
    it is shown: a case is written down as looked at once, and whoever came to it meanwhile too. An empty form where nobody was
    looked for in the last ten minutes."""
    asked = sought.kept(request) if may(by.role, "find_people") else None
    filled = Filled({"text": [asked.text], "born": [asked.born]} if asked else {})
    wanted = _wanted(filled) if asked else None
    if asked is None or wanted is None:
        return _page(request, by, filled)
    store = request.app.state.store
    if wanted.who.nhs_number or wanted.who.upn:
        found = await find_by_number(store, wanted, by, asked.noted)
    else:
        found = await find(store, wanted.name, wanted.born, by, asked.noted)
    answer = _page(request, by, filled, _group(wanted, found, today_in(request)))
    sought.keep(request, answer, asked.with_looks(looks_at(found)))
    return answer


@router.post("/find", response_class=HTMLResponse)
@router.post("/people", response_class=HTMLResponse)
async def go(request: Request, by: Opener) -> Response:
    """On to the case whose reference was typed; or to whose names are like what was typed, which their browser keeps sealed
    meanwhile: no name in an address, and a page that Back leads to."""
    form = await request.form(max_files=0, max_fields=10)
    # A page that was open before there was one field calls it a name.
    typed = {"text": form.get("text") or form.get("name"), "born": form.get("born")}
    filled = Filled({name: [str(value or "")[:MOST_TYPED]] for name, value in typed.items()})
    meant, finds = references(filled.value("text"), today_in(request).year), may(by.role, "find_people")
    if meant:
        # One that is written out leads on even where it is not theirs: its page says what they can do.
        onward = meant[0] if len(meant) == 1 else await first_reached(request.app.state.store, meant, by)
        if onward:
            return RedirectResponse(f"/case/{onward}", 303)
        filled.errors["text"] = NO_CASE if finds else NO_CASE_OF_YOURS
    elif not finds:
        return _page(request, by, filled, status=403 if filled.value("text").strip() else 422)
    elif _wanted(filled):
        answer = RedirectResponse(sought.PATH, 303)
        sought.keep(request, answer, sought.begin(filled.value("text"), filled.value("born")))
        return answer
    return _page(request, by, filled)


@router.get("/people/in/{reference}", response_class=HTMLResponse)
async def known(request: Request, reference: Reference, by: Finder) -> HTMLResponse:
    """Who is called like the people in a case: repeats, brothers and sisters, the same incident told twice."""
    store = request.app.state.store
    case = await look_at(store, reference, by, "find_people")
    links = "link_referral" in await possible(store, case, by)
    people, later = await known_elsewhere(store, case, by)
    today = today_in(request)
    shown: dict[str, Any] = {
        "reference": reference,
        "groups": [_group(wanted, found, today) for wanted, found in people.items()],
        "later": later,
        "linked": case.referral.links,
        "warnings": case.referral.warnings,
    }
    return page(request, "known.html", "Who is known already", links=links, here=HERE, **shown)


def _group(wanted: Wanted, found: Sequence[Found], today: date) -> Group:
    return Group(*whom(wanted.who), wanted.subject or "", rows(found, today), any(each.likely for each in found))


def _wanted(filled: Filled) -> Wanted | None:
    """Whom somebody looks for, by a number or by a name; None where it is neither, and what is wrong stands beside what was
    typed."""
    if number := number_of_a_person(filled.value("text")):
        return Wanted(particulars(json.dumps(number).encode()))
    name, born = name_and_birthday(filled.value("text"))
    if typed := filled.value("born").strip():
        on = birthday(typed)
        born = on.isoformat() if on else ""
        if on is None:
            filled.errors["born"] = questions.DATE
    asked, wrong = checked(PersonQuestion, FormData({"name": name, "born": born}))
    if "name" in wrong.errors:
        filled.errors = {"text": wrong.errors["name"], **filled.errors}
    return named(asked.name, asked.born) if asked and not filled.errors else None


def _page(request: Request, by: Actor, filled: Filled, group: Group | None = None, *, status: int = 200) -> HTMLResponse:
    finds = may(by.role, "find_people")
    title = "Find someone" if finds else "Open a case"
    status = 422 if filled.errors else status
    return page(request, "find.html", title, status, filled=filled, group=group, may_find=finds, here=HERE)
