"""The words of notices: templates by kind, which a hub may replace, given facts and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Literal

from jinja2 import BaseLoader, ChoiceLoader, Environment, FileSystemLoader, StrictUndefined, Template
from jinja2.sandbox import SandboxedEnvironment
from pydantic import BaseModel, ConfigDict

from mash.config.errors import SettingsError
from mash.notifications.changes import in_order, sentence_of, title_of
from mash.notifications.invitation import invitation
from mash.notifications.notices import REFERRER, professional
from mash.notifications.notices.occasion import WARNINGS
from mash.states.clocks import Length, local
from mash.states.profile import Profile
from mash.states.referral import BEING_ACTED_ON, NOT_TO_TELL, Referral

SHIPPED = Path(__file__).parent / "templates"
KINDS = tuple(sorted(path.stem for path in SHIPPED.glob("*.j2")))
"""Every kind of notice there is a template for."""
INVITES: Mapping[str, tuple[Literal["meeting", "discussion"], bool]] = {
    "meeting_convened": ("meeting", False),
    "meeting_called_off": ("meeting", True),
    "strategy_discussion_scheduled": ("discussion", False),
    "strategy_discussion_called_off": ("discussion", True),
}
"""Notices that bring a calendar file: to what, and whether it is called off."""
UNADDRESSED: dict[str, Any] = {"status_code": "", "reply_to": False}
"""What a message to a referrer knows besides its facts, where none is really sent."""


class WordingWrong(SettingsError):
    """A hub's own template that cannot be used; says which and why."""


class Message(BaseModel):
    """A notice in words: a title, lines, and links with what each is for."""

    model_config = ConfigDict(frozen=True)

    title: str
    lines: tuple[str, ...]
    links: tuple[tuple[str, str], ...] = ()
    invitation: bytes | None = None
    not_to_tell: str = ""
    """The reference of its case, where the family is not to learn of that."""

    @property
    def body(self) -> str:
        """As plain text."""
        return "\n".join((*self.lines, *(f"{label}: {address}" for label, address in self.links)))

    @property
    def html(self) -> str:
        """As HTML."""
        return _layout().render(title=self.title, lines=self.lines, links=self.links)


OUTCOME_TEXTS = {
    "section_47": "social care, police and health are looking into the child's protection together (section 47)",
    "section_17": "a social worker will assess what help the child and family need (section 17)",
    "early_help": "support from early help is being arranged",
    "no_further_action": "no further action will be taken by children's social care",
    "advice": "advice was given",
    "information_provided": "the information asked for was provided",
    "adult_section_42": "an adult safeguarding enquiry (section 42) has begun",
    "transfer": "the matter is being handed over to those who are responsible for it now",
    "considered": "what you told us was received and considered",
    "section_47_concluded": "the enquiries into the child's protection (section 47) have ended",
    "section_17_concluded": "the social worker's assessment (section 17) has ended",
    "adult_section_42_concluded": "the adult safeguarding enquiry (section 42) has ended",
    BEING_ACTED_ON: "it has been received and is being acted on",
}


class Became(BaseModel):
    """What has become of a referral, as far as whoever made it may know: a professional what was decided, anybody that it was
    considered."""

    model_config = ConfigDict(frozen=True)

    status: Literal["not_taken", "being_considered", "decided"]
    outcome: tuple[str, ...]
    """In words, one for each different one; none where whoever made it is not told, or hears it from a person."""


def outcome_texts(profile: Profile | None) -> Mapping[str, str]:
    """What whoever made a referral is told was decided, in the words of the edition of the guidance that the case goes by."""
    own = profile.edition.outcomes.items() if profile else ()
    return {**OUTCOME_TEXTS, **{str(outcome): text for outcome, text in own}}


def became(referral: Referral, rules: Profile | None) -> Became:
    """What whoever made a referral may know of it, as the rules name it that the case goes by."""
    if referral.stage == "not_taken":
        return Became(status="not_taken", outcome=())
    texts = outcome_texts(rules)
    decided = sorted(texts[outcome] for outcome in referral.result)
    if referral.held_back or not (decided or referral.decided_at):
        return Became(status="being_considered", outcome=())
    return Became(status="decided", outcome=tuple(decided) if _shown(referral) else ())


def _shown(referral: Referral) -> bool:
    """Whether an outcome is shown to whoever has the reference and its code: not where others may read what reaches them."""
    return professional(referral) and not referral.not_to_write


def warnings_for_referrer(referral: Referral) -> list[str]:
    """What whoever made a referral is warned of where they ask for it: a professional, where nobody else reads it."""
    return [NOT_TO_TELL] if NOT_TO_TELL in referral.warnings and _shown(referral) else []


def status_in_words(reference: str, referral: Referral, within: Length, rules: Profile | None) -> list[str]:
    """What has become of a referral, in sentences for whoever made it; `within` which time the hub decides on the response."""
    found = became(referral, rules)
    if found.status == "not_taken":
        sentences = ["It was recorded. This hub does not act on it."]
    elif found.status == "being_considered":
        # Word for word the same where a section 47 is held back, or the difference would tell of it.
        sentences = [f"It has been received and is being acted on. A manager decides on the response within {within}."]
    elif found.outcome:
        sentences = [f"Decided: {'; '.join(found.outcome)}."]
    elif referral.not_to_write:
        sentences = ["It has been considered. We do not write to you: someone tells you in the way you chose."]
    else:
        sentences = ["Thank you. It has been considered. We cannot tell you more, because it is about other people."]
    sentences += [_as_sentence(WARNINGS[marker]) for marker in warnings_for_referrer(referral)]
    for disputed in referral.disagreements.values():
        if disputed.by_role == REFERRER:
            settled = {"stands": "what was decided stands", "changed": "what was decided is changed"}
            became_of_it = (
                "someone tells you in the way you chose" if referral.not_to_write else settled.get(disputed.outcome or "")
            )
            sentences.append(f"Your disagreement: {became_of_it if disputed.outcome else 'someone is reviewing it'}.")
    return [f"{reference}: {sentences[0]}", *sentences[1:]]


def lateness(due_at: datetime, now: datetime) -> str:
    """How late (or how soon due) something is, in the hub's units."""
    minutes = round((now - due_at).total_seconds() / 60)
    size = f"{abs(minutes) // 60} h {abs(minutes) % 60} min" if abs(minutes) >= 60 else f"{abs(minutes)} min"
    return f"{size} late" if minutes >= 0 else f"due in {size}"


def message_for(
    kind: str,
    reference: str | None,
    facts: Mapping[str, Any],
    now: datetime,
    link: str,
    *,
    hub: str = "",
    own: Path | None = None,
    **more: Any,
) -> Message:
    """A notice in words. `link` is where to acknowledge, or to look; `own` the folder with hubs' own templates."""
    template = _template(kind, hub, own)
    known = {**facts, **more, **_reckoned(reference, facts, now), "reference": reference or "", "link": link}
    title, body, act = (_block(template, name, known) for name in ("title", "body", "act"))
    silence = tuple(warning for warning in facts.get("warnings", ()) if warning == WARNINGS[NOT_TO_TELL])
    invited = None
    if kind in INVITES:
        what, off = INVITES[kind]
        said = (facts["hub_title"], datetime.fromisoformat(facts["at"]), facts["mode"], facts["chair"], facts["version"])
        invited = invitation(str(reference), *said, now, silence, what=what, off=off)
    lines = tuple(line.strip() for line in body.splitlines() if line.strip())
    # A hub's own words may leave the head out, and some of ours have none.
    if silence and WARNINGS[NOT_TO_TELL].lower() not in body.lower():
        lines = (_as_sentence(WARNINGS[NOT_TO_TELL]), *lines)
    links = ((act, link),) if link and act else ()
    about = str(reference) if silence else ""
    return Message(title=" ".join(title.split()), lines=lines, links=links, invitation=invited, not_to_tell=about)


def digest(messages: list[Message], *, hub: str = "", own: Path | None = None, **known: Any) -> Message:
    """One message of many: each by its title, and with the address where it is acknowledged or looked at."""
    template = _template("digest", hub, own)
    late = sum(message.title.startswith("LATE") for message in messages)
    known = {"count": len(messages), "late": late, "mass": 0, "about": "", **known}
    lines = tuple(line.strip() for line in _block(template, "body", known).splitlines() if line.strip())
    links = tuple((message.title, message.links[0][1]) for message in messages if message.links)
    if silent := dict.fromkeys(message.not_to_tell for message in messages if message.not_to_tell):
        lines = (f"Do not tell the family anything of {', '.join(silent)}.", *lines)
    return Message(title=_block(template, "title", known), lines=lines, links=links)


def _reckoned(reference: str | None, facts: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """What follows from the facts, in words."""
    warnings = "".join(f" {_as_sentence(warning)}" for warning in facts.get("warnings", ()))
    known: dict[str, Any] = {
        "head": f"{reference}: {facts.get('rating', '')}, at {facts.get('stage', '')}.{warnings}",
        "timing": "",
        "when": "",
        "due": "",
    }
    if "due_at" in facts:
        due = datetime.fromisoformat(facts["due_at"])
        known["timing"] = f"{lateness(due, now)} (due {local(due)})"
        known["due"] = local(due)
    if "until" in facts:
        known["until"] = local(datetime.fromisoformat(facts["until"]))
    if "at" in facts:
        known["when"] = local(datetime.fromisoformat(facts["at"]))
    if "changes" in facts:
        changes = in_order(facts["changes"])
        known["changed"] = {"title": title_of(changes[0]), "sentences": [sentence_of(change) for change in changes]}
    texts = {**OUTCOME_TEXTS, **facts.get("own_words", {})}
    known["said"] = "; ".join(texts[outcome] for outcome in facts.get("outcomes", ()))
    return known


def _as_sentence(warning: str) -> str:
    return f"{warning[0].upper()}{warning[1:]}."


def _block(template: Template, name: str, known: Mapping[str, Any]) -> str:
    block = template.blocks.get(name)
    return "".join(block(template.new_context(dict(known)))).strip() if block else ""


@cache
def _layout() -> Template:
    return Environment(loader=FileSystemLoader(SHIPPED), autoescape=True, trim_blocks=True).get_template("layout.html")


@cache
def _template(kind: str, hub: str, own: Path | None) -> Template:
    loaders: list[BaseLoader] = [FileSystemLoader([own / hub, own])] if own else []
    # Sandboxed, since hubs write templates of their own; undefined names fail, so that a slip shows when it is checked.
    environment = SandboxedEnvironment(
        loader=ChoiceLoader([*loaders, FileSystemLoader(SHIPPED)]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(f"{kind}.j2")
