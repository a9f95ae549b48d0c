"""In words: what is different about a case from what somebody was told of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from mash.states.clocks import local
from mash.states.referral import NOT_TO_TELL

_WARNING = {
    "safe_contact": "how the family may be contacted safely",
    NOT_TO_TELL: "the family, who must not be told",
    "do_not_write": "writing to whoever referred",
    "staff_safety": "the safety of whoever visits",
}
_GRAVEST = ("order", "warning", "rating", "due", "check", "discussion", "offer", "action", "person", "details")
"""In the order in which they are said: the first is the title."""


def in_order(changes: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """What is different, the gravest first."""
    return sorted(changes, key=lambda change: _GRAVEST.index(change["what"]))


def title_of(change: Mapping[str, Any]) -> str:
    """What is different, in a few words."""
    now = change["now"]
    match change["what"]:
        case "order":
            return f"{_word(change['of'].partition(':')[0])} has ended"
        case "warning":
            if not now:
                return "a warning is over"
            return "do not tell the family" if change["of"] == NOT_TO_TELL else "a new warning: read the case first"
        case "rating":
            return f"now rated {_word(now)}"
        case "due":
            return f"now due {local(datetime.fromisoformat(now))}"
        case "check":
            return "no answer is needed any more"
        case "discussion" if change.get("without_you"):
            return "you are not needed at the strategy discussion"
        case "discussion":
            return "the strategy discussion does not take place"
        case "offer":
            return f"{change.get('title', 'the step-down')} is not offered any more"
        case "action":
            return "what you were to do is not waited for any more"
        case _:
            return "who it is about was put right"


def sentence_of(change: Mapping[str, Any]) -> str:
    """The same as a sentence, with what was told before."""
    was, now = change["was"], change["now"]
    match change["what"]:
        case "order":
            return f"A child is not protected by {_word(change['of'].partition(':')[0])} any more: the case says what holds now."
        case "warning" if now:
            return f"There is a warning about {_WARNING[change['of']]}: read the case before you do anything more."
        case "warning":
            return f"The warning about {_WARNING[change['of']]} does not hold any more."
        case "rating":
            return f"It was rated {_word(was)} when you were last told, and is rated {_word(now)} now."
        case "due":
            new, old = (local(datetime.fromisoformat(at)) for at in (now, was))
            return f"{change['title'][0].upper()}{change['title'][1:]}: due {new} now; you were told {old}."
        case "check":
            return "You were asked what you know; the hub goes on without it. What you know is welcome all the same."
        case "discussion" if change.get("without_you"):
            return "You were called to a strategy discussion, which takes place without you: you are not needed any more."
        case "discussion":
            return "You were called to a strategy discussion, which does not take place."
        case "offer":
            return "The case was offered to you, and is not any more: it is decided again."
        case "action":
            return f"You were to do something ({change['of']}), which nobody waits for any more."
        case "person" if was is None:
            return "Somebody was added to whom it is about: look whether you know them."
        case "person" if now == "removed":
            return "Somebody had been entered in error, and it is not about them."
        case _:
            return "Who it is about was put right since you were told: look again before you rely on what you found."


def _word(code: str) -> str:
    return code.replace("_", " ")
