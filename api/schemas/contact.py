"""What a referrer sends: a contact, or a disagreement. A wrong code or number is kept as given: no concern is refused for it."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from mash.api.problems import FURTHER
from mash.api.schemas.fields import NAMES, PLAIN, Codes, Long, Text, Truth, Words, as_list, as_object
from mash.api.text import DEEPEST, LONGEST_FURTHER, MOST_VALUES, further, plain

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


class SubjectGiven(Fields):
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


class HouseholdGiven(Fields):
    name: Text
    relationship: Text
    date_of_birth: Text


class SourceGiven(Fields):
    """Who refers."""

    code: Text
    agency: Text
    organisation: Text
    role: Text
    name: Text
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


class ConsentGiven(Fields):
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


def _or_nothing(kind: type[Fields]) -> BeforeValidator:
    return BeforeValidator(as_object, json_schema_input_type=kind | None)


MOST_SUBJECTS, MOST_HOUSEHOLD = 30, 60
MOST_TEXT = 1_500_000
"""Characters: more than a body has."""
_Subjects = Annotated[list[SubjectGiven], Field(max_length=MOST_SUBJECTS)]
_Household = Annotated[list[HouseholdGiven], Field(max_length=MOST_HOUSEHOLD)]


class Submission(Fields):
    """A contact: a concern, or something to identify somebody by. Nothing else is needed; everything helps."""

    model_config = ConfigDict(
        extra="allow", hide_input_in_errors=True, json_schema_extra={**FURTHER_FIELDS, "examples": [EXAMPLE]}
    )

    kind: Text
    place: Text
    family_known: Truth
    reported_at: Text
    source: Annotated[SourceGiven, _or_nothing(SourceGiven)] = SourceGiven.model_validate({})
    subjects: Annotated[_Subjects, BeforeValidator(as_list, json_schema_input_type=_Subjects | SubjectGiven | None)] = []
    household: Annotated[_Household, BeforeValidator(as_list, json_schema_input_type=_Household | HouseholdGiven | None)] = []
    concern: Annotated[ConcernGiven, _or_nothing(ConcernGiven)] = ConcernGiven.model_validate({})
    consent: Annotated[ConsentGiven, _or_nothing(ConsentGiven)] = ConsentGiven.model_validate({})
    more_people: Annotated[str | None, Field(max_length=MOST_TEXT, json_schema_extra=PLAIN), AfterValidator(plain)] = Field(
        default=None,
        description=f"People in words. Beyond {MOST_SUBJECTS} subjects and {MOST_HOUSEHOLD} of a household they are kept here,"
        " and flagged.",
    )

    @model_validator(mode="before")
    @classmethod
    def within_room(cls, given: Any) -> Any:
        """Keep whom there is no room for as text, where a person reads it: nobody is refused, and nobody left out."""
        if not isinstance(given, dict):
            return given
        over = {}
        for name, most in (("subjects", MOST_SUBJECTS), ("household", MOST_HOUSEHOLD)):
            if isinstance(people := given.get(name), list) and len(people) > most:
                over[name], given = people[most:], {**given, name: people[:most]}
        if not over:
            return given
        said = given.get("more_people")
        lines = [f"{name}: {in_words(each)}" for name, people in over.items() for each in people]
        return {**given, "more_people": "\n".join([*([said] if isinstance(said, str) else []), *lines])}

    def identifies_or_says_something(self) -> bool:
        """Whether there is a concern, or anything to identify somebody by."""
        people = [s.model_dump(exclude={"sex", "ethnicity", "cohort"}, exclude_none=True) for s in self.subjects]
        return bool(
            (self.concern.summary or "").strip()
            or (self.concern.narrative or "").strip()
            or any(_says(person) for person in people)
            or any((h.name or "").strip() for h in self.household)
            or (self.more_people or "").strip()
        )


def in_words(value: Any) -> str:
    """What was sent of a person, as a line."""
    if isinstance(value, dict):
        return "; ".join(f"{name} {in_words(each)}" for name, each in value.items() if each not in (None, "", [], {}))
    if isinstance(value, list):
        return ", ".join(map(in_words, value))
    return str(value)


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
