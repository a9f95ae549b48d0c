"""What everybody was told last of a case, read from the words of the messages alone; and what of it the case contradicts."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from mash.notifications.notices import REFERRER, NoticeDraft, Over, notices_for, over_for
from mash.notifications.notices.occasion import subject_of
from mash.notifications.wording import UNADDRESSED, Message, message_for, outcome_texts
from mash.states.accumulation import add_up
from mash.states.clocks import local
from mash.states.profile import Profile
from mash.states.referral import Clock, Referral
from mash.states.values import Actor

WARNED_OF = {
    "safe_contact": "o not contact the family",
    "do_not_write": "hoever referred must not be written to",
    "do_not_tell_family": "o not tell the family: they must not learn",
    "staff_safety": "taff-safety warning",
}
"""How a message warns of what a case is marked with."""
NO_LONGER = {
    "safe_contact": "how the family may be contacted safely",
    "do_not_write": "writing to whoever referred",
    "staff_safety": "the safety of whoever visits",
    "do_not_tell_family": "the family, who must not be told",
}
"""How a message says that a warning is over."""
HEAD = re.compile(r"^\S+: (?P<rating>[^,:]+), at [^.]+\.", re.MULTILINE)
DUE = re.compile(r"\(due (?P<at>\w{3} \d\d \w{3} \d\d:\d\d)\)")
NOW_DUE = re.compile(r"^(?P<what>[^:\n]+): due (?P<at>\w{3} \d\d \w{3} \d\d:\d\d) now", re.MULTILINE)
REMINDED = re.compile(r"^\S+: (?P<what>.+?) (?:due in )?\d+ (?:h \d+ )?min.*$")
MEETING = re.compile(r"The meeting is on (?P<when>\w{3} \d\d \w{3} \d\d:\d\d), (?P<mode>[\w -]+)\.")
DISCUSSION = re.compile(r"The strategy discussion is on (?P<when>\w{3} \d\d \w{3} \d\d:\d\d), (?P<mode>[\w -]+)\.")
OFFERED = re.compile(r"(?:Offered|It is offered) to (?P<whom>[^:,]+)(?:: [^:]+?)?(?:: accept it|, for you to accept)")
TAKEN_BACK = re.compile(r"It was offered to (?P<whom>[^:]+?)(?:: [^:]+)?, and is not any more")
TO_DO = re.compile(r"that you do something.*\((?P<action>A\d+)\)")
NOT_TO_DO = re.compile(r"You were to do something \((?P<action>A\d+)\)")
TAKEN_OVER = re.compile(r"It was allocated to (?P<worker>\S+), and is allocated to somebody else now")
ALLOCATED = re.compile(r"It is allocated to (?P<worker>\S+), [^.]+\. If you")
TOLD = re.compile(r"^Your referral \S+ to .+?: (?P<said>.+)$", re.MULTILINE)
TELL = {
    "acknowledgement": "that the referral has arrived",
    "outcome": "what became of it",
    "disagreement": "what was determined of their disagreement",
    "withdrawal": "that what they were told no longer holds",
}
"""What somebody is asked to tell whoever referred, as the message says it."""
WAITS = {"acknowledgement": "acknowledgement", "outcome_told": "outcome", "withdrawal_told": "withdrawal"}
"""By kind of clock: what whoever referred waits to hear."""
ACTED_ON = "it has been received and is being acted on"
"""What holds of a referral as long as it is open."""
NEVER = datetime.min.replace(tzinfo=UTC)
MUST = {
    "place_assigned": "waits for a rating",
    "decision_proposed": "needs your agreement|look at this case",
    "sign_off_refused": "was not signed off",
    "referral_split": "part continues as",
    "withdrawal_proposed": "waits for your sign-off",
    "withdrawal_refused": "the decision stands",
    "decision_withdrawn": "the decision is withdrawn",
    "disagreement_raised": "a disagreement for you to settle",
    "disagreement_taken_further": "a disagreement for you to settle",
    "glass_broken": "opened in an emergency",
    "coming_of_age_said": "is 18 now|turns 18",
    "contact_added": "look at this case",
    "contact_taken_back": "look at this case",
    "hand_over_offered": "for you to accept or return|is to take this case over|is to be told of this case",
    "hand_over_called_off": "not offered any more",
    "linked_case_stepped_up": "a linked case was stepped up",
    "override_proposed": "waits for a second person to countersign",
    "answer_taken_down": "please confirm what you told us",
    "case_allocated": "you have this case now",
    "case_given_back": "nobody has this case now",
    "protection_order_recorded": "A child is protected by",
}
"""By the kind of event: what somebody must read at once."""


@dataclass
class Heard:
    """What somebody would answer who was asked about a case."""

    rating: str | None = None
    warnings: frozenset[str] = frozenset()
    due: dict[str, str] = field(default_factory=dict)
    late: dict[str, str] = field(default_factory=dict)
    """What they were alerted to, and not told is over: 'late', or 'taken' by somebody."""
    asked: datetime | None = None
    """When they were last asked for a reply; None where they never were, or it is not wanted any more."""
    people: Any = None
    """Who it was about when they last heard that they are to look at that."""
    meeting: tuple[str, str] | None = None
    discussion: datetime | None = None
    scheduled: tuple[str, str] | None = None
    offers: set[str] = field(default_factory=set)
    to_do: set[str] = field(default_factory=set)
    worker: str | None = None
    claim: str | None = None
    """What they were told has become of their referral."""


def people(case: Referral) -> tuple[dict[str, str], tuple[str, ...], int]:
    """Who a case is about, as far as somebody who looked would see another case."""
    return {sid: subject.cohort for sid, subject in case.subjects.items()}, case.removed, case.put_right


def others(seen: tuple[dict[str, str], tuple[str, ...], int], case: Referral) -> bool:
    """Whether a case is about others than somebody saw; whoever goes on elsewhere is asked about there too."""
    there, removed, put_right = seen
    left = {sid: cohort for sid, cohort in there.items() if sid not in case.left}
    return (left, removed, put_right) != people(case)


def undiscussed(case: Referral) -> bool:
    """Whether a section 47 was decided, and the strategy discussion is still to be held."""
    enquired = case.came_from in ("enquiries", "conference")
    return case.open and case.stage == "strategy_discussion" and not enquired and "section_47" in case.outcomes.values()


def meets(case: Referral) -> bool:
    """Whether a meeting is ahead."""
    waits = ("triage", "agency_checks", "mash_meeting")
    on = case.stage in waits or (case.stage == "strategy_discussion" and case.came_from in waits)
    return case.meeting_at is not None and not case.meeting_held and on


class Hearing:
    """Everybody who is told of the cases of a hub. What `without` names is not sent: so is shown that it is missed."""

    def __init__(
        self, profile: Profile, without: Callable[[NoticeDraft | Over], NoticeDraft | Over | None] = lambda n: n
    ) -> None:
        self.profile, self.without = profile, without
        self.heard: dict[tuple[str, str], Heard] = defaultdict(Heard)
        self.alerted: dict[tuple[str, str], set[str]] = defaultdict(set)
        self.on_the_way: dict[tuple[str, str], str] = {}
        self.by_person: dict[tuple[str, str], datetime] = {}
        """When somebody was last asked to tell whoever referred something."""
        self.missed: list[str] = []
        self.messages: list[tuple[str, Message]] = []
        """All that was sent, and to which role."""

    @property
    def step_down(self) -> str:
        """As the edition of the guidance calls it."""
        return self.profile.edition.words.get("step_down", "step-down")

    def seat(self, role: str) -> str:
        """Whoever is on duty knows what was left for them, by day and by night."""
        first, night = self.profile.ladder[0].role, self.profile.out_of_hours.role
        return first if role == night else role

    def happened(
        self, reference: str, before: Referral | None, after: Referral, events: Sequence[Any], by: Actor, now: datetime
    ) -> None:
        """Something was done to a case, and whoever is to hear of it does."""
        self.acts = by
        if before is not None:
            self._whoever_acts_knows(reference, after, by, now)
        said: list[tuple[str, str]] = []
        for draft in notices_for(reference, before, after, list(events), self.profile, by, now):
            if sent := self.without(draft):
                self._sent(sent, sent.role, after, now, said)
        for over in over_for(reference, after, list(events), self.profile, by):
            if sent := self.without(over):
                for role in sorted(self.alerted[reference, over.clock]):
                    self._sent(sent, role, after, now, said)
        self.missed += [
            f"{reference}: {miss}" for event in events for miss in self._misses(reference, event, before, after, said, by)
        ]
        for event in events:
            self._reached(reference, event, after)
            for heard in [heard for (of, _), heard in self.heard.items() if of == reference]:
                if event.kind in ("hand_over_returned", "hand_over_accepted") and event.words:  # they said so themselves
                    heard.offers.discard(self.profile.destinations[event.destination].title.lower())
                elif event.kind == "strategy_discussion_held":  # it has taken place, whatever becomes of it
                    heard.discussion = heard.scheduled = None

    def _whoever_acts_knows(self, reference: str, after: Referral, by: Actor, now: datetime) -> None:
        agency = self.profile.agencies.get(by.agency)
        for role in {by.role, *((agency.role,) if agency else ())}:
            if heard := self.heard.get((reference, self.seat(role))):
                self._knows(heard, role, after, now)

    def _knows(self, heard: Heard, role: str, after: Referral, now: datetime) -> None:
        heard.rating, heard.warnings = after.rating or "unrated", frozenset(WARNED_OF) & frozenset(after.warnings)
        heard.people = people(after)
        seat = self.seat(role)
        theirs = (clock for clock in after.running if clock.kind != "check" or self.seat(clock.owner) == seat)
        heard.due = {what: local(clock.due_at) for clock in theirs if (what := self.what(clock)) in heard.due}
        heard.asked = now if heard.asked else None
        comes = heard.meeting or seat in map(self.seat, self.to_come(after))
        heard.meeting = (self.when(after), self.mode(after)) if comes and meets(after) else None
        called = heard.discussion or seat in map(self.seat, self.needed(after))
        heard.discussion = now if called and after.stage == "strategy_discussion" else None
        heard.scheduled = self.scheduled(after) if called else None
        heard.offers &= self.offered(seat, after)
        heard.to_do &= {*self.to_do(seat, after)}
        heard.worker = after.worker.login if after.worker and heard.worker else None

    def _sent(self, sent: NoticeDraft | Over, role: str, after: Referral, now: datetime, said: list[tuple[str, str]]) -> None:
        reference = str(sent.reference)
        message = message_for(sent.kind, reference, sent.facts, now, "https://hub.example", **UNADDRESSED)
        self.messages.append((role, message))
        text = "\n".join((message.title, *message.lines))
        said.append((role, text))
        if role == REFERRER:
            self.on_the_way[reference, _matter(text)] = text
            return
        if isinstance(sent, NoticeDraft) and sent.clock:
            self.alerted[reference, sent.clock].add(role)
        if "tell the referrer yourself" in message.title:
            self.by_person[reference, next(matter for matter, words in TELL.items() if words in text)] = now
        self._hears(self.heard[reference, self.seat(role)], message, text, after, now)

    def _hears(self, heard: Heard, message: Message, text: str, after: Referral, now: datetime) -> None:
        title = message.title.split(": ", 1)[-1]
        for marker, about in NO_LONGER.items():
            if f"The warning about {about} does not hold any more" in text and marker in after.warnings:
                self.missed.append(f"it is said that the warning {marker} is over, and it holds")
        if head := HEAD.search("\n".join(message.lines)):
            heard.rating = head["rating"]
            heard.warnings = frozenset(marker for marker, words in WARNED_OF.items() if words in text)
        if message.title.startswith("LATE: "):
            heard.late[message.title.split(", ", 1)[1]] = "late"
        elif message.title.startswith("IMMEDIATE DANGER"):
            heard.late["danger"] = "late"
        elif message.title.startswith("OVER: "):
            over = message.title.split(", ", 1)[1]
            heard.late.pop(over, None)
            heard.late.pop("danger", None)
            heard.due.pop("reply" if over.startswith("reply of") else over, None)
        elif title.startswith("acknowledged ("):
            heard.late = dict.fromkeys(heard.late, "taken")
        elif reminded := REMINDED.match(message.title):
            heard.due[reminded["what"]] = self._due(text)
        if "please answer a check" in title or "your reply is" in title:
            heard.due["reply"] = self._due(text)
        if "please answer a check" in title:
            heard.asked, heard.people = now, people(after)
        for moved in NOW_DUE.finditer(text):
            what = moved["what"][0].lower() + moved["what"][1:]
            heard.due["reply" if what.startswith("reply of") and "reply" in heard.due else what] = moved["at"]
        if "hub goes on without it" in text:
            heard.asked = None
        if any(put in text for put in ("Somebody was added", "had been entered in error", "was put right since")):
            heard.people = people(after)
        if meeting := MEETING.search(text):
            heard.meeting = (meeting["when"], meeting["mode"])
        if "the MASH meeting" in title and "does not take place" in title:
            heard.meeting = None
        if "strategy discussion is called" in title:
            heard.discussion = now
        if "strategy discussion, which does not take place" in text:
            heard.discussion = None
        if "takes place without you" in text and "strategy discussion" in text:
            heard.discussion = heard.scheduled = None
        if "takes place without you" in text and "MASH meeting" in title:
            heard.meeting = None
        if scheduled := DISCUSSION.search(text):
            heard.scheduled, heard.discussion = (scheduled["when"], scheduled["mode"]), now
        if "the strategy discussion" in title and "does not take place" in title:
            heard.scheduled = None
        if "no longer holds: its decision was withdrawn" in text:
            heard.discussion = heard.scheduled = None
            heard.offers -= self.services
        if offered := OFFERED.search(text):
            heard.offers.add(offered["whom"].lower())
        if taken_back := TAKEN_BACK.search(text):
            heard.offers.discard(taken_back["whom"].lower())
        if "offered to you, and is not any more" in text:
            heard.offers -= self.services
        if to_do := TO_DO.search(text):
            heard.to_do.add(to_do["action"])
        heard.to_do -= {*NOT_TO_DO.findall(text)}
        if allocated := ALLOCATED.search(text):
            heard.worker = allocated["worker"]
        if (over := TAKEN_OVER.search(text)) and over["worker"] == heard.worker:
            heard.worker = None

    @staticmethod
    def _due(text: str) -> str:
        found = DUE.search(text)
        return found["at"] if found else ""

    def _reached(self, reference: str, event: Any, after: Referral) -> None:
        """What was on its way to whoever referred has reached them."""
        heard = self.heard[reference, REFERRER]
        if event.kind == "referrer_told":
            text = self.on_the_way.pop((reference, event.what), "")
            told = TOLD.search(text)
            if event.what == "outcome":
                heard.claim = told["said"].rstrip(".") if told else None
            elif event.what == "withdrawal" and (not text or "no longer holds" in text):
                heard.claim = None
        elif event.kind == "referrer_corrected" and event.not_heard:  # it was somebody else who read it
            heard.claim = None
        elif event.kind == "referrer_informed":
            if event.what == "outcome" and event.how != "not_reached":
                heard.claim = None if after.of_public else self.outcome(after)
            elif event.what == "withdrawal":
                heard.claim = None

    def _misses(
        self, reference: str, event: Any, before: Referral | None, after: Referral, said: list[tuple[str, str]], by: Actor
    ) -> Iterator[str]:
        """What somebody had to read at once, and nobody did. Whoever acts knows what they have done."""

        def read(pattern: str, *roles: str) -> bool:
            return any(re.search(pattern, text) for role, text in said if not roles or self.seat(role) in map(self.seat, roles))

        kind, manager = event.kind, self.profile.ladder[0].role
        first = before is None or before.stage == "consultation"
        if (pattern := MUST.get(kind)) and not (kind == "place_assigned" and after.stage != "triage") and not read(pattern):
            yield f"{kind}, and nobody reads '{pattern}'"
        elif kind == "case_allocated" and before and before.worker and not read("somebody else has this case now"):
            yield "somebody else has the case, and whoever had it does not know"
        elif (
            kind == "presence_said" and event.presence != "there" and not read("whoever has this case (is absent|does not work)")
        ):
            yield "whoever has the case is away, and nobody knows"
        elif kind == "stage_entered" and event.stage == "consultation" and not read("someone asks for advice"):
            yield "advice is asked for, and nobody knows"
        elif kind == "stage_entered" and event.stage == "triage" and first and not read("waits for a rating|IMMEDIATE DANGER"):
            yield "it waits for a rating, and nobody knows"
        elif (
            kind == "stage_entered"
            and event.stage == "to_confirm_not_ours"
            and before is None
            and not read("perhaps not for this")
        ):
            yield "it is perhaps not the hub's, and nobody is to confirm it"
        elif kind == "second_named" and event.agreement != "signed_in" and not read("waits for a second person to countersign"):
            yield "a second person is to countersign, and nobody knows"
        elif kind == "countersigned" and not event.agreed and not read("a second person does not agree"):
            yield "a second person does not agree, and nobody knows"
        elif kind == "protection_order_ended" and not (self.seat(self.acts.role) == manager or read("is not protected by")):
            yield "a child is not protected by an order any more, and nobody knows"
        elif kind == "hand_over_returned" and not read("does not take it" if event.words else "accepted in time"):
            yield "what was handed over comes back, and nobody knows"
        elif kind == "strategy_discussion_held" and self._roles(*event.missing) and not read("was held without you"):
            yield "a strategy discussion was held without somebody who does not know"
        elif kind == "presence_said" and event.presence != "there" and not read("whoever has this case"):
            yield "whoever has the case is away, and nobody knows"
        elif (
            kind == "case_allocated"
            and before
            and before.worker
            and not read("somebody else has this case now", before.worker.role)
        ):
            yield "whoever had the case is not told that somebody else has it"
        elif kind in ("meeting_convened", "strategy_discussion_scheduled", "meeting_cancelled"):
            named = set(event.invited) - {*self.profile.agencies, *self.profile.invited}
            ring = named | {
                n for n in event.invited if n in self.profile.invited and self.profile.invited[n].role == "by telephone"
            }
            if ring and not read("please ring whoever"):
                yield f"{sorted(ring)} are to be rung, and nobody knows"
        elif kind == "step_down_returned" and not read(
            self.step_down + " was returned" if event.words else "no service accepted"
        ):
            yield "the step-down has come back, and nobody knows"
        elif kind == "clock_warned" and not read(r"min \(due|due in|min late", event.role):
            yield f"{event.role} is not reminded of {event.id}"
        elif kind == "clock_escalated" and not read("^LATE|^IMMEDIATE", event.role):
            yield f"{event.role} is not alerted to {event.id}"
        elif kind == "alert_acknowledged" and not all(
            read(r"acknowledged \(", role) for role in self.alerted[reference, event.id]
        ):
            yield f"{event.id} was acknowledged, and not everybody who was alerted knows"
        elif kind == "disagreement_settled":
            dispute = after.disagreements[event.id]
            if event.outcome == "changed" and not read("a disagreement has changed the"):
                yield "a disagreement has changed something, and nobody knows"
            asked = dispute.by_role == REFERRER and (after.referrer_reachable or after.by_person)
            partner = dispute.by_role != REFERRER and dispute.agency in self.profile.agencies
            if (asked or partner) and not read("disagreement has been settled|determined of their disagreement"):
                yield "whoever disagreed is not told"
        elif kind == "likely_known" and before and before.looked:
            rule = self.profile.accumulation
            if add_up(after, rule) and not add_up(before, rule) and not read("look at this case"):
                yield "contacts add up, and nobody is called"
        elif kind in ("marker_recorded", "sharing_basis_recorded"):
            yield from self._told_not_to_tell(before, after, read)
        elif kind == "clocks_started":
            for clock in event.clocks:
                owing = clock.kind == "disclosure" and clock.owner != by.role
                if owing and not read("disclose what you hold", clock.owner):
                    yield f"{clock.owner} owes a disclosure, and does not know"
                yield from self._referrer_misses(clock, after, read)

    def _told_not_to_tell(self, before: Referral | None, after: Referral, read: Callable[..., bool]) -> Iterator[str]:
        silent = "do_not_tell_family"
        if before is None or silent in before.warnings or silent not in after.warnings or after.of_public:
            return
        if after.by_person and not read("ask the referrer not to tell the family"):
            yield "nobody is asked to ring the referrer, who may tell the family"
        elif after.referrer_reachable and not after.by_person and not read("please do not tell the family", REFERRER):
            yield "the referrer may tell the family"

    def _referrer_misses(self, clock: Clock, after: Referral, read: Callable[..., bool]) -> Iterator[str]:
        written = {
            "acknowledgement": "was received|Your contact",
            "outcome_told": "The outcome of your referral|Thank you",
            "withdrawal_told": "no longer holds",
        }
        if clock.kind not in written:
            return
        if after.by_person:
            if not read("tell the referrer yourself"):
                yield f"{clock.kind}: nobody is asked to tell the referrer"
        elif not read(written[clock.kind], REFERRER):
            yield f"{clock.kind}: nothing goes to the referrer"

    def what(self, clock: Clock) -> str:
        """What a clock waits for, as messages say it."""
        return "reply" if clock.kind == "check" else subject_of(clock, self.profile)

    def when(self, case: Referral) -> str:
        return local(case.meeting_at) if case.meeting_at else ""

    def mode(self, case: Referral) -> str:
        return case.meeting_mode.replace("_", " ")

    def to_come(self, case: Referral) -> set[str]:
        """Who is to come to a meeting: whoever was asked or has to be there, and the chair."""
        meeting, unborn = self.profile.meeting, ("midwife",) if "unborn" in case.cohorts else ()
        return {meeting.chair, *self._roles(*case.checks, *meeting.quorum, *meeting.invites, *case.meeting_invited, *unborn)}

    def needed(self, case: Referral) -> set[str]:
        """Who is to come to a strategy discussion."""
        rule, unborn = self.profile.strategy_discussion, ("midwife",) if "unborn" in case.cohorts else ()
        return self._roles(*rule.quorum, *rule.invites, *case.discussion_invited, *unborn)

    def _roles(self, *names: str) -> set[str]:
        """The roles of agencies, and of others whom one can write to."""
        whose: dict[str, Any] = {**self.profile.invited, **self.profile.agencies}
        return {whose[name].role for name in names if name in whose and whose[name].role != "by telephone"}

    @property
    def services(self) -> set[str]:
        return {service.title.lower() for service in self.profile.services.values()}

    def offered(self, seat: str, case: Referral) -> set[str]:
        """As whom somebody is to answer an offer: the titles."""
        offers = {}
        if case.stage == "step_down_offered" and case.service in self.profile.services:
            service = self.profile.services[case.service or ""]
            offers[service.title] = service.role
        for each in case.hand_overs.values():
            destination = self.profile.destinations.get(each.destination)
            if each.result is None and destination and destination.role:
                offers[destination.title] = destination.role
        return {title.lower() for title, role in offers.items() if self.seat(role) == seat}

    def to_do(self, seat: str, case: Referral) -> list[str]:
        """What somebody is to do by what was agreed."""
        waits = (k for k in case.running if k.kind == "action")
        return [k.whose for k in waits if self.seat(k.owner) == seat]

    def scheduled(self, case: Referral) -> tuple[str, str] | None:
        """When and how a strategy discussion is to be held."""
        if case.stage != "strategy_discussion" or case.discussion_at is None:
            return None
        return local(case.discussion_at), str(case.discussion_mode).replace("_", " ")

    def outcome(self, case: Referral) -> str:
        """What has become of it, in words."""
        if case.stage == "not_taken":
            return self.profile.signpost.rstrip(".")
        texts, said = outcome_texts(self.profile), set()
        for sid in case.subjects.keys() & case.outcomes.keys():
            decided, ended = case.outcomes[sid], case.subjects[sid].outcome
            under_way = {"section_47": "(section 47)", "section_17": "(section 17)", "adult_section_42": "(section 42)"}
            at = case.came_from if case.stage == "strategy_discussion" else case.stage
            gone_on = decided == "section_47" and at not in ("enquiries", "conference") and not undiscussed(case)
            gone_on |= decided == "section_17" and at in ("step_down_preparing", "step_down_offered", "transfer_offered")
            if ended is None and decided == "section_47" and undiscussed(case):
                said.add("being_acted_on")
            elif ended in ("early_help", "no_further_action", "transfer") or (ended and decided not in under_way):
                said.add(ended)
            elif ended or gone_on:
                said.add(f"{decided}_concluded")
            else:
                said.add(decided)
        return "; ".join(texts[code] for code in sorted(said))

    def _outside(self) -> list[str]:
        """Every role that may be asked for something."""
        p = self.profile
        whose: tuple[Any, ...] = (*p.agencies.values(), *p.services.values(), *p.invited.values(), *p.destinations.values())
        return sorted({each.role for each in whose if each.role} | {rung.role for rung in p.ladder})

    def contradictions(self, reference: str, case: Referral, now: datetime) -> list[str]:
        """What people were told last that is not so, and what they should know and were not told."""
        if case.erased:
            return []
        found = [*self.missed]
        for (of, seat), heard in sorted(self.heard.items()):
            if of == reference and seat != REFERRER:
                found += [f"{reference}: {seat} {wrong}" for wrong in self._of_seat(seat, heard, case, now)]
        found += [f"{reference}: {wrong}" for wrong in self._not_told(reference, case)]
        found += [f"{reference}: the referrer {wrong}" for wrong in self._of_referrer(reference, case)]
        return found

    def _of_seat(self, seat: str, heard: Heard, case: Referral, now: datetime) -> Iterator[str]:
        agencies = [name for name, agency in self.profile.agencies.items() if self.seat(agency.role) == seat]
        asked = [case.checks[name] for name in agencies if name in case.checks]
        running = {self.what(clock): clock for clock in case.running if self.seat(clock.owner) == seat}
        known = {what: at for what, at in heard.due.items() if what in running}
        rungs = {self.what(clock) for clock in case.running if clock.rung >= 0}
        called = heard.discussion is not None and case.stage == "strategy_discussion"
        involved = case.open and (
            asked or (heard.meeting and meets(case)) or called or heard.offers or heard.worker or known or heard.late
        )
        if involved and heard.rating is not None:
            if heard.rating != (case.rating or "unrated"):
                yield f"was told {heard.rating}, and it is {case.rating}"
            if heard.warnings != frozenset(WARNED_OF) & frozenset(case.warnings):
                yield f"was warned of {sorted(heard.warnings)}, and the case of {case.warnings}"
        for what, at in known.items():
            dues = {local(clock.due_at) for clock in case.running if self.what(clock) == what and self.seat(clock.owner) == seat}
            if at not in dues:
                yield f"was told that {what} is due {at}, and it is {sorted(dues)}"
        if asked and case.open and heard.people is not None and others(heard.people, case):
            yield f"was asked about {heard.people}, and it is about {people(case)}"
        if heard.asked and asked and not any(check.outstanding or check.answered_at for check in asked):
            yield "was asked for a reply that nobody waits for"
        if heard.meeting and not case.meeting_held and (not meets(case) or heard.meeting != (self.when(case), self.mode(case))):
            yield f"was invited for {heard.meeting}, and it is {self.when(case) if meets(case) else 'not to be held'}"
        held = case.strategy_held_at is not None and heard.discussion is not None and case.strategy_held_at >= heard.discussion
        if heard.discussion and case.stage != "strategy_discussion" and not held:
            yield "was called to a strategy discussion that does not take place"
        if gone := heard.offers - self.offered(seat, case) if case.open else set():
            yield f"was offered {sorted(gone)}, and is not any more"
        if heard.scheduled and not held and heard.scheduled != self.scheduled(case):
            yield f"was called to a strategy discussion {heard.scheduled}, and it is {self.scheduled(case)}"
        done = {name for name, action in case.actions.items() if action.outcome == "done"}
        if gone := heard.to_do - done - {*self.to_do(seat, case)} if case.open else set():
            yield f"was to do {sorted(gone)}, which nobody waits for"
        if heard.worker and case.open and heard.worker != (case.worker.login if case.worker else None):
            yield f"was told that {heard.worker} has it, and {case.worker} has"
        running_late = {self.what(k) for k in case.running if k.due_at <= now}
        early = {self.what(k) for k in case.running if k.kind != "check" and k.due_at > now} - running_late
        if wrong := {what for what, alert in heard.late.items() if alert == "late"} & early:
            yield f"was told that {sorted(wrong)} is late, and it is not yet"
        if gone := {what for what, alert in heard.late.items() if what != "danger"} - {
            w if w != "reply" else subject_of(c, self.profile) for c in case.running if (w := self.what(c)) in rungs
        }:
            yield f"was alerted to {sorted(gone)}, which waits no more, and not told that it is over"

    def _not_told(self, reference: str, case: Referral) -> Iterator[str]:
        def of(role: str) -> Heard:
            return self.heard[reference, self.seat(role)]

        for name, check in case.checks.items():
            agency = self.profile.agencies.get(name)
            asked = of(agency.role).asked if agency else None
            if agency and check.outstanding and (asked is None or asked < check.requested_at):
                yield f"{name} owes a reply, and was not asked"
        if meets(case):
            for role in sorted(self.to_come(case)):
                if of(role).meeting != (self.when(case), self.mode(case)):
                    yield f"{role} is to come to the meeting {self.when(case)}, and was told {of(role).meeting}"
        if case.stage == "strategy_discussion":
            for role in sorted(self.needed(case)):
                if of(role).discussion is None:
                    yield f"{role} is needed in the strategy discussion, and was not called"
        for (seat, heard), role in (((self.seat(role), of(role)), role) for role in self._outside()):
            if owed := self.offered(seat, case) - heard.offers:
                yield f"{role} is to answer {sorted(owed)}, and was not offered it"
            if owed := {*self.to_do(seat, case)} - heard.to_do:
                yield f"{role} is to do {sorted(owed)}, and was not told"
            if self.scheduled(case) and role in self.needed(case) and heard.scheduled != self.scheduled(case):
                yield f"{role} is to come to the strategy discussion {self.scheduled(case)}, and was told {heard.scheduled}"
        if case.open and case.worker and of(case.worker.role).worker != case.worker.login:
            yield f"{case.worker.login} has it, and was not told"

    def _of_referrer(self, reference: str, case: Referral) -> Iterator[str]:
        waits = {clock.kind for clock in case.running}
        claim = self.heard[reference, REFERRER].claim
        if not (case.referrer_reachable or case.by_person):
            return
        if undiscussed(case) and "outcome_told" in waits:
            yield "waits to hear something of a section 47 before the strategy discussion"
        for clock in case.running:
            matter = WAITS.get(clock.kind)
            if matter and case.by_person and self.by_person.get((reference, matter), NEVER) < clock.started_at:
                yield f"waits to be told by a person: {matter}; and nobody was asked to"
            elif matter and not case.by_person and (reference, matter) not in self.on_the_way:
                yield f"waits to hear, and nothing is on its way: {matter}"
        if (
            claim
            and not waits & {"outcome_told", "withdrawal_told"}
            and claim != self.outcome(case)
            and not (claim == ACTED_ON and case.open)
            and not undiscussed(case)
        ):
            yield f"was told '{claim}', and it is '{self.outcome(case)}'"


def _matter(text: str) -> str:
    """What a message to whoever referred is about."""
    if "please do not tell the family" in text:
        return "silence"
    if "no longer holds" in text:
        return "withdrawal"
    if "The outcome of your referral" in text:
        return "outcome"
    if "was received" in text or "Your contact" in text:
        return "acknowledgement"
    return "disagreement" if "disagreement about" in text else "outcome"
