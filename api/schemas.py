"""What referrers send and staff ask. A concern is never refused for a wrong code or number: it is kept as given and flagged."""

from __future__ import annotations

import json
import re
from datetime import date, datetime
from typing import Annotated, Any, Self, get_args

from fastapi import Path
from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, model_validator
from pydantic_core import PydanticCustomError

from mash.api.problems import FURTHER
from mash.api.text import DEEPEST, LONGEST_FURTHER, LONGEST_KEY, MOST_VALUES, further, plain
from mash.config import codes
from mash.flows.store.store import as_json
from mash.flows.store.writes import Item
from mash.states.acts.contact import ReceiveContact
from mash.states.errors import NothingToActOn
from mash.states.messages import StaffCommand
from mash.states.profile import Category, ContactKind, Source
from mash.states.values import ReportedConsent, Subject

UNKNOWN_SOURCE = "10"
KINDS = get_args(ContactKind)
AGENCIES = get_args(Source)
CATEGORIES = get_args(Category)


def _as_text(value: Any) -> Any:
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _as_truth(value: Any) -> Any:
    """Yes, no, or not said; anything else is not said."""
    words = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
    if isinstance(value, bool):
        return value
    return words.get(str(value).strip().lower()) if isinstance(value, str | int) else None


def _as_list(value: Any) -> Any:
    """Nothing given is an empty list, and one thing given alone is a list of it."""
    return [] if value is None else value if isinstance(value, list) else [value]


def _as_object(value: Any) -> Any:
    return {} if value is None else value


REFERENCE = r"MASH-[0-9]{2}-[0-9]{6,12}(-[A-Z]+)*"
Reference = Annotated[str, Path(pattern=f"^{REFERENCE}$", max_length=60, examples=["MASH-26-000001"])]
CODE = r"^[a-z0-9_-]{1,60}$"
_YEAR = "20(1[3-9]|2[0-9]|3[0-5])"
"""Those whose bank holidays are known."""
DAY = f"^{_YEAR}-[01][0-9]-[0-3][0-9]$"
MOMENT = f"^{_YEAR}-[01][0-9]-[0-3][0-9][Tt ][0-2][0-9]:[0-5][0-9]"


def written(pattern: str, expected: str) -> BeforeValidator:
    """A day or a time as people write it: Pydantic would take a bare number for seconds since 1970."""

    def check(value: Any) -> Any:
        if not isinstance(value, str) or not re.match(pattern, value):
            raise PydanticCustomError("time", expected)
        return value

    return BeforeValidator(check)


Moment = Annotated[
    AwareDatetime,
    written(MOMENT, "expected a time such as 2026-11-23T17:00:00Z, from 2013 to 2035"),
    Field(json_schema_extra={"pattern": MOMENT}),
]
Day = Annotated[
    date, written(DAY, "expected a day such as 2026-11-23, from 2013 to 2035"), Field(json_schema_extra={"pattern": DAY})
]
PLAIN = {"pattern": r"^[^\u0000-\u0008\u000e-\u001f\u007f-\u009f]*$"}
"""Said in the documentation; `plain` sees to it, and says it in words."""
NAMES: dict[str, Any] = {"maxLength": LONGEST_KEY, **PLAIN}
FURTHER_SCHEMA: dict[str, Any] = {
    "description": f"A further field: kept as given. Together at most {MOST_VALUES:,} values and {LONGEST_FURTHER:,} characters,"
    f" {DEEPEST} deep.",
    "anyOf": [
        {"type": ["null", "boolean", "number"]},
        {"type": "string", **PLAIN},
        {"type": "array", "items": {"$ref": "#/components/schemas/Further"}},
        {"type": "object", "additionalProperties": {"$ref": "#/components/schemas/Further"}, "propertyNames": NAMES},
    ],
}
LONGEST_LINE, LONGEST_TEXT = 2_000, 100_000
"""Characters of a field, and of one that tells something."""
_Short = Annotated[str, Field(max_length=LONGEST_LINE, json_schema_extra=PLAIN), AfterValidator(plain)]
_Long = Annotated[str, Field(max_length=LONGEST_TEXT, json_schema_extra=PLAIN), AfterValidator(plain)]
_Code = Annotated[_Short, BeforeValidator(_as_text, json_schema_input_type=_Short | float)]
Text = Annotated[_Short | None, BeforeValidator(_as_text, json_schema_input_type=_Short | float | None), Field(default=None)]
Long = Annotated[_Long | None, BeforeValidator(_as_text, json_schema_input_type=_Long | float | None), Field(default=None)]
_Codes = Annotated[list[_Code], Field(max_length=100)]
Codes = Annotated[_Codes, BeforeValidator(_as_list, json_schema_input_type=_Codes | _Code | None), Field(default=[])]
Truth = Annotated[bool | None, BeforeValidator(_as_truth, json_schema_input_type=Any), Field(default=None)]


FURTHER_FIELDS: dict[str, Any] = {"additionalProperties": {"$ref": "#/components/schemas/Further"}, "propertyNames": NAMES}


class Given(BaseModel):
    """Fields as a referrer gives them; further ones are kept, and flagged."""

    model_config = ConfigDict(extra="allow", hide_input_in_errors=True, json_schema_extra=FURTHER_FIELDS)

    @model_validator(mode="after")
    def bounded(self) -> Self:
        """Have further fields plain, and within bounds."""
        if self.__pydantic_extra__:
            try:
                self.__pydantic_extra__ = further(self.__pydantic_extra__)
            except PydanticCustomError as wrong:
                raise PydanticCustomError(FURTHER, wrong.message()) from None
        return self


class Name(Given):
    given: Text
    family: Text


class Address(Given):
    line1: Text
    postcode: Text


class SubjectGiven(Given):
    """A person the contact is about."""

    name: Name | None = None
    date_of_birth: Text
    expected_date: Text
    age_estimate: Text
    sex: Text
    ethnicity: Text
    disability: Codes
    nhs_number: Text
    upn: Text
    school: Text
    address: Address | None = None
    cohort: Text


class HouseholdGiven(Given):
    name: Text
    relationship: Text
    date_of_birth: Text


class SourceGiven(Given):
    """Who refers."""

    code: Text
    agency: Text
    organisation: Text
    role: Text
    name: Text
    email: Text
    phone: Text


class ConcernGiven(Given):
    summary: Long
    narrative: Long
    primary_need: Text
    factors: Codes
    categories: Codes
    immediate_danger: Truth


class ConsentGiven(Given):
    asked: Truth
    given: Truth
    override_reason: Long
    family_informed: Truth
    safe_contact: Long


EXAMPLE: dict[str, Any] = {
    "kind": "referral",
    "source": {
        "code": "2A",
        "agency": "education",
        "organisation": "Thornwick Vale Primary School",
        "role": "pastoral lead",
        "name": "M. Example",
        "email": "pastoral@school.example.org",
        "phone": "01632 960115",
    },
    "subjects": [{"name": {"given": "Isla", "family": "Example"}, "date_of_birth": "2015-12-20", "sex": "F", "cohort": "child"}],
    "household": [{"name": "Ruth Example", "relationship": "mother"}],
    "concern": {
        "summary": "A ten-year-old is helping to care for her mother.",
        "narrative": "She is late two mornings a week.",
        "primary_need": "N3",
        "factors": ["7A"],
        "immediate_danger": False,
    },
    "consent": {"asked": True, "given": True, "family_informed": True},
}


def _or_nothing(kind: type[Given]) -> BeforeValidator:
    return BeforeValidator(_as_object, json_schema_input_type=kind | None)


MOST_SUBJECTS, MOST_HOUSEHOLD = 30, 60
_Subjects = Annotated[list[SubjectGiven], Field(max_length=MOST_SUBJECTS)]
_Household = Annotated[list[HouseholdGiven], Field(max_length=MOST_HOUSEHOLD)]


class Submission(Given):
    """A contact: a concern, or something to identify somebody by. Nothing else is needed; everything helps."""

    model_config = ConfigDict(
        extra="allow", hide_input_in_errors=True, json_schema_extra={**FURTHER_FIELDS, "examples": [EXAMPLE]}
    )

    kind: Text
    place: Text
    family_known: Truth
    reported_at: Text
    source: Annotated[SourceGiven, _or_nothing(SourceGiven)] = SourceGiven.model_validate({})
    subjects: Annotated[_Subjects, BeforeValidator(_as_list, json_schema_input_type=_Subjects | SubjectGiven | None)] = []
    household: Annotated[_Household, BeforeValidator(_as_list, json_schema_input_type=_Household | HouseholdGiven | None)] = []
    concern: Annotated[ConcernGiven, _or_nothing(ConcernGiven)] = ConcernGiven.model_validate({})
    consent: Annotated[ConsentGiven, _or_nothing(ConsentGiven)] = ConsentGiven.model_validate({})

    def identifies_or_says_something(self) -> bool:
        """Whether there is a concern, or anything to identify somebody by."""
        people = [s.model_dump(exclude={"sex", "ethnicity", "cohort"}, exclude_none=True) for s in self.subjects]
        return bool(
            (self.concern.summary or "").strip()
            or (self.concern.narrative or "").strip()
            or any(_says(person) for person in people)
            or any((h.name or "").strip() for h in self.household)
        )


def _says(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_says(v) for v in value.values())
    return bool(value.strip()) if isinstance(value, str) else bool(value)


LONGEST_WORDS = 20_000
Words = Annotated[str, Field(min_length=1, max_length=LONGEST_WORDS, json_schema_extra=PLAIN), AfterValidator(plain)]


class DisagreementGiven(BaseModel):
    """A referrer disagrees: in words, and with which of their disagreements when it is taken further."""

    model_config = ConfigDict(
        extra="forbid",
        hide_input_in_errors=True,
        json_schema_extra={"examples": [{"words": "She is not safe at home: please look again."}]},
    )

    words: Words
    disagreement: Annotated[str, Field(pattern=r"^D[0-9]{1,3}$")] | None = None


_COMMAND: TypeAdapter[Any] = TypeAdapter(StaffCommand, config=ConfigDict(hide_input_in_errors=True))


def _number(value: Any) -> Any:
    """A number that is written as one."""
    if isinstance(value, str | bool):
        raise PydanticCustomError("number", "expected a number")
    return value


def _strictly(value: Any) -> Any:
    """A command of the documented types: "yes" is not true, and 7 is no time. By way of JSON, whose strictness knows times."""
    return _COMMAND.validate_json(json.dumps(value), strict=True) if isinstance(value, dict) else value


class CommandGiven(BaseModel):
    """What a member of staff asks: a command, in codes; words that explain it; and the version they had in view."""

    model_config = ConfigDict(
        extra="forbid",
        hide_input_in_errors=True,
        json_schema_extra={
            "examples": [
                {"seen": 3, "command": {"kind": "rate_referral", "rating": "amber"}, "words": "Second incident in a month."},
                {
                    "seen": 12,
                    "command": {"kind": "record_decision", "outcomes": {"S1": "early_help"}, "primary_need": "N3"},
                    "words": "Unmet need as a young carer, with consent.",
                },
            ]
        },
    )

    seen: Annotated[int, BeforeValidator(_number)] = Field(
        ge=1, le=1_000_000, description="The version of the case that the caller had in view."
    )
    command: Annotated[StaffCommand, BeforeValidator(_strictly)]
    words: Words | None = None
    redacted: Words | None = Field(default=None, description="With release_information: the version that others are to read.")


def contact_of(submission: Submission) -> tuple[ReceiveContact, list[Item]]:
    """The command of a submission, in codes, and the personal items that it brings (the concern first).

    Raises NothingToActOn when there is neither a concern nor anything to identify somebody by.
    """
    if not submission.identifies_or_says_something():
        raise NothingToActOn("say what worries you (concern.summary), or who it is about (subjects): one of them is enough")
    flags = list(_flags(submission))
    source, concern, consent = submission.source, submission.concern, submission.consent
    subjects = tuple(Subject(id=f"S{n}", cohort=_cohort(s)) for n, s in enumerate(submission.subjects, 1))
    command = ReceiveContact(
        contact=submission.kind if submission.kind in KINDS else "referral",
        source=source.code if codes.known("referral_source", source.code or "") else UNKNOWN_SOURCE,
        source_agency=source.agency if source.agency in AGENCIES else "unknown",
        subjects=subjects or (Subject(id="S1", cohort="unknown"),),
        primary_need=concern.primary_need if codes.known("primary_need", concern.primary_need or "") else None,
        factors=tuple(f for f in dict.fromkeys(concern.factors) if codes.known("assessment_factors", f)),
        categories=tuple(
            dict.fromkeys((*(c for c in concern.categories if c in CATEGORIES), *codes.categories(concern.factors)))
        ),
        place=submission.place if re.fullmatch(r"[a-z][a-z0-9_]{0,59}", submission.place or "") else None,
        family_known=submission.family_known,
        immediate_danger=bool(concern.immediate_danger),
        consent=ReportedConsent(
            asked=consent.asked,
            given=consent.given,
            override_stated=bool(consent.override_reason),
            family_informed=consent.family_informed,
            safe_contact_warning=bool(consent.safe_contact),
        ),
        reported_at=_instant(submission.reported_at),
        flags=tuple(dict.fromkeys(flags)),
        referrer_reachable=reachable(source.email),
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


def _item(kind: str, given: Given, subject: str | None = None) -> Item:
    return Item(kind, as_json(given.model_dump(exclude_none=True)).encode(), subject)


def _cohort(subject: SubjectGiven) -> Any:
    if subject.cohort in ("child", "unborn", "adult"):
        return subject.cohort
    return "unborn" if subject.expected_date and not subject.date_of_birth else "unknown"


def reachable(email: str | None) -> bool:
    """Whether this can be an email address: one @, a dotted domain, no space."""
    return bool(re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", email or ""))


def _instant(text: str | None) -> datetime | None:
    try:
        at = datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
    return at if at and at.tzinfo else None


def _is_date(text: str) -> bool:
    try:
        return bool(date.fromisoformat(text))
    except ValueError:
        return False


def _flags(submission: Submission) -> Any:
    """What is odd about a submission, by field and never with its value."""
    source, concern = submission.source, submission.concern
    checks = {
        "kind_unknown": submission.kind is not None and submission.kind not in KINDS,
        "source_code_unknown": not codes.known("referral_source", source.code or ""),
        "source_agency_unknown": source.agency not in AGENCIES,
        "reported_at_not_understood": bool(submission.reported_at) and _instant(submission.reported_at) is None,
        "primary_need_unknown": bool(concern.primary_need) and not codes.known("primary_need", concern.primary_need or ""),
        "category_unknown": any(category not in CATEGORIES for category in concern.categories),
        "factor_unknown": any(not codes.known("assessment_factors", f) for f in concern.factors),
        "consent_not_asked": submission.consent.asked is not True,
        "referrer_not_reachable": not reachable(source.email),
        "no_subject_named": not submission.subjects,
        "unknown_field": _has_extra(submission),
    }
    yield from (name for name, odd in checks.items() if odd)
    for n, subject in enumerate(submission.subjects, 1):
        odd = {
            "nhs_number_not_valid": bool(subject.nhs_number) and not codes.nhs_number_is_valid(subject.nhs_number or ""),
            "upn_not_valid": bool(subject.upn) and not codes.upn_is_valid(subject.upn or ""),
            "date_of_birth_not_understood": bool(subject.date_of_birth) and not _is_date(subject.date_of_birth or ""),
            "expected_date_not_understood": bool(subject.expected_date) and not _is_date(subject.expected_date or ""),
            "ethnicity_unknown": bool(subject.ethnicity) and not codes.known("ethnicity", subject.ethnicity or ""),
            "sex_unknown": bool(subject.sex) and not codes.known("sex", subject.sex or ""),
            "disability_unknown": any(not codes.known("disability", code) for code in subject.disability),
            "cohort_not_stated": subject.cohort not in ("child", "unborn", "adult"),
        }
        yield from (f"S{n}_{name}" for name, wrong in odd.items() if wrong)


def _has_extra(given: Given) -> bool:
    parts: list[Any] = [getattr(given, name) for name in type(given).model_fields]
    nested = [p for part in parts for p in (part if isinstance(part, list) else [part]) if isinstance(p, Given)]
    return bool(given.model_extra) or any(_has_extra(part) for part in nested)
