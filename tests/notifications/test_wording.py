"""The words of notices: short, with what is to be done; a hub's own where it has them; and nobody's name, whatever is typed."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hubs_at_work import DUTY, MORNING, Case
from hypothesis import given
from hypothesis import strategies as st

from mash.api.schemas.contact import Submission
from mash.api.schemas.intake import contact_of
from mash.config.profile import load_profile
from mash.config.profile_files import available
from mash.notifications.notices.occasion import WARNINGS
from mash.notifications.preview import FACTS, check_own, preview
from mash.notifications.wording import KINDS, UNADDRESSED, WordingWrong, digest, message_for
from mash.states.acts.rating import RateReferral
from mash.states.acts.sharing import RecordSharingBasis
from mash.states.errors import Refusal
from mash.states.profile import Profile
from mash.states.referral import NOT_TO_TELL
from mash.states.values import SYSTEM, Actor

LINK = "https://mash.example.org/alerts/token"
SYSTEM = Actor(id=SYSTEM, role=SYSTEM, agency=SYSTEM, hub="sandwell")


@pytest.mark.parametrize("kind", KINDS)
def test_every_notice_has_a_title_words_and_at_most_one_link_per_alert_in_text_and_html(kind: str) -> None:
    message = preview(kind)
    assert message.title and len(message.title) < 120
    assert message.lines and len(message.lines) <= 6
    assert len(message.links) <= (1 if kind != "digest" else 4)
    for line in (*message.lines, *(label for label, _ in message.links)):
        assert line in message.body
    assert "<h1" in message.html and (not message.links or f'href="{message.links[0][1]}"' in message.html)


@pytest.mark.parametrize("kind", ["escalation", "immediate_danger", "warning", "chase"])
def test_an_alert_says_which_referral_how_urgent_what_is_late_by_how_much_and_what_to_do(kind: str) -> None:
    message = preview(kind)
    whole = f"{message.title}\n{message.body}"
    assert "MASH-26-000123" in whole and "40 min late (due Fri 27 Nov 16:30)" in whole and "red, at agency checks" in whole
    assert message.links[0][1].startswith("https://")


def test_a_professional_is_told_the_outcome_and_the_public_is_thanked() -> None:
    assert "section 17" in preview("outcome").body
    public = preview("outcome", professional=False)
    assert "section" not in public.body and "Thank you" in public.body
    assert "If you disagree" in public.body


def test_what_is_held_back_is_said_as_what_is_acted_on_and_the_acknowledgement_says_no_less() -> None:
    assert "it has been received and is being acted on" in preview("outcome", outcomes=["being_acted_on"]).body
    assert "and is acting on it" in preview("acknowledgement").body
    asked = preview("inform_referrer", held_back=True).body
    assert "Say only that it has been received and is being acted on" in asked


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("digest", "system", "test")])
def test_every_notice_of_a_case_says_that_the_family_is_not_told_and_a_folded_one_of_which(kind: str, tmp_path: Path) -> None:
    silent = preview(kind, warnings=[WARNINGS[NOT_TO_TELL]])
    assert "Do not tell the family" in silent.body and "Do not tell" not in preview(kind).body
    together = digest([preview("warning"), silent])
    assert together.lines[0] == "Do not tell the family anything of MASH-26-000123."


def test_a_hubs_own_words_that_leave_the_warnings_out_have_it_before_them(tmp_path: Path) -> None:
    (tmp_path / "chase.j2").write_text(
        "{% block title %}{{ reference }}{% endblock %}{% block body %}Answer, please.{% endblock %}"
    )
    message = preview("chase", own=tmp_path, warnings=[WARNINGS[NOT_TO_TELL]])
    assert message.lines[0].startswith("Do not tell the family") and message.lines[1] == "Answer, please."


def test_an_invitation_says_it_in_the_calendar() -> None:
    file = preview("meeting_convened", warnings=[WARNINGS[NOT_TO_TELL]]).invitation
    assert file and b"Do not tell the family" in file.replace(b"\r\n ", b"")


def test_a_professional_whose_contact_was_added_to_a_case_is_told_that_it_was_considered() -> None:
    assert "what you told us was received and considered" in preview("outcome", outcomes=["considered"]).body


def test_a_referrer_is_told_where_a_reply_goes() -> None:
    assert "Replies to this address are not read" in preview("acknowledgement", reply_to=False).body
    assert "Replies to this address are not read" not in preview("acknowledgement", reply_to=True).body
    assert "reply to this message" in preview("outcome", reply_to=True).body


# --- a hub's own words --------------------------------------------------------------------------------------------------------


def test_a_hubs_own_words_replace_ours_for_that_hub_only(tmp_path: Path) -> None:
    (tmp_path / "merton").mkdir()
    own = "{% block title %}{{ reference }} ist zu spaet{% endblock %}{% block body %}{{ why }}{% endblock %}"
    (tmp_path / "merton" / "escalation.j2").write_text(own)
    check_own(tmp_path, ("merton", "sandwell"))
    assert preview("escalation", hub="merton", own=tmp_path).title == "MASH-26-000123 ist zu spaet"
    assert preview("escalation", hub="sandwell", own=tmp_path).title.startswith("LATE")


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("escalation.j2", "{% block title %}{{ childs_name }}{% endblock %}", "'childs_name' is undefined"),
        ("escalation.j2", "{% block title %}", "Unexpected end of template"),
        ("escalation.j2", "{% block title %}{{ ''.__class__.__mro__ }}{% endblock %}", "unsafe"),
        ("escaltion.j2", "{% block title %}x{% endblock %}", "there is no notice of this kind"),
        ("camden/escalation.j2", "{% block title %}x{% endblock %}", "or no such hub"),
    ],
)
def test_own_words_that_cannot_be_used_are_refused_at_start_with_the_reason(
    tmp_path: Path, name: str, text: str, says: str
) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text(text)
    with pytest.raises(WordingWrong, match=says):
        check_own(tmp_path, ("merton",))


# --- nobody's name ------------------------------------------------------------------------------------------------------------

hostile = st.one_of(
    st.sampled_from(
        [
            "Zebediah Quillfeather", "{{ reference }}", "{% raw %}", "<script>alert(1)</script>", "' OR 1=1 --",
            "\r\nBcc: x@y.example.org",
            "Ærøskøbing Ó Súilleabháin", "\u202eevil", "A" * 500, "red", "${7*7}", "%s%s%n",
        ]
    ),
    # Control characters never come so far: they are refused.
    st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=6, max_size=80),
)  # fmt: skip
HUBS = {name: load_profile(name) for name in available()}


@given(st.data())
def test_no_word_that_anybody_typed_reaches_a_notice(data: st.DataObject) -> None:
    typed: list[str] = []

    def word() -> str:
        typed.append(data.draw(hostile))
        return f"§{len(typed)}§{typed[-1]}"

    profile: Profile = HUBS[data.draw(st.sampled_from(sorted(HUBS)))]
    submission = Submission.model_validate(
        {
            "kind": word(),
            "source": {"code": "2A", "agency": data.draw(st.sampled_from(["education", "individual", "police"])), "name": word(),
                       "email": word(), "phone": word(), "organisation": word(), "role": word()},
            "subjects": [{"name": {"given": word(), "family": word()}, "address": {"line1": word(), "postcode": word()},
                          "school": word(), "date_of_birth": word(), "cohort": word(), "nhs_number": word()}],
            "household": [{"name": word(), "relationship": word()}],
            "concern": {"summary": word(), "narrative": word(), "primary_need": word(), "factors": [word()],
                        "immediate_danger": data.draw(st.booleans())},
            "consent": {"override_reason": word(), "safe_contact": word()},
            "place": word(), word()[:200]: word(),
        }
    )  # fmt: skip
    command, _ = contact_of(submission, MORNING.date())
    case = Case(profile, MORNING)
    case.give(command.model_copy(update={"referrer_reachable": True}), SYSTEM)
    steps: list[Any] = [
        RecordSharingBasis(purpose="safeguarding_child", lawful_basis="public_task", consent="not_sought", family_informed=True),
        RateReferral(rating=data.draw(st.sampled_from(sorted(profile.ratings)))),
    ]
    for step in steps:
        try:
            case.give(step, DUTY)
        except Refusal:
            break
    case.run_to(case.now + timedelta(hours=data.draw(st.integers(1, 200))))
    assert case.notices
    for notice in case.notices:
        for text in (json.dumps(notice.draft.facts), notice.message.title, notice.message.body, notice.message.html):
            assert "§" not in text


@given(st.sampled_from([kind for kind in KINDS if kind != "digest"]), hostile)
def test_a_fact_that_is_hostile_stays_text_in_the_html(kind: str, text: str) -> None:
    facts = {**FACTS, "what": text, "why": text, "service": text, "hub_title": text, "detail": text, "signpost": text}
    message = message_for(kind, "MASH-26-000001", facts, MORNING, LINK, **{**UNADDRESSED, "role": "duty manager"})
    assert "<script>" not in message.html
    assert "\n" not in message.title and "\r" not in message.title


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("outcomes", [[], ["section_17"]])
@pytest.mark.parametrize("taken", [True, False])
def test_a_sentence_ends_once_also_where_a_hub_wrote_it(kind: str, outcomes: list[str], taken: bool) -> None:
    assert ".." not in " ".join(preview(kind, outcomes=outcomes, taken=taken).lines)
