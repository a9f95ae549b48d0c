"""Codes and check letters. The numbers are fictional: 999 is nobody's NHS range and nobody's authority."""

import re
from typing import Any

import pytest

from mash.config import codes


@pytest.mark.parametrize("number", ["9993142611", "999 314 4835", "999-314-2980"])
def test_an_nhs_number_with_its_check_digit_is_valid(number: str) -> None:
    assert codes.nhs_number_is_valid(number)


@pytest.mark.parametrize(
    "number", ["9993142612", "999314261", "99931426110", "", "999314261X", "0000000000", "1111111111", "٩٩٩٣١٤٢٦١١"]
)
def test_any_other_nhs_number_is_not(number: str) -> None:
    assert not codes.nhs_number_is_valid(number)


@pytest.mark.parametrize("number", ["N999393120721", "F999505317791", "k999660722728", "B801200005001"])
def test_a_upn_with_its_check_letter_is_valid_whatever_the_authority(number: str) -> None:
    assert codes.upn_is_valid(number)


@pytest.mark.parametrize(
    "number", ["M999393120721", "N99939312072", "N9993931207211", "", "9999393120721", "S999393120721", "N99939312072I"]
)
def test_any_other_upn_is_not(number: str) -> None:
    assert not codes.upn_is_valid(number)


@pytest.mark.parametrize(
    ("written", "taken"),
    [
        ("H801200001001", "H801200001001"),
        (" h80 1200001001 ", "H801200001001"),
        ("N999393120721", None),
        ("M801200001001", None),
        ("", None),
    ],
)
def test_the_census_takes_a_upn_of_an_authority_that_there_is_however_it_is_written(written: str, taken: str | None) -> None:
    assert codes.upn_of_census(written) == taken


@pytest.mark.parametrize(
    ("written", "taken"),
    [
        (["MOB", "mob", "NONE"], ("MOB",)),
        ("NONE", ("NONE",)),
        ("LD", ("LD",)),
        (["NONE", "asthma"], ()),
        (["MOB", "asthma"], ("MOB",)),
        (None, ()),
    ],
)
def test_that_a_child_has_no_disability_holds_only_where_nothing_else_was_written(written: Any, taken: tuple[str, ...]) -> None:
    assert codes.disabilities_of_census(written) == taken


def test_codes_are_those_of_the_census() -> None:
    assert codes.known("primary_need", "N1") and not codes.known("primary_need", "N99")
    assert codes.label("referral_source", "6") == "POLICE"
    assert all(label for labels in codes.code_sets().values() for label in labels.values()), "each is said in words"


def test_why_there_is_no_upn_is_asked_of_nobody_too_young_and_not_as_if_nothing_further_were_done() -> None:
    assert list(codes.reasons_without_upn()) == ["UN2", "UN3", "UN4", "UN5", "UN6", "UN7"]
    assert list(codes.reasons_without_upn(further_action=True)) == ["UN2", "UN3", "UN4", "UN5", "UN6"]


@pytest.mark.parametrize(
    ("code_set", "code", "words"),
    [
        ("referral_source", "6", "Police"),
        ("referral_source", "1C", "Individual – self"),
        ("referral_source", "3A", "Health services – general practitioner (GP)"),
        ("referral_source", "3E", "Health services – A&E (accident and emergency department)"),
        ("referral_source", "5D", "LA services – early help"),
        ("primary_need", "N1", "Abuse, neglect and exploitation"),
        ("assessment_factors", "9A", codes.label("assessment_factors", "9A")),
        ("sex", "F", "Female"),
    ],
)
def test_codes_are_spoken_without_the_capitals_of_the_census(code_set: str, code: str, words: str) -> None:
    assert codes.spoken(code_set, code) == words


def test_no_source_is_shouted() -> None:
    spoken = " ".join(codes.spoken("referral_source", code) for code in codes.code_sets()["referral_source"])
    assert {word for word in re.split(r"[ ()]+", spoken) if word.isupper()} == {"A&E", "CAFCASS", "GP", "LA"}


def test_what_is_no_code_of_the_census_is_spoken_as_it_was_given() -> None:
    assert codes.spoken("referral_source", "the LEA") == "the LEA"


def test_an_unknown_code_set_is_a_mistake_that_repeats_nothing() -> None:
    with pytest.raises(LookupError, match="expected one of") as wrong:
        codes.known("Isla Penhallow", "N1")
    assert "Penhallow" not in str(wrong.value)
