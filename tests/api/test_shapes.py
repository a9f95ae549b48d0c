"""Whatever shape a field is sent in, a contact is taken, and nothing of what was sent is lost."""

from __future__ import annotations

import json
import string
from collections.abc import Iterator
from datetime import date
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mash.api.schemas.contact import Submission
from mash.api.schemas.intake import contact_of

words = st.text(string.ascii_letters + " äłÖ’'", min_size=1, max_size=12).filter(str.strip)
plain = st.one_of(words, st.integers(0, 10**6), st.booleans(), st.none())
values = st.recursive(plain, lambda each: st.lists(each, max_size=3) | st.dictionaries(words, each, max_size=3), max_leaves=5)
PATHS = (
    *("kind", "place", "reported_at", "source", "subjects", "household", "concern", "consent"),
    *(f"source.{name}" for name in ("code", "agency", "organisation", "role", "name", "email", "phone")),
    *(f"concern.{name}" for name in ("summary", "narrative", "primary_need", "factors", "categories")),
    *(f"consent.{name}" for name in ("override_reason", "safe_contact")),
    *(f"subjects.{name}" for name in ("name", "date_of_birth", "age_estimate", "sex", "nhs_number", "upn", "school", "address")),
    *(
        f"subjects.{name}"
        for name in ("expected_date", "ethnicity", "disability", "cohort", "upn_unknown", "former_upn", "died_on")
    ),
    *(f"household.{name}" for name in ("name", "relationship", "date_of_birth")),
    *(f"subjects.name.{name}" for name in ("given", "family")),
    *(f"subjects.address.{name}" for name in ("line1", "postcode")),
)


def leaves(value: Any) -> Iterator[str]:
    """The texts and numbers in a value."""
    if isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from leaves(each)
    elif value is not None and not isinstance(value, bool):
        yield str(value)


def sent(path: str, value: Any) -> dict[str, Any]:
    """A contact with this value in a field."""
    for name in reversed(path.split(".")):
        value = {name: value}
    return {"concern": {"summary": "She cries."}, "household": [{"name": "Ruth"}], **value}


@given(st.sampled_from(PATHS), values)
def test_any_shape_of_any_field_is_taken_and_nothing_is_lost(path: str, value: Any) -> None:
    _, items = contact_of(Submission.model_validate(sent(path, value)), date(2026, 6, 1))
    kept = json.dumps([item.content.decode() for item in items], ensure_ascii=False)
    kept += json.dumps([json.loads(item.content) for item in items], ensure_ascii=False)
    assert [each for each in leaves(value) if each.strip() not in kept] == []
