"""Codes in words, for whoever reads them: pages, timelines and messages."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from functools import cache

from mash.config import codes
from mash.config.permissions import reach
from mash.states.profile import Profile
from mash.states.stages import SECTION_47, STAGE_TITLES

MONTHS_ALONE, TWO_WEEKS = 24, 14
"""Months from which an age is said in years, and days from which it is said in weeks."""
SPECIAL = {
    "nhs": "NHS",
    "mash": "MASH",
    "section_17": "section 17",
    "section_47": "section 47",
    "marac": "MARAC",
    "mappa": "MAPPA",
    "lado": "LADO",
    "nrm": "National Referral Mechanism",
    "safe_contact": "Safe contact: do not contact the family before you have read on the case how they are safely reached",
    "do_not_write": "Do not write to whoever referred: it is not safe",
    "do_not_tell_family": "Do not tell the family: they must not learn of this case, nor that anyone is asked about them",
    "being_acted_on": "received and being acted on",
    "inform_referrer": "Inform the referrer",
    "withdrawal": "that what they were told no longer holds",
    "subject_not_asked_about": "agencies were asked before somebody was added, and not about them: ask them again",
    "on_their_behalf": "someone on their behalf",
    "not_reached": "could not be reached",
    "staff_safety": "Staff safety: do not visit alone",
    "looked_after": "Looked after",
    "considered": "received and considered",
    "look_at_case": "please look at this case",
    "gp": "GP",
    "puts_somebody_at_risk": "puts someone at risk",
    "safeguarding_adult": "safeguarding an adult",
    "safeguarding_child": "safeguarding a child",
    "upn": "UPN",
    "upn_unknown": "why there is no UPN",
    "former_upn": "former UPN",
    "died_on": "date of death",
    "nhs_number": "NHS number",
    "referrer_by_other_means": "there is no address to write to: a person tells the referrer",
    "safe_contact_in_words": "somebody may have asked not to be written to, or how: read it before anybody is contacted",
    "referrer_email_not_an_address": "what was given as the referrer's email address cannot be one",
    "referrer_email_probably_mistyped": "the referrer's email address is probably mistyped",
    "consent_in_words": "consent was described in words: read them",
    "danger_in_words": "whether somebody is in danger was answered in words, and is taken for yes: read them",
    "may_be_second_section_47": "section 47 enquiries about the same child may be open in another case",
    "may_be_second": "the same child may be under section 47 in another case",
    "answer_in_words": "a question of yes or no was answered in words: read them",
}
"""Codes whose words are not their own letters."""
ASK_THE_HUB = "Do not contact the family. Ask the hub first"
"""What a partner is told of safe contact: how the family is reached is not theirs to read."""
OF_SUBJECT = {
    "comes_of_age_without_hand_over": "turned 18, and nobody has handed them over to adults' services or said why not",
}
"""Flags of one person in words: in the flag the subject stands before it, as in `S2_comes_of_age_without_hand_over`."""
LIKENESS = {
    "nhs_number": "the same NHS number",
    "upn": "the same UPN",
    "same_name": "the same name",
    "name_alike": "a similar name",
    "name_sounds_alike": "a name that sounds alike",
    "names_exchanged": "given and family name exchanged",
    "born_same": "the same birthday",
    "born_exchanged": "a birthday with day and month exchanged",
    "born_near": "a birthday that differs in one part",
    "same_address": "the same address",
    "same_postcode": "the same postcode",
    "same_household": "the same household",
    "confirmed_as_another": "but confirmed as another child, with contacts of their own",
    "household_confirmed": "somebody else of both is confirmed as the same",
    "other_name": "but another name",
    "other_birthday": "but another birthday",
    "other_nhs_number": "but another NHS number",
    "other_upn": "but another UPN",
}
"""What speaks for two people being one, and against it."""
TO_CHECK = (
    "referrer_email_not_an_address",
    "referrer_email_probably_mistyped",
    "consent_in_words",
    "danger_in_words",
    "safe_contact_in_words",
    "answer_in_words",
)
"""Flags on which somebody acts before anything else: a case's page says them first, the others stand in its timeline."""


def worded(code: object, profile: Profile | None = None) -> str:
    """A code in words: `practice_manager` is 'practice manager'; as the edition of the guidance calls it that the profile names,
    where it has a name of its own."""
    if code is None or code == "":
        return ""
    text = str(code)
    if profile and (own := profile.edition.words.get(text)):
        return own
    subject, _, flag = text.partition("_")
    if flag in OF_SUBJECT:
        return f"{subject} {OF_SUBJECT[flag]}"
    return SPECIAL.get(text) or STAGE_TITLES.get(text) or text.replace("step_down", "step-down").replace("_", " ")


def sentence(code: object, profile: Profile | None = None) -> str:
    """A code in words, as a sentence begins."""
    return capitalised(worded(code, profile))


def capitalised(text: str) -> str:
    """A text as a sentence begins."""
    return text[:1].upper() + text[1:]


def warning(marker: str, role: str) -> str:
    """What a case warns of, in words for whoever acts in this role."""
    return ASK_THE_HUB if marker == "safe_contact" and reach(role) != "hub" else sentence(marker)


def in_words_of(text: str, profile: Profile | None) -> str:
    """A text of the product as the edition of the guidance says it that the profile names: where the text says what a code is
    called otherwise ('Start a section 17 assessment'), it says the edition's own name."""
    if profile is None or not profile.edition.words:
        return text
    replaced, pattern = _replaced(tuple(profile.edition.words.items()))

    def own(found: re.Match[str]) -> str:
        name = replaced.get(found[0].casefold(), found[0])
        return name[:1].upper() + name[1:] if found[0][:1].isupper() else name

    return pattern.sub(own, text)


@cache
def _replaced(words: tuple[tuple[str, str], ...]) -> tuple[dict[str, str], re.Pattern[str]]:
    """What an edition's words stand instead of, and what finds it; its own words are found too, and stay as they are."""
    replaced = {
        plain.casefold(): own
        for code, own in words
        for plain in (worded(code), code.replace("_", " "))
        if not own.casefold().startswith(plain.casefold())  # a name that only says more of it
    }
    found = sorted({*replaced, *(own.casefold() for _, own in words)}, key=len, reverse=True)
    # Section 17 is in the name of a lawful basis too, and no part of section 175.
    return replaced, re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, found))})(?!\w)", re.IGNORECASE)


def stage_title(stage: str, profile: Profile | None) -> str:
    """What a stage is called, by the edition of the guidance that a case goes by."""
    return sentence(stage, profile) if profile and stage in profile.edition.words else STAGE_TITLES[stage]


def lead_title(stage: str, profile: Profile | None) -> str:
    """What whoever has a case by name is called at this stage: while it is about section 47, the lead of the child's
    protection."""
    if profile is None:
        return "worker"
    return profile.edition.leads["child_protection" if stage in SECTION_47 else "case"]


def age(born: date, today: date) -> str:
    """How old somebody is: '8'; under two '14 months', under two months '5 weeks', under two weeks '9 days'. Of a birthday that
    is still to come nothing."""
    months = (today.year - born.year) * 12 + today.month - born.month - (today.day < born.day)
    days = (today - born).days
    if days < 0:
        return ""
    if months >= MONTHS_ALONE:
        return str(months // 12)
    if months >= 2:
        return f"{months} months"
    number, unit = (days // 7, "week") if days >= TWO_WEEKS else (days, "day")
    return f"{number} {unit}{'' if number == 1 else 's'}"


def agency_title(profile: Profile | None, name: str) -> str:
    """What an agency, or somebody else who is invited, is called at a hub; its code in words where the hub has
    no title for it, or is not served here any more."""
    known = profile.agencies.get(name) or profile.invited.get(name) if profile else None
    return known.title if known else worded(name)


def destination_title(profile: Profile | None, name: str) -> str:
    """Whom something is handed over to, as the hub calls them; of a further offer too ('lado-2')."""
    plain = name.partition("-")[0]
    destination = profile.destinations.get(plain) if profile else None
    return destination.title if destination else worded(plain)


def authority_title(code: str) -> str:
    """A local authority by name and code; the code alone where the list does not have it."""
    name = codes.authority(code)
    return f"{name} ({code})" if name else code


def referrer_title(sector: str) -> str:
    """Whoever referred, by their own sector: a school is not the hub's officer for education, whatever both are filed under."""
    return f"the referrer ({worded(sector)})"


CODED = {
    "code": "referral_source",
    "source": "referral_source",
    "primary_need": "primary_need",
    "factors": "assessment_factors",
    "sex": "sex",
    "ethnicity": "ethnicity",
    "disability": "disability",
    "upn_unknown": "upn_unknown",
    "abuse_categories": "category_of_abuse",
}
"""Fields of submissions and events that have a code of the census."""

DAYS = ("date_of_birth", "expected_date", "died_on")


def decoded(field: str, value: object) -> str:
    """What a field holds, in words beside its code where it has one."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if field in CODED:
        return census(CODED[field], str(value))
    return day(value) if field in DAYS and is_day(value) else str(value)


def day(value: object) -> str:
    """A day, as it is stored, in words."""
    return f"{date.fromisoformat(str(value)):%d %B %Y}".removeprefix("0")


def listed(texts: Sequence[str]) -> str:
    """Texts as a sentence lists them: 'one, two and three'."""
    return " and ".join(filter(None, (", ".join(texts[:-1]), *texts[-1:])))


def about(estimate: str) -> str:
    """An age that somebody estimated: 'about 6', or as they said it."""
    return f"about {estimate}" if estimate.isdigit() else estimate


def is_day(value: object) -> bool:
    """Whether this is a day as it is stored, and not one in somebody's words."""
    try:
        return bool(date.fromisoformat(str(value)))
    except ValueError:
        return False


def census(code_set: str, code: str) -> str:
    """A code of the census and what it means; what is no code of it is shown as it is."""
    return f"{code}: {codes.label(code_set, code)}" if codes.known(code_set, code) else code
