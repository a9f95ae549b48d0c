"""Attacks by addresses, by shapes, and by asking what is kept: mail to a stranger, a lost concern, another person's data."""

from __future__ import annotations

from functools import partial

from pydantic import SecretStr

from mash.api.client import ORDINARY
from mash.api.self_test.attack import allowed, attack, hold, until
from mash.api.self_test.scene import Scene
from mash.config.channels import Channel
from mash.flows.telling.access_request import answer
from mash.notifications.sender import check_channel

PLAIN = "sam.o'brien@apostrophe.example.org"
QUOTED = '"sam o\'brien, head"@apostrophe.example.org'
LOST = (
    "mailto://mail.example.org?from=m@example.org&to=sam.o'canary@example.org",
    "mailto://mail.example.org?from=m@example.org&to=sam.o’canary@example.org",
    "mailto://mail.example.org?from=m@example.org&to=canary@example.org&to=b@example.org",
    "mailtos://u:p@mail.example.org?to=a@example.org&reply=o'canary@example.org",
    "sendgrid://abcd1234:from@example.org/a@example.org/o'canary@example.org",
    "hooks://hook.example.org/run?sig=canary",
)
MARIGOLD = "Marigold Thistlewick"
TOLD = """Marigolds, MARIGOLD and M.T. moved to Brook House, B71 1ZZ; ring +44 7700 900123. Born 4/7/81, NHS 943-476-5919.
Marrygould Thizzlewick was born on 4 vii 1981. Her number ends in 0123, the other 5919. Write to m.new at safe.example.org."""
HERS = {
    "name": MARIGOLD,
    "date_of_birth": "1981-07-04",
    "address": "Brook House, 4 Harbour Lane, B71 1ZZ",
    "phone": "07700 900123",
    "email": "m.new@safe.example.org",
    "nhs_number": "9434765919",
}


@attack("have what is written to somebody with an apostrophe, blanks and a comma in their address go to a stranger")
def apostrophe(scene: Scene) -> str:
    for email in (PLAIN, QUOTED):
        source = {**ORDINARY["source"], "email": email}
        allowed(scene.on.submit({**ORDINARY, "source": source}))
        until(partial(_got, scene, email))
    strangers = {mail.to for mail in list(scene.mailbox.messages) if "apostrophe" in mail.to} - {PLAIN, QUOTED}
    hold(not strangers, "a mail to another address")
    return "the server is asked for exactly these addresses"


def _got(scene: Scene, address: str) -> bool:
    return any(mail.to == address for mail in list(scene.mailbox.messages))


@attack("start with a channel whose URL lost or changed an address")
def lost(scene: Scene) -> str:
    for url in LOST:
        wrong = check_channel(Channel(url=SecretStr(url)))
        hold(bool(wrong), "it is taken")
        hold("canary" not in wrong, "its address is said")
    return f"{len(LOST)} refused: {wrong}"


@attack("have an address that is mistyped pass without a word")
def mistyped(scene: Scene) -> str:
    for email in ("jo@gmail.con", "jo@hotmial.co.uk", "jo@school,example.org", "jo@school"):
        flags = allowed(scene.on.submit({**ORDINARY, "source": {**ORDINARY["source"], "email": email}})).json()["flags"]
        hold(any(flag.startswith("referrer_email") for flag in flags), "staff are told nothing")
    return "flagged to staff"


@attack("lose a concern by sending text instead of objects")
def shapes(scene: Scene) -> str:
    people = {"subjects": [MARIGOLD], "household": [{"name": {"given": "Ruth"}}]}
    body = {"source": "Mrs Example, head", "concern": "She cries.", **people}
    items = str(scene.on.case(allowed(scene.on.submit(body)).json()["reference"])["items"])
    hold(all(part in items for part in ("Mrs Example", MARIGOLD, "Ruth", "She cries.")), "a part of it is not kept")
    return "taken, as text"


@attack("read another person's address, number, birthday and name by asking what is kept about oneself")
def subject_access(scene: Scene) -> str:
    asks = {"name": "Stefan Hollis", "date_of_birth": "1979-03-22", "cohort": "adult"}
    warned = {"safe_contact": "He reads her messages."}
    sent = {**ORDINARY, "subjects": [asks, HERS], "concern": {"narrative": TOLD}, "consent": warned}
    reference = str(allowed(scene.on.submit(sent)).json()["reference"])
    page = scene.on.stored(lambda store: answer(store, reference, "S1", "cli:self-test")).page
    hold("Stefan Hollis" in page, "their own name is not there: nothing is shown")
    hidden = (
        *("arigold", "ARIGOLD", "Marrygould", "Thizzlewick", "M.T.", "Brook", "B71", "7700", "0123", "safe.example"),
        *("4/7/81", "1981", " vii ", "476", "5919", "reads her"),
    )
    hold(not [part for part in hidden if part in page], "something of hers")
    hold("Safe contact" in page.partition("<h1>")[0], "without the warning")
    return "withheld until a person releases it, with the warning on top"
