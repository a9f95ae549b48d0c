"""A contact as it is taken in: the command, in codes; what is personal, apart; and what is odd, flagged."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from datetime import date, datetime
from itertools import islice
from typing import Any

from mash.api.schemas.codes import CATEGORIES, COHORTS, CONTACT_KINDS, SOURCES
from mash.api.schemas.contact import IN_WORDS, ConcernGiven, ConsentGiven, Fields, SourceGiven, SubjectGiven, Submission
from mash.api.schemas.fields import as_truth
from mash.api.schemas.not_to_tell import not_to_tell
from mash.api.schemas.safe_contact import asks_for_silence, warns, writing_unsafe
from mash.config import codes
from mash.config.addresses import can_be
from mash.flows.store.details import age_of, by_other_means, expected_week, odd_address, odd_details, reached
from mash.flows.store.sounds import LONGEST_NAME
from mash.flows.store.store import as_json
from mash.flows.store.writes import Item
from mash.states.acts.contact import ReceiveContact
from mash.states.ages import AGE_NOT_KNOWN, odd_of, unknown_adult
from mash.states.errors import NothingToActOn
from mash.states.profile import PROFESSIONAL
from mash.states.values import ReportedConsent, Subject

UNKNOWN_SOURCE = "10"
STATED = tuple(cohort for cohort in COHORTS if cohort != "unknown")
MOST_NAMED, LONGEST_FIELD = 20, 60
"""Unknown fields that an answer names, and characters of each."""


def contact_of(submission: Submission, today: date, places: Collection[str] = ()) -> tuple[ReceiveContact, list[Item]]:
    """The command of a submission, in codes, and the personal items that it brings (the concern first). `today` is its day of
    receipt, as of which somebody has an age; `places` are the hub's.

    Raises NothingToActOn when there is neither a concern nor anything to identify somebody by.
    """
    if not submission.identifies_or_says_something():
        raise NothingToActOn("say what worries you (concern.summary), or who it is about (subjects): one of them is enough")
    flags = [*_flags(submission, today), *_flags_of_age(submission, today)]
    if submission.place and submission.place not in places:
        flags.append("place_unknown")
    source, concern, consent = _reached(submission.source), submission.concern, submission.consent
    subjects = tuple(_accused(submission, _subject(f"S{n}", s, today), s) for n, s in enumerate(submission.subjects, 1))
    command = ReceiveContact(
        contact=submission.kind if submission.kind in CONTACT_KINDS else "referral",
        source=source.code if codes.known("referral_source", source.code or "") else UNKNOWN_SOURCE,
        source_agency=source.agency if source.agency in SOURCES else "unknown",
        subjects=subjects or (Subject(id="S1", cohort="unknown"),),
        primary_need=concern.primary_need if codes.known("primary_need", concern.primary_need or "") else None,
        factors=tuple(f for f in dict.fromkeys(concern.factors) if codes.known("assessment_factors", f)),
        categories=tuple(
            dict.fromkeys((*(c for c in concern.categories if c in CATEGORIES), *codes.categories(concern.factors)))
        ),
        place=submission.place if re.fullmatch(r"[a-z][a-z0-9_]{0,59}", submission.place or "") else None,
        family_known=submission.family_known,
        immediate_danger=bool(concern.immediate_danger) or _may_be_danger(concern),
        consent=ReportedConsent(
            asked=consent.asked,
            given=consent.given,
            override_stated=bool(consent.override_reason),
            family_informed=consent.family_informed,
            # Consent in words may warn of it: nobody knows before a person has read them.
            safe_contact_warning=bool(consent.safe_contact) or _in_words(consent) or warns(submission),
        ),
        reported_at=_instant(submission.reported_at),
        flags=tuple(dict.fromkeys(flags)),
        referrer_reachable=can_be(source.email or ""),
        writing_unsafe=writing_unsafe(source, concern),
        not_to_tell=not_to_tell(submission),
    )
    rest = submission.model_dump(exclude={"source", "subjects", "household", "concern"}, exclude_none=True)
    items = [
        _item("concern", concern),
        _item("referrer", source),
        Item("submission", as_json(rest).encode()),
        *(_item("subject", s, f"S{n}") for n, s in enumerate(submission.subjects, 1)),
        *(_item("household", h) for h in submission.household),
    ]
    return command, items


def _item(kind: str, part: Fields, subject: str | None = None) -> Item:
    return Item(kind, as_json(part.model_dump(exclude_none=True)).encode(), subject)


def _subject(sid: str, given: SubjectGiven, today: date) -> Subject:
    said = given.model_dump(include={"date_of_birth", "expected_date"})
    age = age_of(said, today)
    return Subject(id=sid, cohort=_cohort(given), age=age, expected_week=expected_week(said, age))


def _accused(submission: Submission, subject: Subject, given: SubjectGiven) -> Subject:
    """Whom a concern about a professional is about, as stated; where nobody says so, the adults of the contact. That somebody is
    asked too early whether others may hear of it cannot be taken back; that they were not asked yet, can."""
    if PROFESSIONAL not in submission.concern.categories or subject.cohort != "adult":
        return subject
    said = [each.accused for each in submission.subjects]
    return subject.model_copy(update={"accused": bool(given.accused) if True in said else given.accused is not False})


def _flags_of_age(submission: Submission, today: date) -> Iterator[str]:
    """What is odd about the age of the subjects."""
    for n, given in enumerate(submission.subjects, 1):
        subject = _subject(f"S{n}", given, today)
        yield from (f"S{n}_{odd}" for odd in odd_of(subject.cohort, subject.age))
        if unknown_adult(subject.cohort, subject.age):
            yield f"S{n}_{AGE_NOT_KNOWN}"


def _cohort(subject: SubjectGiven) -> Any:
    if subject.cohort in STATED:
        return subject.cohort
    return "unborn" if subject.expected_date and not subject.date_of_birth else "unknown"


def _reached(source: SourceGiven) -> SourceGiven:
    """Who refers, with their address tidied; what was typed stays beside it. One that stands where a name is asked for counts."""
    return source.model_copy(update=reached({"name": source.name, "email": source.email}))


def _may_be_danger(concern: ConcernGiven) -> bool:
    """Whether an answer that is neither yes nor no is taken for danger until somebody has read it: all but not knowing."""
    return concern.said_otherwise("immediate_danger") and not concern.unsure("immediate_danger")


def _in_words(consent: ConsentGiven) -> bool:
    """Whether consent was described, and neither given nor refused in a word."""
    return bool(consent.in_words) and as_truth(consent.in_words) is None


def _instant(text: str | None) -> datetime | None:
    try:
        at = datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
    return at if at and at.tzinfo else None


def _flags(submission: Submission, today: date) -> Any:
    """What is odd about a submission, by field and never with its value."""
    source, concern = _reached(submission.source), submission.concern
    others = by_other_means(source.model_dump())
    checks = {
        "kind_unknown": submission.kind is not None and submission.kind not in CONTACT_KINDS,
        "source_code_unknown": not codes.known("referral_source", source.code or ""),
        "source_agency_unknown": source.agency not in SOURCES,
        "reported_at_not_understood": bool(submission.reported_at) and _instant(submission.reported_at) is None,
        "primary_need_unknown": bool(concern.primary_need) and not codes.known("primary_need", concern.primary_need or ""),
        "category_unknown": any(category not in CATEGORIES for category in concern.categories),
        "factor_unknown": any(not codes.known("assessment_factors", f) for f in concern.factors),
        "consent_not_asked": submission.consent.asked is not True,
        **odd_address(source.email),
        "consent_in_words": _in_words(submission.consent),
        "safe_contact_in_words": warns(submission) or asks_for_silence(source, concern),
        **others,
        "danger_in_words": _may_be_danger(concern),
        "answer_in_words": concern.unsure("immediate_danger")
        or submission.said_otherwise("family_known")
        or source.said_otherwise("safe_to_write")
        or any(submission.consent.said_otherwise(name) for name in ("asked", "given", "family_informed", "safe_to_tell")),
        "no_subject_named": not submission.subjects,
        "unknown_field": bool(unknown_fields(submission)),
        "more_people_in_words": bool(submission.more_people),
        "household_name_too_long": any(len(each.name or "") > LONGEST_NAME for each in submission.household),
    }
    yield from (name for name, odd in checks.items() if odd)
    for n, subject in enumerate(submission.subjects, 1):
        odd = {
            **odd_details(subject.model_dump(exclude_none=True), today),
            "cohort_not_stated": not subject.cohort or subject.cohort == "unknown",
            "cohort_unknown": bool(subject.cohort) and subject.cohort not in COHORTS,
        }
        yield from (f"S{n}_{name}" for name, wrong in odd.items() if wrong)


def unknown_fields(submission: Submission) -> list[str]:
    """Which fields of a submission are none of ours, the first of them: for whoever sent them, and for nobody else, as a name may
    be a person's. Never their values."""
    return list(islice(_unknown(submission, ""), MOST_NAMED))


def _unknown(fields: Fields, above: str) -> Iterator[str]:
    for name in fields.model_extra or ():
        if (name == IN_WORDS and isinstance(fields, ConsentGiven)) or fields.of_ours(name):
            continue
        readable = "".join(letter if letter.isprintable() else " " for letter in name)
        yield above + (readable if len(readable) <= LONGEST_FIELD else f"{readable[: LONGEST_FIELD - 1]}…")
    for name in type(fields).model_fields:
        part = getattr(fields, name)
        if isinstance(part, Fields):
            yield from _unknown(part, f"{above}{name}.")
        elif isinstance(part, list):
            for number, each in enumerate(part):
                if isinstance(each, Fields):
                    yield from _unknown(each, f"{above}{name}.{number}.")
