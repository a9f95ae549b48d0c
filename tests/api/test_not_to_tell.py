"""Who says that the family is not to learn of a contact, in an answer or in words."""

from __future__ import annotations

from typing import Any

import pytest

from mash.api.schemas.contact import Submission
from mash.api.schemas.not_to_tell import not_to_tell


@pytest.mark.parametrize(
    "words",
    [
        "Please do not tell the mother.",
        "Please don't let us inform her parents yet.",
        "Telling them could put a child in danger.",
        "There is a brother who must not find out.",
        "Her dad must not know about this.",
        "The parents should not be informed of it.",
        "I am writing without informing the parents.",
        "He said she must never tell her mother.",
        "Please do not let mum know that I rang.",
        "Please don't let her parents know.",
        "Do not contact the parents.",
        "The parents should not be contacted.",
        "Do not speak to dad.",
        "Don't discuss this with the family.",
        "Parents not to be told.",
        "The father is not to be informed.",
        "Parents are unaware of this referral and it should stay that way.",
        "Please keep this confidential from her step-father.",
        "Not to be shared with parents.",
        "Do not disclose this to mother.",
        "Please do not mention to grandparents that I asked.",
        "Do not tell grandmother.",
        "Do not tell the boyfriend.",
        "Do not tell the perpetrator.",
        "Please do not alert the uncle.",
        "Do not say anything to mum.",
        "Do not ring her mother's partner.",
        "It is not safe to contact the ex-partner.",
        "It must not be disclosed to her aunt.",
        "Please keep it from his father.",
        "No one at home should know.",
        "Mum must not be made aware.",
        "Do not contact him.",
    ],
)
def test_it_is_understood_in_words_wherever_they_stand(words: str) -> None:
    for given in (
        {"concern": {"narrative": words}},
        {"concern": {"needed_from_us": words}},
        {"consent": {"override_reason": words}},
        {"consent": words},
    ):
        assert not_to_tell(Submission.model_validate(given))


@pytest.mark.parametrize(
    "words",
    [
        "I did not tell the family.",
        "She does not tell her teacher much.",
        "He didn't tell her.",
        "Mum agrees to support.",
        "We could not speak to her father.",
        "She has not told her mother yet.",
        "The parents have been told.",
        "Mum does not know the way.",
        "We cannot contact the parents.",
        "I do not speak to my father.",
        "They do not talk to the family.",
        "Do not contact her school before nine.",
        "By the order he should not have contact with her mother.",
        "Her father should not be contacting her, says mum.",
        "The family know about this and are happy to be contacted.",
        "Dad was not told the time of the appointment.",
        "Mum never speaks to grandmother.",
        "The parents are unaware of the danger of the road.",
        "Please contact the mother.",
        "He keeps himself to himself, away from school.",
    ],
)
def test_what_was_not_said_to_somebody_is_no_request_for_silence(words: str) -> None:
    assert not not_to_tell(Submission.model_validate({"concern": {"narrative": words}}))


@pytest.mark.parametrize(
    ("answer", "silent"), [(True, False), ("yes", False), (False, True), ("no", True), ("ask me first", True)]
)
def test_an_answer_counts_before_words_and_one_that_is_neither_is_taken_for_no(answer: Any, silent: bool) -> None:
    given = {"consent": {"safe_to_tell": answer}, "concern": {"narrative": "Do not tell the mother."}}
    assert not_to_tell(Submission.model_validate(given)) is silent
