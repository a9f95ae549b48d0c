"""The front door: a contact is taken or signposted, consulted about, placed, and rated."""

from __future__ import annotations

from mash.states import commands as c
from mash.states import events as e
from mash.states.acts import demands
from mash.states.commands import Said
from mash.states.deciding import Deciding
from mash.states.errors import Incomplete, NothingToActOn, NotInProfile
from mash.states.machine import BEFORE_DECISION
from mash.states.profile import Contact


def receive(d: Deciding, cmd: c.ReceiveContact, said: Said | None) -> None:
    """Record the contact, start its statutory clocks, and open it to the hub; or record it as not taken."""
    if said is None:
        raise NothingToActOn("a contact needs a concern, or something to identify somebody by")
    fields = {name: getattr(cmd, name) for name in c.ReceiveContact.model_fields if name != "kind"}
    fields["place"] = cmd.place if cmd.place in d.profile.places else None
    d.record(e.ContactReceived(hub=d.profile.name, profile=d.profile.digest, said=said, **fields))
    if cmd.referrer_reachable:
        d.start(d.start_clock("acknowledgement", d.profile.statutory["acknowledgement"], "acknowledgement to the referrer"))
    contact = Contact(
        kind=cmd.contact,
        cohorts=frozenset(subject.cohort for subject in cmd.subjects),
        categories=frozenset(cmd.categories),
        source=cmd.source_agency,
        family_known=cmd.family_known,
        at=d.now,
    )
    taken = d.profile.takes(contact)
    # Immediate danger is always seen by a person, whatever the hub takes, and without consulting first.
    if not taken and not cmd.immediate_danger:
        d.go("refuse_contact")
        d.decided()
        d.conclude("signposted")
        return
    d.start(d.start_clock("decision_on_response", d.profile.statutory["decision"], "decision on the response"))
    if d.profile.consults_first(cmd.contact, cmd.source_agency) and not cmd.immediate_danger:
        d.go("open_consultation")
        return
    d.begin()
    if cmd.immediate_danger:
        d.escalate(next(clock for clock in d.referral.running if clock.kind == "triage"))


def conclude_consultation(d: Deciding, cmd: c.ConcludeConsultation, said: Said | None) -> None:
    """End in advice, without a referral; or go on as one. No threshold was applied until now."""
    d.record(e.ConsultationConcluded(outcome=cmd.outcome, said=demands.words(said, "concluding a consultation")))
    if cmd.outcome == "referral":
        d.begin()
        return
    d.go("end_consultation")
    d.decided()
    d.conclude("advice")


def assign_place(d: Deciding, cmd: c.AssignPlace, said: Said | None) -> None:
    """The case belongs to an authority or satellite of the hub; where that triages on its own, its people are asked to."""
    if cmd.place not in d.profile.places:
        raise NotInProfile(f"that is not a place of {d.profile.title}: expected one of {', '.join(d.profile.places) or 'none'}")
    d.record(e.PlaceAssigned(place=cmd.place))
    d.hand_triage_over()


def record_categories(d: Deciding, cmd: c.RecordCategories, said: Said | None) -> None:
    """What the case turns out to be about; agencies that are asked only about that are asked now."""
    d.record(e.CategoriesRecorded(categories=cmd.categories))
    if d.referral.stage == "agency_checks" and d.referral.rating:
        d.take_route()


def correct_cohort(d: Deciding, cmd: c.CorrectCohort, said: Said | None) -> None:
    """Who was taken for a child is an adult, or the other way round, or was of unknown age."""
    if cmd.subject not in d.referral.subjects:
        raise Incomplete(f"that is not a subject of this referral: expected one of {', '.join(d.referral.subjects)}")
    d.record(e.CohortCorrected(subject=cmd.subject, cohort=cmd.cohort))
    if d.referral.stage == "agency_checks" and d.referral.rating:
        d.take_route()


def rate(d: Deciding, cmd: c.RateReferral, said: Said | None) -> None:
    """The first rating sets the clocks and the route. Where agencies decide jointly what goes into the MASH, they all agree."""
    demands.role(d, "rate_referral", "rating a referral")
    demands.rating(d, cmd.rating)
    _agreed(d, cmd)
    d.record(e.ReferralRated(rating=cmd.rating, agreed=cmd.agreed, said=said))
    d.stop("triage")
    if d.rating.response:
        d.start(d.start_clock("response", d.rating.response, cmd.rating))
    d.take_route()


def rerate(d: Deciding, cmd: c.RerateReferral, said: Said | None) -> None:
    """Change the rating; the clocks that hang on it move."""
    demands.role(d, "rerate_referral", "re-rating a referral")
    demands.rating(d, cmd.rating)
    reason = demands.words(said, "re-rating")
    before = d.referral.rating
    if before is None or before == cmd.rating:
        raise Incomplete(f"the referral is already rated {before}" if before else "the referral has no rating yet: rate it first")
    if not _goes_into_the_mash(d, before):
        _agreed(d, cmd)
    d.rerate(cmd.rating, reason, cmd.agreed)
    if d.referral.stage in BEFORE_DECISION:
        d.take_route()


def _agreed(d: Deciding, cmd: c.RateReferral | c.RerateReferral) -> None:
    """Where agencies decide jointly what goes into the MASH, those it needs have agreed."""
    demands.agencies(d, cmd.agreed)
    if _goes_into_the_mash(d, cmd.rating):
        demands.quorum(d.profile.triage.joint, cmd.agreed, "the joint decision that a case goes into the MASH")


def _goes_into_the_mash(d: Deciding, rating: str) -> bool:
    return d.profile.ratings[rating].route[0] != "decision"
