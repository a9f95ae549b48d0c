"""Details of a person, or of whoever referred, as a member of staff gives them to put right what is stored."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from mash.api.schemas.codes import DIED_ON, FORMER_UPN, REASONS_WITHOUT_UPN, census
from mash.api.schemas.contact import GivenAddress, GivenName
from mash.api.schemas.fields import Codes, Long, Text


class DetailsGiven(BaseModel):
    """What is right. Understood wholly, or refused by name; but a number or code that is wrong is kept as it is, as at intake. A
    name, or an address, takes the place of the whole one before."""

    model_config = ConfigDict(
        extra="forbid",
        hide_input_in_errors=True,
        json_schema_extra={"examples": [{"name": {"given": "Isla", "family": "Example"}, "nhs_number": "943 476 5919"}]},
    )

    name: GivenName
    date_of_birth: Annotated[Text, Field(description="Such as 2015-12-20.")]
    expected_date: Annotated[Text, Field(description="When an unborn child is expected, such as 2027-02-01.")]
    nhs_number: Text
    upn: Text
    upn_unknown: Annotated[Text, REASONS_WITHOUT_UPN]
    former_upn: Annotated[Text, FORMER_UPN]
    died_on: Annotated[Text, DIED_ON]
    sex: Annotated[Text, census("Sex", "sex")]
    ethnicity: Annotated[Text, census("Ethnicity", "ethnicity")]
    disability: Annotated[Codes, census("Disabilities", "disability")]
    school: Text
    address: GivenAddress
    relationship: Annotated[Text, Field(description="Of somebody of the household.")]
    role: Annotated[Text, Field(description="Of whoever referred, like the fields that follow.")]
    organisation: Text
    email: Text
    phone: Text
    how_to_reach: Long
