"""What keeps a case whole: clocks that fire, alerts acknowledged, referrers told, links, notes, another profile."""

from __future__ import annotations

from mash.states import commands as c
from mash.states import events as e
from mash.states.acts import demands
from mash.states.acts.step_down import comes_back
from mash.states.commands import Said
from mash.states.deciding import Deciding
from mash.states.errors import Incomplete, NotInProfile


def fire_clocks(d: Deciding, cmd: c.FireClocks, said: Said | None) -> None:
    """Let every clock that is due warn, breach or climb. A step-down that nobody accepted in time comes back."""
    for clock_id in tuple(d.referral.clocks):
        clock = d.referral.clocks[clock_id]
        if clock.next_at is None or clock.next_at > d.now:
            continue
        if clock.breached_at is None and clock.due_at <= d.now:
            d.record(e.ClockBreached(id=clock.id, due_at=clock.due_at))
            d.escalate(d.referral.clocks[clock_id])
            if clock.kind == "step_down_offered":
                comes_back(d, None)
        elif clock.next_rung_at and clock.next_rung_at <= d.now:
            d.escalate(clock)
        else:
            d.record(e.ClockWarned(id=clock.id, role=d.on_duty(clock.owner), due_at=clock.due_at))


def acknowledge(d: Deciding, cmd: c.AcknowledgeAlert, said: Said | None) -> None:
    """'I have it': the ladder stops, until the alert is renewed because its cause lasts."""
    if cmd.clock not in d.referral.alerts:
        raise Incomplete(f"no alert on that clock waits for acknowledgement; waiting: {', '.join(d.referral.alerts) or 'none'}")
    d.record(e.AlertAcknowledged(id=cmd.clock, renew_at=d.profile.calendar.add(d.now, d.profile.renew)))


def record_told(d: Deciding, cmd: c.RecordTold, said: Said | None) -> None:
    """The referrer was told: the notice was delivered."""
    kind = {"acknowledgement": "acknowledgement", "outcome": "outcome_told"}[cmd.what]
    if any(clock.kind == kind for clock in d.referral.running):
        d.record(e.ReferrerTold(what=cmd.what))
        d.stop(kind)


def erase_people(d: Deciding, cmd: c.ErasePeople, said: Said | None) -> None:
    """Nobody is erased of a case that somebody works on."""
    if not d.referral.finished:
        raise Incomplete("this referral is open, or its referrer is still to be told: nobody is erased before it is concluded")
    if not d.referral.erased:
        d.record(e.PeopleErased(why=cmd.why))


def link(d: Deciding, cmd: c.LinkReferral | c.RecordLinked, said: Said | None) -> None:
    """Another referral belongs with this one."""
    if cmd.other == d.reference:
        raise Incomplete("a referral is linked with another one, not with itself")
    if d.referral.links.get(cmd.other) != cmd.relation:
        d.record(e.ReferralLinked(other=cmd.other, relation=cmd.relation))


def adopt_profile(d: Deciding, cmd: c.AdoptProfile, said: Said | None) -> None:
    """Go on under another version of the hub's profile; where that has other ratings, under one of them."""
    if cmd.rating:
        demands.rating(d, cmd.rating)
    elif d.referral.rating and d.referral.rating not in d.profile.ratings:
        raise NotInProfile(f"the adopted profile has no rating '{d.referral.rating}': say which it is from now on (rating)")
    if d.profile.name != d.referral.hub:
        raise NotInProfile(f"{d.profile.title} is another hub's profile: transfer the referral instead")
    d.record(e.ProfileAdopted(profile=cmd.digest))
    if cmd.rating and d.referral.rating and cmd.rating != d.referral.rating:
        d.rerate(cmd.rating, said)


def add_note(d: Deciding, cmd: c.AddNote, said: Said | None) -> None:
    """A note to the case."""
    d.record(e.NoteAdded(said=demands.words(said, "a note")))
