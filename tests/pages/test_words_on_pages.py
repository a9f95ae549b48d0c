"""What every page of every hub says to people: words, never what stands for them in the code. Whoever presses the green button
of a case, again and again, comes to its end."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
from hub import ORDINARY, Hub, hub_here
from reading import Form, Page

from mash.config.profile import load_profile
from mash.config.profile_files import available
from mash.flows.store.api_keys import NewKey, make_api_key
from mash.states.values import Actor

CODE = re.compile(
    r"\w*[A-Za-z0-9]_[A-Za-z0-9]\w*"  # a name of the code's own
    r"|\b\d{4}-\d\d-\d\d(?:T[\d:.]+Z?)?"  # an instant or a day for machines
    r"|\b[SA]\d{1,2}\b"  # a number of a person or an action
    r"|^None$|\b(?:True|False|null|undefined|nan)\b"
    r"|\{\{|\}\}|<[a-z]+ ?/?>"
)
HUBS = available()
STEPS_MOST, ATTEMPTS = 40, 10
TODAY = "2026-11-19"
BEGINS = ("contact", "to_confirm_not_ours", "consultation", "triage")
"""Stages beyond which every case can be led."""
PAGES = (
    "/board", "/board?whose=mine", "/wall", "/handover", "/checks", "/meetings", "/meetings/convened", "/find", "/manager",
    "/admin", "/account", "/looked", "/refer", "/status", "/audit", "/near-misses", "/near-misses/recorded", "/inspect",
    "/inspect/looks", "/inspect/contacts", "/inspect/overridden", "/simulation", "/manager/whatif",
)  # fmt: skip
STAFF = (
    "duty_manager", "team_manager", "practice_manager", "decision_maker", "partner_duty_manager", "social_care_representative",
    "social_worker",
)  # fmt: skip


@pytest.fixture(scope="module")
def hub() -> Iterator[Hub]:
    """A hub of its own: colleagues are offered by their logins, and elsewhere those are made of codes."""
    with hub_here() as running:
        yield running


def written_for_machines(page: Page) -> list[str]:
    """What a page says in no words of people."""
    return [f"{found.group()!r} in {line!r}" for line in page.said for found in CODE.finditer(line)]


@dataclass
class Worker:
    """Somebody of a hub who reads every page in front of them, and fills in forms as they come."""

    hub: Hub
    by: Actor
    read: set[str] = field(default_factory=set)
    wrong: dict[str, str] = field(default_factory=dict)
    """The first place of each thing that was not said in words."""

    @property
    def _headers(self) -> dict[str, str]:
        return self.hub.headers_of(self.by)

    def reads(self, path: str) -> Page | None:
        """A page, if it is theirs to see."""
        answer = self.hub.http.get(path, headers=self._headers)
        assert answer.status_code < 500, f"{path}: {answer.text}"
        return self._looks(path, answer.text) if answer.headers["content-type"].startswith("text/html") else None

    def _looks(self, path: str, html: str) -> Page:
        page = Page(html)
        for said in written_for_machines(page):
            self.wrong.setdefault(said, f"{path} as {self.by.role} of {self.by.agency} at {self.by.hub}")
        return page

    def does(self, path: str) -> bool:
        """Fill in a form as often as it takes; first without an answer, for what is said then. Whether it was taken."""
        for attempt in range(ATTEMPTS):
            page = self.reads(path)
            form = next((each for each in page.forms if each.action.split("#")[0] == path), None) if page else None
            if form is None:
                return False
            if attempt == 0:
                self._unanswered(path, form)
                continue
            if self._sends(path, answered(form, attempt)):
                return True
        return False

    def records(self, path: str) -> bool:
        """Write down a meeting, and record it; first with nothing chosen, for what is said then. Whether it was taken."""
        for attempt in range(ATTEMPTS):
            page = self.reads(path)
            form = next((each for each in page.forms if urlsplit(each.action).path == path), None) if page else None
            if form is None:
                return False
            held = {**answered(form, attempt), **dict.fromkeys(("action", "owner", "by", "more"), ""), "why": "It is so."}
            held["held_on"] = TODAY  # folded away, and asked for where it was to be held later
            if self._sends(form.action, {**(held if attempt else form.hidden), "do": "record"}):
                return True
        return False

    def _unanswered(self, path: str, form: Form) -> None:
        """Send it as it came, once at each hub, for what is said then."""
        if (act := f"{path.rsplit('/', 1)[1]}, without an answer") not in self.read:
            self.read.add(act)
            self._sends(path, form.hidden)

    def _sends(self, path: str, data: dict[str, Any]) -> bool:
        answer = self.hub.http.post(path, headers=self._headers, data=data)
        assert answer.status_code < 500, f"{path}: {answer.text}"
        if answer.status_code == 303:
            self.reads(answer.headers["location"].split("#")[0])
            return True
        self._looks(path, answer.text)
        return False


def answered(form: Form, attempt: int) -> dict[str, Any]:
    """A form filled in, one way or another: first without what is optional, then with what is typed, then with everything."""
    kinds = {"date": TODAY, "datetime-local": f"{TODAY}T12:30", "text": ""}
    left_out = (form.optional, form.optional - set(form.lines), set())[(attempt - 1) % 3]
    one = {name: values[(attempt - 1) // 3 % len(values)] for name, values in form.choices.items() if values}
    typed = {name: kinds.get(kind, "Because it is so.") for name, kind in form.lines.items()}
    ticked: dict[str, list[str]] = {}
    for name, values in form.boxes.items():  # nobody is ticked twice
        free = [value for value in values if value not in {each for group in ticked.values() for each in group}]
        ticked[name] = free if attempt <= 3 else free[:1]
    return form.hidden | {name: given for name, given in {**typed, **ticked, **one}.items() if name not in left_out}


def at_work(hub: Hub, name: str) -> list[Worker]:
    """Who may have to act at a hub."""
    rules = load_profile(name)
    partners = [("agency", agency) for agency in rules.agencies if agency != "social_care"]
    seats = [*((role, "social_care") for role in STAFF), ("screening_officer", "police"), *partners]
    read: set[str] = set()
    wrong: dict[str, str] = {}
    return [
        Worker(hub, Actor(id=f"{role}.{agency}".replace("_", ""), role=role, agency=agency, hub=name), read, wrong)
        for role, agency in seats
    ]


def contacts(hub: Hub, name: str) -> Iterator[str]:
    """A contact of a kind that a hub is sent."""
    rules = load_profile(name)
    key = hub.stored(lambda store: make_api_key(store, NewKey(f"words-{name}", name, "police")))
    kinds = dict.fromkeys(kind for each in rules.intake.values() for kind in each.kinds) or {"referral": None}
    for kind in list(kinds)[:1]:
        body = {**ORDINARY, "kind": kind, "source": {**ORDINARY["source"], "agency": "police", "code": "10"}}
        answer = hub.submit(body, by=key)
        assert answer.status_code == 201, answer.text
        yield answer.json()["reference"]
    hub.work()


@pytest.mark.parametrize("name", HUBS)
def test_whoever_does_what_comes_next_meets_words_on_every_page(hub: Hub, name: str) -> None:
    people = at_work(hub, name)
    for reference in list(contacts(hub, name)):
        for _ in range(STEPS_MOST):
            acted = next((each for each in people if _goes_on(each, reference)), None)
            if acted is None:
                break
            people.append(people.pop(people.index(acted)))  # the others first
        for each in people:
            _reads_through(each, reference, each.reads(f"/case/{reference}"))
            each.reads(f"/people/in/{reference}")
        ((stage,),) = hub.sql("SELECT stage FROM referral WHERE reference = %s", reference)
        assert stage not in BEGINS, f"{reference}: nobody could go on from {stage}"
    for somebody in people:
        for path in PAGES:
            somebody.reads(path)
    assert not people[0].wrong, "\n".join(f"{said}: {where}" for said, where in people[0].wrong.items())


def _reads_through(somebody: Worker, reference: str, page: Page | None) -> None:
    """Read everything that a case leads to of itself."""
    for path, called in page.links.items() if page else ():
        if path.startswith(f"/case/{reference}?tab=") and called:
            somebody.reads(path.split("#")[0])


def _goes_on(somebody: Worker, reference: str) -> bool:
    """Do what comes next, if it is theirs; having read all of the case, and every act that is new at the hub."""
    page = somebody.reads(f"/case/{reference}")
    if page is None:
        return False
    for path in map(str, page.links):
        act = urlsplit(path).path.rsplit("/", 1)[1] if path.startswith(f"/case/{reference}/") else ""
        if act and act not in somebody.read:
            somebody.reads(path.split("#")[0])
            somebody.read.add(act)
    green = [urlsplit(address).path for address in page.green]
    if green:
        _reads_through(somebody, reference, page)
    if f"/meetings/convened/{reference}" in green:
        return somebody.records(f"/meetings/convened/{reference}")
    return any(somebody.does(path) for path in green if path.startswith(f"/case/{reference}/"))
