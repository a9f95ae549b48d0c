"""What a referrer sends: a contact, or a disagreement. A wrong code or number is kept as given: no concern is refused for it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Annotated, Any, Self, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, Tag, model_validator
from pydantic_core import PydanticCustomError

from mash.api.problems import FURTHER, IN_PARTS
from mash.api.schemas.codes import (
    CATEGORIES,
    COHORTS,
    CONTACT_KINDS,
    DIED_ON,
    FORMER_UPN,
    KEPT,
    REASONS_WITHOUT_UPN,
    SOURCES,
    census,
    listed,
)
from mash.api.schemas.fields import (
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
    as_said,
    as_text,
    as_truth,
    is_answer,
    is_unsure,
)
from mash.api.text import DEEPEST, LONGEST_FURTHER, LONGEST_KEY, MOST_VALUES, further, plain

# Any JSON, within bounds that are said in words: a schema that names itself breaks the generators of clients.
FURTHER_FIELDS: dict[str, Any] = {"additionalProperties": True}
BOUNDS = (
    f"Further fields are kept as they came, and flagged: together at most {MOST_VALUES:,} values and {LONGEST_FURTHER:,}"
    f" characters, {DEEPEST} deep, without control characters; names of at most {LONGEST_KEY} characters."
)


F = TypeVar("F", bound="Fields")


SAID = "_in_words"


@cache
def _yes_or_no(kind: type[BaseModel]) -> list[str]:
    return [
        name
        for name, field in kind.model_fields.items()
        if any(isinstance(each, BeforeValidator) and each.func is as_truth for each in field.metadata)
    ]


class Fields(BaseModel):
    """Fields as a referrer gives them; further ones are kept, and flagged."""

    model_config = ConfigDict(extra="allow", hide_input_in_errors=True, json_schema_extra=FURTHER_FIELDS)

    @model_validator(mode="before")
    @classmethod
    def answered(cls, given: Any) -> Any:
        """Keep beside a question of yes or no what was said instead of either."""
        if not isinstance(given, dict):
            return given
        said = {f"{name}{SAID}": as_said(given[name]) for name in _yes_or_no(cls) if not is_answer(given.get(name))}
        return {**given, **said}

    def said_otherwise(self, name: str) -> bool:
        """Whether a question of yes or no was answered by what is neither."""
        return f"{name}{SAID}" in (self.model_extra or {})

    def unsure(self, name: str) -> bool:
        """Whether a question of yes or no was answered by not knowing."""
        return is_unsure((self.model_extra or {}).get(f"{name}{SAID}"))

    def of_ours(self, name: str) -> bool:
        """Whether a further field is one that we made of an answer."""
        return name.endswith(SAID) and name.removesuffix(SAID) in _yes_or_no(type(self))

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
    """A name in its parts."""

    given: Text
    family: Text


class Address(Fields):
    """An address."""

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
    date_of_birth: Annotated[Text, Field(description="Such as 2015-12-20.")]
    expected_date: Annotated[Text, Field(description="When an unborn child is expected, such as 2027-02-01.")]
    age_estimate: Text
    sex: Annotated[Text, census("Sex", "sex")]
    ethnicity: Annotated[Text, census("Ethnicity", "ethnicity")]
    disability: Annotated[Codes, census("Disabilities", "disability")]
    nhs_number: Text
    upn: Text
    school: Text
    address: GivenAddress
    cohort: Annotated[Text, listed("Child, adult or unborn", COHORTS, grows=KEPT)]
    # Left out where it is not stated, or a submission of before, sent again, would be another one.
    accused: Annotated[
        Truth, Field(description="Whether the concern is about what this person, who works with children, has done.")
    ] = Field(default=None, exclude_if=lambda value: value is None)
    upn_unknown: Annotated[Text, REASONS_WITHOUT_UPN] = Field(default=None, exclude_if=lambda value: value is None)
    former_upn: Annotated[Text, FORMER_UPN] = Field(default=None, exclude_if=lambda value: value is None)
    died_on: Annotated[Text, DIED_ON] = Field(default=None, exclude_if=lambda value: value is None)


class HouseholdGiven(Fields):
    """Somebody else of the household."""

    name: Named
    relationship: Text
    date_of_birth: Text


class SourceGiven(Fields):
    """Who refers."""

    code: Annotated[Text, census("Which kind of referrer", "referral_source")]
    agency: Annotated[Text, listed("For which agency", SOURCES, grows=KEPT)]
    organisation: Text
    role: Text
    name: Named
    email: Text
    phone: Text
    # Left out where they are not stated, or a submission of before, sent again, would be another one.
    safe_to_write: Truth = Field(default=None, exclude_if=lambda value: value is None)
    how_to_reach: Long = Field(default=None, exclude_if=lambda value: value is None)


class ConcernGiven(Fields):
    """What is worrying."""

    summary: Annotated[Long, Field(description="In a sentence or two.")]
    narrative: Annotated[Long, Field(description="All that is known.")]
    primary_need: Annotated[Text, census("Primary need", "primary_need")]
    factors: Annotated[Codes, census("Assessment factors", "assessment_factors")]
    categories: Annotated[Codes, listed("What it is about", CATEGORIES, grows=KEPT)]
    immediate_danger: Annotated[
        Truth, Field(description="Whether someone may be badly hurt now: the hub is alerted at once. Call 999 first.")
    ]
    # Left out where it is not said, or a submission of before, sent again, would be another one.
    needed_from_us: Long = Field(
        default=None,
        exclude_if=lambda value: value is None,
        description="What whoever refers needs from the hub, in their words: who is to do what.",
    )

    @property
    def said(self) -> str:
        """All that is told in sentences."""
        return " \n".join(filter(None, (self.summary, self.narrative, self.needed_from_us)))


IN_WORDS = "in_words"


class ConsentGiven(Fields):
    """Whether the family agrees, and how it is safely reached."""

    asked: Truth
    given: Truth
    override_reason: Long
    family_informed: Truth
    safe_contact: Long
    # Left out where it is not said, or a submission of before, sent again, would be another one.
    safe_to_tell: Truth = Field(
        default=None,
        exclude_if=lambda value: value is None,
        description="Whether it is safe if the family learns of this. If not, nobody who is asked tells them.",
    )

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
    "referrer_reference": "TV-2026-0042",
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


InWords = Annotated[str, Field(json_schema_extra=PLAIN)]
"""Text that is sent instead of an object."""


def _object(kind: type[Fields], field: str) -> BeforeValidator:
    """An object of this kind; nothing is an empty one, and text given instead of it is its field."""
    return BeforeValidator(as_object(field), json_schema_input_type=kind | InWords | None)


def _each(kind: type[Fields]) -> BeforeValidator:
    return BeforeValidator(as_object("name"), json_schema_input_type=kind | InWords)


MOST_SUBJECTS, MOST_HOUSEHOLD = 30, 60
TELLS_NOBODY_APART = {"sex", "ethnicity", "cohort", "upn_unknown", "died_on"}
"""Fields of a subject by which nobody is identified."""
MOST_TEXT = 1_500_000
"""Characters: more than a body has."""
_Subjects = Annotated[list[Annotated[SubjectGiven, _each(SubjectGiven)]], Field(max_length=MOST_SUBJECTS)]
_Household = Annotated[list[Annotated[HouseholdGiven, _each(HouseholdGiven)]], Field(max_length=MOST_HOUSEHOLD)]


def _listed(shapes: Any) -> BeforeValidator:
    return BeforeValidator(as_list, json_schema_input_type=shapes)


def _nothing(kind: type[F]) -> Callable[[], F]:
    return lambda: kind.model_validate({})


def _described(schema: dict[str, Any]) -> None:
    schema |= {**FURTHER_FIELDS, "examples": [EXAMPLE], "description": f"{schema['description']} {BOUNDS}"}


class Submission(Fields):
    """A contact: a concern, or something to identify somebody by. Nothing else is needed; everything helps."""

    model_config = ConfigDict(extra="allow", hide_input_in_errors=True, json_schema_extra=_described)

    kind: Annotated[Text, listed("What it is", CONTACT_KINDS, grows=KEPT)]
    # Left out where there is none, or a submission of before, sent again, would be another one.
    referrer_reference: Text = Field(
        default=None,
        exclude_if=lambda value: value is None,
        description="Your own reference for it, if you have one. It is kept as private as the rest, and comes back to you.",
    )
    place: Annotated[Text, Field(description="The area of the hub that it belongs to, by the hub's own name for it.")]
    family_known: Annotated[Truth, Field(description="Whether social care knows the family already.")]
    reported_at: Annotated[Text, Field(description="When it was reported to you, such as 2026-11-23T17:00:00Z.")]
    source: Annotated[SourceGiven, _object(SourceGiven, "name")] = Field(default_factory=_nothing(SourceGiven))
    subjects: Annotated[_Subjects, BeforeValidator(as_list, json_schema_input_type=_Subjects | SubjectGiven | InWords | None)] = (
        Field(default_factory=list)
    )
    household: Annotated[_Household, _listed(_Household | HouseholdGiven | InWords | None)] = Field(default_factory=list)
    concern: Annotated[ConcernGiven, _object(ConcernGiven, "summary")] = Field(
        default_factory=lambda: ConcernGiven.model_validate({})
    )
    consent: Annotated[ConsentGiven, _object(ConsentGiven, IN_WORDS)] = Field(
        default_factory=lambda: ConsentGiven.model_validate({})
    )
    more_people: Annotated[str, Field(max_length=MOST_TEXT, json_schema_extra=PLAIN), AfterValidator(plain)] | None = Field(
        default=None,
        exclude_if=lambda value: value is None,
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
        people = [s.model_dump(exclude=TELLS_NOBODY_APART, exclude_none=True) for s in self.subjects]
        return bool(
            self.concern.said.strip()
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
