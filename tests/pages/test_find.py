"""Finding somebody, or a case: each row a person by their own name, what is the same and what is not; the field of the bar."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import httpx
import pytest
from hub import Hub, hub_here

from mash.api.pages.find.found import rows as found_rows
from mash.flows.store.looking import look_next
from mash.flows.store.reads.case import read_case
from mash.flows.store.reads.people import Named
from mash.flows.store.store import Store

HOME = {"line1": "46 Larkfield Gdns", "postcode": "ZZ4 9NE"}
EWA = {
    "name": {"given": "Ewa", "family": "Quillfeather"},
    "date_of_birth": "2017-09-28",
    "cohort": "child",
    "address": HOME,
    "nhs_number": "943 476 5919",
}
FILIP = {"name": {"given": "Filip", "family": "Quillfeather"}, "date_of_birth": "2025-12-01", "cohort": "child", "address": HOME}
MAGDA = {"name": "Magda Quillfeather", "relationship": "mother", "date_of_birth": "1990-05-06"}
DAREK = {"name": "Darek Quillfeather", "relationship": "father", "date_of_birth": "about 1985"}
MANAGER = ("duty_manager", "social_care")


@pytest.fixture(scope="module")
def own() -> Iterator[Hub]:
    with hub_here() as running:
        yield running


@pytest.fixture(scope="module")
def family(own: Hub) -> str:
    """A contact about two children and their parents."""
    return own.referral(subjects=[EWA, FILIP], household=[MAGDA, DAREK])


def typed(hub: Hub, text: str, born: str = "", who: tuple[str, str] = MANAGER) -> httpx.Response:
    """What the field of the bar, or of the page, leads to, as a browser follows; a case is not opened."""
    answer = hub.http.post("/find", headers=hub.staff(*who), data={"text": text, "born": born})
    return back(hub, who) if answer.headers.get("location") == "/find" else answer


def back(hub: Hub, who: tuple[str, str] = MANAGER) -> httpx.Response:
    """What somebody is shown who comes back to who was found."""
    return hub.http.get("/find", headers=hub.staff(*who))


def rows(page: str) -> list[str]:
    """The rows of the people found, as they are read."""
    bodies = "".join(re.findall(r"<tbody>(.*?)</tbody>", page, re.DOTALL))
    return [read(row) for row in re.findall(r"<tr>(.*?)</tr>", bodies, re.DOTALL)]


def read(html: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", html).replace("&#34;", '"').split()).replace(" ,", ",")


def looked_at(hub: Hub) -> None:
    async def all_of_it(store: Store) -> None:
        while await look_next(store):
            pass

    hub.stored(all_of_it)


def test_each_of_a_household_has_a_row_by_their_own_name_with_what_is_known_of_them(own: Hub, family: str) -> None:
    (magda,) = [row for row in rows(typed(own, "Magda Quillfeather").text) if row.startswith("Magda")]
    for said in ("Born 6 May 1990", "46 Larkfield Gdns, ZZ4 9NE (where the others live)", "In the household: mother", family):
        assert said in magda
    assert "Matches: name" in magda and "Darek" not in magda and "not recorded" not in magda.lower()
    (darek,) = [row for row in rows(typed(own, "Darek Quillfeather").text) if row.startswith("Darek")]
    assert "Born “about 1985”, as it was written" in darek and "In the household: father" in darek and "Matches: name" in darek


def test_what_is_on_record_is_said_and_what_is_not_says_so(own: Hub) -> None:
    own.referral(subjects=[{"name": {"given": "Ottoline", "family": "Brackenbury"}, "cohort": "child"}], household=[])
    (row,) = rows(typed(own, "Ottoline Brackenbury", "2014-03-02").text)
    assert "Birthday not recorded" in row and "Address not recorded" in row and "Not recorded here: birthday" in row
    assert "not known" not in row.lower()


def test_what_differs_stands_beside_what_was_asked(own: Hub, family: str) -> None:
    (row, *_) = rows(typed(own, "Eva Quilfeather 28/09/2016").text)
    assert row.startswith("Ewa Quillfeather, ") and "Matches: name nearly the same, day and month of the birthday" in row
    assert "Differs: birthday 28 September 2017 (asked: 28 September 2016)" in row
    (exchanged,) = [r for r in rows(typed(own, "Filip Quillfeather", "2025-01-12").text) if r.startswith("Filip")]
    assert "Matches: name, birthday with day and month exchanged" in exchanged


def test_from_a_case_each_of_its_people_is_compared_in_all_that_is_known_of_them(own: Hub, family: str) -> None:
    again = {**EWA, "address": {"line1": "46 Larkfield Gardens", "postcode": "zz49ne"}}
    other = {**FILIP, "nhs_number": "", "date_of_birth": "2024-12-01", "address": {"line1": "3 Mill Lane", "postcode": "ZZ1 1AA"}}
    case = own.referral(subjects=[again, other], household=[{**MAGDA, "date_of_birth": "1991-05-06", "address": HOME}])
    page = own.http.get(f"/people/in/{case}", headers=own.staff(*MANAGER)).text
    text = read(page)
    assert "Ewa Quillfeather, born 28 September 2017" in text
    (ewa,) = [row for row in rows(page) if row.startswith("Ewa Quillfeather") and "Matches: name, birthday" in row]
    assert "postcode, address (written differently), NHS number" in ewa and "Compare" in ewa and family in ewa
    (filip,) = [row for row in rows(page) if row.startswith("Filip") and "Matches: name, day and month of the birthday" in row]
    assert "Differs: birthday 1 December 2025 (asked: 1 December 2024)" in filip
    assert "address 46 Larkfield Gdns, ZZ4 9NE (asked: 3 Mill Lane, ZZ1 1AA)" in filip
    (magda,) = [row for row in rows(page) if row.startswith("Magda") and "Matches: name" in row]
    assert "birthday 6 May 1990 (asked: 6 May 1991)" in magda and "Born 6 May 1990" in magda


@pytest.mark.parametrize(
    "way", ["{reference}", "{lower}", "{bare}", " {lower} ", "{digits}", "{last}", "case {last}", "{year}/{last}"]
)
def test_a_reference_opens_its_case_however_it_is_written(own: Hub, family: str, way: str) -> None:
    _, year, number = family.split("-")
    ways = {"lower": family.lower(), "bare": family.replace("-", "").lower(), "digits": year + number, "last": str(int(number))}
    answer = typed(own, way.format(reference=family, year=year, **ways))
    assert (answer.status_code, answer.headers.get("location")) == (303, f"/case/{family}")


def test_a_number_that_no_case_has_is_said_at_the_field_with_what_was_typed_kept(own: Hub) -> None:
    answer = typed(own, "999999")
    assert answer.status_code == 422 and "There is no case with this number that you can open" in answer.text
    assert 'value="999999"' in answer.text and 'href="#text"' in answer.text


def test_nothing_typed_and_a_day_that_is_none_are_said_at_their_fields(own: Hub) -> None:
    assert 'href="#text"' in typed(own, "").text
    wrong = typed(own, "Ewa Quillfeather", "31/31/2017")
    assert wrong.status_code == 422 and 'href="#born"' in wrong.text and 'value="Ewa Quillfeather"' in wrong.text


def test_a_partner_who_types_a_name_is_led_to_their_checks_and_nobody_is_looked_for(own: Hub, family: str) -> None:
    before = own.sql("SELECT count(*) FROM access")
    answer = typed(own, "Ewa Quillfeather", who=("agency", "police"))
    assert answer.status_code == 403 and "Only the hub’s own staff look for people by name" in answer.text
    assert 'href="/checks"' in answer.text and 'value="Ewa Quillfeather"' in answer.text
    assert f"/case/{family}" not in answer.text and "Magda" not in answer.text
    assert own.sql("SELECT count(*) FROM access") == before


def test_a_partner_opens_their_case_by_its_last_figures_and_no_other(own: Hub) -> None:
    mine, other = own.referral(), own.referral()
    own.rate(mine)
    number = str(int(mine.split("-")[2]))
    answer = typed(own, number, who=("agency", "police"))
    assert (answer.status_code, answer.headers.get("location")) == (303, f"/case/{mine}")
    answer = typed(own, str(int(other.split("-")[2])), who=("agency", "police"))
    assert answer.status_code == 422 and "no case with this number that you take part in" in answer.text


def test_a_partners_bar_asks_for_a_reference_and_whoever_opens_no_case_has_no_field(own: Hub) -> None:
    page = own.http.get("/checks", headers=own.staff("agency", "police")).text
    assert 'placeholder="Reference"' in page and 'href="/find">Open a case</a>' in page and "or name" not in page
    assert 'placeholder="Reference or name"' in own.http.get("/board", headers=own.staff(*MANAGER)).text
    assert 'id="goto"' not in own.http.get("/admin", headers=own.staff("administrator", "hub")).text


def test_safe_contact_says_what_to_do_in_a_row_beside_another_case_and_to_a_partner(own: Hub) -> None:
    consent = {"asked": True, "given": True, "safe_contact": "Never ring the house."}
    child = {"name": {"given": "Calliope", "family": "Thornbury"}, "date_of_birth": "2015-06-07", "cohort": "child"}
    warned, other = own.referral(subjects=[child], household=[], consent=consent), own.referral(subjects=[child], household=[])
    says = "Safe contact: do not contact the family before you have read on the case how they are safely reached"
    assert len([row for row in rows(typed(own, "Calliope Thornbury").text) if says in row and warned in row]) == 1
    for path in (
        f"/people/in/{warned}",
        f"/case/{warned}/beside/{other}?subject=S1",
        f"/case/{other}/beside/{warned}?subject=S1",
    ):
        assert says in own.http.get(path, headers=own.staff(*MANAGER)).text
    own.rate(warned)
    page = own.http.get("/checks", headers=own.staff("agency", "police")).text
    assert "Do not contact the family. Ask the hub first" in page and says not in page


def test_no_name_reaches_an_address_and_each_who_is_shown_is_a_look(own: Hub) -> None:
    reference = own.referral(subjects=[{"name": "Zenobia Thistlewood", "cohort": "child"}], household=[])
    looks = "SELECT count(*) FROM access WHERE reference = %s AND action = 'find_people'"
    page = typed(own, "Zenobia Thistlewood")
    assert page.status_code == 200 and not re.search(r"(href|action)=\"[^\"]*Zenobia", page.text)
    assert own.sql(looks, reference) == [(1,)]


def test_back_shows_again_who_was_found_as_the_same_look_and_whoever_came_meanwhile_as_one_more(own: Hub) -> None:
    looks = "SELECT count(*) FROM access WHERE reference = %s AND action = 'find_people'"
    first = own.referral(subjects=[{"name": "Peregrine Wolstenholme", "cohort": "child"}], household=[])
    assert first in typed(own, "Peregrine Wolstenholme").text
    again = back(own)
    assert first in again.text and 'value="Peregrine Wolstenholme"' in again.text and own.sql(looks, first) == [(1,)]
    second = own.referral(subjects=[{"name": "Peregrine Wolstenholme", "cohort": "child"}], household=[])
    assert second in back(own).text and second in back(own).text
    assert (own.sql(looks, first), own.sql(looks, second)) == ([(1,)], [(1,)])
    typed(own, "Peregrine Wolstenholme")
    assert (own.sql(looks, first), own.sql(looks, second)) == ([(2,)], [(2,)]), "asked anew, it is another look"


def test_that_nobody_was_found_is_written_down_once_however_often_it_is_shown(own: Hub) -> None:
    nobody = "SELECT count(*) FROM access WHERE reference IS NULL AND action = 'find_people'"
    ((before,),) = own.sql(nobody)
    assert "Nobody was found" in typed(own, "Zzyzx Qwertz").text and "Nobody was found" in back(own).text
    assert own.sql(nobody) == [(before + 1,)]


def test_what_was_asked_is_kept_sealed_for_ten_minutes_and_opens_for_nobody_else(own: Hub, family: str) -> None:
    answer = own.http.post("/find", headers=own.staff(*MANAGER), data={"text": "Magda Quillfeather"})
    (cookie,) = answer.headers.get_list("set-cookie")
    assert cookie.startswith("mash-find=") and "Magda" not in cookie and "Magda" not in answer.headers["location"]
    for said in ("HttpOnly", "Path=/find", "SameSite=strict"):
        assert said in cookie
    ((seconds,),) = [re.findall(r"Max-Age=(\d+)", cookie)]
    assert 590 <= int(seconds) <= 600
    before = own.sql("SELECT count(*) FROM access")
    for other in (("team_manager", "social_care"), ("agency", "police")):
        page = back(own, other).text
        assert "Magda" not in page and f"/case/{family}" not in page
    assert own.sql("SELECT count(*) FROM access") == before
    assert "Born 6 May 1990" in back(own).text


def test_what_was_asked_ten_minutes_ago_is_kept_no_longer_though_a_browser_still_sends_it(
    own: Hub, family: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mash.api.pages.find.sought.LIFE", timedelta(0))
    own.http.cookies.delete("mash-find")
    sealed = own.http.post("/find", headers=own.staff(*MANAGER), data={"text": "Magda Quillfeather"}).headers["set-cookie"]
    sent = {**own.staff(*MANAGER), "Cookie": sealed.partition(";")[0]}
    page = own.http.get("/find", headers=sent)
    assert page.status_code == 200 and "Magda" not in page.text
    tampered = {**sent, "Cookie": "mash-find=AAAA"}
    assert own.http.get("/find", headers=tampered).status_code == 200


def test_nobody_found_says_what_to_try_and_no_close_match_says_so(own: Hub, family: str) -> None:
    assert "Nobody was found" in typed(own, "Xylophon Wrzesz").text
    own.referral(subjects=[{"name": "Persephone Ashgrove", "cohort": "child"}], household=[])
    page = typed(own, "Percy Ashgrove")
    assert "No close match: 1 person comes nearest" in page.text and "Persephone Ashgrove" in page.text


def test_a_part_of_a_name_finds_all_who_bear_it_each_once(own: Hub) -> None:
    own.referral(
        subjects=[{"name": {"given": "Tam", "family": "Oyelaran"}, "cohort": "child"}],
        household=[{"name": "Folasade-Temilade Oyelaran", "relationship": "mother"}, {"name": "Bo Pettigrew"}],
    )
    found = [row.split("Oyelaran")[0].strip() for row in rows(typed(own, "Oyelaran").text)]
    assert sorted(found) == ["Folasade-Temilade", "Tam"]


def test_an_nhs_number_or_a_upn_finds_whose_it_is_and_stands_in_no_address(own: Hub) -> None:
    upn = "H801200001001"
    child = {"name": "Wilhelmina Dunstable", "cohort": "child", "nhs_number": "450 557 7104", "upn": upn}
    reference = own.referral(subjects=[child], household=[{"name": "Bo Dunstable"}])
    for asked, part in (("4505577104", "NHS number"), (upn, "UPN")):
        page = typed(own, asked).text
        (row,) = rows(page)
        assert row.startswith("Wilhelmina Dunstable") and f"Matches: {part}" in row and reference in row
    assert "Nobody was found" in typed(own, "9434765870").text


def test_a_page_that_was_open_before_there_was_one_field_is_answered_too(own: Hub, family: str) -> None:
    answer = own.http.post("/people", headers=own.staff(*MANAGER), data={"name": "Magda Quillfeather", "born": ""})
    assert answer.headers["location"] == "/find" and "Born 6 May 1990" in back(own).text


def test_what_is_on_record_but_not_for_whoever_looks_is_said_to_be_there(own: Hub, family: str) -> None:
    async def hidden(store: Store) -> Named:
        return Named(family, None, None, (), (await read_case(store, family)).referral, child=None)

    (row,) = found_rows([own.stored(hidden)], date(2026, 11, 19))
    assert (row.name, row.born, row.lives) == ("On record, but not for you to read", "", "")


def test_contacts_that_are_confirmed_to_be_of_one_child_are_one_row(own: Hub) -> None:
    child = {"name": {"given": "Leopoldine", "family": "Harkaway"}, "date_of_birth": "2016-09-14", "cohort": "child"}
    first = own.referral(subjects=[child], household=[])
    second = own.referral(subjects=[{**child, "name": {"given": "Leopoldina", "family": "Harkaway"}}], household=[])
    looked_at(own)
    apart = typed(own, "Leopoldine Harkaway", "2016-09-14").text
    assert len(rows(apart)) == 2 and f"May be the same child as in {first}. Compare" in read(apart)
    own.give(second, "identify_subject", subject="S1", other=first, other_subject="S1")
    looked_at(own)
    (row,) = rows(typed(own, "Leopoldine Harkaway", "2016-09-14").text)
    assert "May be the same child" not in row
    assert first in row and second in row and "as Leopoldina Harkaway" in row


def test_contacts_of_which_it_was_taken_back_are_two_rows_also_where_one_is_closed(own: Hub) -> None:
    child = {"name": {"given": "Philomena", "family": "Ravenscroft"}, "date_of_birth": "2014-02-11", "cohort": "child"}
    first, second = (own.referral(subjects=[child], household=[]) for _ in range(2))
    looked_at(own)
    own.give(second, "identify_subject", subject="S1", other=first, other_subject="S1")
    looked_at(own)
    own.rate(first, "green")
    own.answer_all(first)
    own.give(first, "record_decision", words="No role.", outcomes={"S1": "no_further_action"})
    third = own.referral(subjects=[{**child, "name": {"given": "Philomina", "family": "Ravenscroft"}}], household=[])
    looked_at(own)
    own.give(third, "identify_subject", subject="S1", other=second, other_subject="S1")
    own.give(second, "withdraw_identity", subject="S1", words="Her cousin.")
    looked_at(own)
    found = rows(typed(own, "Philomena Ravenscroft", "2014-02-11").text)
    assert len(found) == 2 and any(first in row and third in row for row in found)


def test_somebody_of_a_household_is_set_beside_a_child_with_what_is_said_of_them_and_of_nobody_else(own: Hub) -> None:
    girl = {"name": {"given": "Seraphina", "family": "Coldwater"}, "date_of_birth": "2010-03-04", "cohort": "child"}
    boy = {"name": {"given": "Jonas", "family": "Coldwater"}, "date_of_birth": "2018-01-02", "cohort": "child"}
    father = {"name": "Abel Coldwater", "relationship": "father", "date_of_birth": "1980-01-01"}
    sister = {"name": "Serafina Coldwater", "relationship": "sister", "date_of_birth": "2010-03-04"}
    hers, his = own.referral(subjects=[girl], household=[]), own.referral(subjects=[boy], household=[father, sister])
    page = own.http.get(f"/people/in/{hers}", headers=own.staff(*MANAGER)).text
    (row,) = [row for row in rows(page) if row.startswith("Serafina")]
    assert "In the household: sister" in row and "Born 4 March 2010" in row
    beside = read(own.http.get(f"/case/{hers}/beside/{his}?subject=S1", headers=own.staff(*MANAGER)).text)
    assert f'href="/case/{hers}/beside/{his}?subject=S1"' in page and "4 March 2010 4 March 2010" in beside
    assert "Serafina Coldwater" in beside and "1 January 1980" not in beside


def test_those_who_are_possible_and_brothers_and_sisters_have_the_same_rows(own: Hub) -> None:
    boy: dict[str, Any] = {"name": {"given": "Ambrose", "family": "Lindqvist"}, "date_of_birth": "2017-03-04", "cohort": "child"}
    girl = {"name": {"given": "Octavia", "family": "Lindqvist"}, "date_of_birth": "2015-11-30", "cohort": "child"}
    both, his = own.referral(subjects=[boy, girl], household=[]), own.referral(subjects=[boy], household=[])
    looked_at(own)
    own.give(his, "identify_subject", subject="S1", other=both, other_subject="S1")
    looked_at(own)
    (sister,) = rows(own.http.get(f"/case/{his}/siblings", headers=own.staff(*MANAGER)).text)
    assert sister.startswith("Octavia Lindqvist") and "Born 30 November 2015" in sister and both in sister
    number = {"nhs_number": "401 023 2137"}
    stranger = {"name": "Bartholomew Finch", "date_of_birth": "2011-01-01", "cohort": "child", **number}
    first = own.referral(subjects=[{**girl, "name": {"given": "Hyacinth", "family": "Moss"}, **number}], household=[])
    second = own.referral(subjects=[stranger], household=[])
    looked_at(own)
    page = own.http.get(f"/case/{second}/possible", headers=own.staff(*MANAGER)).text
    (row,) = rows(page)
    assert row.startswith("Hyacinth Moss") and "NHS number" in row and "name Hyacinth Moss (asked: Bartholomew Finch)" in row
    assert f'href="/case/{second}/beside/{first}?subject=S1&amp;other_subject=S1"' in page
