"""A command as a small form: what it asks, in the hub's own choices, by the command's own model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import AwareDatetime, BaseModel

from mash.api.pages import questions
from mash.config import codes
from mash.config.commands import COMMANDS, NEVER_ASKED
from mash.config.words import agency_title, destination_title, in_words_of, sentence, worded
from mash.states.acts.actions import owners, theirs
from mash.states.acts.countersigning import to_countersign
from mash.states.acts.disagreements import to_settle, to_take_further
from mash.states.acts.disclosing import owner as disclosed_by
from mash.states.acts.disclosing import to_disclose
from mash.states.acts.handing_over import to_accept, to_answer
from mash.states.acts.outcomes import PLAN
from mash.states.acts.seconding import IN_WORDS
from mash.states.acts.sharing import DUTY_TO_DISCLOSE
from mash.states.clocks import LONDON, local
from mash.states.entered_later import may_be_entered_later
from mash.states.messages import STAFF_ACTS
from mash.states.profile import Profile
from mash.states.referral import NOT_TO_TELL, Action, Disagreement, Referral, Seconding, SubjectState
from mash.states.roles import REFERRER, may_pass_on
from mash.states.values import Actor, Colleague

Choices = tuple[tuple[str, str], ...]
RATED = ("rate_referral", "rerate_referral")
DETAIL = "details."
"""How the names of fields begin that are about a person."""
NOT_YET_KNOWN = "not-yet-known"
"""The choice of whoever cannot say: there is nothing."""
LATER = "happened_at"
"""The field that is beside a command, of whatever kind: when it happened, where it is entered later."""
OF_ALL = {"outcome": "outcomes", "factors": "factors_of", "attendance": "attended"}
"""What may be said of all subjects at once, and the field in which it is said of each: a form asks of each; and who came, as a
table or in lists: a form has the lists."""
OF_EACH = ("outcomes", "factors_of", "not_seen_because", "abuse_categories", "previous_plans")
BESIDE = {
    "record_birth": (
        ("date_of_birth", "When was the child born?", "day", True),
        ("name", "The child's name, if it is known", "line", False),
        ("sex", "Sex", "one", False),
    )
}
"""What a command asks besides its own fields: what is kept sealed. For each its name, label, shape, and whether it is needed."""
OF_WHOM: Mapping[str, Callable[[SubjectState], bool]] = {
    "record_adult_view": lambda subject: subject.cohort == "adult" and not subject.accused,
    "record_accused": lambda subject: subject.cohort == "adult",
    "record_birth": lambda subject: subject.cohort == "unborn",
    "record_child_voice": lambda subject: subject.to_be_seen,
    "hand_over_to_adults": lambda subject: subject.coming_of_age is not None,
    "keep_past_eighteen": lambda subject: subject.coming_of_age is not None,
}
"""The people of a case about whom a command can be, where that is not all of them."""
HANDS_CHECK = "allocate_check"
NAMES_SOMEBODY = (("allocate_case", "worker"), (HANDS_CHECK, "to"))
"""Fields that name somebody who works here."""
SUPPOSED = ("record_sharing_basis",)
"""Acts whose form comes filled in with what is known already, or nearly always so."""
EXPLICIT = {
    "share": ("record_sharing_basis",),
    "relevant": ("answer_check", "record_answer_by_telephone"),
    "mode": ("record_meeting", "record_strategy_discussion"),
}
"""What nobody answers by leaving it as it is, and in which commands: how something was held is said, not supposed."""
NEEDED_WHERE = {
    "relevant": ("known", "true"),
    "abuse_categories": ("outcomes", PLAN),
    "previous_plans": ("outcomes", PLAN),
}
"""Questions that need an answer only where another is answered so; of each subject, where it is answered so of them."""


@dataclass(frozen=True)
class Asked:
    """One field of a form. `shape` is 'one' or 'many' of the choices, 'yes_no', 'day', 'moment', 'number' or 'line'."""

    name: str
    label: str
    shape: str
    needed: bool
    choices: Choices = ()
    hint: str = ""
    default: str = ""
    """What is chosen until somebody chooses."""


OF_SECOND = ("second", "second_at")
"""Who agreed by telephone: asked only where somebody may be in immediate danger."""


def fields_of(
    kind: str,
    case: Referral | None,
    profile: Profile,
    by: Actor,
    names: Mapping[str, str] | None = None,
    colleagues: Sequence[Colleague] = (),
) -> list[Asked]:
    """What a command asks of somebody, about this case; its people by the `names` that they may read. `colleagues` are those who
    can be named."""
    asked: list[Asked] = []
    fields = STAFF_ACTS[kind].command.model_fields
    for name, info in fields.items():
        if name in NEVER_ASKED or OF_ALL.get(name) in fields:
            continue
        if name == "agreed" and kind in RATED and not profile.triage.joint:
            continue
        if _has_parts(info.annotation) or (name in OF_SECOND and case and not case.in_danger):
            continue
        choices = _people(kind, name, case, colleagues, by) or _choices(kind, name, case, profile, by, names or {})
        if name in OF_EACH:
            of_each = get_args(info.annotation)[1]
            choices = choices or _listed(_literal(of_each), profile)
            shape = "many" if name == "factors_of" else _shape(of_each, bool(choices))
            asked += _of_each(kind, name, shape, choices, case, names or {})
            continue
        shape = _shape(info.annotation, bool(choices))
        choices = choices or _listed(_offered(name, info.annotation, profile), profile)
        needed = info.is_required() or kind in EXPLICIT.get(name, ())
        default = str(info.default).lower() if shape == "yes_no" and not needed and info.default is not None else ""
        hint = COMMANDS[kind].hints.get(name, "")
        if case and kind in SUPPOSED and (supposed := _supposed(name, case)):
            default, hint = supposed, questions.SUPPOSED
        asked.append(Asked(name, in_words_of(COMMANDS[kind].asks[name], profile), shape, needed, choices, hint, default))
    sexes = tuple((key, text) for key, text in codes.code_sets()["sex"].items())
    for name, label, shape, needed in BESIDE.get(kind, ()):
        asked.append(Asked(DETAIL + name, label, shape, needed, sexes if name == "sex" else ()))
    if may_be_entered_later(kind, by):
        asked.append(Asked(LATER, questions.WHEN, "moment", needed=False, hint=questions.WHEN_HINT))
    return asked


def _supposed(name: str, case: Referral) -> str:
    """What came with the contact and is asked again, and the basis on which children's information is shared as a rule, which is
    not consent (DfE, Information sharing advice 2024): whoever fills in the form finds it chosen, and looks whether it holds."""
    if case.sharing is not None:  # the hub has said it before: what came with the contact is not said over that
        return ""
    said, cohorts = case.consent, {subject.cohort for subject in case.subjects.values()}
    children, adults = bool(cohorts) and cohorts <= {"child", "unborn"}, cohorts == {"adult"}
    if name == "purpose":
        return "safeguarding_child" if children else "safeguarding_adult" if adults else ""
    if name == "lawful_basis":
        return "public_task" if children else ""
    if name == "consent" and said.asked is not None:
        return {None: "no_answer", True: "given", False: "refused"}[said.given] if said.asked else "not_sought"
    if name == "family_informed" and said.family_informed is not None and NOT_TO_TELL not in case.warnings:
        return str(said.family_informed).lower()
    return ""


def _of_each(
    kind: str, name: str, shape: str, choices: Choices, case: Referral | None, names: Mapping[str, str]
) -> Iterator[Asked]:
    """A field for each subject that a command says something of."""
    for sid, subject in case.subjects.items() if case else ():
        unseen = case is not None and sid in case.unseen
        if subject.outcome is None and (unseen or name != "not_seen_because"):
            label = COMMANDS[kind].asks[name].replace("{person}", _person(sid, subject.cohort, names))
            needed = name != "not_seen_because"
            hint = COMMANDS[kind].hints.get(name, "")
            yield Asked(f"{name}.{sid}", label, shape, needed, choices, hint)


def _person(sid: str, cohort: str, names: Mapping[str, str]) -> str:
    """A subject by name, for whoever may read it; else what they are, and the place they have among the others."""
    return names.get(sid, "").strip() or f"{worded(cohort)} {sid.removeprefix('S')}"


def _choices(kind: str, name: str, case: Referral | None, profile: Profile, by: Actor, names: Mapping[str, str]) -> Choices:
    """The hub's and the case's own choices for a field; none where it has none."""
    agencies = tuple((key, agency.title) for key, agency in profile.agencies.items())
    others = (name for name in profile.invited if name not in profile.agencies)
    invited = (*agencies, *((name, agency_title(profile, name)) for name in others))
    own: dict[str, Choices] = {
        "rating": tuple((key, rating.title) for key, rating in profile.ratings.items()),
        "place": tuple((key, place.title) for key, place in profile.places.items()),
        "service": tuple((key, service.title) for key, service in profile.services.items()),
        "agencies": agencies,
        "attended": invited,
        "apologies": invited,
        "dissents": invited,
        "invited": invited,
        "asked_by": invited,
        "owner": tuple((name, _owner(name, profile)) for name in owners(profile)),
        "primary_need": tuple((key, f"{key}: {text}") for key, text in codes.code_sets()["primary_need"].items()),
        "digest": ((profile.digest, "The rules in force"),),
    }
    own["suggested_rating"] = own["rating"]
    teams = [name for name in profile.serving("transfer") if profile.destinations[name].kind != "authority"]
    named = profile.destinations if kind == "offer_hand_over" else teams
    own["destination"] = tuple((name, profile.destinations[name].title) for name in named)
    if kind in RATED:
        own["agreed"] = agencies
    if case and kind == "put_quorum_right":
        own["agencies"] = tuple((name, agency_title(profile, name)) for name in case.short_of)
    if kind == "hand_over_to_adults":
        own["to"] = tuple((name, profile.destinations[name].title) for name in profile.of_kind("adults"))
    if kind == "complete_assessment":
        own["factors_of"] = tuple((key, text) for key, text in codes.code_sets()["assessment_factors"].items())
    if kind == "record_conference":
        own["abuse_categories"] = tuple((key, text) for key, text in codes.code_sets()["category_of_abuse"].items())
    if case:
        unlinks = kind == "remove_link"
        whom = OF_WHOM.get(kind)
        people = {sid: subject for sid, subject in case.subjects.items() if whom is None or whom(subject)}
        own["subject"] = tuple((sid, _person(sid, subject.cohort, names)) for sid, subject in people.items())
        own["subjects"] = own["subject"]
        held = (item for item in case.held.values() if item.agency == by.agency and not item.released)
        own["item"] = tuple((item.item, f"given {item.at.astimezone(LONDON):%d %b %H:%M}") for item in held)
        if kind == "decline_disclosure":
            theirs_to_give = (
                held
                for _, held in to_disclose(case)
                if held.agency == by.agency
                or (held.agency not in profile.agencies and by.role == disclosed_by(profile, held.agency))
            )
            own["item"] = tuple((held.item, f"given {held.at.astimezone(LONDON):%d %b %H:%M}") for held in theirs_to_give)
        own |= {"other": tuple((other, f"{other} ({worded(kind)})") for other, kind in case.links.items())} if unlinks else {}
        unanswered = (name for name, check in case.checks.items() if check.answered_at is None)
        own["answering"] = tuple((name, agency_title(profile, name)) for name in unanswered)
        to_do = theirs(case, profile, by)
        own["action"] = tuple((aid, _to_do(case.actions[aid], profile)) for aid in to_do)
        clocks = (cid for cid in case.alerts if kind != "pass_alert_on" or may_pass_on(case, case.clocks[cid], profile, by))
        own["clock"] = tuple((cid, case.clocks[cid].why) for cid in clocks)
        disputes = to_settle(case, by) if kind == "settle_disagreement" else to_take_further(case, by)
        own["seconding"] = tuple((name, _to_sign(case.secondings[name])) for name in to_countersign(case, by))
        waiting = to_accept(case, profile, by) if kind == "accept_hand_over" else to_answer(case, profile, by)
        own["hand_over"] = tuple((name, destination_title(profile, name)) for name in waiting)
        own["disagreement"] = tuple((did, _disputed(case.disagreements[did], profile)) for did in disputes)
    return own.get(name, ())


def _to_sign(waits: Seconding) -> str:
    return f"{IN_WORDS[waits.about]}: {'proposed' if waits.basis else 'done'} by {waits.by}"


def _disputed(each: Disagreement, profile: Profile) -> str:
    whose = "The referrer" if each.by_role == REFERRER else _owner(each.agency, profile)
    return f"{whose}, about the {each.about}"


def _owner(name: str, profile: Profile) -> str:
    return agency_title(profile, name) if name in (*profile.agencies, *profile.invited) else sentence(name)


def _to_do(action: Action, profile: Profile) -> str:
    return f"{_owner(action.owner, profile)}, by {local(action.due_at)}"


def _people(kind: str, name: str, case: Referral | None, colleagues: Sequence[Colleague], by: Actor) -> Choices:
    """Whom a field names of those who work here; none where it names nobody. Who is absent is said to be, and not chosen."""
    if name == OF_SECOND[0]:
        return tuple({each.login: f"{each.login}, {worded(each.role)}" for each in colleagues if each.login != by.id}.items())
    if (kind, name) not in NAMES_SOMEBODY:
        return ()
    worker = case.worker.login if case and case.worker else ""
    own = (each for each in colleagues if each.agency == by.agency)
    found = own if kind == HANDS_CHECK else (each for each in colleagues if each.has_cases and each.login != worker)
    return tuple({each.login: f"{each.login}, {worded(each.role)}" for each in found if not each.away_until}.items())


def _literal(annotation: Any) -> tuple[str, ...]:
    """The values of the first Literal in a type."""
    if get_origin(annotation) is Literal:
        return get_args(annotation)
    return next((found for part in get_args(annotation) if (found := _literal(part))), ())


def _has_parts(annotation: Any) -> bool:
    """Whether a field is a list of what has fields itself: a system sends it whole, a person gives one after the other."""
    return any(isinstance(part, type) and issubclass(part, BaseModel) for part in get_args(annotation))


def _offered(name: str, annotation: Any, profile: Profile) -> tuple[str, ...]:
    """What may be chosen here of what there is: a duty to disclose, where the hub's edition of the guidance knows it."""
    values = _literal(annotation)
    return values if profile.edition.disclosure else tuple(value for value in values if value != DUTY_TO_DISCLOSE)


def _listed(values: Iterable[str], profile: Profile) -> Choices:
    return tuple((value, sentence(value, profile)) for value in values)


def _shape(annotation: Any, offered: bool) -> str:
    parts = [part for part in get_args(annotation) if part is not NoneType]
    if get_origin(annotation) in (Union, UnionType, Annotated):
        return _shape(parts[0], offered)
    if get_origin(annotation) is tuple:
        return "many"
    if get_origin(annotation) is Literal or offered:
        return "one"
    return {bool: "yes_no", date: "day", AwareDatetime: "moment", int: "number"}.get(annotation, "line")
