"""Codes as the API's description has them: what each word means, in a sentence for people and beside it for programs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, get_args

from pydantic import Field

from mash.config import codes
from mash.config.words import worded
from mash.states.ages import Age
from mash.states.messages import EVENTS, STAFF_ACTS
from mash.states.profile import Category, Cohort, ContactKind, Mode, Outcome, Source
from mash.states.register import kind_of
from mash.states.stages import STAGE_TITLES
from mash.states.values import ComingOfAge, Marker

WORDS = "x-words"
"""Where a schema has its words for programs. Not `enum`: a client that was generated earlier loses a whole answer to a word that
is new, and whoever refers is never refused for a word."""


def listed(about: str, words: Mapping[str, str] | Iterable[str], *, grows: str = "") -> Any:
    """A field's description with the list of its words, each with what it means where that is more than the word itself."""
    meanings = dict(words) if isinstance(words, Mapping) else {word: worded(word) for word in words}
    each = (f"`{word}` ({meaning})" if _says_more(word, meaning) else f"`{word}`" for word, meaning in meanings.items())
    return Field(description=f"{about}: {'; '.join(each)}.{grows and ' ' + grows}", json_schema_extra={WORDS: meanings})


def _says_more(word: str, meaning: str) -> bool:
    return bool(meaning) and meaning.lower() != word.replace("_", " ")


def census(about: str, code_set: str) -> Any:
    """A field that has a code of the Children in Need census."""
    return listed(
        f"{about}, by code of the Children in Need census", {c: codes.spoken(code_set, c) for c in codes.code_sets()[code_set]}
    )


REASONS_WITHOUT_UPN = listed(
    "Why there is no UPN, by code of the Children in Need census; never beside a UPN (rule 8770Q)", codes.reasons_without_upn()
)
FORMER_UPN: Any = Field(description="A UPN that a child had before (Children in Need census, FormerUPN).")
DIED_ON: Any = Field(description="When they died, such as 2027-02-01 (Children in Need census, PersonDeathDate).")
NEW = "Further words may be added: take one that you do not know as it is."
KEPT = "Anything else is kept as given, and flagged."

CONTACT_KINDS, SOURCES, COHORTS, CATEGORIES, OUTCOMES, MARKERS, MODES, AGES, OF_AGE = (
    get_args(words) for words in (ContactKind, Source, Cohort, Category, Outcome, Marker, Mode, Age, ComingOfAge)
)
EVENT_KINDS = tuple(kind_of(event) for event in EVENTS)
COMMAND_KINDS = tuple(STAFF_ACTS)
STAGES = STAGE_TITLES

CENSUS_OWED = {
    "date_of_birth": "the birthday",
    "expected_date": "when an unborn child is expected",
    "sex": "the sex; U for unknown",
    "ethnicity": "the ethnicity; NOBT for not obtained",
    "disability": "disabilities; NONE for none",
    "upn": "the UPN, or `upn_unknown`: why there is none",
}
"""What the census may have still to be told of a child."""
BECAME = {
    "not_taken": "somebody has read it: this hub does not act on it, and what_next says where to turn",
    "being_considered": "it is being considered",
    "decided": "it has been decided what happens",
}
"""What has become of a referral, as whoever made it may know it."""
FLAGS = {
    "kind_unknown": "`kind` is none of the listed words; taken as a referral",
    "source_code_unknown": "`source.code` is no code of the list, or is missing",
    "source_agency_unknown": "`source.agency` is none of the listed words, or is missing",
    "place_unknown": "`place` is no area of this hub",
    "reported_at_not_understood": "`reported_at` is no time with its zone",
    "primary_need_unknown": "`concern.primary_need` is no code of the list",
    "category_unknown": "one of `concern.categories` is none of the listed words",
    "factor_unknown": "one of `concern.factors` is no code of the list",
    "consent_not_asked": "nobody said that the family was asked",
    "referrer_not_reachable": "there is no address at which the referrer is told what became of it",
    "referrer_by_other_means": "there is no address to write to, but another way to reach them: a person tells the referrer",
    "referrer_email_not_an_address": "`source.email` cannot be an email address",
    "referrer_email_probably_mistyped": "`source.email` is probably mistyped: somebody checks it",
    "consent_in_words": "`consent` was sent as text: somebody reads it",
    "safe_contact_in_words": "somebody may have asked not to be written to, or how: taken for that until somebody has read it",
    "danger_in_words": "`concern.immediate_danger` is neither yes nor no: taken for danger until somebody has read it",
    "answer_in_words": "a question of yes or no was answered by something else, which is kept: somebody reads it",
    "no_subject_named": "nobody was named whom it is about",
    "subject_not_asked_about": "agencies were asked before somebody was added, and not about them: they can be asked again",
    "unknown_field": "there are fields that this API does not have: `unknown_fields` says which",
}
"""What may be odd about a contact as a whole."""
OF_SUBJECTS = {
    "nhs_number_not_valid": "`nhs_number` is no NHS number",
    "upn_not_valid": "`upn` is no unique pupil number",
    "upn_unknown_no_reason": "`upn_unknown` is no code of the list",
    "upn_and_reason_without": "`upn` is given, and `upn_unknown` says why there is none",
    "former_upn_not_valid": "`former_upn` is no unique pupil number",
    "died_on_not_understood": "`died_on` is no day such as 2027-02-01",
    "died_on_doubtful": "`died_on` lies ahead, or before the birthday",
    "date_of_birth_not_understood": "`date_of_birth` is no day such as 2015-12-20",
    "expected_date_not_understood": "`expected_date` is no day such as 2027-02-01",
    "ethnicity_unknown": "`ethnicity` is no code of the list",
    "sex_unknown": "`sex` is no code of the list",
    "disability_unknown": "one of `disability` is no code of the list",
    "cohort_not_stated": "`cohort` is missing",
    "age_contradicts_cohort": "`cohort` and the birthday, or expected date, contradict: counts as a child until corrected",
    "age_not_known": "an adult without a birthday that can be read: counts as a child until one is recorded",
    "date_of_birth_doubtful": "`date_of_birth` lies ahead, or too long ago: counts as a child until it is corrected",
    "expected_date_passed": "`expected_date` has long passed, or lies too far ahead: counts as a child until it is corrected",
    "cohort_unknown": "`cohort` is none of the listed words",
}
"""What may be odd about a subject: in a flag its number stands before it, as in `S1_sex_unknown`."""
