"""A worker that dies in the middle of sending: what it was sending goes again, and the ledger says which."""

from __future__ import annotations

import random
from email import message_from_bytes
from typing import Any

import pytest
from hub import ON_DUTY, Installation, eventually

from mash.flows.store.outbox import LEASE

LIVES, DEATHS = 8, 2
TAKEN_OVER = """
    SELECT (SELECT min(d.started_at) FROM delivery d WHERE d.notice = cut.notice AND d.id > cut.id) - cut.started_at
    FROM delivery cut JOIN notice n ON n.id = cut.notice WHERE cut.result IS NULL AND n.reference = ANY(%s)"""
"""How long after each try that was cut off the next one began."""


def test_a_message_goes_twice_only_where_the_ledger_shows_a_try_that_was_cut_off(
    quick: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The mail server takes a message, and the worker dies before it hears so: it cannot know whether the message went.
    keep, chance, dead = quick.received.handle_DATA, random.Random(1907), list[str]()

    async def take(server: Any, session: Any, envelope: Any) -> str:
        answer = await keep(server, session, envelope)
        worker = quick.stack.children["worker"]
        ours = str(message_from_bytes(envelope.content)["Subject"]).endswith(("was received", "waits for a rating"))
        if ours and len(dead) < DEATHS and worker.poll() is None and chance.random() < 0.4:
            worker.kill()
            dead.append(str(envelope.rcpt_tos[0]))
        return answer

    monkeypatch.setattr(quick.received, "handle_DATA", take)
    references = [quick.referral() for _ in range(LIVES)]

    def all_sent() -> bool:
        if quick.stack.children["worker"].poll() is not None:
            quick.stack.start("worker")
        return len(dead) == DEATHS and quick.sql(
            "SELECT count(*) FROM notice"
            " WHERE kind IN ('acknowledgement', 'contact_to_rate') AND status = 'delivered' AND reference = ANY(%s)",
            references,
        ) == [(2 * LIVES,)]

    eventually(all_sent)
    cut_off = 0
    for reference in references:
        for kind, title, to in (
            ("acknowledgement", f"Your referral {reference} was received", "head@school"),
            ("contact_to_rate", f"{reference} waits for a rating", ON_DUTY),
        ):
            results = tries(quick, reference, kind)
            arrived = quick.received.telling(to, title)
            assert results.count("ok") == 1, (reference, kind, results)
            assert 1 <= arrived <= 1 + results.count(None), (reference, kind, results, arrived)
            cut_off += results.count(None)
    assert cut_off >= DEATHS, "every death left a try without a result"
    assert all(waited < LEASE for (waited,) in quick.sql(TAKEN_OVER, references)), "before its lease is over"
    for reference in references:
        quick.awaits(reference, "Awaiting triage")


def tries(hub: Installation, reference: str, kind: str) -> list[str | None]:
    """What came of each try to send a notice, as the ledger has it."""
    rows = hub.sql(
        "SELECT d.result FROM delivery d JOIN notice n ON n.id = d.notice WHERE n.reference = %s AND n.kind = %s ORDER BY d.id",
        reference,
        kind,
    )
    return [result for (result,) in rows]
