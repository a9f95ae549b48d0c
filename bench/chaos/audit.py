"""The audit: whether all that was accepted is there, happened once, was told, and is shown in Prefect."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from mash.bench.chaos import ledger, notices, runs
from mash.bench.chaos.evidence import Evidence, Wrong

Rules = Mapping[str, Callable[[Evidence], Awaitable[Wrong]]]
AT_ANY_TIME: Rules = {
    "every accepted referral is there": ledger.lost_submissions,
    "every accepted command is in its log, once": ledger.lost_commands,
    "no decision is recorded twice": ledger.second_decisions,
    "no clock is breached twice at one due time": ledger.second_breaches,
    "every chain verifies": ledger.broken_chains,
    "contacts in = outcomes + open": ledger.uncounted_contacts,
}
"""What holds in the middle of things, too."""
RULES: Rules = {
    **AT_ANY_TIME,
    "every escalation has its alert": ledger.missing_alerts,
    "every clock that came due has fired": ledger.silent_clocks,
    "every notice is delivered": notices.undelivered,
    "every notice arrived, and no oftener than the ledger says": notices.misdelivered,
    "no notice is tried again once it is delivered": notices.needless_tries,
    "what the referrer was told is in the log, once": notices.unrecorded_messages,
    "every run is in step with its referral": runs.stray_runs,
}
"""What holds once all that is on its way has come to rest."""


async def audit(evidence: Evidence, rules: Rules = RULES) -> dict[str, Wrong]:
    """What is wrong by rule, a sentence each; every list is empty when all is well."""
    return {rule: await check(evidence) for rule, check in rules.items()}
