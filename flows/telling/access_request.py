"""The answer to a subject access request: what is kept about a person of a case. Everything that is stored as another person's is
withheld, and has a number; a person releases it item by item.

UK GDPR article 15, and schedule 2 part 3 of the Data Protection Act 2018: who else is named, and who spoke in confidence, is not
given away by it. What a program can withhold is what it knows, and what looks like it: a person reads it before it leaves.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

from jinja2 import Environment, FileSystemLoader

from mash.config import codes
from mash.config.words import CODED, sentence
from mash.flows.store.log import read_log
from mash.flows.store.reads.case import Case, read_case, read_family
from mash.flows.store.reads.items import AUDIT, NEAR_MISS, REDACTED, PlainItem, read_everything
from mash.flows.store.reads.look import note_access
from mash.flows.store.store import Store
from mash.flows.store.withheld import Number, numbered, release
from mash.flows.telling.noted import WHAT, WHY, noted, words_of
from mash.flows.telling.others import Others
from mash.flows.telling.stored import Value, locates
from mash.flows.telling.story import facts_of, named
from mash.states.acts.closing import SubjectsConcluded, WhyReleased
from mash.states.acts.corrections import ReferrerCorrected
from mash.states.acts.parting import ReferralSplit
from mash.states.acts.seconding import TELLING_HARMS
from mash.states.acts.sharing import MarkerRecorded, SharingBasisRecorded
from mash.states.acts.upkeep import ReferralLinked
from mash.states.clocks import dated
from mash.states.errors import NotFound
from mash.states.firewall import AGENCIES_OWN
from mash.states.log import Recorded
from mash.states.profile import Cohort, Profile, Source
from mash.states.referral import NOT_TO_TELL, Referral
from mash.states.values import Actor

BLACKED_OUT = "\N{FULL BLOCK}" * 5
LEFT_OUT = {
    "referrer": "who referred: that is asked of them first, or they spoke in confidence",
    "household": "about somebody else",
    "subject": "about somebody else",
    "submission": "what the referrer added: consent, how the family is safely reached, and what their own system sent",
    "decline_disclosure": "why an agency does not disclose what it holds: to be asked of that agency",
    "agency": "held by an agency that has not released it: to be asked of that agency",
    "whole": "the agency released a redacted version, which is here; the whole is to be asked of that agency",
}
ABOUT_THE_REFERRER = frozenset(("source", "source_agency", "reported_at", "flags", "not_to_tell"))
"""Facts of events that tell who referred, or what they wrote of somebody."""
WHO_AGREED = frozenset(("second",))
"""The login of a second person: that there was one, the answer says."""
BY_SUBJECT = ("outcomes", "factors_of", "not_seen_because", "abuse_categories", "previous_plans")
"""Facts of events that are said of each subject by itself."""
WHOSE = {"household": "person in the household", "submission": "what the referrer added,"}
NOT_OF_SOMEBODY = ("kind", "place", "reported_at")
"""Fields of a contact that are about none of its people."""
NOT_YET = "a person reads it first"
"""Why something is not here that would tell the family what they are not to learn: no more than that, or it would tell them."""
TELLS_THEM = "what the family is not to learn: the reason, or what is being looked into"
PROTECTING = re.compile(r"section 47|strategy discussion", re.IGNORECASE)
"""What is being done without the family's knowledge, while they are not told."""
WARNINGS = ("safe_contact", "do_not_write", NOT_TO_TELL)
"""Markers that warn of how people are reached."""
SAID_OF_IT = ("safe contact", "how to reach", "in words")
"""Fields in which somebody says how people are reached safely."""
_KNOWN_WORDS = {"cohort": get_args(Cohort), "agency": get_args(Source)}


@dataclass
class Answer:
    """The answer, and what whoever decides needs to know of what is not in it."""

    page: str
    left_out: int
    """Items that are left out as a whole."""
    withheld: list[tuple[Number, str, int]]
    """What is withheld or was released: its number, the text itself, and in how many places it stands. Not for the subject."""
    warning: str
    """That how people are reached must be safe, where somebody warned: it stands first, and does not leave."""
    reaching: list[str]
    """What was said about how the family is safely reached. Not for the subject."""


@dataclass
class _Page:
    """Texts on their way to the page: first what is withheld in them is found, then it is numbered, then they are written."""

    others: Others
    whose: Mapping[str, str]
    """Whose each item is, by its id."""
    warning: str
    """In words, that somebody warned of how the people of this contact are reached; '' where nobody did."""
    lines_kept: frozenset[str]
    """What happened that would tell the family what they are not to learn."""
    items_kept: frozenset[str]
    """The words that came with it."""
    found: dict[str, str] = field(default_factory=dict)
    places: dict[str, int] = field(default_factory=dict)
    numbers: Mapping[str, Number] = field(default_factory=dict)

    def look(self, text: str) -> None:
        """Find what is withheld in a text, and in what is withheld."""
        for span in self.others.spans(text):
            self.withhold(text[span.begin : span.end], span.what)

    def withhold(self, text: str, what: str) -> None:
        """Have a text withheld."""
        self.found.setdefault(_same(text), what)
        self.places[_same(text)] = self.places.get(_same(text), 0) + 1

    def written(self, text: str) -> str:
        """A text with what is withheld blacked out, each with its number."""
        shown, at = [], 0
        for span in self.others.spans(text):
            of, begin = self.numbers[_same(text[span.begin : span.end])], max(span.begin, at)
            if begin >= span.end or (span.around and of.released):
                continue  # within one that is withheld; or what stands in it is looked at by itself
            shown += [text[at:begin], text[begin : span.end] if of.released else f"{BLACKED_OUT} ({of.number})"]
            at = span.end
        return "".join((*shown, text[at:]))

    def line(self, text: str) -> str:
        """What happened, in words; its number alone, where it would tell the family what they are not to learn."""
        if text in self.lines_kept and not (of := self.numbers[_same(text)]).released:
            return f"{BLACKED_OUT} ({of.number})"
        return self.written(text)

    def field(self, label: str, text: str) -> str:
        """Something stored as another person's, once it is released; '' before."""
        return f"{label}: {text}" if self.numbers[_same(text)].released else ""


async def answer(
    store: Store, reference: str, subject: str, by: str, releases: Iterable[int] = (), because: WhyReleased | None = None
) -> Answer:
    """The answer as it stands, after what is to be released has been. Raises NotFound for a person whom the case does not name,
    and for a number that nothing has."""
    case = await read_case(store, reference)
    if subject not in (names := (*case.referral.subjects, *case.referral.removed)):
        raise NotFound(f"{reference} names: {', '.join(names)}")
    who = Actor(id=by, role="administrator", agency="system", hub=case.hub)
    profile = store.hubs.get(case.hub)
    story = await read_log(store, reference)
    told = [each for each in story if not each.event.of_child]
    spoken = [(each, line) for each in told if (line := _event_in_words(each, subject, profile))]
    log = [(dated(each.at), line) for each, line in spoken]
    async with store.transaction(who, of_system=True) as connection:
        await note_access(connection, store, reference, who, "subject_access_request", f"answers {subject}")
        if because:
            await release(connection, store, reference, subject, list(releases), because, who)
        # The same people are in the linked referrals of the contact, and a warning on one of them holds for all.
        linked = await read_family(connection, case.root)
        family = {each.reference: await read_everything(connection, store, each) for each in linked}
        every, apart = [item for of_one in family.values() for item in of_one], words_of(story)
        silent = any(NOT_TO_TELL in each.referral.warnings for each in linked)
        harmful = [(each.event, line) for each, line in spoken if _tells_the_family(each, line, silent=silent)]
        items, of_others = [item for item in family[reference] if item.id not in apart], noted(story, family[reference])
        warning = _warning(linked)
        whose = _labels(every, {old: new for each in linked for old, new in each.referral.superseded.items()})
        of_them = case.referral.subjects.get(subject)
        for_a_child = bool(warning) and (of_them is None or of_them.counts_as_child)
        page = _Page(
            Others(*_values(every, subject, whose, for_a_child)),
            whose,
            warning,
            frozenset(line for _, line in harmful),
            frozenset(words.item for event, _ in harmful if (words := getattr(event, "words", None)))
            | {item.id for item in items if silent and item.kind in (AUDIT, NEAR_MISS)},
        )
        for item in items:
            _look_at(page, case, subject, item)
        for _, line in log:
            page.look(line)
            if line in page.lines_kept:
                page.withhold(line, TELLS_THEM)
        page.withhold(of_others, WHAT)
        page.numbers = await numbered(connection, store, reference, subject, page.found)
    reaching = [str(value) for item in every for label, value in _lines(_fields(item) or {}) if label.endswith(SAID_OF_IT)]
    return _answer(page, case, subject, items, log, list(dict.fromkeys(reaching)), of_others)


def _values(
    every: Iterable[PlainItem], subject: str, whose: Mapping[str, str], for_a_child: bool
) -> tuple[list[Value], list[Value]]:
    """What is stored as other people's, and what is stored as the subject's own. Whoever asks for a child may be whom the family
    is to be kept safe from: by what it is found, though it is the child's own, is then as another person's."""
    kept = [item for item in every if item.kind in LEFT_OUT]
    own = [value for item in kept if _is_own(item, subject) for value in values_of(_fields(item) or {}, subject)]
    others = [value for item in kept if not _is_own(item, subject) for value in values_of(_fields(item) or {}, whose[item.id])]
    if for_a_child:
        theirs = f"{subject} themselves, on a case with a safe-contact warning"
        others += [Value(theirs, value.field, value.text) for value in own if locates(value.field)]
    return others, own


def _is_own(item: PlainItem, subject: str) -> bool:
    return item.kind == "subject" and item.subject == subject


def _labels(items: Iterable[PlainItem], superseded: Mapping[str, str]) -> dict[str, str]:
    """Whose each item is, as an officer reads it, by its id. One that puts another one right is of the same person."""
    count: dict[str, int] = {}
    labels: dict[str, str] = {}
    before = {new: old for old, new in superseded.items()}
    first_ones = sorted(items, key=lambda item: item.id in before)
    for item in first_ones:
        if item.id not in before:
            count[item.kind] = count.get(item.kind, 0) + 1
            labels[item.id] = item.subject or f"{WHOSE.get(item.kind, item.kind)} {count[item.kind]}"
    for item in first_ones:
        first = item.id
        while first in before:
            first = before[first]
        labels.setdefault(item.id, labels[first])
    return labels


def _warning(linked: Iterable[Case]) -> str:
    markers = {marker for case in linked for marker in case.referral.warnings}
    if any(case.referral.consent.safe_contact_warning for case in linked):
        markers.add(WARNINGS[0])
    return ". ".join(sentence(marker) for marker in WARNINGS if marker in markers)


def values_of(fields: Mapping[str, Any], whose: str) -> Iterator[Value]:
    """What is stored of a person, field by field, but for codes: those tell nobody from anybody."""
    for label, value in _lines(fields):
        name = label.rpartition(": ")[2].replace(" ", "_")
        text = str(value)
        if isinstance(value, bool) or name in NOT_OF_SOMEBODY or text in _KNOWN_WORDS.get(name, ()):
            continue
        if name in CODED and codes.known(CODED[name], text):
            continue
        yield Value(whose, label, text)


def _look_at(page: _Page, case: Case, subject: str, item: PlainItem) -> None:
    reason = _reason(case, subject, item)
    if reason is None:
        page.look(_words(item))
        if item.id in page.items_kept:
            page.withhold(_words(item), TELLS_THEM)
    elif item.kind in LEFT_OUT:
        for value in values_of(_fields(item) or {}, page.whose[item.id]):
            page.withhold(value.text, f"{value.field} of {value.whose}")


def _answer(
    page: _Page,
    case: Case,
    subject: str,
    items: list[PlainItem],
    log: list[tuple[str, str]],
    reaching: list[str],
    of_others: str,
) -> Answer:
    shown, left_out = [], []
    if (apart := page.numbers[_same(of_others)]).released:
        shown.append({"kind": WHAT, "at": "until now", "text": of_others})
    else:
        left_out.append({"kind": WHAT, "at": "until now", "why": WHY, "numbers": [apart.number]})
    for item in items:
        own_words = item.kind in AGENCIES_OWN and item.subject
        line = {"kind": "a child's own words" if own_words else _what(case.referral, item), "at": dated(item.at)}
        if reason := _reason(case, subject, item):
            values = list(values_of(_fields(item) or {}, page.whose[item.id])) if item.kind in LEFT_OUT else []
            if released := [text for value in values if (text := page.field(value.field, value.text))]:
                shown.append({**line, "text": "\n".join(released)})
            kept = sorted({n.number for value in values if not (n := page.numbers[_same(value.text)]).released})
            if kept or not released:
                left_out.append({**line, "why": reason, "numbers": kept})
        elif item.id in page.items_kept and not (of := page.numbers[_same(_words(item))]).released:
            left_out.append({**line, "why": NOT_YET, "numbers": [of.number]})
        else:
            shown.append({**line, "text": page.written(_words(item))})
    withheld = [(number, text, page.places[text]) for text, number in page.numbers.items()]
    withheld.sort(key=lambda each: each[0].number)
    known = {
        "reference": case.reference,
        "subject": subject,
        "shown": shown,
        "left_out": left_out,
        "log": [(at, page.line(line)) for at, line in log],
        "withheld": [number.number for number, _, _ in withheld if not number.released and number != apart],
        "warning": page.warning,
        "blacked_out": BLACKED_OUT,
    }
    text = (
        Environment(loader=FileSystemLoader(Path(__file__).parent), autoescape=True)
        .get_template("access_request.html")
        .render(known)
    )
    return Answer(text, len(left_out), withheld, page.warning, reaching)


def _what(referral: Referral, item: PlainItem) -> str:
    """What an item is; and that it was put right since, or was entered in error."""
    what = item.kind.replace("_", " ")
    if item.id in referral.superseded:
        return f"{what}, as it was before it was corrected"
    return what if referral.stands(item.id, item.subject) else f"{what}, entered in error and removed"


def _reason(case: Case, subject: str, item: PlainItem) -> str | None:
    if item.kind in (*AGENCIES_OWN, REDACTED) and item.subject not in (None, subject):
        return LEFT_OUT["subject"]  # a sibling's own words
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
    if isinstance(event, SubjectsConcluded | ReferralLinked | ReferralSplit) and event.subjects and subject not in event.subjects:
        return ""
    for name in BY_SUBJECT:
        if each := getattr(event, name, None):
            event = event.model_copy(update={name: {sid: said for sid, said in each.items() if sid == subject}})
    if isinstance(event, ReferrerCorrected):
        event = event.model_copy(update={"fields": (), "referrer_reachable": True, "not_heard": False})
    facts = facts_of(event, profile, without=ABOUT_THE_REFERRER | WHO_AGREED)
    return f"{named(event)}{': ' if facts else ''}{facts}"


def _tells_the_family(recorded: Recorded, line: str, *, silent: bool) -> bool:
    """Whether what happened tells the family that, or why, they are not told; and while they are not, what is looked into."""
    match recorded.event:
        case SharingBasisRecorded() as basis:
            return basis.not_informed in TELLING_HARMS or silent
        case MarkerRecorded(marker=marker):
            return marker == NOT_TO_TELL
    return silent and bool(PROTECTING.search(line))


def _fields(item: PlainItem) -> dict[str, Any] | None:
    try:
        fields = json.loads(item.content)
    except ValueError:
        return None
    return fields if isinstance(fields, dict) else None


def _words(item: PlainItem) -> str:
    """An item as text: what is kept as fields, a line each."""
    fields = _fields(item)
    return item.content.decode() if fields is None else "\n".join(f"{name}: {value}" for name, value in _lines(fields))


def _lines(fields: object, label: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(fields, dict):
        for name, value in fields.items():
            yield from _lines(value, f"{label}: {name.replace('_', ' ')}" if label else name.replace("_", " "))
    elif isinstance(fields, list):
        for each in fields:
            yield from _lines(each, label)
    elif fields not in (None, ""):
        yield label, fields


def _same(text: str) -> str:
    """A text as it is told from others: composed, and with single blanks."""
    return " ".join(unicodedata.normalize("NFC", text).split())
