"""What may be found in a return before a file is made: each rule by its number, what it means for the file, and what
mends it.

Numbers are those of the Department for Education's validation rules for 2025-26, which are those of 2024-25 and of 2026-27 too.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal, NamedTuple, get_args

UNCONFIRMED = "1520"
UNDECIDED, NO_PLACE, TWO_TIMES, WITHDRAWN, ADULT = "undecided", "no place", "reopened", "withdrawn", "adult"
"""What is ours to find, and no rule of the census."""


Kind = Literal["error", "filled", "query"]
"""What a finding means. An *error*: the return is refused with it, or a child is in the wrong one. *Filled*: the file has the
census' own code for it, or leaves it out, and is accepted. A *query* is accepted with an explanation, or is of
what is in no file."""
KINDS: tuple[Kind, ...] = get_args(Kind)
"""The gravest first."""
UnderWay = Literal["case", "assessment", "enquiry"]


class Rule(NamedTuple):
    """What a rule says where it is broken, and the acts by which that is mended. None: nothing here mends it."""

    says: str
    mends: tuple[str, ...] = ()
    during: UnderWay | None = None
    """What has to be under way for these acts to be given; None: they can be given whenever its people are not erased."""


DETAILS = ("correct_details",)
ERRORS: dict[str, Rule] = {
    "1520": Rule("another child has the same UPN: are they one?", ("identify_subject",)),
    "8540": Rule("it is not recorded whether the child has a disability (NONE says that they have none)", DETAILS),
    "8606": Rule("the child was referred more than 280 days before the birth", DETAILS),
    "8615": Rule("a section 47 enquiry begins after its conference"),
    "8730": Rule("how many plans the child had before is not recorded"),
    "8772": Rule("the UPN is said to be unknown because nothing further was done (UN7), and something was", DETAILS),
    "8875": Rule("the conference was held on a weekend"),
    "8905": Rule("the category of abuse is not recorded with the plan"),
    "8915": Rule("a plan begins after the day of death", DETAILS),
    "2885": Rule("a plan begins on another day than its conference"),
    "2889": Rule("a section 47 enquiry begins before the referral"),
    "1103": Rule("an assessment begins before the referral"),
    NO_PLACE: Rule("it is not said which authority the child is of: it is in the first one's file", ("assign_place",), "case"),
}
MADE_SO: dict[str, Rule] = {
    "8565": Rule("something happened after the episode was closed"),
    "8585Q": Rule("the episode was closed by death, and no day of death is recorded"),
    "8608": Rule("an assessment ends before it begins"),
    "8614": Rule("factors are recorded of an assessment that is not finished"),
    "8816": Rule("an open episode is not the latest"),
    "8820": Rule("episodes of the child overlap"),
    "8831": Rule("something was done on a referral without further action"),
    "8869": Rule("factor 21 stands beside others"),
    "8890": Rule("two section 47 enquiries about the child ran beside one another"),
    "8898": Rule("an assessment has a factor twice"),
    "2990": Rule("closed after an assessment, and there was a section 47 or a plan"),
}
"""Errors that no case can have: a file is made so that these hold. They are looked for all the same, as what makes the file
is no judge of it; one that is found is a fault of the software."""
FILLED: dict[str, Rule] = {
    "1510": Rule("the UPN is not one: its form, check letter or authority is wrong, and it is left out", DETAILS),
    "1560Q": Rule("the former UPN is not one, and is left out", DETAILS),
    "4180": Rule("sex is not recorded: the file says unknown", DETAILS),
    "4220": Rule("ethnicity is not recorded: the file says not obtained", DETAILS),
    # To withdraw the decision and decide anew would tell agencies and referrer that it holds no more, for the sake of a code.
    "8610": Rule("no primary need is recorded: the file says not stated"),
    "8736": Rule("an assessment of an earlier year is not finished, and is left out", ("complete_assessment",), "assessment"),
    "8740": Rule(
        "a section 47 enquiry of an earlier year has no conference, and is left out",
        ("conclude_enquiries", "record_conference"),
        "enquiry",
    ),
    "8866": Rule("the source of the referral is no code of the census: the file says unknown"),
    "8867": Rule("an assessment was not finished when the episode was closed, and is left out"),
    "8868": Rule("a section 47 enquiry was cut short: the file says that no conference was required here"),
}
QUERIES: dict[str, Rule] = {
    "8525Q": Rule("neither the birthday nor when the child is expected is recorded", DETAILS),
    "8530Q": Rule("the child is expected more than a month before the end of the year, or nine months after it", DETAILS),
    "8535Q": Rule("the day of death lies before the birthday, or there is none", DETAILS),
    "8545Q": Rule("the day of death lies before the year", DETAILS),
    "8555Q": Rule("the child was referred after the day of death", DETAILS),
    "8670Q": Rule("an assessment is not finished 45 working days after it began", ("complete_assessment",), "assessment"),
    "8675Q": Rule(
        "15 working days after the strategy discussion there was no conference",
        ("conclude_enquiries", "record_conference"),
        "enquiry",
    ),
    "8770Q": Rule("a child of school age has neither a UPN nor a reason for having none", DETAILS),
    "8775Q": Rule("the child is more than 25 years old", DETAILS),
    "8825Q": Rule("closed after an assessment, and there is none in the file"),
    "8863Q": Rule("two assessments of the child ran beside one another"),
    "8873Q": Rule("an assessment found no factors (21), and the episode was not closed after it"),
    "8897Q": Rule("no factors are recorded of a finished assessment"),
    "8945Q": Rule("factor 18A is not used any more: 18B or 18C"),
    "8950Q": Rule("factor 19A is not used any more: 19B or 19C"),
    "2991Q": Rule("a section 47 enquiry without an assessment", ("start_assessment",), "enquiry"),
    UNDECIDED: Rule("a contact of this year is not decided yet: it is in no file", ("record_decision",), "case"),
    TWO_TIMES: Rule("reopened, or its decision withdrawn, after the year: what was returned for it has changed"),
    WITHDRAWN: Rule("a section 47 enquiry whose decision was withdrawn before it ended: it is in no file"),
    ADULT: Rule("taken for an adult, and nothing says of which age they are: in no file", DETAILS),
}
RULES: dict[str, Rule] = {**ERRORS, **MADE_SO, **FILLED, **QUERIES}
FIELD_OF = {
    "1510": "upn",
    "1560Q": "former_upn",
    "4180": "sex",
    "4220": "ethnicity",
    "8525Q": "date_of_birth",
    "8530Q": "expected_date",
    "8535Q": "died_on",
    "8540": "disability",
    "8545Q": "died_on",
    "8555Q": "died_on",
    "8606": "date_of_birth",
    "8770Q": "upn",
    "8772": "upn_unknown",
    "8775Q": "date_of_birth",
    UNCONFIRMED: "upn",
}
"""Which field of a child's details a rule is about: it is put right in the case in which that was written."""
KIND_OF: dict[str, Kind] = {
    **dict.fromkeys((*ERRORS, *MADE_SO), "error"),
    **dict.fromkeys(FILLED, "filled"),
    **dict.fromkeys(QUERIES, "query"),
}


@dataclass(frozen=True)
class Finding:
    """A rule that is broken: of which case and subject, on which day, and the acts by which somebody can mend it now."""

    rule: str
    reference: str
    subject: str
    on: date | None = None
    mends: tuple[str, ...] = ()

    @property
    def kind(self) -> Kind:
        """What it means for the file."""
        return KIND_OF[self.rule]

    @property
    def says(self) -> str:
        """What is wrong, in a sentence."""
        return RULES[self.rule].says

    @property
    def fault(self) -> bool:
        """Whether it is a fault of the software: a file is made so that the rule holds."""
        return self.rule in MADE_SO
