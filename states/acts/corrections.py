"""Facts put right: a person's details, how whoever referred is reached, somebody found later, somebody entered in error. What was
stored before stays, sealed, and is superseded (UK GDPR article 16: nobody is to be harmed by what is wrong about them)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Literal

from pydantic import Field

from mash.states.acts import demands, details
from mash.states.acts.birth import expect_anew
from mash.states.acts.checks import NOT_ASKED_ABOUT
from mash.states.acts.informing import CLOCKS, owe_again
from mash.states.ages import AGE_NOT_KNOWN, Age, unknown_adult
from mash.states.deciding import Deciding
from mash.states.errors import Incomplete, Refusal
from mash.states.fold import Changes, folds
from mash.states.profile import Cohort, Profile
from mash.states.rebuild import Caused, Rebuilt, as_given, rebuilds, same_fields, says_all
from mash.states.referral import Referral, SubjectState
from mash.states.register import act
from mash.states.route import ask_who_is_concerned_now
from mash.states.stages import ALL
from mash.states.values import Actor, Code, CommandBase, Details, EventBase, Words

OF_AGE = {"date_of_birth", "expected_date"}
"""The fields that say how old somebody is."""
OF_REFERRERS = "referrer_"
"""How flags begin that say how whoever referred is reached."""


class CorrectDetails(CommandBase):
    """Details of a subject, or of somebody of the household, were wrong or missing. The right ones come beside the command."""

    kind: Literal["correct_details"] = "correct_details"
    item: Code = Field(
        description="The item that is put right, by its id; or a subject's number (S1), of whom nothing may be stored yet."
    )


class CorrectReferrer(CommandBase):
    """Who referred, or how they are reached, was wrong. The right details come beside the command."""

    kind: Literal["correct_referrer"] = "correct_referrer"


class AddSubject(CommandBase):
    """Somebody who was found later, whom the case is about too. Their details come beside the command."""

    kind: Literal["add_subject"] = "add_subject"
    cohort: Cohort


class RemoveSubject(CommandBase):
    """A subject was entered in error."""

    kind: Literal["remove_subject"] = "remove_subject"
    subject: Code


class RecordHousehold(CommandBase):
    """A second copy of what the case is about names somebody of the household of whom nothing was stored. Their details come
    beside the command."""

    kind: Literal["record_household"] = "record_household"


class DetailsCorrected(EventBase):
    """Which fields say something else now, never what. `details` is the item that holds, `instead_of` the one that it supersedes;
    of somebody of the household there is no subject."""

    kind: Literal["details_corrected"] = "details_corrected"
    subject: str | None
    fields: tuple[str, ...]
    instead_of: str | None
    details: Words
    flags: tuple[str, ...] = ()
    age: Age | None = Field(default=None, exclude_if=lambda age: age is None)
    expected_week: date | None = Field(default=None, exclude_if=lambda week: week is None)
    words: Words | None = Field(alias="said")


class ReferrerCorrected(EventBase):
    kind: Literal["referrer_corrected"] = "referrer_corrected"
    fields: tuple[str, ...]
    instead_of: str | None
    details: Words
    referrer_reachable: bool
    flags: tuple[str, ...] = ()
    not_heard: bool = Field(default=False, exclude_if=lambda not_heard: not not_heard)
    """Whether what was written before went to an address that was wrong: they have heard nothing of it."""
    words: Words | None = Field(alias="said")


class SubjectAdded(EventBase):
    """`not_asked` are the agencies that were asked before, and so not about them."""

    kind: Literal["subject_added"] = "subject_added"
    subject: str
    cohort: str
    details: Words
    flags: tuple[str, ...] = ()
    age: Age | None = Field(default=None, exclude_if=lambda age: age is None)
    expected_week: date | None = Field(default=None, exclude_if=lambda week: week is None)
    not_asked: tuple[str, ...] = ()
    words: Words | None = Field(alias="said")


class SubjectRemoved(EventBase):
    kind: Literal["subject_removed"] = "subject_removed"
    subject: str
    words: Words = Field(alias="said")


# --- deciding ---------------------------------------------------------------------------------------------------------


def _kept(referral: Referral) -> bool:
    """Whether anything is stored of its people still."""
    return not referral.erased


@act(CorrectDetails, stages=ALL, when=_kept)
def correct_details(d: Deciding, cmd: CorrectDetails, words: Words | None) -> None:
    """The new details hold from now on; what is odd about them is flagged, as at intake."""
    right = _different(d)
    if right.subject is not None and right.subject not in d.referral.subjects:
        raise Incomplete(f"that is not a subject of this referral: expected one of {', '.join(d.referral.subjects)}")
    before = d.referral
    fields = {"subject": right.subject, "fields": right.changed, "instead_of": right.before, "details": right.stored}
    flags = _flags(right, before.subjects[right.subject].cohort if right.subject else None)
    d.record(DetailsCorrected(**fields, flags=flags, age=right.age, expected_week=right.expected_week, words=words))
    _as_old_as_they_are(d, before)


@rebuilds(CorrectDetails, DetailsCorrected)
def _correct_details_again(caused: Caused, event: DetailsCorrected) -> Rebuilt:
    item = event.instead_of or event.subject or event.details.item
    return Rebuilt(as_given(CorrectDetails, item=item), details=_as_it_came(event, event.subject))


@act(RecordHousehold)
def record_household(d: Deciding, cmd: RecordHousehold, words: Words | None) -> None:
    """Details that were missing, of whom nothing stood there before."""
    right = _given(d)
    d.record(
        DetailsCorrected(
            subject=None, fields=right.changed, instead_of=None, details=right.stored, flags=right.flags, words=words
        )
    )


@rebuilds(RecordHousehold, DetailsCorrected)
def _record_household_again(caused: Caused, event: DetailsCorrected) -> Rebuilt:
    return Rebuilt(RecordHousehold(), details=_as_it_came(event, event.subject))


def _flags(right: Details, cohort: str | None) -> tuple[str, ...]:
    """What is odd about details; also that nothing is known of the age of whoever is taken for an adult."""
    return (*right.flags, *((AGE_NOT_KNOWN,) if cohort and unknown_adult(cohort, right.age) else ()))


def _as_old_as_they_are(d: Deciding, before: Referral) -> None:
    """What follows where people turn out to be of another age, or are expected at another time, than it was thought."""
    if d.referral.counted != before.counted:
        ask_who_is_concerned_now(d)
    expect_anew(d, before)


@act(CorrectReferrer, stages=ALL, when=_kept)
def correct_referrer(d: Deciding, cmd: CorrectReferrer, words: Words | None) -> None:
    """Whoever can be reached now is owed what they have not heard, and what was written to a wrong address is none of that; to
    whoever cannot, nothing is owed that anybody could do."""
    right = _different(d)
    not_heard = "email" in right.changed and d.referral.referrer_reachable and not d.referral.by_person
    fields = {"fields": right.changed, "instead_of": right.before, "details": right.stored, "flags": right.flags}
    d.record(ReferrerCorrected(**fields, referrer_reachable=right.reachable, not_heard=not_heard, words=words))
    if not_heard:  # of what they have not heard, nothing is to be taken back
        d.stop(CLOCKS["withdrawal"], met=False)
    if d.referral.referrer_reachable or d.referral.by_person:
        owe_again(d, not_heard=not_heard)
    else:
        d.stop(*CLOCKS.values(), met=False)


@rebuilds(CorrectReferrer, ReferrerCorrected)
def _correct_referrer_again(caused: Caused, event: ReferrerCorrected) -> Rebuilt:
    right = _as_it_came(event, None).model_copy(update={"kind": "referrer", "reachable": event.referrer_reachable})
    return Rebuilt(CorrectReferrer(), details=right)


def _as_it_came(event: DetailsCorrected | ReferrerCorrected | SubjectAdded, subject: str | None) -> Details:
    """The details that came with a command, as its event says them. That the age of an adult is not known is found anew."""
    return Details(
        stored=event.details,
        kind="subject" if subject else "household",
        subject=subject,
        before=getattr(event, "instead_of", None),
        changed=getattr(event, "fields", ()),
        flags=tuple(flag for flag in event.flags if flag != AGE_NOT_KNOWN),
        age=getattr(event, "age", None),
        expected_week=getattr(event, "expected_week", None),
    )


def _given(d: Deciding) -> Details:
    """The details that came with the command. Raises Incomplete without them."""
    if d.details is None:
        raise Incomplete("say what is right: the details come beside the command (details)")
    return d.details


def _different(d: Deciding) -> Details:
    """The same, where they put something right. Raises Incomplete where they say nothing new."""
    if not (right := _given(d)).changed:
        raise Incomplete("these details are what is stored already: nothing was corrected")
    return right


def _decided_already(referral: Referral, profile: Profile, by: Actor, cmd: AddSubject | None) -> Refusal | None:
    if referral.proposed is not None:
        return Incomplete("a decision waits to be signed off, and says nothing of them: withdraw it first (withdraw_decision)")
    if referral.decided:
        return Incomplete("this is decided, without them: reopen it where it is closed, or make a new contact about them")
    return None


@act(AddSubject, stages=ALL, when=_kept, hindrance=_decided_already)
def add_subject(d: Deciding, cmd: AddSubject, words: Words | None) -> None:
    """They have no outcome yet, and perhaps no name. Agencies that were asked before were not asked about them, and can be asked
    again; those that are asked only about such a person are asked now."""
    right, asked = _given(d), tuple(d.referral.checks)
    new = next_subject(d.referral, d.reference)
    known = {"flags": _flags(right, cmd.cohort), "age": right.age, "expected_week": right.expected_week}
    d.record(SubjectAdded(subject=new, cohort=cmd.cohort, details=right.stored, not_asked=asked, words=words, **known))
    ask_who_is_concerned_now(d)


@rebuilds(AddSubject, SubjectAdded)
def _add_subject_again(caused: Caused, event: SubjectAdded) -> Rebuilt:
    return Rebuilt(same_fields(AddSubject, event), details=_as_it_came(event, event.subject))


def next_subject(referral: Referral, reference: str) -> str:
    """The number of the next subject. Nobody else of the contact has, had or will have it: the letters of a linked referral stand
    in it."""
    linked = re.search(r"(?:-[A-Z])+$", reference) if referral.parent else None
    own = f"S{linked.group().replace('-', '') if linked else ''}"
    taken = {*referral.subjects, *referral.removed, *referral.left}
    return f"{own}{1 + max((int(sid.removeprefix(own)) for sid in taken if re.fullmatch(f'{own}[0-9]+', sid)), default=0)}"


def _not_to_remove(referral: Referral, profile: Profile, by: Actor, cmd: RemoveSubject | None) -> Refusal | None:
    if referral.proposed is not None:
        return Incomplete("a decision about them waits to be signed off: withdraw it first (withdraw_decision)")
    if len(referral.subjects) < 2:
        return Incomplete("nobody else is a subject of this referral: correct their details instead (correct_details)")
    if cmd is not None and cmd.subject not in referral.subjects:
        return Incomplete(f"that is not a subject of this referral: expected one of {', '.join(referral.subjects)}")
    if cmd is not None and cmd.subject in referral.identities:
        return Incomplete("somebody has confirmed which child this is: take that back first (withdraw_identity)")
    return None


@act(RemoveSubject, stages=ALL, when=_kept, hindrance=_not_to_remove)
def remove_subject(d: Deciding, cmd: RemoveSubject, words: Words | None) -> None:
    """The case goes on without them; what is stored of them is kept, and shown as what was removed."""
    before = d.referral
    d.record(SubjectRemoved(subject=cmd.subject, words=demands.words(words, "taking a subject out")))
    expect_anew(d, before)


says_all(SubjectRemoved, RemoveSubject)


# --- folding ----------------------------------------------------------------------------------------------------------


@folds(DetailsCorrected)
def _details_corrected(referral: Referral, event: DetailsCorrected, at: datetime, by: Actor) -> Changes:
    right = {"superseded": details.superseded(referral, event.instead_of, event.details), "put_right": referral.put_right + 1}
    if event.subject is None:
        return {**details.of_household(referral, event.flags), **right}
    before = referral.subjects[event.subject]
    # By another name nobody is of another age; that somebody comes of age was said, and stays so.
    dated = OF_AGE & {*event.fields} or (before.age is None and before.coming_of_age is None)
    known = {"age": event.age, "expected_week": event.expected_week} if dated else {}
    return {**details.of_subject(referral, event.subject, event.flags, **known), **right}


@folds(ReferrerCorrected)
def _referrer_corrected(referral: Referral, event: ReferrerCorrected, at: datetime, by: Actor) -> Changes:
    others = (flag for flag in referral.flags if not flag.startswith(OF_REFERRERS))
    return {
        "flags": (*others, *event.flags),
        "referrer_reachable": event.referrer_reachable,
        "superseded": details.superseded(referral, event.instead_of, event.details),
        **({"reached": {}, "heard": ()} if event.not_heard else {}),
    }


@folds(SubjectAdded)
def _subject_added(referral: Referral, event: SubjectAdded, at: datetime, by: Actor) -> Changes:
    people = {**referral.subjects, event.subject: SubjectState(cohort=event.cohort)}
    known = {"age": event.age, "expected_week": event.expected_week}
    added = details.of_subject(referral.model_copy(update={"subjects": people}), event.subject, event.flags, **known)
    flags = dict.fromkeys((*added["flags"], *((NOT_ASKED_ABOUT,) if event.not_asked else ())))
    return {"subjects": added["subjects"], "flags": tuple(flags), "to_ask_again": event.not_asked}


@folds(SubjectRemoved)
def _subject_removed(referral: Referral, event: SubjectRemoved, at: datetime, by: Actor) -> Changes:
    def others(of: Mapping[str, Any]) -> dict[str, Any]:
        return {subject: each for subject, each in of.items() if subject != event.subject}

    return {
        "subjects": others(referral.subjects),
        "outcomes": others(referral.outcomes),
        "identities": others(referral.identities),
        "across": others(referral.across),
        "possible_matches": others(referral.possible_matches),
        "matches": tuple(match for match in referral.matches if match.subject != event.subject),
        "rejected": tuple(match for match in referral.rejected if match.subject != event.subject),
        "flags": tuple(flag for flag in referral.flags if not flag.startswith(f"{event.subject}_")),
        "removed": (*referral.removed, event.subject),
    }
