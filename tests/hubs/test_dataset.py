"""A row of the dataset, of any case of any hub: what stands in a column is what its dictionary says may stand there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from random_profiles import profiles

from mash.config.profile import load_profile
from mash.config.profile_files import available
from mash.flows.store.reads.dataset import Contact, Earlier
from mash.flows.store.reads.figures import seen
from mash.flows.telling.dataset_columns import ENDS, OTHER, Column, Value, columns
from mash.flows.telling.walk import walk, walk_all
from mash.states.acts.rating import ReferralRated
from mash.states.course import StageEntered
from mash.states.profile import Profile
from mash.states.world import World

ANY = settings(suppress_health_check=list(HealthCheck))
starts = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 1)).map(lambda at: at.replace(tzinfo=UTC))


def contact_of(world: World) -> Contact:
    """What is stored of a case and those that it was split into, as the dataset reads it."""
    contact = Contact("R", earlier=Earlier())
    for each in (world, *world.linked.values()):
        state = each.referral.model_copy(update={"hub": each.profile.name})
        contact.parts.append(seen(json.dumps(state.model_dump(mode="json"))))
        for at, _, event in reversed(each.log):
            if isinstance(event, StageEntered):
                contact.entered[event.stage] = event.happened_at or at
            elif isinstance(event, ReferralRated):
                contact.rated_at = at
    return contact


def wrong(column: Column, value: Value) -> Iterator[str]:
    """What is not as the dictionary says."""
    if value is None:
        if column.empty == "never":
            yield f"{column.name} is empty"
        return
    kinds = {"text": str, "whole number": int, "day": date}
    if type(value) is not kinds[column.kind]:
        yield f"{column.name} is no {column.kind}"
    if column.codes and str(value) not in column.codes:
        yield f"{column.name} has {value}, which is no code of it"
    if isinstance(value, int) and value < 0:
        yield f"{column.name} is under nothing"
    if column.unit == "week" and isinstance(value, date) and value.weekday():
        yield f"{column.name} is no Monday"


def check(world: World) -> dict[str, Value]:
    """What holds of the row of any case; the row."""
    contact, made_of = contact_of(world), columns(world.profile.name, world.profile)
    row = {column.name: column.of(contact) for column in made_of}
    assert len(row) == len(made_of), "two columns of one name"
    assert not [each for column in made_of for each in wrong(column, row[column.name])]
    ended = sum(int(str(row[f"outcome_{end}"])) for end in (*ENDS, OTHER))
    assert row["outcome_other"] == 0, "an end that the dictionary does not know"
    assert ended + int(str(row["open"])) == row["subjects"]
    assert (row["minutes_to_ended"] is None) == (row["open"] != 0)
    assert not row["open"] or row["outcome"] is None or ended
    return row


@pytest.mark.parametrize("name", available())
def test_cases_of_each_hub_are_rows_whose_every_value_the_dictionary_explains(name: str) -> None:
    profile = load_profile(name)
    for done in walk_all(profile):
        row = check(done.world)
        assert row["rating"] == done.rating
        assert isinstance(row["minutes_to_decided"], int) and row["minutes_to_rated"] is not None
        been = {event.stage for _, _, event in done.world.log if isinstance(event, StageEntered)}
        for stage in ("agency_checks", "mash_meeting", "enquiries"):
            assert (row[f"minutes_to_stage_{stage}"] is not None) == (stage in been)


@ANY
@given(profiles(), starts)
def test_under_any_valid_profile_a_row_is_explained_by_its_dictionary(profile: Profile, at: datetime) -> None:
    for rating in profile.ratings:
        check(walk(profile, rating, at).world)
