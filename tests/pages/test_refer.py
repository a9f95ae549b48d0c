"""Making a referral page by page, as a teacher or a neighbour does it."""

from __future__ import annotations

import html
import re
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import httpx
import pytest
from hub import CANARY, Hub
from papers import words_on

from mash.api.app import create_app
from mash.api.pages.refer.answers import Answers as Draft
from mash.api.pages.refer.submission import submission_of
from mash.config.settings import Settings
from mash.flows.store import drafts as store_drafts
from mash.flows.store.drafts import LARGEST, Answers, NoRoom, begin_draft, read_draft, write_draft
from mash.flows.store.reads.health import read_health
from mash.flows.store.store import Store

FIRST, FAMILY = CANARY.split()
FIELD = re.compile(r"<(?:input|textarea|select)\b[^>]*>")
ISLA = {
    "given": FIRST,
    "family": FAMILY,
    "cohort": "child",
    "day": "27",
    "month": "3",
    "year": "2015",
    "address": "1 Elm Rd, b70 8aa",
}
TEACHER = {
    "name": "M. Teacher",
    "role": "class teacher",
    "organisation": "Thornwick Vale",
    "sector": "education",
    "which_education": "school",
    "email": "m.teacher@school.example.org",
    "phone": "01632 960115",
}
WORRIED = "She came in with a bruise.\r\nShe said she fell."
MOST_PAGES = 8
"""For one child, from what to expect to the reference; each brother or sister may take `MOST_FOR_A_SIBLING` more."""
MOST_FOR_A_SIBLING = 3
ROOM = 1_000_000


class Writer:
    """Somebody with a browser of their own, who reads each page before they answer it."""

    def __init__(self, hub: Hub) -> None:
        self.browser = httpx.Client(verify=False, base_url=hub.http.base_url, timeout=30, follow_redirects=True)
        self.seen = list[str]()
        self.page = self.go("/refer")

    @property
    def at(self) -> str:
        """Where they are."""
        return self.page.url.path

    @property
    def text(self) -> str:
        """What the page says, without its markup."""
        return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", " ", self.page.text)))

    def go(self, path: str) -> httpx.Response:
        """Open a page."""
        self.page = self.browser.get(path)
        self._look()
        return self.page

    def answer(self, action: str = "", **typed: Any) -> httpx.Response:
        """Fill in the page's form, and press its button; or that of another form of it."""
        path = action or re.findall(r'<form method="post" action="([^"]*)"', self.page.text)[0]
        self.page = self.browser.post(path, data=typed)
        self._look()
        return self.page

    def _look(self) -> None:
        """Have a page counted, as they see it: one that is shown again with what is wrong is one more."""
        self.seen.append(self.at)

    def begin(self, area: str = "sandwell", danger: str = "no", want: str = "referral") -> Writer:
        """As far as who it is about."""
        self.answer("/refer")
        self.answer(hub=area, danger=danger, want=want)
        if danger == "yes":
            self.go("/refer/people/new")
        assert self.at == "/refer/people/new"
        return self

    def finish(self, worries: str = WORRIED, **you: str) -> Writer:
        """From what worries them to the check page."""
        assert self.at == "/refer/worries", self.text
        self.answer(worries=worries, need="Ring me back today.", categories=["neglect", "domestic_abuse"])
        self.answer(who_1="Ruth Example", is_1="mother", told="yes", agreed="no", why="To keep her safe.", safe="Not after four.")
        self.answer(**{**TEACHER, **you})
        assert self.at == "/refer/check", self.text
        return self

    def send(self) -> str:
        """Send it; the reference."""
        self.answer("/refer/send")
        assert self.at == "/refer/sent", self.text
        return re.findall(r"MASH-[0-9]{2}-[0-9]{6,}", self.page.text)[0]

    @property
    def secret(self) -> str:
        """The secret of their draft."""
        return self.browser.cookies["mash-referral"]


@pytest.fixture
def writer(hub: Hub) -> Iterator[Writer]:
    somebody = Writer(hub)
    yield somebody
    somebody.browser.close()


def items(hub: Hub, reference: str, area: str = "sandwell") -> list[dict[str, Any]]:
    """What the hub's duty manager reads."""
    answer = hub.http.get(f"/cases/{reference}", headers=hub.staff("duty_manager", hub=area))
    assert answer.status_code == 200, answer.text
    return [each["content"] for each in answer.json()["items"]]


def referred(writer: Writer, **you: str) -> str:
    writer.begin().answer(**ISLA)
    return writer.finish(**you).send()


# --- the whole way through -----------------------------------------------------------------------------------------------------


def test_a_teacher_refers_a_child_and_the_hub_reads_all_of_it(hub: Hub, writer: Writer) -> None:
    assert "call 999 first" in writer.text and "within 1 working day" in writer.text
    reference = referred(writer)
    assert (
        "We have your referral" in writer.text and "within 1 working day" in writer.text and 'href="/status"' in writer.page.text
    )
    (code,) = re.findall(r"\b[A-Z2-7]{4}(?:-[A-Z2-7]{4}){3}\b", writer.page.text)
    known = {"reference": reference, "code": code}
    assert "is being acted on" in writer.browser.post("/status", data=known).text
    stored = str(items(hub, reference))
    for part in (
        FIRST,
        FAMILY,
        "2015-03-27",
        "B70 8AA",
        "She came in with a bruise.",
        "domestic_abuse",
        "neglect",
        "Thornwick Vale",
        "Ruth Example",
        "mother",
    ):
        assert part in stored
    case = hub.case(reference)
    assert "consent_not_asked" not in str(case) and "safe_contact" in str(case)
    assert case["categories"] == ["neglect", "domestic_abuse"]


def test_what_they_need_from_the_hub_is_a_question_of_its_own_and_stands_by_itself_on_the_case(hub: Hub, writer: Writer) -> None:
    assert "What do you need from us?" in writer.begin().answer(**ISLA).text
    reference = writer.finish().send()
    line = re.compile(r"<p[^>]*><strong>They need from you:</strong> <span[^>]*>(.*?)</span></p>", re.DOTALL)
    assert line.findall(case_page(hub, reference)) == ["Ring me back today."]
    partner = hub.http.get(f"/case/{reference}", headers=hub.staff("agency", "police"))
    assert partner.status_code == 404 and "Ring me back" not in partner.text
    assert "They need from you" not in case_page(hub, hub.referral()), "where nothing was said, there is no line"


def test_whoever_says_only_what_they_need_is_heard_and_a_long_answer_is_cut_on_the_case(hub: Hub, writer: Writer) -> None:
    writer.begin().answer()
    writer.answer(need=f"Ring me back. {'It is long. ' * 40}")
    writer.answer()
    writer.answer(sector="self")
    page = case_page(hub, writer.send())
    assert "They need from you:" in page and "Ring me back." in page and 0 < page.count("It is long.") < 30
    assert "mash-worry" not in page


def case_page(hub: Hub, reference: str) -> str:
    """What the duty manager sees of a case, before anything is opened."""
    return hub.http.get(f"/case/{reference}", headers=hub.staff("duty_manager")).text


@pytest.mark.parametrize("brothers", [0, 1, 2])
def test_one_child_takes_eight_pages_and_each_brother_or_sister_three_more_at_most(
    hub: Hub, writer: Writer, brothers: int
) -> None:
    writer.begin()
    for number in range(brothers):
        writer.answer(**ISLA, more="yes") if number == 0 else writer.answer(
            **copied(writer), given="Tom", cohort="child", more="yes"
        )
    writer.answer(**ISLA) if not brothers else writer.answer(**copied(writer), given="Max", cohort="child", more="no")
    reference = writer.finish().send()
    assert len(writer.seen) <= MOST_PAGES + MOST_FOR_A_SIBLING * brothers, writer.seen
    assert len(writer.seen) == 8 + brothers, "as it stands, a page for each"
    assert len(hub.case(reference)["subjects"]) == 1 + brothers


def copied(writer: Writer) -> dict[str, str]:
    """What stands in the page of another child before anything is typed there."""
    fields = re.findall(r'<input[^>]*name="(address|school)"[^>]*value="([^"]*)"', writer.page.text)
    return {name: html.unescape(value) for name, value in fields}


def test_address_and_school_are_copied_for_a_brother_or_a_sister_and_can_be_changed(hub: Hub, writer: Writer) -> None:
    writer.begin().answer(**ISLA, school="Thornwick Vale", more="yes")
    assert copied(writer) == {"address": "1 Elm Rd, b70 8aa", "school": "Thornwick Vale"} and f"those of {FIRST}" in writer.text
    writer.answer(**{**copied(writer), "school": "Larkspur Gate"}, given="Tom", cohort="child", age="4", more="no")
    stored = str(items(hub, writer.finish().send()))
    assert stored.count("1 Elm Rd") == 2 and "Thornwick Vale" in stored and "Larkspur Gate" in stored


@pytest.mark.parametrize(
    ("typed", "line", "postcode"),
    [
        ("1 Elm Rd, b70 8aa", "1 Elm Rd", "B70 8AA"),
        ("B70 8AA", None, "B70 8AA"),
        ("1 Elm Rd, B70 8AA, top flat", "1 Elm Rd, top flat", "B70 8AA"),
        ("1 Elm Rd", "1 Elm Rd", None),
    ],
)
def test_a_postcode_that_stands_within_an_address_is_said_once(typed: str, line: str | None, postcode: str | None) -> None:
    answers = Draft(people=[{"id": "1", "given": "Isla", "address": typed}])
    (child,) = submission_of(answers).subjects
    assert child.address.model_dump() == {"line1": line, "postcode": postcode}


def test_another_child_of_whom_nothing_is_said_but_what_was_copied_is_none(hub: Hub, writer: Writer) -> None:
    writer.begin().answer(**ISLA, more="yes")
    writer.answer(**copied(writer), more="no")
    assert len(hub.case(writer.finish().send())["subjects"]) == 1


def test_no_question_has_more_than_seven_answers(writer: Writer) -> None:
    writer.begin()
    for path in ("first", "people/new", "worries", "family", "you"):
        page = writer.go(f"/refer/{path}").text
        for kind in ("radio", "checkbox"):
            tags = re.findall(rf'<input[^>]*type="{kind}"[^>]*>', page)
            names = [re.search(r'id="([a-z_]+?)(?:-[0-9]+)?"', tag) for tag in tags]
            groups = [name[1] for name in names if name]
            assert all(groups.count(each) <= 7 for each in groups), (path, groups)
    assert "Neglect" in writer.go("/refer/worries").text


def test_whoever_refers_is_asked_whether_and_how_it_is_safe_to_write_back_in_one_question(writer: Writer) -> None:
    writer.begin()
    (asked,) = [part for part in writer.go("/refer/you").text.split("<fieldset") if "Is it safe for us to write to you?" in part]
    assert 'name="write"' in asked and 'name="reach"' in asked


def test_whoever_says_that_writing_is_not_safe_reads_that_nothing_is_written(hub: Hub, writer: Writer) -> None:
    reference = referred(writer, write="no", reach="Ring the school after three.")
    assert "We will not write to you" in writer.text
    hub.work()
    assert hub.case(reference)["markers"] == ["safe_contact", "do_not_write"]
    assert "Ring the school after three." in str(items(hub, reference))
    assert not [n for n in hub.case(reference)["alerts_sent"] if n["role"] == "referrer"]


def test_asking_for_advice_is_a_way_of_its_own(hub: Hub, writer: Writer) -> None:
    writer.begin(want="advice")
    assert "Who do you want advice about?" in writer.text
    writer.answer()
    assert writer.at == "/refer/worries" and "What do you want advice about?" in writer.text, "nobody needs to be named"
    writer.finish()
    assert "Ask for advice" in writer.text
    reference = writer.send()
    assert "We have your request for advice" in writer.text
    state = hub.sql("SELECT state FROM referral WHERE reference = %s", reference)[0][0]
    assert '"contact":"advice"' in state.replace(" ", "")


def test_several_people_and_those_who_live_with_them_are_added_changed_and_removed(hub: Hub, writer: Writer) -> None:
    writer.begin().answer(**ISLA, more="yes")
    writer.answer(given="Tom", cohort="child", age="about 8", more="yes")
    writer.answer(given="Mistaken", more="no")
    writer.finish()
    _, tom, mistaken = re.findall(r"/refer/people/([0-9a-f]{16})", writer.page.text)
    writer.go(f"/refer/people/{mistaken}")
    writer.answer(go="remove")
    assert writer.at == "/refer/check" and "Mistaken" not in writer.text and "Tom" in writer.text
    assert 'value="Tom"' in writer.go(f"/refer/people/{tom}").text
    writer.answer(given="Thomas", cohort="child", age="8")
    assert writer.at == "/refer/check" and "Ruth Example, mother" in writer.text
    rows = {f"{field}_{number}": f"{field} {number}" for number in range(1, 6) for field in ("who", "is")}
    writer.go("/refer/family")
    writer.answer(**{name: value for name, value in rows.items() if name[-1] < "4"}, go="again")
    assert writer.at == "/refer/family" and 'name="who_4"' in writer.page.text, "there is always room for one more"
    writer.answer(**rows)
    stored = str(items(hub, writer.send()))
    assert all(part in stored for part in (FIRST, "Thomas", "who 1", "is 5"))
    assert "Mistaken" not in stored and "Ruth Example" not in stored


def test_going_back_leads_through_the_people_and_on_again(writer: Writer) -> None:
    writer.begin().answer(**ISLA, more="yes")
    writer.answer(given="Tom", more="no")

    def back() -> str:
        (path,) = re.findall(r'<a href="([^"]*)" class="govuk-back-link"', writer.page.text)
        return writer.go(path).text

    assert 'value="Tom"' in back() and f'value="{FIRST}"' in back() and "Is it about anyone else too?" not in writer.text
    writer.answer(**ISLA)
    assert 'value="Tom"' in writer.page.text, "on to the next, and not to another one"


def test_immediate_danger_leads_to_999_first_and_then_on(hub: Hub, writer: Writer) -> None:
    writer.answer("/refer")
    writer.answer(hub="merton", danger="yes", want="referral")
    assert writer.at == "/refer/call-999" and "Call 999 now" in writer.text and 'href="/refer/people/new"' in writer.page.text
    writer.begin(area="merton", danger="yes").answer(**ISLA)
    reference = writer.finish().send()
    ((hub_name, state),) = hub.sql("SELECT hub, state FROM referral WHERE reference = %s", reference)
    assert hub_name == "merton" and '"immediate_danger":true' in state.replace(" ", "")
    assert "If nobody has called 999 yet, call 999 now" in writer.text


def test_a_neighbour_may_stay_unknown_and_a_professional_is_asked_once(hub: Hub, writer: Writer) -> None:
    nobody = dict.fromkeys(TEACHER, "")
    writer.begin().answer()
    writer.answer(worries="Shouting every night.")
    writer.answer()
    writer.answer(**nobody)
    assert writer.at == "/refer/you" and '<a href="#sector">' in writer.page.text
    assert "Members of the public need not give a name." in writer.text and "Enter your name" not in writer.text
    writer.answer(**{**nobody, "sector": "education", "which_education": "school"})
    assert writer.at == "/refer/you" and "Enter your name" in writer.text and "select Continue again" in writer.text
    writer.answer(**{**nobody, "sector": "public", "which_public": "neighbour"})
    reference = writer.send()
    assert "We have no email address to write to you at" in writer.text
    state = hub.sql("SELECT state FROM referral WHERE reference = %s", reference)[0][0].replace(" ", "")
    assert '"source":"9"' in state and '"source_agency":"individual"' in state


def test_whoever_does_not_say_which_service_they_are_is_asked_once_there(hub: Hub, writer: Writer) -> None:
    writer.begin().answer(**ISLA)
    writer.answer(worries=WORRIED)
    writer.answer()
    nurse = {**TEACHER, "sector": "health", "which_education": ""}
    writer.answer(**nurse)
    assert writer.at == "/refer/you" and writer.text.count("We could not tell which of these you are") == 2
    writer.answer(**nurse)
    reference = writer.send()
    state = hub.sql("SELECT state FROM referral WHERE reference = %s", reference)[0][0].replace(" ", "")
    assert '"source_agency":"health"' in state


def test_lines_stay_lines(writer: Writer) -> None:
    writer.begin().answer()
    writer.finish()
    assert "She came in with a bruise.<br>She said she fell." in writer.page.text
    assert ">She came in with a bruise.\nShe said she fell.</textarea>" in writer.go("/refer/worries").text


# --- what may be a slip --------------------------------------------------------------------------------------------------------

SLIPS = [
    ({"day": "31", "month": "2", "year": "2015"}, "day", "Enter a real date in figures, such as 27 3 2015"),
    ({"day": "3", "year": "2015"}, "month", "Enter the month too"),
    ({"day": "3", "month": "4", "year": "15"}, "year", "four figures"),
    ({"day": "3", "month": "4", "year": "2030"}, "year", "is in the future"),
    ({"day": "3", "month": "4", "year": "1820"}, "year", "more than 120 years old"),
    ({"day": "3", "month": "4", "year": "1966", "cohort": "child"}, "year", "60 years old"),
    ({"day": "3", "month": "4", "year": "2018", "cohort": "adult"}, "year", "8 years old"),
    ({"day": "3", "month": "4", "year": "2026", "cohort": "unborn"}, "year", "We could not tell if the baby is born"),
    ({"day": "3", "month": "4", "year": "2028", "cohort": "unborn"}, "year", "weeks away"),
    ({"age": "60", "cohort": "child"}, "age", "60 years old"),
    ({"age": "about 8", "cohort": "adult"}, "age", "8 years old"),
]
NO_SLIPS = [
    {"day": "10", "month": "11", "year": "2026", "cohort": "unborn"},
    {"day": "27", "month": "3", "year": "2015", "cohort": "child"},
    {"age": "17 or 18", "cohort": "child"},
    {"age": "20 weeks", "cohort": "child"},
    {"age": "in year 3", "cohort": ""},
    {"day": "3", "month": "4", "year": "1966", "cohort": "adult"},
]


@pytest.mark.parametrize(("typed", "field", "part"), SLIPS)
def test_what_may_be_a_slip_is_asked_about_at_its_field_once_then_taken_as_it_was_given(
    hub: Hub, writer: Writer, typed: dict[str, str], field: str, part: str
) -> None:
    writer.begin().answer(given="Isla", **typed)
    assert writer.at.startswith("/refer/people/") and re.search(r"<title>\s*Error: Who are you worried about\?", writer.page.text)
    assert f'<a href="#{field}">' in writer.page.text and f'id="{field}"' in writer.page.text
    assert writer.text.count(part) == 2, "once above, once beside it"
    assert "We could not tell" in writer.text and "This is right: leave it as it is" in writer.text
    writer.answer(given="Isla", **typed)
    assert writer.at == "/refer/worries", "a second time it is taken, though nobody said that it is right"
    writer.finish()
    assert "Check this" in writer.text and part in writer.text
    child = next(each for each in items(hub, writer.send()) if each and "Isla" in each)
    given = {"day": "31 2 2015", "month": "3 ? 2015"}.get(field) or typed.get("age") or typed["year"]
    assert given in child


@pytest.mark.parametrize("typed", NO_SLIPS)
def test_what_is_no_slip_is_not_asked_about(writer: Writer, typed: dict[str, str]) -> None:
    writer.begin().answer(given="Isla", **typed)
    assert writer.at == "/refer/worries", writer.text


@pytest.mark.parametrize(
    ("phone", "sure"),
    [
        *((phone, False) for phone in ("12", "01632 96", "960115", "07700 90012", "ask the office")),
        *((phone, True) for phone in ("01632 960115", "+44 7700 900123", "07700 900123, after three", "+353 1 234 5678")),
    ],
)
def test_what_is_no_telephone_number_is_asked_about_at_its_field_once(writer: Writer, phone: str, sure: bool) -> None:
    writer.begin().answer(**ISLA)
    writer.answer(worries=WORRIED)
    writer.answer()
    writer.answer(**{**TEACHER, "phone": phone})
    if not sure:
        assert writer.at == "/refer/you" and '<a href="#phone">' in writer.page.text
        assert writer.text.count(f"We could not tell if {phone} is a telephone number") == 2
        writer.answer(**{**TEACHER, "phone": phone})
    assert writer.at == "/refer/check"


def test_what_somebody_says_to_be_right_is_not_marked_again(writer: Writer) -> None:
    old = {"day": "3", "month": "4", "year": "1966", "cohort": "child"}
    writer.begin().answer(given="Isla", **old)
    (token,) = re.findall(r'name="kept"[^>]*value="([^"]*)"', writer.page.text)
    writer.answer(given="Isla", **old, kept=token)
    assert writer.at == "/refer/worries"
    writer.finish()
    assert "Check this" not in writer.text
    (entry,) = re.findall(r"/refer/people/[0-9a-f]{16}", writer.page.text)
    assert "We could not tell" not in writer.go(entry).text
    writer.answer(given="Isla", **{**old, "year": "1967"})
    assert writer.at == entry and "59 years old" in writer.text, "another slip is asked about"


def test_a_slip_is_said_while_they_type_and_nothing_is_kept_of_that(hub: Hub, writer: Writer) -> None:
    writer.begin()
    before = drafts(hub)
    typed = {"day": "3", "month": "4", "year": "1966", "cohort": "child", "age": "7"}
    said = writer.browser.post("/refer/look/people", data=typed)
    date, age = re.findall(r'<div data-doubt="[a-z]+">(.*?)</div>\s*(?=<div data-doubt|$)', said.text, re.DOTALL)
    assert "60 years old" in date and not age.strip() and "<html" not in said.text
    assert drafts(hub) == before and said.headers["cache-control"] == "no-store"
    (token,) = re.findall(r'name="asked" value="([^"]*)"', said.text)
    ticked = writer.browser.post("/refer/look/people", data={**typed, "kept": token})
    assert "checked" in ticked.text
    writer.answer(**{**typed, "age": ""}, asked=token)
    assert writer.at == "/refer/worries", "it was asked about while they typed"
    assert "is a telephone number" in writer.browser.post("/refer/look/you", data={"phone": "12"}).text


# --- nothing that was typed is lost --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "field", "part"),
    [
        ({"given": "half\x00typed"}, "given", "Remove the characters that cannot be read"),
        ({"school": "x" * 2001}, "school", "Shorten this to 2,000 characters"),
    ],
)
def test_an_error_stands_beside_the_field_and_above_and_what_was_typed_stays(
    writer: Writer, typed: dict[str, str], field: str, part: str
) -> None:
    writer.begin()
    answer = writer.answer(**{"family": "<b>Kept</b>", **typed})
    assert re.search(r"<title>\s*Error: Who are you worried about\?", answer.text)
    assert f'<a href="#{field}">' in answer.text and f'id="{field}"' in answer.text
    assert writer.text.count(part) == 2, "once above, once beside it"
    assert "govuk-form-group--error" in answer.text and 'value="&lt;b&gt;Kept&lt;/b&gt;"' in answer.text
    assert all(html.escape(value) in answer.text for value in typed.values())
    again = writer.answer(**{"family": "<b>Kept</b>", **typed})
    assert part in again.text, "what cannot be kept never passes"


def test_whoever_says_nothing_at_all_is_asked_at_the_field_and_not_at_the_end(writer: Writer) -> None:
    writer.begin().answer()
    writer.answer(worries=" ")
    assert writer.at == "/refer/worries" and writer.text.count("one of them is enough") == 2
    assert '<a href="#worries">' in writer.page.text
    writer.answer(worries="He hurts us.")
    assert writer.at == "/refer/family"


def test_what_is_left_out_on_the_way_is_said_on_arrival_and_at_its_field(writer: Writer) -> None:
    writer.answer("/refer")
    writer.go("/refer/worries")
    writer.answer(worries="Typed.")
    writer.go("/refer/check")
    assert "Choose the area" in writer.text, "before anybody presses the button"
    assert '<a href="/refer/first#hub">' in writer.page.text and '<a href="/refer/you#sector">' in writer.page.text
    assert writer.answer("/refer/send").status_code == 422
    writer.go("/refer/first")
    writer.answer()
    assert writer.at == "/refer/first" and '<a href="#hub">' in writer.page.text and writer.text.count("Choose the area, so") == 2


def test_a_misspelt_address_stops_nobody(hub: Hub, writer: Writer) -> None:
    writer.begin().answer(**ISLA)
    writer.answer(worries=WORRIED)
    writer.answer()
    wrong = {**TEACHER, "email": "m.teacher@school"}
    writer.answer(**wrong)
    assert writer.at == "/refer/you" and "name@example.org" in writer.text
    writer.answer(**wrong)
    assert writer.at == "/refer/check" and "Check this" in writer.text
    reference = writer.send()
    assert "m.teacher@school" in str(items(hub, reference)) and "We have no email address" in writer.text
    assert "referrer_not_reachable" in hub.case(reference)["flags"]


@pytest.mark.parametrize(
    ("email", "part"),
    [
        ("jo@gmail.con", "Did you mean jo@gmail.com?"),
        ("jo@school,example.org", "Did you mean jo@school.example.org?"),
        ("jo@hotmial.co.uk", "is probably mistyped"),
        ("jo at school", "name@example.org"),
    ],
)
def test_an_address_that_is_probably_mistyped_is_asked_about_once_then_taken_as_it_was_typed(
    hub: Hub, writer: Writer, email: str, part: str
) -> None:
    writer.begin().answer(**ISLA)
    writer.answer(worries=WORRIED)
    writer.answer()
    typed = {**TEACHER, "email": email}
    writer.answer(**typed)
    assert writer.at == "/refer/you" and '<a href="#email">' in writer.page.text
    assert writer.text.count(part) == 2, "once above, once beside it"
    writer.answer(**typed)
    assert writer.at == "/refer/check" and part in writer.text
    reference = writer.send()
    assert email in str(items(hub, reference))
    flags = set(hub.case(reference)["flags"])
    assert flags & {"referrer_email_not_an_address", "referrer_email_probably_mistyped"}


def test_an_address_with_blanks_and_mailto_around_it_is_understood(hub: Hub, writer: Writer) -> None:
    writer.begin().answer(**ISLA)
    reference = writer.finish(email=" mailto:m.teacher@school.example.org. ").send()
    hub.work()
    assert hub.received.to("m.teacher@school.example.org") and "referrer_not_reachable" not in hub.case(reference)["flags"]


def test_what_is_written_when_the_draft_is_gone_is_kept_in_a_new_one(hub: Hub, writer: Writer) -> None:
    writer.begin()
    hub.sql("DELETE FROM draft")
    writer.answer("/refer/worries", worries="Typed for an hour.")
    assert (
        writer.at == "/refer/check"
        and "Typed for an hour." in writer.text
        and "We could not find what you wrote before" in writer.text
    )
    assert writer.answer("/refer/send").status_code == 422
    assert "Choose the area" in writer.text and "Choose who you are contacting us as" in writer.text and "Error: " in writer.text
    writer.go("/refer/first")
    writer.answer(hub="sandwell")
    assert writer.at == "/refer/check", "a change leads back to it"
    writer.answer("/refer/you", **TEACHER)
    writer.send()


def test_what_is_written_after_it_was_sent_is_kept_and_said_not_to_be_part_of_it(writer: Writer) -> None:
    referred(writer)
    writer.answer("/refer/worries", worries="And another thing.")
    assert "you have sent it" in writer.text and "And another thing." in writer.text
    assert "has not been sent" in writer.text and writer.at == "/refer/check"


def test_what_is_written_in_another_window_while_it_is_sent_is_shown_again(writer: Writer) -> None:
    writer.begin().answer(**ISLA)
    writer.finish()
    sent = writer.browser.post("/refer/send", follow_redirects=False)
    late = writer.answer("/refer/worries", worries="And another thing.")
    assert sent.status_code == 303 and late.status_code == 409 and "And another thing." in late.text


# --- a device that others use --------------------------------------------------------------------------------------------------


def test_what_was_sent_is_shown_once_and_then_only_to_whoever_has_the_code(hub: Hub, writer: Writer) -> None:
    reference = referred(writer)
    code = re.search(r"Code (\S+)", writer.text)
    assert code and reference in writer.text
    for path in ("/refer/sent", "/refer", "/refer/check", "/refer/you", "/refer/save"):
        writer.go(path)
        assert not [each for each in (reference, code[1], FIRST, "See what you sent") if each in writer.text], path
    later = hub.http.post("/status", data={"reference": reference, "code": code[1]})
    assert later.status_code == 200 and reference in later.text


def test_whoever_has_the_device_next_is_not_shown_it_though_they_have_the_cookie_and_the_link(writer: Writer) -> None:
    writer.begin().answer(**ISLA)
    writer.finish()
    secret = writer.secret
    reference = writer.send()
    again = httpx.Client(
        timeout=60, verify=False, base_url=writer.browser.base_url, cookies={"mash-referral": secret}, follow_redirects=True
    )
    seen = again.get("/refer/sent")
    assert reference not in seen.text and "not shown again on this device" in seen.text
    returned = again.post(f"/refer/return/{secret}")
    assert reference not in returned.text and FIRST not in returned.text


def test_what_is_being_written_stays_on_a_device_until_its_browser_is_closed(writer: Writer) -> None:
    begun = writer.browser.post("/refer", follow_redirects=False)
    assert "mash-referral=" in begun.headers["set-cookie"]
    assert "max-age" not in begun.headers["set-cookie"].lower() and "expires" not in begun.headers["set-cookie"].lower()


def test_exit_this_page_leads_away_at_once_and_leaves_nothing_on_the_device(hub: Hub, writer: Writer) -> None:
    writer.begin()
    writer.answer(**ISLA)
    for path in ("/refer", "/refer/people", "/refer/worries", "/refer/check", "/refer/save", "/status"):
        page = writer.go(path)
        assert "Leave this page quickly" in writer.text and 'href="/refer/exit"' in page.text, path
    away = writer.browser.get("/refer/exit", follow_redirects=False)
    assert (away.status_code, away.headers["location"]) == (303, "https://www.bbc.co.uk/weather")
    writer.go("/refer/check")
    assert writer.at == "/refer" and FIRST not in writer.text


def test_another_site_that_leads_to_the_exit_has_nobody_lose_what_they_wrote(writer: Writer) -> None:
    writer.begin()
    writer.browser.get("/refer/exit", headers={"Sec-Fetch-Site": "cross-site"}, follow_redirects=False)
    writer.go("/refer/people/new")
    assert writer.at == "/refer/people/new"


def token_of_copy(writer: Writer) -> str:
    """What only the page has that says that it was received."""
    return re.findall(r'name="of" value="([^"]*)"', writer.page.text)[0]


def test_whoever_sent_it_can_have_a_copy_for_their_own_file(hub: Hub, writer: Writer) -> None:
    reference = referred(writer)
    (code,) = re.findall(r"Code (\S+)", writer.text)
    assert "for your school’s or your service’s own file" in writer.text
    paper = writer.browser.post("/refer/copy", data={"of": token_of_copy(writer)})
    assert paper.status_code == 200 and paper.headers["content-type"] == "application/pdf", paper.text
    assert paper.headers["content-disposition"] == f'attachment; filename="{reference}.pdf"'
    assert paper.headers["cache-control"] == "no-store"
    words = words_on(paper.content)
    for part in (
        reference,
        code,
        FIRST,
        "27 March 2015",
        "1 Elm Rd",
        "She came in with a bruise.",
        "Ring me back today.",
        "Neglect",
        "Ruth Example, mother",
        "To keep her safe.",
        "Not after four.",
        "Thornwick Vale",
        "Sandwell",
    ):
        assert part in words, part
    looks = hub.sql("SELECT why FROM access WHERE reference = %s AND action = 'read_own_referral'", reference)
    assert len(looks) == 2, "the page, and the paper"


def test_a_copy_is_had_from_the_page_that_says_so_in_the_browser_that_sent_it_and_nowhere_else(hub: Hub, writer: Writer) -> None:
    referred(writer)
    of, cookies = token_of_copy(writer), dict(writer.browser.cookies)
    assert "mash-referral" not in cookies and "mash-referral-copy" in cookies

    def asked(cookies: dict[str, str], of: str) -> int:
        with httpx.Client(timeout=60, verify=False, base_url=writer.browser.base_url, cookies=cookies) as other:
            return other.post("/refer/copy", data={"of": of}).status_code

    assert asked(cookies, of) == 200
    assert asked({}, of) == asked(cookies, "") == asked(cookies, "forged") == 404
    other = Writer(hub)
    referred(other)
    assert asked(cookies, token_of_copy(other)) == 404, "the paper of somebody else"
    assert writer.browser.post("/refer/copy", data={"of": of}, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    writer.browser.get("/refer/exit", follow_redirects=False)
    assert not writer.browser.cookies and asked(cookies, of) == 404, "whoever leaves has it deleted"


def test_a_copy_is_had_for_half_an_hour(hub: Hub, writer: Writer) -> None:
    referred(writer)
    hub.sql("UPDATE draft SET touched_at = touched_at - interval '31 minutes'")
    assert writer.browser.post("/refer/copy", data={"of": token_of_copy(writer)}).status_code == 404
    secret = writer.browser.cookies["mash-referral-copy"]
    there = "SELECT count(*) FROM draft WHERE hash = encode(sha256(%s::bytea), 'hex')"
    assert hub.sql(there, secret.encode()) == [(1,)]
    Writer(hub).answer("/refer")
    assert hub.sql(there, secret.encode()) == [(0,)], "it goes when the next draft is begun"


def test_a_page_that_says_what_is_wrong_is_one_that_was_asked_for_and_not_sent(writer: Writer) -> None:
    """Whoever goes back to it has no form sent again by the browser."""
    writer.begin()
    answer = writer.answer(given="Isla", day="99")
    assert answer.request.method == "GET" and [each.status_code for each in answer.history] == [303]
    assert answer.headers["cache-control"] == "no-store" and 'autocomplete="off"' in answer.text


def test_two_windows_lose_nothing_of_each_other(writer: Writer) -> None:
    writer.begin()
    with ThreadPoolExecutor(4) as windows:
        sent = [
            windows.submit(writer.browser.post, f"/refer/people/{number:016x}", data={"given": f"Person {number}"})
            for number in range(8)
        ]
        assert all(each.result().status_code == 200 for each in sent)
    writer.go("/refer/check")
    assert all(f"Person {number}" in writer.text for number in range(8))


# --- save and return -----------------------------------------------------------------------------------------------------------


def test_a_secret_link_leads_back_from_another_device(hub: Hub, writer: Writer) -> None:
    writer.begin().answer(given="Isla", day="99", go="later")
    assert writer.at == "/refer/save" and "14 days" in writer.text
    (link,) = set(re.findall(r'href="([^"]*/refer/return/[^"]*)"', writer.page.text))
    other = Writer(hub)
    other.go(httpx.URL(link).path)
    assert not other.browser.cookies and "Isla" not in other.page.text
    other.answer()
    assert other.at.startswith("/refer/people/") and 'value="Isla"' in other.page.text and 'value="99"' in other.page.text
    cookie = next(iter(other.browser.cookies.jar))
    assert cookie.has_nonstandard_attr("HttpOnly") and cookie.get_nonstandard_attr("SameSite") == "lax"
    assert len(writer.secret) == 43 and writer.secret not in "".join(log.read_text() for log in hub.stack.logs.glob("*.log"))
    wrong = other.go("/refer/return/" + "x" * 43)
    assert wrong.status_code == 404 and wrong.headers["content-type"].startswith("text/html")


def test_a_device_forgets_it(writer: Writer) -> None:
    writer.begin()
    link = f"/refer/return/{writer.secret}"
    writer.answer("/refer/leave")
    assert writer.at == "/refer" and "Continue your referral" not in writer.text and not writer.browser.cookies
    writer.go(link)
    writer.answer()
    assert writer.at != "/refer"


def test_the_database_holds_nothing_of_a_draft_that_can_be_read(hub: Hub, writer: Writer) -> None:
    writer.begin().answer(**ISLA)
    rows = hub.sql("SELECT hash, sealed FROM draft")
    assert rows and not any(part.encode() in bytes(sealed) for _, sealed in rows for part in (FIRST, FAMILY, "people"))
    assert all(writer.secret not in hash_ and writer.secret.encode() not in bytes(sealed) for hash_, sealed in rows)


def test_drafts_that_nobody_touches_are_gone_after_a_fortnight(hub: Hub, writer: Writer) -> None:
    writer.begin()
    hub.sql("UPDATE draft SET touched_at = touched_at - interval '15 days'")

    async def read(store: Any) -> Answers | None:
        return await read_draft(store, writer.secret)

    assert hub.stored(read) is None
    hub.stored(lambda store: begin_draft(store, {}, ROOM))
    assert hub.sql("SELECT count(*) FROM draft") == [(1,)]


# --- what there is room for ----------------------------------------------------------------------------------------------------


def drafts(hub: Hub) -> list[tuple[Any, ...]]:
    return hub.sql("SELECT hash, sealed, touched_at FROM draft ORDER BY hash")


def test_to_look_it_over_writes_nothing_and_a_change_leads_back_there(hub: Hub, writer: Writer) -> None:
    writer.begin().answer(**ISLA)
    writer.finish()
    before = drafts(hub)
    assert writer.go("/refer/check").status_code == 200 and drafts(hub) == before
    writer.go("/refer/worries")
    writer.answer(worries="Changed.")
    assert writer.at == "/refer/check" and "Changed." in writer.text
    other = Writer(hub)
    other.answer(f"/refer/return/{writer.secret}")
    assert other.at == "/refer/check", "and so does the link"


def test_a_draft_is_no_larger_than_what_a_form_can_hold_and_stays_as_it_was(hub: Hub, writer: Writer) -> None:
    writer.begin().answer(**ISLA)
    before = drafts(hub)
    large = writer.answer("/refer/worries", worries="x" * LARGEST)
    assert large.status_code == 409 and "more than can be sent at once" in large.text and "x" * 1000 in large.text
    assert drafts(hub) == before
    longest = writer.answer("/refer/worries", worries="x" * 100_000)
    assert longest.status_code == 200, "the longest that a page takes"
    arabic = writer.answer("/refer/worries", worries="م" * 70_000)
    assert arabic.status_code == 200, "letters count as what they are, not as they are escaped"


def test_a_draft_of_before_there_was_a_limit_can_be_shortened_and_sent(
    hub: Hub, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer.begin().answer(**ISLA)
    writer.finish()

    def much(answers: Answers) -> Answers:
        pages = answers["pages"]
        return {**answers, "pages": {**pages, "family": {**pages["family"], "why": "y" * 99_000, "safe": "z" * 99_000}}}

    with monkeypatch.context() as before:
        before.setattr(store_drafts, "LARGEST", 10 * LARGEST)
        hub.stored(lambda store: write_draft(store, writer.secret, much, ROOM))
    assert writer.answer("/refer/worries", worries=WORRIED * 9).status_code == 409
    assert writer.answer("/refer/worries", worries="Less.").status_code == 200
    writer.send()


async def test_where_drafts_fill_their_room_none_is_begun_and_none_is_lost(store: Store, settings: Settings) -> None:
    secret = await begin_draft(store, {"at": "/refer/area"}, ROOM)
    with pytest.raises(NoRoom, match="ring your council"):
        await begin_draft(store, {"at": "/refer/area"}, 10)
    with pytest.raises(NoRoom):
        await write_draft(store, secret, lambda answers: {**answers, "pages": {"worries": {"worries": "More."}}}, 10)
    assert await read_draft(store, secret) == {"at": "/refer/area"}
    assert await write_draft(store, secret, lambda answers: {"at": "/refer"}, 10) == {"at": "/refer"}, (
        "what does not grow is kept"
    )
    found = await read_health(store)
    assert 0 < found.drafts < 100 and not any("drafts" in part for part in found.wrong(settings))
    full = replace(found, drafts=settings.drafts_room)
    assert any("drafts fill their room" in part for part in full.wrong(settings))


@pytest.fixture
async def there(store: Store, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """An API at which two drafts may be begun from an address within an hour."""
    app = create_app(settings.model_copy(update={"drafts_per_hour": 2, "anonymous_requests_per_minute": 0}))
    transport = httpx.ASGITransport(app)
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        yield client


async def test_from_one_address_so_many_are_begun_within_an_hour_and_what_was_typed_is_shown(there: httpx.AsyncClient) -> None:
    begun = await there.post("/refer")
    mine = {"Cookie": f"mash-referral={begun.cookies['mash-referral']}"}
    there.cookies.clear()
    assert (await there.post("/refer/worries", data={"worries": "Typed."})).status_code == 303, "nothing that is written is lost"
    there.cookies.clear()
    for path, typed in (("/refer", {}), ("/refer/worries", {"worries": "Typed for an hour."})):
        refused = await there.post(path, data=typed)
        assert refused.status_code == 429 and "ring your council" in refused.text and "call 999" in refused.text
        assert not typed or "Typed for an hour." in refused.text
    third = await there.post("/refer/worries", data={"worries": "More."}, headers=mine)
    assert third.status_code == 303, "whoever has begun goes on"


async def test_where_there_is_no_room_a_page_says_so_and_whom_to_ring(store: Store, settings: Settings) -> None:
    app = create_app(settings.model_copy(update={"drafts_megabytes": 0}))
    transport = httpx.ASGITransport(app)
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        for path in ("/refer", "/refer/worries"):
            refused = await client.post(path, data={"worries": "Typed."})
            assert refused.status_code == 503 and "ring your council" in refused.text


def test_what_it_is_about_is_said_once_and_in_our_words(hub: Hub, writer: Writer) -> None:
    writer.begin().answer(**ISLA)
    writer.finish()
    writer.answer("/refer/worries", worries=WORRIED, categories=",".join(["gangs"] * 101 + ["made_up", "missing"]))
    stored = str(items(hub, writer.send()))
    assert re.findall(r'"categories":\s*\[([^]]*)\]', stored.replace("\\", "")) == ['"gangs","missing"']


# --- sending -------------------------------------------------------------------------------------------------------------------


def test_pressing_send_twice_makes_one_referral(hub: Hub, writer: Writer) -> None:
    writer.begin().answer(**ISLA)
    writer.finish()
    before = hub.sql("SELECT count(*) FROM referral")[0][0]
    secret = writer.secret
    with ThreadPoolExecutor(3) as fingers:
        answers = list(fingers.map(lambda _: writer.browser.post("/refer/send", follow_redirects=False), range(3)))
    assert {answer.headers["location"] for answer in answers} == {"/refer/sent"}
    assert hub.sql("SELECT count(*) FROM referral")[0][0] == before + 1
    # A browser throws away the answer on which it was, and shows that to the second press.
    thrown_away = httpx.get(f"{writer.browser.base_url}/refer/sent", verify=False, cookies={"mash-referral": secret}, timeout=60)
    reference = writer.send()
    assert reference in thrown_away.text
    ((sealed,),) = hub.sql("SELECT sealed FROM draft WHERE hash = encode(sha256(%s::bytea), 'hex')", secret.encode())

    async def read(store: Any) -> Answers | None:
        return await read_draft(store, secret)

    stored = hub.stored(read)
    assert stored and stored.keys() == {"sent", "sent_at", "copy", "shown"} and stored["sent"] == reference
    assert len(bytes(sealed)) < 200


def test_another_site_cannot_send_it(writer: Writer) -> None:
    writer.begin()
    for path in ("/refer", "/refer/send", "/refer/leave", "/refer/worries", "/refer/people/0123456789abcdef"):
        assert writer.browser.post(path, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403


def test_hostile_text_is_text(writer: Writer) -> None:
    hostile = "<script>alert(1)</script>'\"{{ 7*7 }}"
    writer.begin().answer(given=hostile, family=hostile, school=hostile, more="yes")
    pages = [writer.page.text]
    writer.answer(school=hostile, more="no")
    pages.append(writer.finish(worries=hostile, organisation=hostile).page.text)
    for address in ("/refer/worries", "/refer/you"):
        pages.append(writer.go(address).text)
    assert all(
        "&lt;script&gt;" in each and "<script>alert" not in each and "49" not in re.findall("alert.*", each)[0] for each in pages
    )


def test_a_page_that_is_not_there_is_said_in_a_page(writer: Writer) -> None:
    writer.begin()
    for path in ("/refer/nonsense", "/refer/you/0123456789abcdef", "/refer/household/0123456789abcdef"):
        answer = writer.go(path)
        assert answer.status_code == 404 and answer.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize("path", ["first", "people/new", "worries", "family", "you"])
def test_every_field_has_a_label_and_every_choice_a_legend(writer: Writer, path: str) -> None:
    page = writer.begin().browser.get(f"/refer/{path}").text
    ids = [found[1] for tag in FIELD.findall(page) if (found := re.search(r'id="([^"]*)"', tag))]
    assert ids and all(f'for="{each}"' in page for each in ids) and len(ids) == len(set(ids))
    assert page.count("<fieldset") == page.count("<legend") and page.count("<h1") == 1
