"""The made families by which the look for known children is measured stay what they were before there was a matcher."""

from __future__ import annotations

import hashlib
import json
from dataclasses import astuple

from mash.bench.families import contacts
from mash.config.codes import nhs_number_is_valid, upn_is_valid

FROZEN = "15ac6dbfe5927b43688c40194fd226e3002517e60e1e899a6d444b278381d44f"


def test_what_is_made_of_a_seed_is_what_was_frozen() -> None:
    made = json.dumps([astuple(each) for each in contacts(1)], ensure_ascii=False)
    assert hashlib.sha256(made.encode()).hexdigest() == FROZEN


def test_most_numbers_are_valid_and_some_are_mistyped() -> None:
    subjects = [subject for each in contacts(2) for subject in each.subjects]
    for name, is_valid in (("nhs_number", nhs_number_is_valid), ("upn", upn_is_valid)):
        given = [is_valid(subject[name]) for subject in subjects if name in subject]
        assert 0.97 < sum(given) / len(given) < 1, name
