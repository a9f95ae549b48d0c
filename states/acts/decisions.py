"""The local authority's decision: given, signed off where the hub wants a second person, reopened; and each subject's path."""

from __future__ import annotations

from collections.abc import Mapping

from mash.states import commands as c
from mash.states import events as e
from mash.states.acts import demands
from mash.states.commands import Said
from mash.states.deciding import Deciding
from mash.states.errors import Incomplete, NotYours

GRAVEST_FIRST = (
    "section_47",
    "section_17",
    "adult_section_42",
    "early_help",
    "transfer",
    "information_provided",
    "advice",
    "no_further_action",
)
"""When subjects' paths differ, the referral keeps the first of these that occurs; the others become linked referrals."""
CHILDREN = ("child", "unborn")
NEEDS_PRIMARY_NEED = {"section_47", "section_17", "early_help"}
"""CIN rule 8610: a referral that leads to action has a primary need code."""


def decide(d: Deciding, cmd: c.RecordDecision, said: Said | None) -> None:
    """An outcome for each subject. It takes effect at once, unless the hub wants it signed off."""
    r = d.referral
    demands.role(d, "record_decision", "the decision")
    reason = demands.words(said, "a decision")
    if set(cmd.outcomes) != set(r.subjects):
        raise Incomplete(f"a decision gives an outcome to each subject: {', '.join(r.subjects)}")
    if "transfer" in cmd.outcomes.values() and not cmd.transfer_to:
        raise Incomplete("a transfer names the receiving authority (transfer_to)")
    if (early := set(cmd.outcomes.values()) & set(d.profile.assess_first)) and r.assessment_outcome is None:
        outcomes = ", ".join(sorted(early)).replace("_", " ")
        raise Incomplete(f"{d.profile.title} completes the assessment itself before {outcomes}: decide section_17 first")
    if unheard := [sid for sid in r.adults_unheard if cmd.outcomes[sid] == "adult_section_42"]:
        raise Incomplete(f"record each adult's capacity and wishes first (record_adult_view): {', '.join(unheard)}")
    if children := [sid for sid, o in cmd.outcomes.items() if o == "adult_section_42" and r.subjects[sid].cohort in CHILDREN]:
        raise Incomplete(f"section 42 is for adults (Care Act 2014): correct the outcome or the cohort of {', '.join(children)}")
    need = cmd.primary_need or r.primary_need
    if need is None and any(o in NEEDS_PRIMARY_NEED and r.subjects[s].cohort != "adult" for s, o in cmd.outcomes.items()):
        raise Incomplete("a primary need code (N0 to N9) is needed unless no further action is taken (CIN rule 8610)")
    fields = {"outcomes": dict(cmd.outcomes), "primary_need": need, "transfer_to": cmd.transfer_to}
    if second := d.profile.signs_off(r.rating, cmd.outcomes.values()):
        d.record(e.DecisionProposed(role=second, said=reason, **fields))
        d.go("ask_sign_off")
        return
    d.record(e.DecisionRecorded(said=reason, **fields))
    _take_effect(d, cmd.outcomes)


def sign_off(d: Deciding, cmd: c.SignOffDecision, said: Said | None) -> None:
    """A second person, of the role the hub names, agrees; or sends it back with a reason."""
    proposed = d.referral.proposed
    if proposed is None:
        raise Incomplete("no decision waits to be signed off")
    demands.role(d, "sign_off_decision", "signing this decision off")
    if d.by.id == proposed.by:
        raise NotYours("a second person signs off: not the one who decided")
    if not cmd.agreed:
        d.withdraw(demands.words(said, "not agreeing"))
        return
    d.record(
        e.DecisionRecorded(
            outcomes=proposed.outcomes,
            primary_need=proposed.primary_need,
            transfer_to=proposed.transfer_to,
            proposed_by=proposed.by,
            said=said or proposed.said,
        )
    )
    _take_effect(d, proposed.outcomes)


def _take_effect(d: Deciding, outcomes: Mapping[str, str]) -> None:
    paths = sorted(set(outcomes.values()), key=GRAVEST_FIRST.index)
    for path in paths[1:]:
        subjects = tuple(sid for sid, outcome in outcomes.items() if outcome == path)
        d.record(e.ReferralSplit(reference=f"{d.reference}-{chr(ord('B') + d.referral.splits)}", subjects=subjects, outcome=path))
    d.decided()
    d.take_path(paths[0])


def reopen(d: Deciding, cmd: c.ReopenReferral, said: Said | None) -> None:
    """Correct a mistaken closure."""
    demands.role(d, "reopen_referral", "reopening a referral")
    d.reopen(demands.words(said, "reopening"))
