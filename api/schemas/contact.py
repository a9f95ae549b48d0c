"""What a referrer sends: a contact, or a disagreement. A wrong code or number is kept as given: no concern is refused for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, Tag, model_validator
from pydantic_core import PydanticCustomError

from mash.api.problems import FURTHER, IN_PARTS
from mash.api.schemas.fields import (
    NAMES,
    PLAIN,
    TOLD_APART,
    Codes,
    InOnePiece,
    Long,
    Named,
    Text,
    Truth,
    Words,
    as_list,
    as_name,
    as_object,
    as_text,
    as_truth,
)
from mash.api.text import DEEPEST, LONGEST_FURTHER, MOST_VALUES, further

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
FURTHER_FIELDS: dict[str, Any] = {"additionalProperties": {"$ref": "#/components/schemas/Further"}, "propertyNames": NAMES}


class Fields(BaseModel):
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


class Name(Fields):
    given: Text
    family: Text


class Address(Fields):
    line1: Text
    postcode: Text


def _in_parts_or(read: Callable[[Any], Any]) -> BeforeValidator:
    return BeforeValidator(lambda value: value if isinstance(value, dict | Fields) else read(value))


GivenName = Annotated[
    Annotated[Annotated[Name, Tag(IN_PARTS)] | InOnePiece, TOLD_APART] | None, _in_parts_or(as_name), Field(default=None)
]
GivenAddress = Annotated[
    Annotated[Annotated[Address, Tag(IN_PARTS)] | InOnePiece, TOLD_APART] | None, _in_parts_or(as_text), Field(default=None)
]
"""A name, or an address: in its parts, or as text, which is kept as text."""


class SubjectGiven(Fields):
    """A person the contact is about."""

    name: GivenName
    date_of_birth: Text
    expected_date: Text
    age_estimate: Text
    sex: Text
    ethnicity: Text
    disability: Codes
    nhs_number: Text
    upn: Text
    school: Text
    address: GivenAddress
    cohort: Text


class HouseholdGiven(Fields):
    name: Named
    relationship: Text
    date_of_birth: Text


class SourceGiven(Fields):
    """Who refers."""

    code: Text
    agency: Text
    organisation: Text
    role: Text
    name: Named
    email: Text
    phone: Text
    # Left out where they are not stated, or a submission of before, sent again, would be another one.
    safe_to_write: Truth = Field(default=None, exclude_if=lambda value: value is None)
    how_to_reach: Long = Field(default=None, exclude_if=lambda value: value is None)


class ConcernGiven(Fields):
    summary: Long
    narrative: Long
    primary_need: Text
    factors: Codes
    categories: Codes
    immediate_danger: Truth


IN_WORDS = "in_words"


class ConsentGiven(Fields):
    asked: Truth
    given: Truth
    override_reason: Long
    family_informed: Truth
    safe_contact: Long

    @property
    def in_words(self) -> str | None:
        """What was given instead of the answers, as text. No field: nobody is asked for it."""
        text: str | None = as_text((self.model_extra or {}).get(IN_WORDS))
        return text

    @model_validator(mode="after")
    def answered_in_a_word(self) -> Self:
        """Yes or no alone says that they were asked, and what they answered."""
        answer = as_truth(self.in_words)
        if answer is not None and self.asked is None and self.given is None:
            self.asked, self.given = True, answer
        return self


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


def _object(kind: type[Fields], field: str) -> BeforeValidator:
    """An object of this kind; nothing is an empty one, and text given instead of it is its field."""
    return BeforeValidator(as_object(field), json_schema_input_type=kind | str | None)


def _each(kind: type[Fields]) -> BeforeValidator:
    return BeforeValidator(as_object("name"), json_schema_input_type=kind | str)


MOST_SUBJECTS, MOST_HOUSEHOLD = 30, 60
_Subjects = Annotated[list[Annotated[SubjectGiven, _each(SubjectGiven)]], Field(max_length=MOST_SUBJECTS)]
_Household = Annotated[list[Annotated[HouseholdGiven, _each(HouseholdGiven)]], Field(max_length=MOST_HOUSEHOLD)]


class Submission(Fields):
    """A contact: a concern, or something to identify somebody by. Nothing else is needed; everything helps."""

    model_config = ConfigDict(
        extra="allow", hide_input_in_errors=True, json_schema_extra={**FURTHER_FIELDS, "examples": [EXAMPLE]}
    )

    kind: Text
    place: Text
    family_known: Truth
    reported_at: Text
    source: Annotated[SourceGiven, _object(SourceGiven, "name")] = SourceGiven.model_validate({})
    subjects: Annotated[_Subjects, BeforeValidator(as_list, json_schema_input_type=_Subjects | SubjectGiven | str | None)] = []
    household: Annotated[
        _Household, BeforeValidator(as_list, json_schema_input_type=_Household | HouseholdGiven | str | None)
    ] = []
    concern: Annotated[ConcernGiven, _object(ConcernGiven, "summary")] = ConcernGiven.model_validate({})
    consent: Annotated[ConsentGiven, _object(ConsentGiven, IN_WORDS)] = ConsentGiven.model_validate({})

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


class DisagreementGiven(BaseModel):
    """A referrer disagrees: in words, and with which of their disagreements when it is taken further."""

    model_config = ConfigDict(
        extra="forbid",
        hide_input_in_errors=True,
        json_schema_extra={"examples": [{"words": "She is not safe at home: please look again."}]},
    )

    words: Words
    disagreement: Annotated[str, Field(pattern=r"^D[0-9]{1,3}$")] | None = None
