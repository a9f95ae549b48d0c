"""Every kind of notice with example facts: to be looked at, and to find out whether a hub's own words can be used."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from jinja2 import TemplateError

from mash.notifications.wording import KINDS, SHIPPED, Message, WordingWrong, digest, message_for

AT = datetime(2026, 11, 27, 17, 10, tzinfo=UTC)
REFERENCE = "MASH-26-000123"
FACTS: dict[str, Any] = {
    "hub_title": "Example hub",
    "rating": "red",
    "stage": "agency checks",
    "warnings": [],
    "red": True,
    "rung": 0,
    "due_at": (AT - timedelta(minutes=40)).isoformat(),
    "why": "agency checks: 4 h from receipt (Fri 27 Nov 12:30), elapsed",
    "what": "reply of Police",
    "counts_as": "red",
    "id": "D1",
    "outcome": "changed",
    "about": "decision",
    "service": "Early help panel",
    "destination": "Another local authority: Birmingham (330)",
    "takes_over": True,
    "accepted": True,
    "ring": True,
    "linked": "MASH-26-000123-B",
    "at": (AT + timedelta(days=1)).isoformat(),
    "mode": "virtual",
    "chair": "duty_manager",
    "off": False,
    "without_them": False,
    "held": True,
    "to_ring": ["the child's school"],
    "action": "A1",
    "login": None,
    "read_back": True,
    "order": "police protection",
    "until": (AT + timedelta(hours=4)).isoformat(),
    "agency": "Police",
    "version": 7,
    "because": "section_47",
    "changes": [{"what": "rating", "of": "", "was": "green", "now": "red"}],
    "met": True,
    "matter": "outcome",
    "held_back": True,
    "no_address": False,
    "holder": "practice manager",
    "taken": True,
    "done": True,
    "of_age": True,
    "within": "1 working day",
    "danger": "",
    "signpost": "Call the family hub.",
    "professional": True,
    "outcomes": ["section_17"],
    "status_code": "ABCD-EFGH-IJKL-MNOP",
    "reply_to": False,
    "detail": "2 channels refuse.",
    "role": "duty manager",
    "lead": "lead practitioner",
    "worker": "a.worker",
    "whom": "a.worker",
    "left": False,
}
"""What templates may use. Nothing of it is about a person."""


def preview(kind: str, *, hub: str = "", own: Path | None = None, **facts: Any) -> Message:
    """A notice as it would read. Raises WordingWrong for a kind that does not exist, or unusable words."""
    if kind not in KINDS:
        raise WordingWrong(f"there is no notice of kind '{kind}'; there are {', '.join(KINDS)}")
    try:
        if kind == "digest":
            return digest(
                [preview(each, hub=hub, own=own) for each in ("escalation", "warning", "chase", "contact_to_rate")],
                hub=hub,
                own=own,
            )
        return message_for(kind, REFERENCE, {**FACTS, **facts}, AT, "https://mash.example.org/alerts/...", hub=hub, own=own)
    except TemplateError as wrong:
        raise WordingWrong(f"{kind}.j2{f' of {hub}' if hub else ''}: {wrong.message}") from None


def check_own(own: Path | None, hubs: tuple[str, ...]) -> None:
    """Try a hub's own templates. Raises WordingWrong, which names the file, for one that stands for no notice or is unusable."""
    if own is None:
        return
    if not own.is_dir():
        raise WordingWrong(f"MASH_TEMPLATES_DIR: {own} is not a folder")
    known = {path.relative_to(SHIPPED) for path in SHIPPED.rglob("*.j2")}
    for path in sorted(own.rglob("*.j2")):
        *folder, _ = path.relative_to(own).parts
        hub = folder[0] if folder and folder[0] in hubs else ""
        if path.relative_to(own / hub) not in known:
            raise WordingWrong(f"{path}: there is no notice of this kind, or no such hub; kinds are {', '.join(KINDS)}")
        for kind in (path.stem,) if path.stem in KINDS else ("acknowledgement", "outcome"):
            preview(kind, hub=hub, own=own)
