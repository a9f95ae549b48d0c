"""Attacks by what is written into fields: statements, templates, markup, headers, and what is no text."""

from __future__ import annotations

import json
import time
from typing import Any

from mash.api.client import CANARY, ORDINARY
from mash.api.schemas.contact import MOST_HOUSEHOLD
from mash.api.self_test.attack import allowed, attack, hold, refused, until
from mash.api.self_test.scene import Scene
from mash.flows.store.names import MOST_NUMBERS
from mash.notifications.links import status_code

SQL = "'; DROP TABLE event; --"
TEMPLATE = "{{ 7191 * 7 }}${7191*7}<%= 7191*7 %>{% raw %}"
RESULT = str(7191 * 7)
AT_MOST = 20
"""Times as long as for an ordinary referral: six on a quiet machine, where a page and a search take 30 ms; it was minutes."""
MARKUP = '"><script>alert(1)</script><img src=x onerror=alert(1)>'


def _filled(text: str) -> dict[str, Any]:
    """A referral with this in every field that takes text."""
    return {
        "kind": text,
        "place": text,
        "source": dict.fromkeys(("code", "agency", "organisation", "role", "name", "phone"), text),
        "subjects": [
            {
                **dict.fromkeys(("date_of_birth", "age_estimate", "sex", "ethnicity", "nhs_number", "upn", "school"), text),
                **dict.fromkeys(("upn_unknown", "former_upn", "died_on"), text),
                "name": {"given": text, "family": text},
                "address": {"line1": text, "postcode": text},
                "disability": [text],
                "cohort": "child",
            }
        ],
        "household": [dict.fromkeys(("name", "relationship", "date_of_birth"), text)],
        "concern": {"summary": text, "narrative": text, "primary_need": text, "factors": [text], "immediate_danger": True},
        "consent": {"override_reason": text, "safe_contact": text},
        text: text,
    }


@attack("write a statement of SQL into every text field")
def sql(scene: Scene) -> str:
    before = scene.on.sql("SELECT count(*) FROM referral")[0][0]
    answer = allowed(scene.on.submit(_filled(SQL)))
    words = {"words": SQL, "reason": SQL, "name": SQL}
    scene.on.ask(answer.json()["reference"], "add_note", words=SQL)
    for path in ("/people/search", "/accesses"):
        for body in (words, {"person": SQL}, {"name": SQL, "reason": SQL}):
            role = "information_governance" if path == "/accesses" else "duty_manager"
            hold(scene.on.http.post(path, json=body, headers=scene.on.staff(role)).status_code < 500, f"an error of {path}")
    hold(scene.on.sql("SELECT count(*) FROM referral") == [(before + 1,)], "other rows than its own")
    items = scene.on.case(answer.json()["reference"])["items"]
    hold(json.dumps(SQL)[1:-1] in json.dumps(items) or SQL in str(items), "it was not kept as it was written")
    return "kept as it was written; every table stands"


@attack("cripple the search by a referral of sixty endless names")
def planted(scene: Scene) -> str:
    names = [f"{chr(97 + n % 26)}n ar en " * 220 for n in range(60)]
    reference = scene.on.referral(household=[{"name": name[:2_000], "relationship": "uncle"} for name in names])
    # Beside an ordinary one, at the same time: a machine that is busy with other things is slow with both.
    took, usual = _quickest(scene, reference, names[0]), _quickest(scene, scene.on.referral(), "Ann Example")
    hold(took < AT_MOST * usual, f"it took {took / usual:.0f} times as long as an ordinary one")
    most = scene.on.sql("SELECT max(cardinality(tokens)) FROM known_person")[0][0]
    hold(most <= MOST_NUMBERS, f"{most} numbers of one name")
    return "the page and a search answer at once; the names are kept as they were sent"


def _quickest(scene: Scene, reference: str, name: str) -> float:
    """Seconds that a page of the people of a case and a search for one of them take, of three tries the quickest."""
    headers, took = scene.on.staff("duty_manager"), []
    for _ in range(3):
        began = time.monotonic()
        allowed(scene.on.http.get(f"/people/in/{reference}", headers=headers))
        allowed(scene.on.http.post("/people/search", json={"name": name[:200]}, headers=headers))
        took.append(time.monotonic() - began)
    return min(took)


@attack("have people left out by sending more than there is room for")
def crowd(scene: Scene) -> str:
    answer = allowed(
        scene.on.submit({**ORDINARY, "household": [{"name": f"Person {n}"} for n in range(MOST_HOUSEHOLD + 5)]})
    ).json()
    hold("more_people_in_words" in answer["flags"], "nobody is told")
    hold(f"Person {MOST_HOUSEHOLD + 4}" in str(scene.on.case(answer["reference"])["items"]), "somebody is left out")
    return "whom there is no room for is kept in words, and flagged"


@attack("have a person's name kept in plain: as the name of a field, and as the referrer's own reference")
def named_fields(scene: Scene) -> str:
    answer = allowed(scene.on.submit({**ORDINARY, CANARY: 1, "referrer_reference": CANARY}))
    reference = answer.json()["reference"]
    plain = (
        scene.on.sql("SELECT answer FROM receipt WHERE reference = %s", reference),
        scene.on.sql("SELECT state FROM referral WHERE reference = %s", reference),
        scene.on.sql("SELECT canonical FROM event WHERE reference = %s", reference),
        scene.on.sql("SELECT facts FROM notice WHERE reference = %s", reference),
    )
    hold(CANARY not in str(plain), "it stands in a table")
    hold(CANARY in answer.text, "whoever sent it does not hear it again")
    return "whoever sent it hears it again; no table has it"


@attack("write SQL into addresses")
def sql_in_addresses(scene: Scene) -> str:
    headers = scene.on.staff("duty_manager")
    tried = [
        scene.on.http.get(f"/cases/{scene.case}' OR '1'='1", headers=headers),
        scene.on.http.get("/cases", params={"stage": "triage' OR 1=1 --"}, headers=headers),
        scene.on.http.get("/cases", params={"after": "MASH-26-000001'; SELECT pg_sleep(5)"}, headers=headers),
    ]
    return [refused(answer, 400, 404) for answer in tried][-1]


@attack("write a template into every text field")
def template(scene: Scene) -> str:
    reference = allowed(scene.on.submit({**_filled(TEMPLATE), "source": {"code": "2A", "email": "head@ssti.example.org"}})).json()
    mails = until(lambda: scene.mailbox.about(reference["reference"]))
    hold(not any(RESULT in mail.text or "{{" in mail.text for mail in mails), "a mail carries it")
    hold(RESULT not in str(scene.on.case(reference["reference"])), "it was reckoned")
    return f"none of {len(mails)} mails carries it"


@attack("write markup into a page")
def markup(scene: Scene) -> str:
    reference = scene.on.referral(concern={"summary": MARKUP})
    key = scene.on.settings.token_key
    assert key
    form = {"reference": reference, "code": status_code(key.get_secret_value(), reference)}
    pages = [
        scene.on.http.post("/status", data={"reference": MARKUP, "code": MARKUP}),
        scene.on.http.post("/status/disagreements", data={**form, "words": MARKUP}),
        scene.on.http.get("/sign-in", params={"onward": f"/{MARKUP}"}),
        scene.on.http.post("/sign-in/local", data={"login": MARKUP, "password": MARKUP, "code": "1", "onward": MARKUP}),
        scene.on.http.get(f"/alerts/{MARKUP}"),
    ]
    hold(not any(MARKUP in page.text for page in pages), "a page carries it")
    hold(all("default-src 'none'" in page.headers["content-security-policy"] for page in pages), "and nothing stops it")
    return "escaped; and no script would run"


@attack("add a recipient to a mail, by a line break in an address")
def header(scene: Scene) -> str:
    source = {**ORDINARY["source"], "email": "head@crlf.example.org\r\nBcc: eve@evil.example.org"}
    scene.on.submit({**ORDINARY, "source": source})
    marker = scene.on.submit({**ORDINARY, "source": {**source, "email": "head@after.example.org"}}).json()["reference"]
    until(lambda: any("after.example.org" in mail.to for mail in scene.mailbox.about(marker)))
    hold(not any("evil" in f"{mail.to} {mail.text}" for mail in list(scene.mailbox.messages)), "a mail to them")
    return "no mail goes there"


@attack("send control characters and halves of characters")
def controls(scene: Scene) -> str:
    for text in ("a\x00b", "\x1b[31mred", "\x9b2J"):
        refusal = refused(scene.on.submit({"concern": {"summary": text}}), 400)
    headers = {"Authorization": f"Bearer {scene.on.key}", "Idempotency-Key": "half", "Content-Type": "application/json"}
    refused(scene.on.http.post("/referrals", content=b'{"concern": {"summary": "\\ud83d"}}', headers=headers), 400)
    return refusal


@attack("have an error repeat what was sent")
def echo(scene: Scene) -> str:
    unreadable = f"{CANARY}\x00"
    wrong = {"subjects": [{"name": unreadable}], "concern": [unreadable], "household": {CANARY: {"name": [unreadable]}}}
    answer = scene.on.submit(wrong)
    refusal = refused(answer, 400)
    hold(not any(part in answer.text for part in CANARY.split()), "a name")
    return f"{refusal}: fields are named, values are not"
