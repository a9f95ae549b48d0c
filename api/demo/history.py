"""Two years behind the demonstration, so that its figures have weeks to be compared with: closed cases, decided by the hub's own
rules at the time that it was then. Each log is as the product writes it, and proves itself; the owner of the tables writes it."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, create_engine, make_url, text

from mash.api.demo.past import Past
from mash.config.settings import Settings
from mash.flows.store.keys import Keyring
from mash.flows.store.names import people
from mash.flows.store.store import Store
from mash.flows.store.writes import Item, Writes, as_bytea
from mash.states.acts.contact import ReceiveContact
from mash.states.acts.known import RecordKnown
from mash.states.errors import Refusal
from mash.states.profile import Profile
from mash.states.values import Actor, Match, Subject

YEAR = 52
"""Weeks."""
TWELVE_MONTHS = timedelta(days=365)
FIRST, OTHER = (1, 8), (1, 1)
"""Contacts a week in the year before the last and in the last one: of the hub that is looked at, and of every other."""
AGAIN = 0.16
"""How many are about a child of an earlier contact."""
SLOW_FOR, SLOW_AGENCIES = 3, 4
"""For the last weeks so many agencies are seldom in time: what a control chart is there to show."""
WEEKEND = 3
"""Days: what comes in on a Friday is answered in the week after it."""
OLDEST, YOUNGEST = 16, 1
"""Years of age of those whom contacts are about."""
TABLES = (
    ("keys", "referral_key"), ("begun", "referral"), ("items", "personal_item"), ("people", "known_person"), ("events", "event"),
    ("parties", "participant"), ("receipts", "receipt"),
)  # fmt: skip
"""What is written of a case, in this order, and into which table."""
SEED = 19_112_026


@dataclass
class Child:
    """Somebody whom contacts are about: these, by when they came in."""

    fields: dict[str, Any]
    contacts: dict[datetime, str] = field(default_factory=dict)


@dataclass
class Gathered(Writes):
    """What is going to be written, with the receipts by which contacts are counted."""

    receipts: list[dict[str, Any]] = field(default_factory=list)


def write_history(store: Store, settings: Settings, now: datetime, vignettes: list[dict[str, Any]]) -> int:
    """Write the closed cases of these hubs that came in before now; returns how many. As fictional as the `vignettes`, of which
    they have their sources, words and names."""
    assert settings.owner_database_url
    owner = create_engine(make_url(settings.owner_database_url.get_secret_value()).set(drivername="postgresql+psycopg"))
    number = 0
    with owner.begin() as connection:
        for place, name in enumerate(settings.hub_names):
            hub = _Hub(store.hub(name), store.keyring, vignettes, random.Random(f"{SEED}{name}"))
            number += _write(connection, hub, list(_times(now, FIRST if place == 0 else OTHER, hub.chance)), now)
    owner.dispose()
    return number


def _times(now: datetime, a_week: tuple[int, int], chance: random.Random) -> Iterator[datetime]:
    """When contacts came in: in whole weeks, on working days, between nine and five."""
    today = now.replace(hour=9, minute=0, second=0, microsecond=0)
    monday = today - timedelta(days=today.weekday())
    for back in range(2 * YEAR + 1, 0, -1):
        number = a_week[back <= YEAR]
        moments = (timedelta(days=chance.randrange(5), minutes=chance.randrange(8 * 60)) for _ in range(number))
        yield from sorted(monday - timedelta(weeks=back) + each for each in moments)


def _write(connection: Connection, hub: _Hub, times: list[datetime], now: datetime) -> int:
    take = text("SELECT nextval('referral_number') FROM generate_series(1, :number)")
    numbers = connection.execute(take, {"number": len(times)}).scalars().all()
    found = [hub.case(at, f"MASH-{at:%y}-{number:06d}", now) for at, number in zip(times, numbers, strict=True)]
    cases = [case for case in found if case]
    for part, table in TABLES:
        rows = [row for case in cases for row in getattr(case, part)]
        columns = ", ".join(rows[0]) if rows else ""
        into = (
            f"INSERT INTO {table} ({columns}) SELECT {columns} FROM json_populate_recordset(NULL::{table}, CAST(:rows AS json))"  # noqa: S608  names of ours
        )
        connection.execute(text(into), {"rows": json.dumps(rows, default=str)})
    # The look that follows each contact has been had.
    written = [row["reference"] for case in cases for row in case.begun]
    connection.execute(text("DELETE FROM to_look WHERE reference = ANY(:written)"), {"written": written})
    return len(cases)


class _Hub:
    """What a hub's past is made of."""

    def __init__(self, profile: Profile, keyring: Keyring, vignettes: list[dict[str, Any]], chance: random.Random) -> None:
        self.profile, self.keyring, self.vignettes, self.chance = profile, keyring, vignettes, chance
        self.children: list[Child] = []
        people = (each for vignette in vignettes for each in vignette["subjects"] if each["cohort"] == "child")
        self.named = [each for each in people if all((each["name"] or {}).get(part) for part in ("given", "family"))]
        self.referrer = Actor(id=f"demo-{profile.name}", role="referrer", agency="unknown", hub=profile.name)
        least = sorted(profile.ratings, key=lambda name: profile.ratings[name].severity)
        self.ratings = [least[0], least[0], least[min(1, len(least) - 1)]]
        self.slow = frozenset(list(profile.agencies)[-SLOW_AGENCIES:])

    def case(self, at: datetime, reference: str, now: datetime) -> Gathered | None:
        """The rows of a case that came in then; None for one that would still go on, or that the hub does not take."""
        vignette, child = self.chance.choice(self.vignettes), self._child(at)
        key, wrapped = self.keyring.new_key(reference)
        writes = Gathered(self.keyring.rows)
        writes.keys.append(
            {"reference": reference, "wrapped": as_bytea(wrapped), "hub": self.profile.name, "master": self.keyring.current.name}
        )
        items = [
            Item(kind, json.dumps(vignette[part]).encode()) for kind, part in (("concern", "concern"), ("referrer", "source"))
        ]
        items.append(Item("subject", json.dumps(child.fields).encode(), "S1"))
        writes.people += people(self.keyring.search, reference, self.profile.name, items)
        past = Past(self.profile, at, reference, key, writes, self.chance)
        past.slow = self.slow if now - at < timedelta(weeks=SLOW_FOR, days=now.weekday() + WEEKEND) else frozenset()
        try:
            over = past.lived(_contact(vignette), items, self.referrer, self.chance.choice(self.ratings), [_known(child, at)])
        except Refusal:
            return None
        if not over or past.now >= now:
            return None
        child.contacts[at] = reference
        writes.begun = [{**row, "shown": row["version"]} for row in writes.begun]
        writes.receipts.append(self._receipt(reference, at))
        return writes

    def _child(self, at: datetime) -> Child:
        earlier = [child for child in self.children if any(at - each < TWELVE_MONTHS for each in child.contacts)]
        if earlier and self.chance.random() < AGAIN:
            # Whoever has come back comes back sooner than others.
            return max(self.chance.choices(earlier, k=3), key=lambda child: len(child.contacts))
        one, other = (self.chance.choice(self.named) for _ in range(2))
        name = {"given": one["name"]["given"], "family": other["name"]["family"]}
        born = at.date() - timedelta(days=self.chance.randrange(365 * YOUNGEST, 365 * OLDEST))
        same = {"sex": one["sex"], "ethnicity": other["ethnicity"], "cohort": "child"}
        told = {"disability": ["NONE"], "upn_unknown": "UN6"}
        self.children.append(Child({"name": name, "date_of_birth": born.isoformat(), **same, **told}))
        return self.children[-1]

    def _receipt(self, reference: str, at: datetime) -> dict[str, Any]:
        digest = self.keyring.fingerprint(f"key:{reference}".encode())
        answer = json.dumps({"reference": reference})
        who = {"caller": self.referrer.id, "hub": self.profile.name, "at": at, "reference": reference, "answer": answer}
        return {**who, "key": digest, "purpose": "submission", "fingerprint": digest, "status": 201}


def _contact(vignette: dict[str, Any]) -> ReceiveContact:
    concern = vignette["concern"]
    return ReceiveContact(
        contact="referral",
        source=vignette["source"]["code"] or "10",
        source_agency=vignette["source"]["agency"],
        subjects=(Subject(id="S1", cohort="child", age="child"),),
        primary_need=concern["primary_need"],
        referrer_reachable=True,
    )


def _known(child: Child, at: datetime) -> RecordKnown:
    """What the software finds when it looks through the hub's other contacts: those about this child."""
    found = {came: reference for came, reference in child.contacts.items() if at - came < TWELVE_MONTHS}
    why = ("same_name", "born_same")
    return RecordKnown(
        matches=tuple(
            Match(subject="S1", reference=reference, other="S1", likeness="likely", why=why, received_at=came)
            for came, reference in found.items()
        )
    )
