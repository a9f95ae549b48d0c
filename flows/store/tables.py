"""The tables. Truth is `event`; everything else can be rebuilt from it, or is personal data, or is a ledger."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Column,
    Computed,
    DateTime,
    ForeignKey,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy import Identity as Counted
from sqlalchemy.dialects import postgresql
from sqlmodel import Field, SQLModel

from mash.flows.store.number_arrays import Numbers


def moment(*, nullable: bool = False) -> Column[datetime]:
    """A column that holds an instant, UTC."""
    return Column(DateTime(timezone=True), nullable=nullable)


def number(*, primary_key: bool = False, nullable: bool = False) -> Column[int]:
    """A 64-bit whole number; counted by the database when it is the primary key."""
    return Column(BigInteger, primary_key=primary_key, nullable=nullable)


class ProfileVersion(SQLModel, table=True):
    """A profile by the hash of its content; a referral keeps the version it started with."""

    __tablename__ = "profile_version"
    digest: str = Field(primary_key=True)
    hub: str
    document: str = Field(sa_column=Column(Text, nullable=False))
    stored_at: datetime = Field(sa_column=moment())


class ReferralRow(SQLModel, table=True):
    """What boards and queues read: the folded state, and the head of the chain, so that a cut tail shows."""

    __tablename__ = "referral"
    reference: str = Field(primary_key=True)
    root: str
    hub: str
    caller: str
    version: int
    head_hash: str
    state: str = Field(sa_column=Column(Text, nullable=False))
    stage: str
    rating: str | None
    is_open: bool
    finished: bool
    received_at: datetime = Field(sa_column=moment())
    due_at: datetime | None = Field(sa_column=moment(nullable=True))
    next_at: datetime | None = Field(sa_column=moment(nullable=True))
    flow_run_id: UUID | None = None
    shown: int = 0
    """How many of the events its flow run has dealt with: with fewer than `version`, the run is behind."""
    told: int = 0
    """How many of them its story tells."""
    urgency: int = 0
    for_all: int = 0
    """The version after the last event that everybody may hear of who takes part; the database reckons it from the state."""
    made: int = Field(default=2, sa_column=Column(SmallInteger, nullable=False))
    """By which edition of the folding rules its state was made (`anew.EDITION`)."""
    danger: bool = False
    """Whether it is open, and somebody may be in immediate danger; the database reckons it from the state."""
    hands: list[str] = Field(default=[], sa_column=Column(postgresql.ARRAY(Text), nullable=False))
    """In whose hands it is while it is open: `login:` whoever has it or is to answer a check of it, `role:` theirs and whose turn
    it is, `agency:` each that is asked for an answer (`Referral.to_answer`); the database reckons it from the state."""

    counted_as: str | None = Field(
        default=None,
        sa_column=Column(Text, Computed("CASE WHEN finished THEN counted_as(state) END"), nullable=True),
    )
    """As what a finished case is counted: a `referral`, an `other` contact, or, where its people are erased, as about `nobody`;
    the database reckons it from the state."""


class EventRow(SQLModel, table=True):
    """An event, as the exact text that was hashed. Rows are only ever added."""

    __tablename__ = "event"
    reference: str = Field(primary_key=True)
    sequence: int = Field(primary_key=True)
    kind: str
    at: datetime = Field(sa_column=moment())
    canonical: str = Field(sa_column=Column(Text, nullable=False))
    hash: str
    hub: str


class ReferralKey(SQLModel, table=True):
    """A referral's data key, wrapped by the master key. Destroying it erases the people, not the log."""

    __tablename__ = "referral_key"
    reference: str = Field(primary_key=True)
    wrapped: bytes | None = Field(sa_column=Column(LargeBinary, nullable=True))
    destroyed_at: datetime | None = Field(sa_column=moment(nullable=True))
    hub: str
    master: str | None = Field(foreign_key="master_key.name")
    """Which master key wrapped it; unknown where that was before keys could be rotated."""


class PersonalItem(SQLModel, table=True):
    """Encrypted words or details of people, owned by the agency that gave them."""

    __tablename__ = "personal_item"
    id: UUID = Field(primary_key=True)
    reference: str
    kind: str
    subject: str | None
    owner_agency: str
    sensitivity: str
    release_state: str
    created_at: datetime = Field(sa_column=moment())
    created_by: str
    sealed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    hub: str


class Participant(SQLModel, table=True):
    """Who takes part in a case: an agency, or the role of a service; or one person of them, for a time, who broke the glass."""

    __tablename__ = "participant"
    id: int | None = Field(sa_column=number(primary_key=True))
    reference: str
    party: str
    hub: str
    person: str
    until: datetime | None = Field(sa_column=moment(nullable=True))
    seal: str | None = None
    """What proves that we wrote what the row means."""


class CallerKey(SQLModel, table=True):
    """The key by which the program signs for the database who acts, with its two pads as HMAC has them; one row."""

    __tablename__ = "caller_key"
    id: int = Field(primary_key=True)
    key: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    inner_pad: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    outer_pad: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class Sealing(SQLModel, table=True):
    """When rows of a release that had no seals were sealed, and how many; wall time."""

    __tablename__ = "sealing"
    id: int | None = Field(sa_column=number(primary_key=True))
    at: datetime = Field(sa_column=moment())
    sessions: int
    api_keys: int
    participants: int


class Secret(SQLModel, table=True):
    """A key of the installation, wrapped by the master key."""

    __tablename__ = "secret"
    name: str = Field(primary_key=True)
    wrapped: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    master: str = Field(foreign_key="master_key.name")


class MasterKey(SQLModel, table=True):
    """A master key that is in use, by its name: nothing is kept that another has wrapped."""

    __tablename__ = "master_key"
    name: str = Field(primary_key=True)


class Withheld(SQLModel, table=True):
    """Something that is withheld from the subject who asks what is kept about them, until a person releases it: by its keyed
    digest, which tells nothing once the referral's key is destroyed. Its number stays."""

    __tablename__ = "withheld"
    __table_args__ = (UniqueConstraint("reference", "subject", "digest"),)
    reference: str = Field(primary_key=True, foreign_key="referral.reference")
    subject: str = Field(primary_key=True)
    number: int = Field(sa_column=number(primary_key=True))
    digest: str
    what: str
    """What it is, in words that do not tell it: 'phone of household 1'."""
    released_at: datetime | None = Field(sa_column=moment(nullable=True))
    released_by: str | None
    because: str | None


def numbers(*, nullable: bool = False) -> Column[list[int]]:
    """64-bit whole numbers."""
    return Column(Numbers(), nullable=nullable)


class KnownPerson(SQLModel, table=True):
    """Somebody whom a referral names, as keyed numbers by which a name can be found that is spelt a little differently."""

    __tablename__ = "known_person"
    id: int | None = Field(sa_column=number(primary_key=True))
    reference: str
    hub: str
    subject: str | None
    tokens: list[int] = Field(sa_column=numbers())
    born: int | None = Field(sa_column=number(nullable=True))
    parts: list[int] | None = Field(sa_column=numbers(nullable=True))
    """Of the birthday: its year, its month and its day."""
    near: list[int] = Field(sa_column=numbers())
    """Of the name: where each word stands, how it sounds, what it is short for."""
    keys: list[int] = Field(sa_column=numbers())
    """What they are looked for by: numbers of this hub alone."""
    nhs_number: int | None = Field(sa_column=number(nullable=True))
    upn: int | None = Field(sa_column=number(nullable=True))
    postcode: int | None = Field(sa_column=number(nullable=True))
    address: int | None = Field(sa_column=number(nullable=True))


class KnownNumber(SQLModel, table=True):
    """One of those numbers: the database itself writes and reads it, nobody else does."""

    __tablename__ = "known_number"
    hub: str = Field(primary_key=True)
    number: int = Field(sa_column=number(primary_key=True))
    person: int = Field(
        sa_column=Column(BigInteger, ForeignKey("known_person.id", ondelete="CASCADE"), primary_key=True, index=False)
    )


class Identity(SQLModel, table=True):
    """A subject who was confirmed to be a child: by the link number of its event, the child's id sealed by the referral's key,
    and a keyed number by which others of the same child are found."""

    __tablename__ = "identity"
    __table_args__ = (UniqueConstraint("reference", "subject"),)
    link: str = Field(primary_key=True)
    reference: str
    hub: str
    subject: str
    child: int = Field(sa_column=number())
    sealed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class ToLook(SQLModel, table=True):
    """A contact whose people are to be looked for in the hub's others: since when, and how often that failed; wall time."""

    __tablename__ = "to_look"
    reference: str = Field(primary_key=True)
    hub: str
    since: datetime = Field(sa_column=moment())
    tries: int
    next_try_at: datetime = Field(sa_column=moment())


class MadeAnew(SQLModel, table=True):
    """When the states of all cases were made anew by an edition of the folding rules, and of how many that was; wall time."""

    __tablename__ = "made_anew"
    edition: int = Field(sa_column=Column(SmallInteger, primary_key=True, autoincrement=False))
    at: datetime = Field(sa_column=moment())
    referrals: int


class KnownKey(SQLModel, table=True):
    """What somebody is looked for by, as an index: the database itself writes and reads it, nobody else does."""

    __tablename__ = "known_key"
    key: int = Field(sa_column=number(primary_key=True))
    person: int = Field(
        sa_column=Column(BigInteger, ForeignKey("known_person.id", ondelete="CASCADE"), primary_key=True, index=False)
    )


class Retention(SQLModel, table=True):
    """A contact whose people are to be erased: since when that is announced, and whether somebody holds it."""

    __tablename__ = "retention"
    root: str = Field(primary_key=True)
    hub: str
    due_at: datetime = Field(sa_column=moment())
    listed_at: datetime = Field(sa_column=moment())
    held_by: str | None
    held_why: str | None
    erased_at: datetime | None = Field(sa_column=moment(nullable=True))


class Checkpoint(SQLModel, table=True):
    """What the logs and the counts were at a moment, signed."""

    __tablename__ = "checkpoint"
    number: int = Field(sa_column=number(primary_key=True))
    at: datetime = Field(sa_column=moment())
    document: str = Field(sa_column=Column(Text, nullable=False))
    signature: str


class Restoration(SQLModel, table=True):
    """This database was restored: from what, when, and in which checkpoint that is stated, once it is."""

    __tablename__ = "restoration"
    id: int | None = Field(sa_column=number(primary_key=True))
    at: datetime = Field(sa_column=moment())
    document: str = Field(sa_column=Column(Text, nullable=False))
    stated_in: int | None = Field(sa_column=number(nullable=True))


class Anchored(SQLModel, table=True):
    """Up to which event a referral's log is in a checkpoint."""

    __tablename__ = "anchored"
    reference: str = Field(primary_key=True)
    version: int


class Access(SQLModel, table=True):
    """Somebody looked at a case, or at what a person looked at: who, in which role, what let them. Rows are only ever added."""

    __tablename__ = "access"
    id: int | None = Field(sa_column=number(primary_key=True))
    at: datetime = Field(sa_column=moment())
    person: str
    role: str
    agency: str
    hub: str
    reference: str | None
    """The case; none where somebody asked what a person looked at."""
    action: str
    why: str
    about: str | None
    """That person, by login."""
    shown: list[str] | None = Field(default=None, sa_column=Column(postgresql.ARRAY(Text), nullable=True))
    """The cases, where it is several at once."""


class BoardLook(SQLModel, table=True):
    """When somebody last looked at their board: since when this look goes on, its last view, and the last view of the look
    before, since which what has changed is new to them; the hub's time."""

    __tablename__ = "board_look"
    hub: str = Field(primary_key=True)
    person: str = Field(primary_key=True)
    begun_at: datetime = Field(sa_column=moment())
    seen_at: datetime = Field(sa_column=moment())
    since: datetime | None = Field(sa_column=moment(nullable=True))


class Receipt(SQLModel, table=True):
    """One row per answer the API gave to a POST: idempotency, and the count of contacts in."""

    __tablename__ = "receipt"
    caller: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    """A keyed digest of the caller's key; the key itself in rows from before that was so."""
    purpose: str
    fingerprint: str
    status: int
    answer: str = Field(sa_column=Column(Text, nullable=False))
    reference: str | None
    at: datetime = Field(sa_column=moment())
    hub: str = Field(primary_key=True)
    id: int | None = Field(sa_column=Column(BigInteger, Counted(always=True), nullable=False))
    """Its number, in the order in which they came: a removed one shows in a checkpoint."""


class ApiKey(SQLModel, table=True):
    """A referrer system's key, stored hashed."""

    __tablename__ = "api_key"
    hash: str = Field(primary_key=True)
    caller: str
    hub: str
    agency: str
    created_at: datetime = Field(sa_column=moment())
    revoked_at: datetime | None = Field(sa_column=moment(nullable=True))
    id: str
    """Its name, with which it begins: no secret."""
    scopes: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    expires_at: datetime = Field(sa_column=moment())
    last_used_at: datetime | None = Field(sa_column=moment(nullable=True))
    replaced_by: str | None = None
    seal: str | None = None
    """What proves that we wrote what the row means; none once it was revoked."""


class SessionRow(SQLModel, table=True):
    """Somebody signed in, by the hash of their secret; wall time."""

    __tablename__ = "session"
    hash: str = Field(primary_key=True)
    person: str
    role: str
    agency: str
    hub: str
    positions: str = Field(sa_column=Column(Text, nullable=False))
    how: str
    started_at: datetime = Field(sa_column=moment())
    seen_at: datetime = Field(sa_column=moment())
    idle_seconds: int
    ends_at: datetime = Field(sa_column=moment())
    ended_at: datetime | None = Field(sa_column=moment(nullable=True))
    seal: str | None = None
    """What proves that we wrote what the row means; none once it was ended."""


class SignInRow(SQLModel, table=True):
    """Somebody is at the identity provider."""

    __tablename__ = "sign_in"
    state: str = Field(primary_key=True)
    browser: str
    nonce: str
    verifier: str
    onward: str
    at: datetime = Field(sa_column=moment())


class SignInFailure(SQLModel, table=True):
    """Signing in failed; who it was is known again, and not known."""

    __tablename__ = "sign_in_failure"
    who: str = Field(primary_key=True)
    at: datetime = Field(sa_column=Column(DateTime(timezone=True), primary_key=True))


class OneTimeCode(SQLModel, table=True):
    """The time step of the last one-time code that somebody used: it is not taken twice."""

    __tablename__ = "one_time_code"
    who: str = Field(primary_key=True)
    step: int = Field(sa_column=number())


class NoticeRow(SQLModel, table=True):
    """A notice is a row before it is a message: to which role, why, and what became of it."""

    __tablename__ = "notice"
    id: int | None = Field(sa_column=number(primary_key=True))
    reference: str | None
    hub: str
    kind: str
    role: str
    clock: str | None
    facts: str = Field(sa_column=Column(Text, nullable=False))
    created_at: datetime = Field(sa_column=moment())
    status: str
    tries: int
    next_try_at: datetime | None = Field(sa_column=moment(nullable=True))
    delivered_at: datetime | None = Field(sa_column=moment(nullable=True))
    urgency: int = 3
    person: str | None = None
    """Who it goes to, by login, where the role is kept by rota; decided anew as long as it has not arrived."""
    step: int = 0
    """Which of their channels is next, in order of their waits."""
    step_at: datetime | None = Field(sa_column=moment(nullable=True))
    over: bool = False
    """Whether the cause of an alert is gone, or somebody has it."""
    ended: str | None = None
    """What says so, where it was not known to have arrived then: to be sent if it arrives all the same."""


class Delivery(SQLModel, table=True):
    """One try to deliver a notice by one channel, which is named by whose it is, never by its address. A row without a result is
    a try that was cut off: the message may have gone."""

    __tablename__ = "delivery"
    id: int | None = Field(sa_column=number(primary_key=True))
    notice: int = Field(sa_column=number())
    started_at: datetime = Field(sa_column=moment())
    finished_at: datetime | None = Field(sa_column=moment(nullable=True))
    channels: str
    result: str | None
    sent_as: str | None = None
    """What a service calls the message that it took, which says later whether it arrived."""
    confirmed: str | None = None
    """What it said then; a row of its own says it in the ledger."""
    asked_at: datetime | None = Field(sa_column=moment(nullable=True))
    """When the service was last asked about it, where it has not said anything by itself."""


class Repair(SQLModel, table=True):
    """What was found wrong and set right: of runs, and of what is stored beside the log."""

    __tablename__ = "repair"
    id: int | None = Field(sa_column=number(primary_key=True))
    reference: str | None
    what: str
    at: datetime = Field(sa_column=moment())
    was: str | None = None
    """What stood there, as JSON, where it is not what the log says."""


class Round(SQLModel, table=True):
    """A round that is made again and again (the watchdog's, the night's): when one last began, and when one last came to its end;
    wall time."""

    __tablename__ = "round"
    what: str = Field(primary_key=True)
    begun_at: datetime = Field(sa_column=moment())
    ended_at: datetime | None = Field(sa_column=moment(nullable=True))


class RotaVersion(SQLModel, table=True):
    """A hub's rota as it was stored by somebody; the latest is in force."""

    __tablename__ = "rota"
    id: int | None = Field(sa_column=number(primary_key=True))
    hub: str
    document: str = Field(sa_column=Column(Text, nullable=False))
    stored_at: datetime = Field(sa_column=moment())
    stored_by: str


class Pulse(SQLModel, table=True):
    """When a part last gave a sign of life, and what it said of itself; wall time."""

    __tablename__ = "pulse"
    part: str = Field(primary_key=True)
    at: datetime = Field(sa_column=moment())
    said: str


class NightStep(SQLModel, table=True):
    """A step of the night's work, or the backup: when it was last done, and when it last failed, and why; wall time."""

    __tablename__ = "night"
    step: str = Field(primary_key=True)
    since: datetime = Field(sa_column=moment())
    """Since when it is expected."""
    done_at: datetime | None = Field(sa_column=moment(nullable=True))
    failed_at: datetime | None = Field(sa_column=moment(nullable=True))
    why: str


class ReturnCount(SQLModel, table=True):
    """How many findings of the census' rules were open at a hub on a night, of a census year, by what they mean; wall time."""

    __tablename__ = "return_count"
    hub: str = Field(primary_key=True)
    at: datetime = Field(sa_column=Column(DateTime(timezone=True), primary_key=True))
    year: int = Field(primary_key=True)
    errors: int
    filled: int
    queries: int


class Draft(SQLModel, table=True):
    """A referral that somebody is writing, sealed by the secret in their link: nobody else can open it. Or what is written down
    at a meeting until that is recorded, sealed by a secret that comes of the case's own key. Wall time."""

    __tablename__ = "draft"
    hash: str = Field(primary_key=True)
    sealed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    touched_at: datetime = Field(sa_column=moment())


class AuditDraw(SQLModel, table=True):
    """A sample of decisions that was drawn to be audited: by whom, by which rule, seed and period, out of how many, and which
    cases. Nothing of it changes, but that it is closed."""

    __tablename__ = "audit_draw"
    id: int | None = Field(sa_column=Column(BigInteger, Counted(always=True), primary_key=True))
    hub: str
    at: datetime = Field(sa_column=moment())
    drawn_by: str
    role: str
    rule: str
    seed: int = Field(sa_column=number())
    since: date
    until: date
    """The last day of the period."""
    size: int
    """How many were asked for."""
    population: int
    """Out of how many they were drawn."""
    erased: int
    """How many more the rule means whose people are erased: nobody can audit those."""
    drawn: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    closed_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    closed_by: str | None = None
    closed_why: str | None = None


class AuditResult(SQLModel, table=True):
    """What an auditor found of a case that was drawn; a correction is a row of its own, with the next version. What they wrote is
    sealed by the referral's key, and gone with it."""

    __tablename__ = "audit_result"
    __table_args__ = (UniqueConstraint("draw", "reference", "version"),)
    id: int | None = Field(sa_column=Column(BigInteger, Counted(always=True), primary_key=True))
    hub: str
    draw: int = Field(sa_column=number())
    reference: str
    version: int
    at: datetime = Field(sa_column=moment())
    person: str
    role: str
    rating_right: str
    decision_right: str
    decision_timely: str
    child_heard: str
    basis_right: str
    should_have: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    grade: str
    sealed: bytes | None = Field(sa_column=Column(LargeBinary, nullable=True))


class NearMiss(SQLModel, table=True):
    """Something that nearly went wrong, as one of the hub's staff saw it: which of them is not kept, and of the time the day
    alone. Its words are sealed by a key of their own, which the key of the referral that it names wraps, or the installation's
    where it names none."""

    __tablename__ = "near_miss"
    id: int | None = Field(sa_column=Column(BigInteger, Counted(always=True), primary_key=True))
    hub: str
    day: date
    kind: str
    reference: str | None = None
    sealed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    once: str = Field(unique=True)
    """A random number of the form that was filled in: sent twice, it is one."""
    wrapped: bytes | None = Field(sa_column=Column(LargeBinary, nullable=True))
    """The key of its words; none once they were removed."""
    removed_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))


class FigureSum(SQLModel, table=True):
    """What a hub's cases add up to that came in on a day in London and are finished: by which edition of adding up, and as of
    when."""

    __tablename__ = "figure_sum"
    hub: str = Field(primary_key=True)
    day: date = Field(primary_key=True)
    edition: int = Field(sa_column=Column(SmallInteger, nullable=False))
    made_at: datetime = Field(sa_column=moment())
    called_until: date | None
    """The last week in which an alert of theirs was acknowledged or a second look asked for."""
    sums: str = Field(sa_column=Column(Text, nullable=False))
    stamp: UUID
    """Another one each time that it is added up."""


class FigureMonth(SQLModel, table=True):
    """What the days of a month add up to together: of which (a digest of their stamps), and in which week the first of their
    clocks was due. It holds as long as those days stand as they were."""

    __tablename__ = "figure_month"
    hub: str = Field(primary_key=True)
    month: date = Field(primary_key=True)
    of: str
    earliest: date
    sums: str = Field(sa_column=Column(Text, nullable=False))


class FigureOpen(SQLModel, table=True):
    """What some cases add up to that still wait for something: of which rows as they stood (a digest of them), and as of when. It
    holds as long as each of them stands so."""

    __tablename__ = "figure_open"
    hub: str = Field(primary_key=True)
    bucket: str = Field(primary_key=True)
    of: str
    edition: int = Field(sa_column=Column(SmallInteger, nullable=False))
    made_at: datetime = Field(sa_column=moment())
    sums: str = Field(sa_column=Column(Text, nullable=False))


class FigureOwed(SQLModel, table=True):
    """A finished case that was written since its day was added up: `anew`, where it may be in that. The database itself adds
    it."""

    __tablename__ = "figure_owed"
    id: int | None = Field(sa_column=Column(BigInteger, Counted(always=True), primary_key=True))
    hub: str
    day: date
    reference: str
    anew: bool


class TimeAnchor(SQLModel, table=True):
    """At which wall time the simulated time was what, and how fast it runs; one row."""

    __tablename__ = "time_anchor"
    id: int = Field(primary_key=True)
    wall: datetime = Field(sa_column=moment())
    simulated: datetime = Field(sa_column=moment())
    rate: float


PROOFS = Table("write_proof", SQLModel.metadata, Column("filler", Text, nullable=False))
"""Where it is proven that something can be written. Always empty: each proof is taken away again."""


class Simulation(SQLModel, table=True):
    """A hub's simulation: the one that runs, by whom, since when, how far and until when (wall time); why the last one gave
    nothing, where it did not; and the last report."""

    __tablename__ = "simulation"
    hub: str = Field(primary_key=True)
    asked_by: str
    begun_at: datetime | None = Field(sa_column=moment(nullable=True))
    touched_at: datetime = Field(sa_column=moment())
    done: int = 0
    of_runs: int = 0
    ready_at: datetime | None = Field(sa_column=moment(nullable=True))
    failed: str | None
    report: str | None = Field(sa_column=Column(Text, nullable=True))
    reported_at: datetime | None = Field(sa_column=moment(nullable=True))


def table(model: type[SQLModel]) -> Table:
    """The SQLAlchemy table of a model."""
    return SQLModel.metadata.tables[str(model.__tablename__)]


PROFILES = table(ProfileVersion)
REFERRALS = table(ReferralRow)
EVENTS = table(EventRow)
KEYS = table(ReferralKey)
ITEMS = table(PersonalItem)
RECEIPTS = table(Receipt)
API_KEYS = table(ApiKey)
NOTICES = table(NoticeRow)
DELIVERIES = table(Delivery)
REPAIRS = table(Repair)
ROUNDS = table(Round)
ANCHOR = table(TimeAnchor)
ROTAS = table(RotaVersion)
SIMULATIONS = table(Simulation)
PULSES = table(Pulse)
PARTICIPANTS = table(Participant)
ACCESSES = table(Access)
SECRETS = table(Secret)
MASTERS = table(MasterKey)
PEOPLE = table(KnownPerson)
IDENTITIES = table(Identity)
TO_LOOK = table(ToLook)
MADE_ANEW = table(MadeAnew)
WITHHELD = table(Withheld)
RETENTIONS = table(Retention)
CHECKPOINTS = table(Checkpoint)
ANCHORED = table(Anchored)
RESTORATIONS = table(Restoration)
SESSIONS = table(SessionRow)
SIGN_INS = table(SignInRow)
FAILURES = table(SignInFailure)
ONE_TIME_CODES = table(OneTimeCode)
DRAFTS = table(Draft)
CALLER_KEYS = table(CallerKey)
SEALINGS = table(Sealing)
NIGHTS = table(NightStep)
AUDIT_DRAWS = table(AuditDraw)
AUDIT_RESULTS = table(AuditResult)
NEAR_MISSES = table(NearMiss)
RETURN_COUNTS = table(ReturnCount)
