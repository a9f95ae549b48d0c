"""A notice about the system itself, as a row that waits to be sent."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from mash.notifications.notices import ORDINARY


def system_notice(hub: str, role: str, what: str, detail: str, at: datetime, avoid: Sequence[str] = ()) -> dict[str, Any]:
    """A row of the outbox: to a role of a hub, by other channels than those to `avoid`, if there are any."""
    return {
        "reference": None,
        "hub": hub,
        "kind": "system",
        "role": role,
        "clock": None,
        "facts": json.dumps({"what": what, "detail": detail, "avoid": list(avoid)}, sort_keys=True, separators=(",", ":")),
        "created_at": at,
        "status": "queued",
        "tries": 0,
        "next_try_at": datetime.now(UTC),
        "urgency": ORDINARY,
    }
