"""What every page of every hub says to people: words, never what stands for them in the code. Whoever presses the green button
of a case, again and again, comes to its end."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
from hub import ORDINARY, Hub
from reading import Form, Page

from mash.config.profile import available, load_profile
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
STEPS_MOST = 40
PAGES = ("/board", "/board?of=mine", "/wall", "/checks", "/meetings", "/find", "/manager", "/admin", "/account", "/looked")
STAFF = ("duty_manager", "team_manager", "social_worker")


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
        for attempt in range(7):
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
        page = self._looks(path, answer.text)
        at = next((n for n, line in enumerate(page.said) if line.startswith("Not saved")), 0)
        print(path, page.said[at : at + 4], {k: v for k, v in data.items() if k not in ("csrf", "key", "seen")})
        return False


def answered(form: Form, attempt: int) -> dict[str, Any]:
    """A form filled in, one way or another."""
    one = {name: values[(attempt - 1) % len(values)] for name, values in form.choices.items() if values}
    kinds = {"date": "2026-11-19", "datetime-local": "2026-11-19T12:30", "text": "Because." if attempt % 2 == 0 else ""}
    typed = {name: kinds.get(kind, "Because it is so.") for name, kind in form.lines.items()}
    ticked: dict[str, list[str]] = {}
    for name, values in form.boxes.items():  # nobody is ticked twice
        ticked[name] = [value for value in values if value not in {each for group in ticked.values() for each in group}]
    return {**form.hidden, **typed, **ticked, **one}


def at_work(hub: Hub, name: str) -> list[Worker]:
    """Who may have to act at a hub."""
    rules = load_profile(name)
    partners = [("agency", agency) for agency in rules.agencies if agency != "social_care"]
    seats = [*((role, "social_care") for role in STAFF), *partners]
    read: set[str] = set()
    wrong: dict[str, str] = {}
    return [
        Worker(hub, Actor(id=f"{role}.{agency}".replace("_", ""), role=role, agency=agency, hub=name), read, wrong)
        for role, agency in seats
    ]


def contacts(hub: Hub, name: str) -> Iterator[str]:
    """One contact of each kind that a hub is sent."""
    rules = load_profile(name)
    key = hub.stored(lambda store: make_api_key(store, NewKey(f"words-{name}", name, "police")))
    kinds = dict.fromkeys(kind for each in rules.intake.values() for kind in each.kinds) or {"referral": None}
    for kind in list(kinds)[:2]:
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
        print(name, reference, hub.sql("SELECT stage, rating FROM referral WHERE reference = %s", reference))
    for somebody in people:
        for path in PAGES:
            somebody.reads(path)
    assert not people[0].wrong, "\n".join(f"{said}: {where}" for said, where in people[0].wrong.items())


def _goes_on(somebody: Worker, reference: str) -> bool:
    """Do what comes next, if it is theirs; having read what there is to read, and every act that is new at the hub."""
    page = somebody.reads(f"/case/{reference}")
    if page is None:
        return False
    for path in map(str, page.links):
        tab = path.startswith(f"/case/{reference}?tab=") and page.links[path]
        act = urlsplit(path).path.rsplit("/", 1)[1] if path.startswith(f"/case/{reference}/") else ""
        if tab or (act and act not in somebody.read):
            somebody.reads(path.split("#")[0])
            somebody.read.add(act)
    green = [urlsplit(address).path for address in page.green]
    return any(somebody.does(path) for path in green if path.startswith(f"/case/{reference}/"))
