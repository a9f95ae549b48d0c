"""Checks, as an agency works through them: about whom, what, by when, who has it; answered, taken and handed over in place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from hub import Hub, hub_here, later

from mash.flows.store.reads.case import read_case
from mash.states.values import Actor

CALM = {"safe_contact": None}
EWA = {
    "name": {"given": "Ewa", "family": "Nowicka"},
    "date_of_birth": "2018-09-28",
    "cohort": "child",
    "address": {"line1": "46 Larkfield Gdns", "postcode": "ZZ4 9NE"},
}
FAMILY = [{"name": "Magda Nowicka", "relationship": "mother"}, {"name": "Darek Nowicka", "relationship": "father"}]


@pytest.fixture
def own() -> Iterator[Hub]:
    with hub_here() as running:
        yield running


def asked(hub: Hub, **more: Any) -> str:
    """A red case of which agencies are asked."""
    reference = hub.referral(**{"subjects": [EWA], "household": FAMILY, **more})
    hub.rate(reference)
    return reference


def page(hub: Hub, path: str = "/checks", agency: str = "housing") -> str:
    answer = hub.http.get(path, headers=hub.staff("agency", agency))
    assert answer.status_code == 200, answer.text
    return answer.text


def words_of(text: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text)).strip()


def row(hub: Hub, reference: str, path: str = "/checks", agency: str = "housing") -> str:
    """What stands in the row of a check; nothing where it is not on the list."""
    found = re.search(rf'<tr role="row" id="{reference}".*?</tr>', page(hub, path, agency), re.DOTALL)
    return words_of(found[0]) if found else ""


def sends(hub: Hub, text: str, action: str, agency: str = "housing", **more: str) -> Any:
    """Sends the form of a page, as a browser does."""
    form = re.search(rf'<form[^>]*action="({re.escape(action)}[^"]*)".*?</form>', text, re.DOTALL)
    assert form, text
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', form[0]))
    return hub.http.post(form[1].replace("&amp;", "&"), data={**hidden, **more}, headers=hub.staff("agency", agency))


def test_a_row_says_who_with_age_birthday_address_and_household_what_is_asked_and_by_when(own: Hub) -> None:
    reference = asked(own)
    said = row(own, reference)
    assert "Ewa Nowicka, 8" in said and "Red" in said
    assert "Born 28 Sep 2018. 46 Larkfield Gdns, ZZ4 9NE. Mother Magda Nowicka, father Darek." in said
    assert "Tenancy, arrears, complaints and visits" in said and "left" in said and "due 1" in said
    assert "1 check to answer" in page(own)


def test_a_case_whose_key_is_not_here_keeps_nobody_from_the_other_checks(own: Hub) -> None:
    closed, other = asked(own), asked(own)
    own.sql("UPDATE referral_key SET wrapped = wrapped || '\\x00'::bytea WHERE reference = %s", closed)
    assert "Ewa Nowicka" not in row(own, closed) and "Red" in row(own, closed)
    assert "Ewa Nowicka, 8" in row(own, other)


def test_what_the_agency_may_not_know_is_not_there(own: Hub) -> None:
    hidden = {**EWA, "address": {"line1": "Refuge, address not to be disclosed", "postcode": "ZZ9 9ZZ"}}
    reference = asked(own, subjects=[hidden], concern={"summary": "He hit her.", "narrative": "A neighbour heard it."})
    said = row(own, reference)
    assert "Address is secret and not shown." in said and "ZZ9 9ZZ" not in said and "He hit her" not in said
    assert "and this address" not in words_of(page(own, f"/checks?confirm={reference}"))
    assert reference not in page(own, agency="not_asked")


def test_where_contact_is_not_safe_it_says_whom_to_ask_and_not_why(own: Hub) -> None:
    reference = asked(own, consent={"safe_contact": "Ring before three: he reads her letters.", "safe_to_tell": True})
    said = row(own, reference)
    assert "Do not contact the family. Ask the hub first." in said and "letters" not in said
    assert "Do not contact the family" not in row(own, asked(own, consent={"safe_contact": None, "safe_to_tell": True}))


def test_not_known_to_us_is_one_press_and_a_confirmation_in_its_row(own: Hub) -> None:
    reference, other = asked(own), asked(own)
    opened = page(own, f"/checks?confirm={reference}")
    said = words_of(opened)
    assert "Send “not known to us” for Ewa Nowicka and the household?" in said
    assert "The hub sees that Housing looked under these names, this birthday and this address, and holds nothing." in said
    assert re.search(r"<button[^>]*autofocus[^>]*>Send “not known to us”", opened) and opened.count('class="govuk-button"') == 1
    assert own.case(reference)["checks"]["housing"]["answered_at"] is None, "looking sends nothing"
    sent = sends(own, opened, f"/checks/{reference}/answer")
    assert sent.status_code == 303
    check = own.case(reference)["checks"]["housing"]
    assert check["answered_at"] and check["known"] is False
    after = page(own, sent.headers["location"])
    assert "Sent “not known to us” for Ewa Nowicka." in words_of(after)
    assert row(own, reference) == "" and row(own, other)
    assert "Answered this week: 1. See them 1 in time; 1 “not known to us”." in words_of(after)
    assert "Ewa Nowicka, 8" in page(own, "/checks/answered") and "Not known to us" in page(own, "/checks/answered")


def test_sent_twice_it_is_answered_once_and_what_is_not_asked_any_more_is_said_to_be(own: Hub) -> None:
    reference = asked(own)
    opened = page(own, f"/checks?confirm={reference}")
    assert sends(own, opened, f"/checks/{reference}/answer").status_code == 303
    assert sends(own, opened, f"/checks/{reference}/answer").status_code == 303
    assert "Nothing is asked of your agency about this any more" in page(own, f"/checks?confirm={reference}")


def test_we_know_them_opens_the_form_with_that_said_already(own: Hub) -> None:
    reference = asked(own)
    link = f"/case/{reference}/answer_check?known=true"
    assert link in page(own)
    assert re.search(r'name="known"[^>]*value="true"[^>]*checked', page(own, link))


def test_nobody_has_it_until_it_is_taken_and_a_colleague_is_chosen_from_who_exists(own: Hub) -> None:
    reference = asked(own)
    own.session(Actor(id="s.okafor", role="agency", agency="housing", hub="sandwell"))
    own.session(Actor(id="a.teacher", role="agency", agency="education", hub="sandwell"))
    assert "Nobody has it yet" in row(own, reference)
    assert sends(own, page(own), f"/checks/{reference}/allocate").status_code == 303
    assert "With you." in row(own, reference) and "Nobody has it" not in row(own, reference)
    handing = page(own, f"/checks?hand={reference}")
    offered = re.findall(r'<option value="([^"]*)">([^<]*)', handing)
    assert offered == [("s.okafor", "S. Okafor")]
    assert sends(own, handing, f"/checks/{reference}/allocate", to="a.teacher").status_code == 422
    assert sends(own, handing, f"/checks/{reference}/allocate", to="s.okafor").status_code == 303
    assert "With S. Okafor." in row(own, reference)
    assert row(own, reference, "/checks?whose=mine") == ""


def test_a_check_that_the_hub_goes_on_without_leaves_the_list_with_its_clock(own: Hub) -> None:
    reference = asked(own)
    assert row(own, reference)
    own.give(reference, "call_strategy_discussion", words="Bruises in two places.")
    assert "left" in row(own, reference), "while it is discussed the agency is asked, and its clock runs"
    quorum = {"attended": ["social_care", "police", "health"], "mode": "face_to_face"}
    own.give(reference, "record_strategy_discussion", outcome="section_47", words="Enquiries begin.", **quorum)
    assert row(own, reference) == "" and "no clock running" not in page(own)
    assert own.stored(lambda store: read_case(store, reference)).referral.to_answer == {}


def test_late_is_said_by_how_much_and_the_soonest_due_is_first(own: Hub) -> None:
    green = own.referral(subjects=[EWA], household=FAMILY)
    own.rate(green, "green")
    red = asked(own)
    text = page(own)
    assert text.index(f'id="{red}"') < text.index(f'id="{green}"')
    due = own.stored(lambda store: read_case(store, red)).referral.to_answer["housing"].due_at
    with later(own, due) as afterwards:
        assert "late" in row(afterwards, red) and "left" in row(afterwards, green)


def test_that_somebody_read_who_it_is_about_is_written_down_of_each(own: Hub) -> None:
    reference = asked(own)
    page(own)
    looks = own.sql("SELECT reference, role, agency, why FROM access WHERE action = 'read_checks'")
    assert (reference, "agency", "housing", "housing takes part") in {tuple(look) for look in looks}


def test_rows_do_not_move_by_themselves_and_a_link_says_that_the_list_has_changed(own: Hub) -> None:
    asked(own)
    (address,) = {found.replace("&amp;", "&") for found in re.findall(r'hx-get="(/checks/changed[^"]*)"', page(own))}
    assert "The list has changed" not in page(own, address)
    asked(own)
    changed = page(own, address)
    assert "The list has changed" in changed and "Ewa" not in changed
