"""What a member of staff sends: a command, what comes with it (words, details), and the version they had in view."""

from __future__ import annotations

import json
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter
from pydantic_core import PydanticCustomError

from mash.api.schemas.details import DetailsGiven
from mash.api.schemas.fields import Moment, Words
from mash.config import codes
from mash.states.messages import StaffCommand

_COMMAND: TypeAdapter[Any] = TypeAdapter(StaffCommand, config=ConfigDict(hide_input_in_errors=True))


def _number(value: Any) -> Any:
    """A number that is written as one."""
    if isinstance(value, str | bool):
        raise PydanticCustomError("number", "expected a number")
    return value


def _strictly(value: Any) -> Any:
    """A command of the documented types: "yes" is not true, and 7 is no time. By way of JSON, whose strictness knows times."""
    return _COMMAND.validate_json(json.dumps(value), strict=True) if isinstance(value, dict) else value


def _to_an_authority(command: Any) -> Any:
    """A command that names an authority names one that there is: a child is not handed over to nobody."""
    for field in ("transfer_to", "authority"):
        code = getattr(command, field, None)
        if code is not None and not codes.authority(code):
            raise PydanticCustomError(
                "no_authority",
                "no local authority has this code in {field}: expected the number of the Department for Education, such as 330,"
                " or the ONS code, such as E08000025; ring the authority where you do not know it",
                {"field": field},
            )
    return command


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
    command: Annotated[StaffCommand, BeforeValidator(_strictly), AfterValidator(_to_an_authority)]
    words: Words | None = None
    # Left out where there are none, or a command of before, sent again, would be another one.
    details: DetailsGiven | None = Field(
        default=None,
        exclude_if=lambda value: value is None,
        description="With correct_details, correct_referrer, add_subject and record_birth (date_of_birth, name, sex): what is"
        " right. A field that is left out stays as it is; one that is null is taken out. A wrong number or code is kept as given,"
        " and flagged.",
    )
    # Left out where it is not said, or a command of before, sent again, would be another one.
    happened_at: Moment | None = Field(
        default=None,
        exclude_if=lambda at: at is None,
        description="When it happened, where it is entered later: after work on paper, or what was done by telephone."
        " At most 14 days back, and never to come. Not with commands that say so in a field of their own (held_on, told_at), nor"
        " with those that happen in the record itself.",
    )
    redacted: Words | None = Field(default=None, description="With release_information: the version that others are to read.")
