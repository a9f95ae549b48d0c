"""The board: who, what to mind, whom it waits for, in the order in which it is to be acted on."""

from __future__ import annotations

from hub import Hub


def test_a_board_shows(hub: Hub) -> None:
    reference = hub.referral()
    hub.rate(reference)
    page = hub.http.get("/board", headers=hub.staff("duty_manager"))
    print(page.text)
    assert reference in page.text
