"""What the hub has noted of other contacts about the people of a case: in an answer to a subject access request it is one text,
withheld until a person releases it, whether there is anything in it or not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mash.flows.store.reads.items import PlainItem
from mash.flows.telling.story import event_in_words
from mash.states.clocks import dated
from mash.states.log import Recorded

WHAT = "what the hub has noted of other contacts"
WHY = "it may be about somebody else, and is withheld until a person has read and released it"
NOTHING = "Nothing was noted."


def words_of(story: Iterable[Recorded]) -> frozenset[str]:
    """The items that came with what was noted."""
    words = (getattr(each.event, "words", None) for each in story if each.event.of_child)
    return frozenset(each.item for each in words if each)


def noted(story: Sequence[Recorded], items: Iterable[PlainItem]) -> str:
    """All of it as one text."""
    written = {item.id: item.content.decode() for item in items}
    lines = []
    for each in story:
        if each.event.of_child:
            words = getattr(each.event, "words", None)
            lines += [f"{dated(each.at)}: {event_in_words(each, None)}", *([written[words.item]] if words else [])]
    return "\n".join(lines) or NOTHING
