"""Returns: what the census' rules find in a year first, and then the files for case management."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Annotated, Any, NamedTuple

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from mash.api.pages.filled import Filled, checked
from mash.api.pages.page import page
from mash.api.permitted import Permitted
from mash.config.permissions import may
from mash.flows.returns.annex_a import Period
from mash.flows.returns.extract import (
    File,
    Gathered,
    annex_files,
    authorities,
    census_files,
    gather,
    note_extract,
)
from mash.flows.returns.findings import KINDS, Finding
from mash.flows.returns.rules import findings
from mash.flows.returns.year import WRITTEN, Year, in_the_making, year_of
from mash.flows.store.reads.look import note_list
from mash.flows.store.reads.returns import counts
from mash.states.clocks import day_of
from mash.states.errors import Incomplete
from mash.states.values import Actor

router = APIRouter(prefix="/returns", include_in_schema=False)
DataManager = Annotated[Actor, Depends(Permitted("make_returns"))]
Reader = Annotated[Actor, Depends(Permitted("check_returns"))]
Number = Annotated[int, Field(ge=2000, le=2100)]
Authority = Annotated[str, Field(pattern=r"^([0-9]{3})?$", max_length=3)]
"""Its number at the Department for Education; nothing of a hub of one."""
MOST_SHOWN = 300
"""Findings on a page."""
NIGHTS = 14
"""Whose counts are shown."""
YEARS = 4
"""Census years that are offered, as far back as their form is written."""
XML, WORKBOOK = "application/xml", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class CensusAsked(BaseModel):
    """Of which year, and of which authority where the hub's is not known, or is one of several."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    year: Number
    authority: Authority = ""


class AnnexAsked(BaseModel):
    """From which day to which, and of which authority of a hub of several."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    since: date
    until: date
    authority: Authority = ""

    @field_validator("until")
    @classmethod
    def not_before_the_first(cls, until: date, info: ValidationInfo) -> date:
        """Refuse a last day before the first one."""
        if info.data.get("since", until) > until:
            raise PydanticCustomError("ends_before", "expected a day that is not before the first")
        return until


class Part(NamedTuple):
    """Which findings are shown: of one rule alone, or of all; from which one on, counted from 1."""

    rule: str = ""
    first: int = 1

    def of(self, found: Sequence[Finding]) -> list[Finding]:
        """These of all that was found."""
        return [each for each in found if self.rule in ("", each.rule)]


ALL = Part()


@router.get("", response_class=HTMLResponse)
async def show(
    request: Request,
    by: Reader,
    year: Annotated[int | None, Query(ge=2000, le=2100)] = None,
    rule: Annotated[str, Query(max_length=10)] = "",
    first: Annotated[int, Query(ge=1, le=1_000_000)] = 1,
) -> HTMLResponse:
    """What the rules find in a year, with the case and the act that mends it; and what can be made."""
    return await _page(request, by, Year(year) if year else _this_year(request), Filled(), Part(rule, first))


def _this_year(request: Request) -> Year:
    """The one whose return is handed in next."""
    return in_the_making(day_of(request.app.state.store.time.now()))[0]


def _chosen_year(request: Request, filled: Filled) -> Year:
    """The one that was chosen before something beside it was filled in wrongly."""
    number = filled.value("year")
    return Year(int(number)) if re.fullmatch("20[0-9]{2}", number) else _this_year(request)


async def _gathered(request: Request, by: Actor, since: date) -> Gathered:
    # A hub's cases are read once at a time, whoever asks: it takes seconds, and the next waits.
    async with request.app.state.gathering[by.hub]:
        return await gather(request.app.state.store, by, since)


async def _page(request: Request, by: Actor, year: Year, filled: Filled, part: Part = ALL) -> HTMLResponse:
    store = request.app.state.store
    gathered = await _gathered(request, by, year.start)
    found = await asyncio.to_thread(findings, gathered.people, gathered.checks(year))
    chosen = part.of(found)
    shown = chosen[part.first - 1 : part.first - 1 + MOST_SHOWN]
    await note_list(store, tuple(dict.fromkeys(each.reference for each in shown)), by, "check_returns")
    today = day_of(store.time.now())
    known: dict[str, Any] = {
        "year": year,
        "years": _offered(year_of(today)),
        "found": shown,
        "part": part,
        "of": len(chosen),
        "last": part.first - 1 + len(shown),
        "number_of": _number_of(found),
        "by_rule": Counter(each.rule for each in found).most_common(),
        "erased": gathered.erased(year),
        "numbers": [number for number in dict.fromkeys(authorities(gathered.profile).values()) if number],
        "counts": await counts(store, by, NIGHTS),
        "half_a_year": (today - timedelta(days=182), today),
        "filled": filled,
        "makes": may(by.role, "make_returns"),
    }
    return page(request, "returns.html", "Returns", 422 if filled.errors else 200, **known)


def _offered(this: Year) -> list[Year]:
    return [Year(number) for number in range(this.number, this.number - YEARS, -1) if number >= WRITTEN[0]]


def _number_of(found: Sequence[Finding]) -> dict[str, int]:
    """How many findings there are of each kind."""
    counted = Counter(each.kind for each in found)
    return {kind: counted[kind] for kind in KINDS}


@router.post("/cin", response_class=HTMLResponse)
async def make_census(request: Request, by: DataManager) -> Response:
    """The census' file of one authority."""
    asked, filled = checked(CensusAsked, await request.form(max_files=0, max_fields=10))
    if asked is None:
        return await _page(request, by, _chosen_year(request, filled), filled)
    store, year = request.app.state.store, Year(asked.year)
    file = _only(census_files(await _gathered(request, by, year.start), year, store.time.now(), asked.authority))
    await note_extract(store, [file], by, "extract_cin")
    return _sent(file, XML)


@router.post("/annex-a", response_class=HTMLResponse)
async def make_annex_a(request: Request, by: DataManager) -> Response:
    """Annex A's lists of a period."""
    asked, filled = checked(AnnexAsked, await request.form(max_files=0, max_fields=10))
    if asked is None:
        return await _page(request, by, _chosen_year(request, filled), filled)
    store = request.app.state.store
    file = _only(annex_files(await _gathered(request, by, asked.since), Period(asked.since, asked.until), asked.authority))
    await note_extract(store, [file], by, "extract_annex_a")
    return _sent(file, WORKBOOK)


def _only(files: Sequence[File]) -> File:
    """The file of the authority that was said, or the hub's only one. Raises Incomplete where it is to be chosen of several."""
    if len(files) > 1:
        raise Incomplete(
            f"this hub is of several authorities: say which (authority), one of {', '.join(f.authority for f in files)}"
        )
    return files[0]


def _sent(file: File, kind: str) -> Response:
    return Response(file.content, media_type=kind, headers={"Content-Disposition": f'attachment; filename="{file.name}"'})
