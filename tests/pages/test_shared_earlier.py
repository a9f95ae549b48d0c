"""The child's other contacts on a case's page: shared with the partners line by line, and those that were added to it."""

from __future__ import annotations

import re
from typing import Any

from hub import Hub
from papers import words_on

from mash.flows.store.looking import look_next
from mash.flows.store.store import Store

BOY = {"name": {"given": "Ambrose", "family": "Featherstonehaugh"}, "date_of_birth": "2017-03-04", "cohort": "child"}
GIRL = {"name": {"given": "Philippa", "family": "Wintergreen"}, "date_of_birth": "2015-11-30", "cohort": "child"}
COUSIN = {"name": {"given": "Leopold", "family": "Marchbanks"}, "date_of_birth": "2016-02-03", "cohort": "child"}


def hidden(page: str) -> dict[str, str]:
    """What a form sends without being asked."""
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page))


def looked_at(hub: Hub) -> None:
    """Everything that waits is looked at."""

    async def all_of_it(store: Store) -> None:
        while await look_next(store):
            pass

    hub.stored(all_of_it)


def known_twice(hub: Hub, child: dict[str, Any], *more: dict[str, Any]) -> tuple[str, str]:
    """Two contacts about one child, of whom the second is confirmed to be the same and may name more children."""
    first, second = hub.referral(subjects=[child], household=[]), hub.referral(subjects=[child, *more], household=[])
    looked_at(hub)
    hub.give(second, "identify_subject", subject="S1", other=first, other_subject="S1")
    looked_at(hub)
    return first, second


def test_a_confirmed_line_is_shared_in_two_presses_and_then_the_police_read_it_and_the_paper_has_it(hub: Hub) -> None:
    first, case = known_twice(hub, BOY)
    hub.rate(case)
    by, police = hub.staff("duty_manager"), hub.staff("agency", "police")
    before = hub.http.get(f"/case/{case}", headers=police)
    assert before.status_code == 200 and "same child" not in before.text and "Share with partners" not in before.text
    (address,) = re.findall(r'href="([^"]*)">Share with partners', hub.http.get(f"/case/{case}", headers=by).text)
    form = hub.http.get(address, headers=by)
    assert form.status_code == 200 and f'value="{first}"' in form.text
    told = {"other": first, "necessity": "to_protect_a_child", "words": "He was hungry then too."}
    done = hub.http.post(f"/case/{case}/share_earlier_contact", headers=by, data={**hidden(form.text), **told})
    assert done.status_code == 303, done.text
    after = hub.http.get(f"/case/{case}?tab=sent", headers=police).text
    assert "Another contact about the same child" in after and "He was hungry then too." in after and first not in after
    paper = words_on(hub.http.get(f"/case/{case}/product.pdf", headers=by).content)
    assert "Another contact about the same child" in paper and first not in paper


def test_whoever_may_not_find_people_is_not_offered_to_share_what_they_may_not_know(hub: Hub) -> None:
    first, case = known_twice(hub, GIRL)
    hub.rate(case)
    police = hub.staff("agency", "police")
    assert hub.http.get(f"/case/{case}/share_earlier_contact?other={first}", headers=police).status_code in (403, 404)
    command = {"kind": "share_earlier_contact", "other": first, "necessity": "to_protect_a_child"}
    assert hub.command(case, command, police, "Why.").status_code == 403
    assert "share_earlier_contact" not in hub.http.get(f"/cases/{case}", headers=police).json()["possible"]


def test_an_open_case_says_which_copies_were_added_to_it_to_whoever_may_know(hub: Hub) -> None:
    first, second = known_twice(hub, COUSIN, {**GIRL, "name": {"given": "Octavia", "family": "Lindqvist"}})
    hub.rate(first)
    by = hub.staff("duty_manager")
    pair = hub.http.get(f"/cases/{second}/earlier/{first}?subject=S1&other_subject=S1", headers=by).json()
    hub.give(second, "close_duplicate", other=first, compared=pair["compared"], words="The same morning.")
    page = hub.http.get(f"/case/{first}?tab=facts", headers=by).text
    assert "(added to this case)" in page and f'href="/case/{second}"' in page
    assert "Octavia Lindqvist" in page
    theirs = hub.http.get(f"/case/{first}?tab=facts", headers=hub.staff("agency", "police")).text
    assert "added to this case" not in theirs and second not in theirs
