"""People of a hub who act on the store itself, and a contact for them to act on."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from mash.flows.store.apply import act, receive
from mash.flows.store.store import Store
from mash.flows.store.time import HubTime
from mash.flows.store.writes import Item
from mash.states.acts.contact import ReceiveContact
from mash.states.acts.not_ours import ConfirmNotOurs
from mash.states.acts.sharing import RecordSharingBasis
from mash.states.values import Actor, Subject

SCHOOL = Actor(id="school-1", role="referrer", agency="school", hub="merton")
MANAGER = Actor(id="m.manager", role="team_manager", agency="social_care", hub="merton")
DUTY = Actor(id="d.manager", role="duty_manager", agency="social_care", hub="merton")
POLICE = Actor(id="p.navigator", role="agency", agency="police", hub="merton")
START = datetime(2026, 6, 2, 9, 0, tzinfo=UTC)
BASIS = RecordSharingBasis(purpose="safeguarding_child", lawful_basis="public_task", consent="not_sought", family_informed=True)


def set_time(store: Store, at: datetime) -> None:
    """Stop the hub's time at an instant."""
    store.time = HubTime(wall=at, simulated=at, rate=0.0)


async def turned_away(store: Store) -> str:
    """A concluded contact: Merton takes no adults, which somebody has confirmed, and nobody can be written to."""
    adult = (Subject(id="s1", cohort="adult", age="adult"),)
    command = ReceiveContact(contact="referral", source="2A", source_agency="school", subjects=adult)
    items = [Item("concern", b"a concern"), Item("subject", json.dumps({"name": "Orla Quince"}).encode(), "s1")]
    async with store.transaction(SCHOOL) as connection:
        reference = (await receive(connection, store, command, items, SCHOOL)).reference
    return await confirmed(store, reference)


async def confirmed(store: Store, reference: str) -> str:
    """Somebody has confirmed that this contact is not the hub's; its reference."""
    told = "It is for adults' services, which they were told to ring."
    await act(store, reference, ConfirmNotOurs(signposted_to="adults_social_care"), DUTY, words=told)
    return reference


async def submit(store: Store, *ids: str, words: str = "a concern", by: Actor = SCHOOL) -> str:
    """A contact about these subjects, received; its reference."""
    subjects = tuple(Subject(id=sid, cohort="child") for sid in ids or ("s1",))
    command = ReceiveContact(contact="referral", source="2A", source_agency="school", subjects=subjects, referrer_reachable=True)
    items = [Item("concern", words.encode())]
    items += [Item("subject", json.dumps({"name": f"{words} {subject.id}"}).encode(), subject.id) for subject in subjects]
    async with store.transaction(by) as connection:
        return (await receive(connection, store, command, items, by)).reference
