"""Acts that are about two cases: the other one's side of them, in the same transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from mash.flows.store.identities import child_of, join, joined, new_child, number_of
from mash.flows.store.store import Store
from mash.flows.store.tables import IDENTITIES, REFERRALS
from mash.states.accumulation import contact_of
from mash.states.acts.closing import ReopenReferral
from mash.states.acts.corrections import CorrectReferrer
from mash.states.acts.countersigning import Countersign
from mash.states.acts.decisions import RecordDecision, SignOffDecision
from mash.states.acts.disagreements import SettleDisagreement
from mash.states.acts.episodes import AttachContact, CloseDuplicate, RecordAdded, RecordTakenBack
from mash.states.acts.known import (
    IdentifySubject,
    RecordIdentified,
    RecordIdentityWithdrawn,
    RecordRejected,
    RejectMatch,
    SubjectIdentified,
    WithdrawIdentity,
)
from mash.states.acts.meetings import RecordMeeting
from mash.states.acts.protection import CallStrategyDiscussion, RecordStrategyDiscussion
from mash.states.acts.rating import RerateReferral
from mash.states.acts.shared import ShareEarlierContact
from mash.states.acts.sharing import RecordMarker, RecordSharingBasis
from mash.states.acts.siblings import RecordNotToTell, RecordSteppedUp, stepped_up
from mash.states.acts.upkeep import LinkReferral, RecordLinked, RecordUnlinked, RemoveLink
from mash.states.acts.withdrawing import SignOffWithdrawal, WithdrawDecision
from mash.states.errors import Incomplete
from mash.states.messages import Command, Event, StaffCommand
from mash.states.profile import Profile
from mash.states.referral import NOT_TO_TELL, Referral
from mash.states.stages import SECTION_47
from mash.states.values import Enquiry

STEPS_UP = (
    CallStrategyDiscussion,
    RecordDecision,
    RecordMeeting,
    RecordStrategyDiscussion,
    RerateReferral,
    SettleDisagreement,
    SignOffDecision,
)
"""Commands by which a case may be stepped up."""
SILENCES = (Countersign, RecordMarker, RecordSharingBasis)
"""Commands by which it may begin that a family must not be told."""
ONE_FAMILY = ("same_child", "sibling", "household")
"""Links by which two cases are of one family: whoever speaks with it of one of them speaks of both."""
Side = tuple[str, Command]
"""Another case, and what is recorded there."""


async def others(connection: AsyncConnection, hub: str, reference: str, command: StaffCommand | Command) -> list[str]:
    """The other cases that a command is about."""
    if isinstance(command, CorrectReferrer):  # one person made all the linked referrals of a contact
        root = select(REFERRALS.c.root).where(REFERRALS.c.reference == reference).scalar_subquery()
        linked = select(REFERRALS.c.reference).where(REFERRALS.c.root == root, REFERRALS.c.reference != reference)
        return list((await connection.scalars(linked.order_by(REFERRALS.c.reference))).all())
    if isinstance(command, RejectMatch):
        return [await _stands_in(connection, hub, command.other, command.other_subject)]
    of_two = LinkReferral | RemoveLink | IdentifySubject | AttachContact | CloseDuplicate | ShareEarlierContact
    if isinstance(command, of_two):
        return [command.other]
    if isinstance(command, WithdrawIdentity):
        # All are locked: of two who take back at once, the second sees who is left.
        return sorted({each.reference for each in (await joined(connection, hub, reference)).get(command.subject, [])})
    if isinstance(command, ReopenReferral | WithdrawDecision | SignOffWithdrawal):
        state = await connection.scalar(select(REFERRALS.c.state).where(REFERRALS.c.reference == reference))
        part_of = Referral.model_validate_json(state).part_of if state else None
        return [part_of] if part_of else []
    if isinstance(command, (*STEPS_UP, *SILENCES)):
        # Locked: of two who begin section 47 about one child at once, the second finds the first one's.
        same = {each.reference for some in (await joined(connection, hub, reference)).values() for each in some}
        return sorted(same | {*await _belonging(connection, hub, reference)})
    return []


async def _stands_in(connection: AsyncConnection, hub: str, reference: str, subject: str | None) -> str:
    """The part of a contact in which its subject goes on by now: whoever was shown them may have been shown an older one."""
    root = select(REFERRALS.c.root).where(REFERRALS.c.reference == reference, REFERRALS.c.hub == hub).scalar_subquery()
    parts = (await connection.execute(select(REFERRALS.c.reference, REFERRALS.c.state).where(REFERRALS.c.root == root))).all()
    return next((part.reference for part in parts if subject in Referral.model_validate_json(part.state).subjects), reference)


async def _belonging(connection: AsyncConnection, hub: str, reference: str) -> Sequence[str]:
    """The cases of this one's contact, and those that it is linked with, as far as this connection is shown them."""
    row = (
        await connection.execute(select(REFERRALS.c.root, REFERRALS.c.state).where(REFERRALS.c.reference == reference))
    ).one_or_none()
    if row is None:
        return ()
    linked = Referral.model_validate_json(row.state).links
    these = select(REFERRALS.c.reference).where(
        REFERRALS.c.hub == hub,
        REFERRALS.c.reference != reference,
        or_(REFERRALS.c.root == row.root, REFERRALS.c.reference.in_(linked)),
    )
    return (await connection.scalars(these)).all()


def stepped_up_beside(reference: str, before: Referral, after: Referral, profile: Profile, others: Iterable[str]) -> list[Side]:
    """What is recorded in the cases that belong with one that is stepped up."""
    why = stepped_up(before, after, profile)
    belong = {*before.links, *(other for other in others if contact_of(other) == contact_of(reference))}
    return [(other, RecordSteppedUp(other=reference, why=why)) for other in others if other in belong] if why else []


def silent_beside(
    reference: str, before: Referral, after: Referral, command: StaffCommand | Command, others: Mapping[str, Referral]
) -> list[Side]:
    """What is recorded in the other cases of a family that must not be told: where that begins, and where two are linked of which
    one is silent already, this one too."""
    family = {other for other, relation in after.links.items() if relation in ONE_FAMILY}
    family |= {other for other in others if contact_of(other) == contact_of(reference)}
    tied = {command.other} if isinstance(command, LinkReferral) else set()
    silent = NOT_TO_TELL in after.warnings
    sides: list[Side] = []
    for other, there in others.items():
        if other not in family:
            continue
        if silent and (other in tied or NOT_TO_TELL not in before.warnings) and NOT_TO_TELL not in there.warnings:
            sides.append((other, RecordNotToTell(other=reference)))
        if other in tied and not silent and NOT_TO_TELL in there.warnings:
            sides.append((reference, RecordNotToTell(other=other)))
    return sides


async def enquiries(connection: AsyncConnection, hub: str, reference: str, referral: Referral) -> tuple[Enquiry, ...]:
    """The section 47s that are open in other cases about the same children, as far as this connection is shown them."""
    same = await joined(connection, hub, reference)
    about = [(subject, each.reference, "confirmed") for subject, some in same.items() for each in some]
    about += [(match.subject, match.reference, "likely") for match in referral.unsettled]
    if not about:
        return ()
    these = sorted({other for _, other, _ in about})
    query = select(REFERRALS.c.reference, REFERRALS.c.state).where(
        REFERRALS.c.reference.in_(these), REFERRALS.c.stage.in_(SECTION_47), REFERRALS.c.is_open
    )
    rows = (await connection.execute(query)).all()
    # A discussion that was only called has not led to section 47 yet.
    enquiring = {row.reference for row in rows if "section_47" in Referral.model_validate_json(row.state).outcomes.values()}
    return tuple(
        Enquiry.model_validate({"subject": subject, "reference": other, "likeness": likeness})
        for subject, other, likeness in about
        if other in enquiring
    )


async def other_side(
    connection: AsyncConnection, hub: str, reference: str, before: Referral, command: StaffCommand | Command
) -> list[Side]:
    """What is recorded of a command in the other case; asked before it is carried out."""
    match command:
        case LinkReferral():
            return [(command.other, RecordLinked(other=reference, relation=command.relation))]
        case RemoveLink():
            return [(command.other, RecordUnlinked(other=reference))]
        case IdentifySubject():
            return [(command.other, RecordIdentified(subject=command.other_subject))]
        case RejectMatch() if command.other_subject:
            theirs = RecordRejected(subject=command.other_subject, other=reference, other_subject=command.subject)
            return [(await _stands_in(connection, hub, command.other, command.other_subject), theirs)]
        case WithdrawIdentity():
            # Whoever is left alone was confirmed to be nobody else: there it is taken back too.
            same = (await joined(connection, hub, reference)).get(command.subject, [])
            return [(each.reference, RecordIdentityWithdrawn(subject=each.subject)) for each in same] if len(same) == 1 else []
        case AttachContact() | CloseDuplicate():
            why = "added" if isinstance(command, AttachContact) else "duplicate"
            markers, danger = before.warnings, before.in_danger
            # How whoever referred may be reached is of that contact alone.
            warns = tuple(marker for marker in markers if marker != "do_not_write")
            return [(command.other, RecordAdded(other=reference, why=why, immediate_danger=danger, markers=warns))]
    return []


def taken_back(reference: str, before: Referral, after: Referral) -> list[Side]:
    """What is recorded in the case that a contact was part of, and is no more."""
    return [(before.part_of, RecordTakenBack(other=reference))] if before.part_of and after.part_of is None else []


async def child_to_join(connection: AsyncConnection, store: Store, reference: str, command: IdentifySubject) -> str:
    """The child whom two subjects are confirmed to be: the one that either of them is already, or a new one. Raises Incomplete
    where they were confirmed to be two children: nothing is merged by an act that says something else."""
    mine = await child_of(connection, store, reference, command.subject)
    theirs = await child_of(connection, store, command.other, command.other_subject)
    if mine and theirs and mine != theirs:
        raise Incomplete(
            "each of them was confirmed as another child, with contacts of their own: take back one of the two first"
            " (withdraw_identity), then confirm"
        )
    child = mine or theirs or new_child()
    await _two_in_one_contact(connection, store, child, (reference, command.subject), (command.other, command.other_subject))
    return child


async def _two_in_one_contact(connection: AsyncConnection, store: Store, child: str, *joining: tuple[str, str]) -> None:
    """Raises Incomplete where two subjects of one contact would be one child, by way of another contact too: each contact, and
    each part of it, would show only one of them."""
    query = select(IDENTITIES.c.reference, IDENTITIES.c.subject).where(
        IDENTITIES.c.child == number_of(store.keyring.search, child)
    )
    same = {(contact_of(reference), subject) for reference, subject in (*(await connection.execute(query)).all(), *joining)}
    contacts = Counter(contact for contact, _ in same)
    if twice := [contact for contact, many in contacts.items() if many > 1]:
        raise Incomplete(
            f"two subjects of {twice[0]} would be one child, and they are two people: take back whoever was confirmed by mistake"
            " (withdraw_identity), or take out whoever was entered in error (remove_subject)"
        )


async def join_identified(
    connection: AsyncConnection, store: Store, hub: str, reference: str, events: Sequence[Event], child: str
) -> None:
    """Join whom these events identify."""
    links = {event.subject: event.link for event in events if isinstance(event, SubjectIdentified)}
    await join(connection, store, hub, reference, links, child)
