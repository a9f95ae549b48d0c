"""People who audit, what they find, and children about whom there are several contacts."""

from __future__ import annotations

import json
from typing import Any

from acting import DUTY, SCHOOL

from mash.flows.store.apply import act, receive
from mash.flows.store.looking import look_next
from mash.flows.store.store import Store
from mash.flows.store.writes import Item
from mash.states.acts.contact import ReceiveContact
from mash.states.acts.decisions import RecordDecision
from mash.states.acts.known import IdentifySubject
from mash.states.acts.sharing import RecordSharingBasis
from mash.states.auditing import Judgement
from mash.states.values import Actor, Subject

AUDITOR = Actor(id="q.auditor", role="practice_manager", agency="social_care", hub="merton")
OTHER = AUDITOR.model_copy(update={"id": "o.auditor", "role": "service_manager"})
WORKER = Actor(id="s.worker", role="social_worker", agency="social_care", hub="merton")
ELSEWHERE = AUDITOR.model_copy(update={"hub": "sandwell"})
GOVERNOR = Actor(id="cli:governor", role="administrator", agency="system", hub="merton")
RIGHT = Judgement(
    rating_right="yes",
    decision_right="yes",
    decision_timely="yes",
    child_heard="does_not_apply",
    basis_right="yes",
    should_have=("as_was_done",),
)
NOT_RIGHT = RIGHT.model_copy(update={"child_heard": "no", "should_have": ("child_seen_or_heard",)})
DECIDED = RecordDecision(outcomes={"s1": "no_further_action"}, primary_need="N1")
OVERRIDES = RecordSharingBasis(
    purpose="child_protection", lawful_basis="public_task", consent="overridden", family_informed=False,
    not_informed="puts_somebody_at_risk",
)  # fmt: skip


GOVERNANCE = Actor(id="i.governor", role="information_governance", agency="social_care", hub="merton")
THEO = {"name": {"given": "Theodore", "family": "Quillfeather"}, "date_of_birth": "2017-03-04"}
ISLA = {"name": {"given": "Isla", "family": "Quillfeather"}, "date_of_birth": "2019-08-21"}
STRANGER = {"name": {"given": "Marguerite", "family": "Oyelaran"}, "date_of_birth": "2015-11-30"}


async def contact(store: Store, *people: dict[str, Any]) -> str:
    """A contact about these children, S1 and on; its reference."""
    subjects = tuple(Subject(id=f"S{n}", cohort="child") for n, _ in enumerate(people, 1))
    command = ReceiveContact(contact="referral", source="2A", source_agency="education", subjects=subjects)
    items = [Item("concern", json.dumps({"summary": "He comes without lunch."}).encode())]
    items += [Item("subject", json.dumps(person).encode(), f"S{n}") for n, person in enumerate(people, 1)]
    async with store.transaction(SCHOOL) as connection:
        return (await receive(connection, store, command, items, SCHOOL)).reference


async def looked(store: Store) -> None:
    """Everything that waits is looked at."""
    while await look_next(store):
        pass


async def same(store: Store, one: str, other: str, subject: str = "S1", other_subject: str = "S1") -> None:
    """Somebody confirms that two contacts are about one child."""
    await act(store, one, IdentifySubject(subject=subject, other=other, other_subject=other_subject), DUTY)
    await looked(store)
