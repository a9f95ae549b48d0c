"""A hub's profile as the core sees it: intake, ratings, routes, clocks, agencies, roles, exits. The values live in config/."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import date, datetime, time
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import Field, model_serializer, model_validator

from mash.states.clocks import Calendar, Frozen, Length, Weekday, day_of

RouteStage = Literal["agency_checks", "mash_meeting", "decision", "strategy_discussion"]
Outcome = Literal[
    "section_47",
    "section_17",
    "early_help",
    "no_further_action",
    "advice",
    "information_provided",
    "adult_section_42",
    "transfer",
]
Cohort = Literal["child", "unborn", "adult", "unknown"]
ContactKind = Literal[
    "referral",
    "police_notification",
    "information_request",
    "advice",
    "early_help_assessment",
    "out_of_hours_report",
    "intervention_request",
]
Category = Literal[
    "neglect",
    "physical_abuse",
    "emotional_abuse",
    "sexual_abuse",
    "domestic_abuse",
    "missing",
    "exploitation",
    "hate_crime",
    "gangs",
    "professional_concern",
]
"""What a contact is about: the four kinds of abuse of the guidance (Working together to safeguard children, glossary), and
what hubs route by."""
PROFESSIONAL: Category = "professional_concern"
"""A concern about somebody who works with children."""
Source = Literal[
    "police",
    "education",
    "health",
    "housing",
    "local_authority",
    "adult_social_care",
    "early_help",
    "court",
    "probation",
    "voluntary",
    "individual",
    "unknown",
]
Mode = Literal["face_to_face", "telephone", "virtual"]
Lead = Literal["case", "child_protection"]
"""As what somebody has a case by name: as its lead, or, while it is about section 47, as the lead of the child's protection."""
MIDWIFE = "midwife"
"""The agency, or the part of health, that is invited where it is about an unborn child: it can be named at every hub."""
BY_TELEPHONE = "by telephone"
"""In place of a role: nobody there can be written to."""
MODES: tuple[Mode, ...] = ("face_to_face", "telephone", "virtual")


class ClockRule(Frozen):
    """One limit: how long, counted from where, whose it is, and where the rule comes from (and its edition, for guidance)."""

    length: Length
    start: Literal["receipt", "stage", "decision", "strategy_discussion"] = "stage"
    owner: str = "duty_manager"
    source: str
    edition: str = ""
    read: str = Field(
        default="",
        exclude_if=lambda read: not read,
        description="When and how its source was read; [check] where that was not in the original.",
    )


class Rating(Frozen):
    """A rating of the hub: its place in the order of urgency, its route, and its clocks."""

    title: str
    severity: int = Field(ge=0, description="Higher is more urgent; decides what counts as re-rated up.")
    route: tuple[RouteStage, ...] = Field(min_length=1)
    response: ClockRule | None = None
    covers: tuple[RouteStage, ...] = ()
    reply: ClockRule
    allocation: ClockRule | None = Field(
        default=None, exclude_if=lambda rule: rule is None, description="By when a case of this rating has a named worker."
    )
    source: str

    @model_validator(mode="after")
    def route_ends(self) -> Rating:
        """A route ends where somebody decides, and a response clock covers stages of it."""
        if self.route[-1] not in ("decision", "strategy_discussion"):
            raise ValueError("a route must end in 'decision' or 'strategy_discussion'")
        if self.response and not self.covers:
            raise ValueError("a response clock must say which stages of the route it covers")
        if missing := set(self.covers) - set(self.route):
            raise ValueError(f"covers stages that are not on the route: {', '.join(sorted(missing))}")
        return self


class Contact(Frozen):
    """What decides whether a hub takes a contact."""

    kind: str
    cohorts: frozenset[str]
    categories: frozenset[str]
    source: str
    family_known: bool | None
    at: datetime


class Intake(Frozen):
    """One sort of contact that the hub takes. What is left empty means any."""

    title: str
    kinds: tuple[ContactKind, ...] = ()
    cohorts: tuple[Cohort, ...] = ()
    categories: tuple[Category, ...] = ()
    sources: tuple[Source, ...] = ()
    unknown_families: bool = Field(default=False, description="Only about families that social care does not know already.")
    live_from: date | None = None

    def takes(self, contact: Contact) -> bool:
        """Whether a contact fits. A subject of unknown age is always seen."""
        return (
            (not self.kinds or contact.kind in self.kinds)
            and (not self.cohorts or bool(contact.cohorts & {*self.cohorts, "unknown"}))
            and (not self.categories or bool(contact.categories & set(self.categories)))
            and (not self.sources or contact.source in self.sources)
            and not (self.unknown_families and contact.family_known)
            and (self.live_from is None or day_of(contact.at) >= self.live_from)
        )


class NotOurs(Frozen):
    """How soon a person confirms that a contact is not the hub's, or takes it all the same, where it may be about a child."""

    child_within: Length = Field(
        description="Where anybody it is about counts as a child, or what is known contradicts; else the stage's own clock."
    )
    source: str


class Triage(Frozen):
    """Whether the hub has a triage stage, and which agencies decide together that a case goes on into the MASH."""

    stage: bool = True
    joint: tuple[str, ...] = ()
    low_level_only: bool = Field(default=False, description="Nothing sensitive is released while a case is at triage.")


class Consultation(Frozen):
    """Which contacts of professionals begin with a consultation, before any threshold is applied, and who is asked: a role of the
    hub's own people or of an agency."""

    kinds: tuple[ContactKind, ...] = ()
    role: str = "duty_manager"
    asks_partners: bool = Field(
        default=False,
        exclude_if=lambda asks: not asks,
        description="Agencies may be asked while it goes on, before there is a referral.",
    )


class Place(Frozen):
    """An authority within the hub, or a satellite of it. One that triages on its own names the role that does."""

    title: str
    kind: Literal["authority", "satellite"]
    virtual: bool = False
    triage_role: str | None = None


class AgencyReply(Frozen):
    """An agency's own time to reply, whatever the rating."""

    length: Length
    start: Literal["receipt", "stage"] = "stage"
    source: str


class Agency(Frozen):
    """A partner of the hub: the roles its checks and its escalations go to, and what it is asked about. Empty means any."""

    title: str
    role: str
    lead: str
    cohorts: tuple[Cohort, ...] = ()
    ratings: tuple[str, ...] = ()
    categories: tuple[Category, ...] = ()
    asked: Literal["always", "on_request"] = "always"
    presence: Literal["co_located", "virtual", "single_point_of_contact", "visiting"] | None = None
    reached_by: Literal["telephone", "secure_email", "portal"] | None = None
    reply: AgencyReply | None = None
    asks: str | None = Field(
        default=None,
        min_length=1,
        max_length=120,
        exclude_if=lambda asks: asks is None,
        description="What it is asked about a family, in a line.",
    )
    telephone: str | None = Field(
        default=None,
        pattern=r"^\+?[0-9][0-9 ]{4,19}$",
        exclude_if=lambda number: number is None,
        description="Its duty desk's telephone: whoever is alerted that it is late rings it.",
    )

    @property
    def own_reply(self) -> ClockRule | None:
        """How long it has to reply by itself; None where that goes by the rating."""
        own = self.reply
        return ClockRule(length=own.length, start=own.start, owner=self.role, source=own.source) if own else None


class Guest(Frozen):
    """Somebody who is invited though the hub does not check with them: a school, a midwife. Their invitation goes to a role; or
    somebody of the hub rings them."""

    title: str
    role: str = BY_TELEPHONE


class Sharing(Frozen):
    """What the hub wants recorded before information is asked for."""

    consent: Literal["hub_decides", "sought_unless_child_protection"] = "hub_decides"
    families_told: Literal["hub_decides", "beforehand_unless_at_risk"] = "hub_decides"


class Firewall(Frozen):
    """When agencies may release what they hold, and in which form."""

    threshold: Literal["none", "significant_harm"] = "none"
    redaction: Literal["where_needed", "always"] = "where_needed"
    glass_hours: int = Field(
        default=4, ge=1, le=72, description="For how many hours, elapsed, somebody who breaks the glass reads a case."
    )
    glass_cases: int = Field(default=3, ge=1, le=50, description="How many cases somebody reads at once by breaking the glass.")
    questions_an_hour: int = Field(
        default=10, ge=1, le=1000, description="How often one person asks the hubs beside this one about somebody, in any hour."
    )
    questions_a_day: int = Field(
        default=60, ge=1, le=10_000, description="How often all of the hub's people together ask that, in any 24 hours."
    )


class Retention(Frozen):
    """How long the people of a concluded contact are kept, and how long their erasure is announced before it is done."""

    listed_days: int = Field(default=30, ge=1, le=365, description="Days on the list of what is about to be erased.")
    years: dict[Outcome | Literal["not_taken"], int] = Field(
        min_length=1, description="Years after the contact was concluded, by outcome; of several outcomes, the longest."
    )


class Rung(Frozen):
    """A step of the ladder: a role, and how long it has to acknowledge before the next one is told."""

    role: str
    wait: Length


class Renew(Frozen):
    """How long an alert rests that somebody has taken on while its cause lasts, by the place of the case's rating: the
    most urgent one (and what is not rated), the next, the further ones. One length is for all of them."""

    first: Length
    second: Length
    further: Length

    @model_validator(mode="before")
    @classmethod
    def one_for_all(cls, value: Any) -> Any:
        """A profile of before version 0.2 has one length."""
        return {"first": value, "second": value, "further": value} if isinstance(value, str) else value

    @model_serializer
    def write(self) -> Any:
        """As it was read: one length where it is the same for all, or a stored profile would say something else by now."""
        by_place = {"first": str(self.first), "second": str(self.second), "further": str(self.further)}
        return by_place["first"] if len({*by_place.values()}) == 1 else by_place


class Meeting(Frozen):
    """How the hub's MASH meeting works: per case, or at a regular gathering."""

    chair: str
    second_rating: bool
    quorum: tuple[str, ...] = ()
    modes: tuple[Mode, ...] = MODES
    invites: tuple[str, ...] = ()
    gathering: str | None = None
    source: str


class StrategyDiscussion(Frozen):
    """Who must take part in a strategy discussion, who else is invited, how it is held, and by when it is put right that somebody
    who must take part was missing."""

    quorum: tuple[str, ...]
    modes: tuple[Mode, ...] = MODES
    invites: tuple[str, ...] = ()
    joint_or_single: bool = Field(
        default=False, description="Whether it says if social care and police enquire together, or one of them alone."
    )
    put_right: ClockRule


class Gathering(Frozen):
    """A regular meeting whose agenda is what came in since the last one. Empty ratings or categories mean any."""

    title: str
    at: time = time(10, 0)
    days: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri")
    ratings: tuple[str, ...] = ()
    categories: tuple[Category, ...] = ()
    modes: tuple[Mode, ...] = MODES

    def discusses(self, rating: str | None, categories: frozenset[str]) -> bool:
        """Whether a case belongs on its agenda."""
        return (not self.ratings or rating in self.ratings) and (not self.categories or bool(categories & set(self.categories)))


class SignOff(Frozen):
    """A decision that takes effect only when a second person agrees."""

    ratings: tuple[str, ...]
    outcomes: tuple[Outcome, ...]
    role: str


class Accumulation(Frozen):
    """From how many contacts about one child on the next one is not closed by one person without further action."""

    contacts: int = Field(ge=2, le=20, description="How many within that time add up, the one that is decided counted.")
    months: int = Field(ge=1, le=60, description="How long before it is received, in months.")
    role: str = Field(description="Who writes a second view, and signs such a decision off.")
    within: Length = Field(description="How long they have.")
    source: str


DfeNumber = Annotated[str, Field(pattern=r"^[0-9]{3}$")]
"""A number of three digits, by which the Department for Education knows a local authority."""


class Returns(Frozen):
    """Which contacts are referrals in the Children in Need census, and whose return they are in."""

    authority: DfeNumber | None = Field(
        default=None,
        description="The authority's number at the Department for Education; if not said, by its name in the hub's area.",
    )
    authorities: dict[str, DfeNumber] = Field(
        default={}, description="The same of each place of a hub of several authorities; those left out: by their name."
    )
    outcomes: tuple[Outcome, ...] = Field(
        default=("section_47", "section_17", "transfer"),
        description="Decisions by which any contact was a referral.",
    )
    after_triage: bool = Field(
        default=True,
        description="Whether a contact was one, too, whatever was decided, if agencies were asked or a meeting was held.",
    )
    never: tuple[ContactKind, ...] = Field(
        default=("information_request", "advice"),
        description="Kinds of contacts that are none, unless one of those decisions was made.",
    )


class Seconds(Frozen):
    """Who sees to it that a second person countersigns, by when, and how long an agreement given beforehand holds."""

    role: str = Field(description="Who is told that something waits for a second person.")
    by: time = Field(description="Local time on the next working morning by which it is countersigned.")
    holds: Length = Field(description="How long whoever acts may rely on an agreement that was given beforehand.")
    source: str


class Service(Frozen):
    """A service or panel that a step-down is offered to."""

    title: str
    kind: Literal["early_help", "locality", "panel", "specialist", "universal"] = "early_help"
    role: str = "early_help"
    cohorts: tuple[Cohort, ...] = ()


DestinationKind = Literal["authority", "own_team", "lado", "adults", "marac", "mappa", "channel", "nrm"]


class Destination(Frozen):
    """Whom something is handed over to, other than the services of a step-down; and who says there that they have it."""

    title: str
    kind: DestinationKind
    accepted_by: tuple[Literal["login", "telephone"], ...] = Field(
        default=("telephone",),
        min_length=1,
        description="By a login of the destination's role, or as somebody of the hub writes down: who said so, and when.",
    )
    role: str | None = Field(default=None, description="Whose login accepts; none where nobody there has one.")
    within: Length = Field(description="In which time they are to accept, from the offer on.")
    owner: str = Field(default="duty_manager", description="Who sees to it that they do.")
    outcomes: tuple[Outcome, ...] = Field(
        default=(), description="What is handed over to it by a decision: with a transfer, whoever accepts has the case."
    )
    source: str

    @property
    def takes_over(self) -> bool:
        """Whether whoever accepts has the case from then on: it ends here. Beside all others it goes on."""
        return "transfer" in self.outcomes


class Referee(Frozen):
    """A stage of settling a disagreement: the role that determines it, and how long it has."""

    role: str
    within: Length | None = None


class Disagreements(Frozen):
    """Who settles a dispute over a rating or a challenge to a decision; the last one's word is final."""

    rating: tuple[Referee, ...] = Field(min_length=1)
    decision: tuple[Referee, ...] = Field(min_length=1)


class OutOfHours(Frozen):
    """Who stands in while the hub is closed, or whether the same service goes on."""

    role: str
    service: Literal["takes_over", "same_service"] = "takes_over"


class Edition(Frozen):
    """The edition of the guidance by which a hub works: what it calls things, and what it asks for beside its limits. A case
    keeps the one that it began with."""

    name: str
    title: str
    read: str = Field(description="When and how it was read; [check] where that was not in the original.")
    words: dict[str, str] = Field(default={}, description="What codes are called by it, as within a sentence.")
    outcomes: dict[Outcome, str] = Field(default={}, description="What whoever referred is told was decided.")
    leads: dict[Lead, str] = Field(description="What whoever has a case by name is called.")
    disclosure: ClockRule | None = Field(
        default=None, description="By when an agency discloses what it holds, or says why that would be worse for the child."
    )


class Volume(Frozen):
    """How many contacts the hub states it receives."""

    contacts: int = Field(gt=0)
    per: Literal["week", "month", "year"]


class Remark(Frozen):
    """What a source states of the hub and no rule of the software expresses."""

    says: str


class Profile(Frozen):
    """Everything that differs between hubs. Two profiles with the same content have the same digest."""

    name: str
    title: str
    area: str
    whole_family: bool = Field(description="Every agency is asked, whatever the cohort of the subjects.")
    signpost: str = Field(description="What a referrer is told about a contact that this hub does not take.")
    edition: Edition
    in_danger: str = Field(description="What a referrer who reports immediate danger is told to do, before anything else.")
    raters: tuple[str, ...]
    deciders: tuple[str, ...]
    assess_first: tuple[Outcome, ...]
    warn_at: tuple[float, ...]
    chase_at: tuple[float, ...]
    agency_wait: Length
    renew: Renew
    settle_within: Length = Field(description="A referee's time to settle a disagreement, where the stage has none of its own.")
    intake: dict[str, Intake]
    not_ours: NotOurs
    consultation: Consultation
    triage: Triage
    places: dict[str, Place]
    ratings: dict[str, Rating] = Field(min_length=1)
    agencies: dict[str, Agency]
    invited: dict[str, Guest]
    sharing: Sharing
    firewall: Firewall
    retention: Retention
    meeting: Meeting
    strategy_discussion: StrategyDiscussion
    gatherings: dict[str, Gathering]
    sign_off: dict[str, SignOff]
    services: dict[str, Service]
    destinations: dict[str, Destination]
    disagreements: Disagreements
    out_of_hours: OutOfHours
    calendar: Calendar
    stages: dict[str, ClockRule]
    statutory: dict[str, ClockRule]
    ladder: tuple[Rung, ...] = Field(min_length=1)
    accumulation: Accumulation
    seconding: Seconds
    returns: Returns = Field(default=Returns(), exclude_if=lambda returns: returns == Returns())
    volume: Volume | None = None
    remarks: dict[str, Remark]

    def __repr_args__(self) -> Iterator[tuple[str, str]]:
        """A profile is shown by its name and version: whole, it would fill pages of a log."""
        yield from (("name", self.name), ("digest", self.digest[:12]))

    @model_validator(mode="after")
    def agrees_with_itself(self) -> Profile:
        """Refuse names that point nowhere, and warnings outside a clock's life."""
        for name, parts in (("warn_at", self.warn_at), ("chase_at", self.chase_at)):
            if any(not 0 < part < 1 for part in parts) or list(parts) != sorted(set(parts)):
                raise ValueError(f"{name}: expected rising parts of a clock's life, such as [0.5, 0.8]")
        return self

    @cached_property
    def digest(self) -> str:
        """The profile's version: a hash of its content."""
        return hashlib.sha256(self.canonical.encode()).hexdigest()

    @cached_property
    def canonical(self) -> str:
        """The profile as it is stored: JSON with sorted keys."""
        return json.dumps(self.model_dump(mode="json"), sort_keys=True, ensure_ascii=False)

    @property
    def decides_within(self) -> Length:
        """Within which time a manager decides on the response to a referral."""
        return self.statutory["decision"].length

    @cached_property
    def unrated(self) -> str:
        """The rating that an unrated contact counts as: the most urgent, for nobody has looked yet."""
        return max(self.ratings, key=lambda name: self.ratings[name].severity)

    def rating(self, name: str | None) -> Rating:
        """The rules of a rating, or of what an unrated contact counts as."""
        return self.ratings[name or self.unrated]

    def place(self, rating: str | None) -> int:
        """How many ratings of the hub are more urgent than this one: 0 for the most urgent, for what is not rated yet, and for
        a rating that an earlier version of the profile had."""
        if rating not in self.ratings:
            return 0
        severity = self.ratings[rating].severity
        return sum(other.severity > severity for other in self.ratings.values())

    def renews_after(self, rating: str | None) -> Length:
        """How long an alert of a case of this rating rests once somebody has taken it on."""
        return (self.renew.first, self.renew.second, self.renew.further)[min(self.place(rating), 2)]

    def had_until(self, rating: str | None, since: datetime) -> datetime:
        """Until when at the latest somebody has an alert of a case of this rating whom it is said to `since` then."""
        return self.calendar.add(since, self.renews_after(rating))

    def open_at(self, at: datetime) -> bool:
        """Whether the hub's own people are on duty: in its hours, or always where the same service goes on."""
        return self.out_of_hours.service == "same_service" or self.calendar.is_open(at)

    def on_duty(self, role: str, at: datetime) -> str:
        """Who stands in for a hub role at this instant: the out-of-hours role while the hub is closed."""
        return role if self.open_at(at) else self.out_of_hours.role

    def takes(self, contact: Contact) -> bool:
        """Whether the hub takes a contact."""
        return any(sort.takes(contact) for sort in self.intake.values())

    def consults_first(self, kind: str, source: str) -> bool:
        """Whether a contact begins with a consultation. The public consults nobody: a member of it is listened to."""
        return kind in self.consultation.kinds and source not in ("individual", "unknown")

    @cached_property
    def advises(self) -> str:
        """The role of the hub's own people that is consulted first; empty where an agency's is."""
        role = self.consultation.role
        return "" if role in {agency.role for agency in self.agencies.values()} else role

    def checks_for(self, cohorts: frozenset[str], rating: str | None, categories: frozenset[str]) -> tuple[str, ...]:
        """The agencies that have something to say about such a case, asked always or on request."""
        case = (cohorts, rating or self.unrated, categories)
        if case not in self._checks:
            self._checks[case] = tuple(name for name, agency in self.agencies.items() if self._concerns(agency, *case))
        return self._checks[case]

    @cached_property
    def _checks(self) -> dict[tuple[frozenset[str], str, frozenset[str]], tuple[str, ...]]:
        """By such cases as were asked about: they are few, and asked about at each answer."""
        return {}

    def _concerns(self, agency: Agency, cohorts: frozenset[str], rating: str, categories: frozenset[str]) -> bool:
        of_them = self.whole_family or not agency.cohorts or bool(cohorts & {*agency.cohorts, "unknown"})
        rated = not agency.ratings or rating in agency.ratings
        return of_them and rated and (not agency.categories or bool(categories & set(agency.categories)))

    def asked_always(self, agencies: tuple[str, ...]) -> tuple[str, ...]:
        """Those of the agencies that are asked without anybody asking for it."""
        if agencies not in self._always:
            self._always[agencies] = tuple(name for name in agencies if self.agencies[name].asked == "always")
        return self._always[agencies]

    @cached_property
    def _always(self) -> dict[tuple[str, ...], tuple[str, ...]]:
        """Of such agencies as were asked about: they are as few."""
        return {}

    def serving(self, outcome: str) -> tuple[str, ...]:
        """The destinations to which a decision of this outcome hands over, in the profile's order."""
        return tuple(name for name, destination in self.destinations.items() if outcome in destination.outcomes)

    def of_kind(self, kind: DestinationKind) -> tuple[str, ...]:
        """The destinations of this kind, in the profile's order."""
        return tuple(name for name, destination in self.destinations.items() if destination.kind == kind)

    def signs_off(self, rating: str | None, outcomes: Any) -> str | None:
        """The role whose agreement a decision needs; None when it takes effect at once."""
        for rule in self.sign_off.values():
            if (rating or self.unrated) in rule.ratings and set(outcomes) & set(rule.outcomes):
                return rule.role
        return None
