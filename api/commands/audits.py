"""`mash dip-audit`, `mash inspect`: decisions to audit, what audits found, and inspectors' questions."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic import TypeAdapter, ValidationError

from mash.api.commands.installed import administrator, counted, out, with_store
from mash.api.schemas.fields import Day as AnyDay
from mash.api.text import REFERENCE
from mash.config.words import worded
from mash.states.auditing import MOST, AskedFor, Rule
from mash.states.clocks import LONDON, dated

if TYPE_CHECKING:
    from mash.flows.store.reads.accesses import Span
    from mash.flows.store.reads.inspections import Child

Day = Annotated[str, typer.Option("--from", help="The first day of the period: 2026-10-01.")]
LastDay = Annotated[str, typer.Option("--until", help="The last day of the period: 2026-12-31.")]
Of = Annotated[str, typer.Option("--hub", help="The hub, by its profile's name; needed where several are served.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
For = Annotated[AskedFor, typer.Option("--for", help="For whom it is asked: that is recorded too.")]
TheChild = Annotated[
    str,
    typer.Option("--child", help="A contact about them: MASH-26-000001; with which of its people, if it is about several: /S1."),
]

DAY: TypeAdapter[date] = TypeAdapter(AnyDay)
dip_audit = typer.Typer(no_args_is_help=True, help="Decisions to audit: drawing a sample, drawing it again, and what was found.")
inspect = typer.Typer(no_args_is_help=True, help="Inspectors' questions, an answer each. Each is recorded as a look.")


@dip_audit.command()
def sample(
    rule: Annotated[Rule, typer.Option(help="Which decisions are meant.")],
    size: Annotated[int, typer.Option(help=f"How many are drawn: 1 to {MOST}.")],
    since: Day,
    until: LastDay,
    hub: Of = "",
    as_json: AsJson = False,
) -> None:
    """Draw a sample of decisions to be audited, and keep it: who drew, by which rule, and which cases. The seed is drawn too. One
    is open at a time. Its cases are audited on the page /audit."""
    from mash.flows.store.samples import Wanted, draw

    wanted = Wanted(rule, _day(since, "--from"), _day(until, "--until"), size)

    async def work(store: Any) -> None:
        drawn = await draw(store, wanted, administrator(_hub(store, hub)), of_system=True)
        if as_json:
            _print_json(asdict(drawn))
            return
        for reference in drawn.drawn:
            out.print(reference)
        gone = f"; {drawn.erased} more have no people any more" if drawn.erased else ""
        many, by = counted(len(drawn.drawn), "case"), f"{worded(rule)}, seed {drawn.seed}"
        out.print(f"sample {drawn.id}: {many} of {drawn.population} ({by}){gone}", markup=False)

    with_store(work)


@dip_audit.command()
def again(number: Annotated[int, typer.Argument(min=1, max=2**62)], hub: Of = "", as_json: AsJson = False) -> None:
    """Draw a sample that was kept once more, by its own rule, period and seed, and keep nothing: what comes out today, and what
    has changed since. Whoever doubts a sample checks it so."""
    from mash.flows.store.samples import draw_again

    async def work(store: Any) -> None:
        found = await draw_again(store, number, administrator(_hub(store, hub)), of_system=True)
        if as_json:
            _print_json(asdict(found))
            return
        kept = found.kept
        for reference in found.today:
            out.print(reference if reference in kept.drawn else f"{reference}  (not in the sample)", markup=False)
        for reference in kept.drawn:
            if reference not in found.today:
                out.print(f"{reference}  (in the sample, and not drawn today)", markup=False)
        same = "the same cases" if found.today == kept.drawn else "other cases: decisions were made, changed or erased since"
        out.print(
            f"sample {number}, seed {kept.seed}: {same}; of {found.population} today, of {kept.population} then", markup=False
        )

    with_store(work)


@dip_audit.command()
def figures(hub: Of = "", as_json: AsJson = False) -> None:
    """Print what audits found, by rule and quarter: how many cases, and what share was right, with its 95 % interval where each
    case that was drawn is audited."""
    from mash.api.pages.figures.learnt import RULES_IN_WORDS, shares_right
    from mash.flows.store.reads.audits import counted as counts

    async def work(store: Any) -> None:
        found = shares_right(await counts(store, administrator(_hub(store, hub)), of_system=True))
        if as_json:
            _print_json([asdict(each) for each in found])
            return
        for each in found:
            out.print(f"{each.quarter}  {RULES_IN_WORDS[each.rule]:<30} {each.in_words}", markup=False)
        if not found:
            out.print("no sample has been drawn")

    with_store(work)


@inspect.command()
def looks(child: TheChild, since: Day = "", until: LastDay = "", asked_for: For = "inspection", as_json: AsJson = False) -> None:
    """Who looked at this child: at every contact about the same confirmed child, in whatever way; the latest look first."""
    from mash.flows.store.reads.accesses import MOST as MOST_LINES
    from mash.flows.store.reads.inspections import looks_at_child

    async def work(store: Any) -> None:
        whom, by = await _child(store, child)
        span, rows = _span(since, until), list[Any]()
        contacts, some = await looks_at_child(store, whom, asked_for, by, span, of_system=True)
        rows += some[:MOST_LINES]
        while len(some) > MOST_LINES:
            span = _span(since, until, before=some[MOST_LINES - 1].first)
            _, some = await looks_at_child(store, whom, asked_for, by, span, of_system=True)
            rows += some[:MOST_LINES]
        if as_json:
            _print_json({"contacts": [asdict(each) for each in contacts], "looks": [dict(row._mapping) for row in rows]})
            return
        for row in rows:
            where = row.reference or ", ".join(row.shown or ())
            times = f" ({row.times} times)" if row.times > 1 else ""
            out.print(f"{dated(row.at)}  {row.person} ({worded(row.role)})  {worded(row.action)}{times}  {where}", markup=False)
        known = ", ".join(f"{each.subject} of {each.reference}" for each in contacts)
        out.print(f"{counted(len(rows), 'line')} of looks at {known}", markup=False)

    with_store(work)


@inspect.command()
def contacts(child: TheChild, asked_for: For = "inspection", as_json: AsJson = False) -> None:
    """All contacts about this child, the first one first: those that somebody has confirmed to be about the same one."""
    from mash.flows.store.reads.inspections import contacts_of_child

    async def work(store: Any) -> None:
        whom, by = await _child(store, child)
        found = await contacts_of_child(store, whom, asked_for, by, of_system=True)
        if as_json:
            _print_json([asdict(each) for each in found])
            return
        for each in found:
            ended = worded(each.outcome) or f"open, {worded(each.stage)}"
            see = f", see {each.parent}" if each.parent and each.decided_at else ""
            by_whom = f" by {worded(each.decided_by)}" if each.decided_by else see
            rating = worded(each.rating) or "not rated"
            out.print(f"{dated(each.received_at)}  {each.reference} {each.subject}  {rating}  {ended}{by_whom}", markup=False)
        out.print(f"{counted(len(found), 'contact')} about this child, as people have confirmed")

    with_store(work)


@inspect.command("overridden")
def every_override(since: Day, until: LastDay, hub: Of = "", asked_for: For = "inspection", as_json: AsJson = False) -> None:
    """Every case where consent was overridden: when, by whom, on which basis, and with which second person."""
    from mash.flows.store.reads.inspections import overridden

    async def work(store: Any) -> None:
        by = administrator(_hub(store, hub))
        found = await overridden(store, asked_for, by, _span(since, until), of_system=True)
        if as_json:
            _print_json([asdict(each) for each in found])
            return
        for each in found:
            told = (
                "the family was told" if each.family_informed else f"not told: {worded(each.not_informed) or 'no reason given'}"
            )
            second = f", with {', '.join(each.others)}" if each.others else ", no second person yet" if each.waits else ""
            second += "" if each.stands else ", a second person did not agree: it stands no more"
            why = f"{worded(each.purpose)}, {worded(each.lawful_basis)}; {told}"
            out.print(f"{dated(each.at)}  {each.reference}  {each.person} ({worded(each.role)})  {why}{second}", markup=False)
        cases = len({each.reference for each in found})
        out.print(f"consent was overridden {counted(len(found), 'time')}, in {counted(cases, 'case')}")

    with_store(work)


def _day(text: str, option: str) -> date:
    try:
        return DAY.validate_python(text)
    except ValidationError:
        raise typer.BadParameter(f"{option}: expected a day such as 2026-10-01") from None


def _span(since: str, until: str, before: int | None = None) -> Span:
    """From the beginning of a day to the end of another, in the hub's own time; of what is left out, without an end."""
    from mash.flows.store.reads.accesses import Span

    begin = datetime.combine(_day(since, "--from"), time(0), LONDON) if since else None
    end = datetime.combine(_day(until, "--until") + timedelta(days=1), time(0), LONDON) if until else None
    if begin and end and end <= begin:
        raise typer.BadParameter("--until: expected a day that is not before --from")
    return Span(begin, end, before)


def _hub(store: Any, name: str) -> str:
    """The hub that is asked about. Raises BadParameter where it has to be said."""
    if not name and len(store.hubs) > 1:
        raise typer.BadParameter(f"--hub: expected one of {', '.join(store.hubs)}")
    return str(store.hub(name or next(iter(store.hubs))).name)


async def _child(store: Any, text: str) -> tuple[Child, Any]:
    """The child that is asked about, and whoever asks, for their hub."""
    from mash.flows.store.reads.case import read_case
    from mash.flows.store.reads.inspections import Child

    found = re.fullmatch(f"(?P<reference>{REFERENCE})([/ ](?P<subject>[A-Za-z0-9_.-]{{1,20}}))?", text)
    if found is None:
        raise typer.BadParameter("--child: expected a reference, and a subject of it where there are several: MASH-26-000001/S1")
    case = await read_case(store, found["reference"])
    return Child(found["reference"], found["subject"] or ""), administrator(case.hub)


def _print_json(found: Mapping[str, Any] | Sequence[Any]) -> None:
    print(json.dumps(found, default=str))
