"""The answer to a subject access request: what is kept about a person of a case, with everybody else blacked out.

UK GDPR article 15, and schedule 2 part 3 of the Data Protection Act 2018: who else is named, and who spoke in confidence, is not
given away by it. What a program can black out are names it knows: a person reads it before it leaves.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader

from mash.flows.store.log import read_log
from mash.flows.store.names import NAMED, name_of
from mash.flows.store.reads.case import Case, read_case
from mash.flows.store.reads.items import PlainItem, read_everything
from mash.flows.store.reads.look import note_access
from mash.flows.store.store import Store
from mash.flows.telling.story import facts_of, named
from mash.states.clocks import dated
from mash.states.errors import NotFound
from mash.states.firewall import AGENCIES_OWN
from mash.states.log import Recorded
from mash.states.profile import Profile
from mash.states.values import Actor

BLACKED_OUT = "\N{FULL BLOCK}" * 5
SHORTEST = 2
"""Letters of a word of a name that is blacked out: a single one would black out everything."""
LEFT_OUT = {
    "referrer": "who referred: that is asked of them first, or they spoke in confidence",
    "household": "about somebody else",
    "subject": "about somebody else",
    "submission": "what the referrer added: consent, how the family is safely reached, and what their own system sent",
    "agency": "held by an agency that has not released it: to be asked of that agency",
    "whole": "the agency released a redacted version, which is here; the whole is to be asked of that agency",
}
ABOUT_THE_REFERRER = frozenset(("source", "source_agency", "reported_at", "flags"))
"""Facts of events that tell who referred, or what they wrote of somebody."""


async def answer(store: Store, reference: str, subject: str, by: str) -> tuple[str, int]:
    """The answer as a page, and how many items are left out of it. Raises NotFound for a person whom the case does not name."""
    case = await read_case(store, reference)
    if subject not in case.referral.subjects:
        raise NotFound(f"{reference} names: {', '.join(case.referral.subjects)}")
    who = Actor(id=by, role="administrator", agency="system", hub=case.hub)
    async with store.transaction(who, of_system=True) as connection:
        await note_access(connection, store, reference, who, "subject_access_request", f"answers {subject}")
        items = await read_everything(connection, store, case)
    profile = store.hubs.get(case.hub)
    log = [
        (dated(each.at), line) for each in await read_log(store, reference) if (line := _event_in_words(each, subject, profile))
    ]
    shown, left_out = _sorted_out(case, subject, items)
    page = Environment(loader=FileSystemLoader(Path(__file__).parent), autoescape=True).get_template("access_request.html")
    text = page.render(reference=reference, subject=subject, shown=shown, left_out=left_out, log=log)
    return text, len(left_out)


def _sorted_out(case: Case, subject: str, items: Iterable[PlainItem]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """What is shown, with others blacked out, and what is left out, with why."""
    items = list(items)
    others = frozenset(_others(subject, items))
    shown, left_out = [], []
    for item in items:
        line = {"kind": item.kind.replace("_", " "), "at": dated(item.at), "agency": item.agency}
        if reason := _reason(case, subject, item):
            left_out.append({**line, "why": reason})
        else:
            shown.append({**line, "text": _black_out(_words(item), others)})
    return shown, left_out


def _reason(case: Case, subject: str, item: PlainItem) -> str | None:
    if item.kind in AGENCIES_OWN:
        held = case.referral.held[item.id]
        return LEFT_OUT["agency"] if not held.released else LEFT_OUT["whole"] if held.redacted else None
    if item.kind == "subject":
        return None if item.subject == subject else LEFT_OUT["subject"]
    return LEFT_OUT.get(item.kind)


def _event_in_words(recorded: Recorded, subject: str, profile: Profile | None) -> str:
    """An event in words, as far as it is about this subject or about all; empty for one about somebody else."""
    event = recorded.event
    if getattr(event, "subject", subject) != subject:
        return ""
    if outcomes := getattr(event, "outcomes", None):
        event = event.model_copy(update={"outcomes": {sid: outcome for sid, outcome in outcomes.items() if sid == subject}})
    facts = facts_of(event, profile, without=ABOUT_THE_REFERRER)
    return f"{named(event)}{': ' if facts else ''}{facts}"


def _words(item: PlainItem) -> str:
    """An item as text: what is kept as fields, a line each."""
    try:
        fields = json.loads(item.content)
    except ValueError:
        return item.content.decode()
    return "\n".join(f"{name}: {value}" for name, value in _lines(fields)) if isinstance(fields, dict) else item.content.decode()


def _lines(fields: dict[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in fields.items():
        label = f"{above}{name.replace('_', ' ')}"
        if isinstance(value, dict):
            yield from _lines(value, f"{label}: ")
        elif value not in (None, "", []):
            yield label, value


def _others(subject: str, items: Iterable[PlainItem]) -> Iterator[str]:
    """The words of the names, and the addresses, of everybody else whom the case names."""
    own = {word for item in items if item.kind == "subject" and item.subject == subject for word in _name_words(item)}
    for item in items:
        if item.kind in NAMED and item.subject != subject:
            yield from (word for word in _name_words(item) if word not in own)
        if item.kind == "referrer":
            referrer = json.loads(item.content)
            yield from (str(referrer[name]) for name in ("email", "phone") if referrer.get(name))
            yield from (word for word in re.findall(r"\w+", str(referrer.get("name") or "")) if len(word) > SHORTEST)


def _name_words(item: PlainItem) -> list[str]:
    return [word for word in re.findall(r"\w+", name_of(item.content)) if len(word) >= SHORTEST]


def _black_out(text: str, others: frozenset[str]) -> str:
    for other in sorted(others, key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(other)}(?!\w)", BLACKED_OUT, text, flags=re.IGNORECASE)
    return text
