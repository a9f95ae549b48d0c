"""Agency checks: asking, answering, and going on without an answer."""

from __future__ import annotations

from mash.states import commands as c
from mash.states import events as e
from mash.states.acts import demands
from mash.states.commands import Said
from mash.states.deciding import Deciding
from mash.states.errors import Incomplete, NotInProfile, NotYours


def ask(d: Deciding, cmd: c.AskAgencies, said: Said | None) -> None:
    """Ask agencies that were not asked by themselves: on request, or ad hoc."""
    if unknown := set(cmd.agencies) - set(d.profile.agencies):
        raise NotInProfile(
            f"{len(unknown)} of them are not agencies of {d.profile.title}: expected some of {', '.join(d.profile.agencies)}"
        )
    asked = d.referral.checks
    if again := [agency for agency in cmd.agencies if agency in asked and asked[agency].outstanding]:
        raise Incomplete(f"already asked, and not answered yet: {', '.join(again)}")
    d.request_checks(tuple(dict.fromkeys(cmd.agencies)))


def answer(d: Deciding, cmd: c.AnswerCheck, said: Said | None) -> None:
    """An agency answers for itself; a late answer still counts, as late."""
    _own_open_check(d, cmd.agency)
    if cmd.suggested_rating:
        demands.rating(d, cmd.suggested_rating)
    clock = next((k for k in reversed(d.referral.clocks.values()) if k.kind == "check" and k.whose == cmd.agency), None)
    fields = {name: getattr(cmd, name) for name in c.AnswerCheck.model_fields if name != "kind"}
    d.record(e.CheckAnswered(late=clock is None or d.now > clock.due_at, said=said, **fields))
    if clock and clock.running:
        d.record(e.ClocksStopped(ids=(clock.id,), met=True))
    if d.referral.stage == "agency_checks":
        d.take_route()


def allocate(d: Deciding, cmd: c.AllocateCheck, said: Said | None) -> None:
    """An agency hands its check to a colleague: who is to answer it stands beside it."""
    _own_open_check(d, cmd.agency)
    d.record(e.CheckAllocated(agency=cmd.agency, to=cmd.to))


def _own_open_check(d: Deciding, agency: str) -> None:
    """What an agency does about its check: while it is not answered, and nobody else for it."""
    check = d.referral.checks.get(agency)
    if check is None or check.answered_at is not None:
        raise Incomplete(f"nothing is asked of that agency now; waited for: {', '.join(d.referral.outstanding) or 'nobody'}")
    if d.by.agency != agency:
        raise NotYours(f"only the agency itself answers, not {d.by.agency} for it")


def proceed(d: Deciding, cmd: c.ProceedWithoutReplies, said: Said | None) -> None:
    """Go on without the missing replies, or without asking anybody: a recorded act with a reason."""
    demands.role(d, "proceed_without_replies", "going on without replies")
    reason = demands.words(said, "going on without replies")
    d.record(e.ProceededWithoutReplies(agencies=d.referral.outstanding, said=reason))
    d.stop("check", met=False)
    d.take_route()
