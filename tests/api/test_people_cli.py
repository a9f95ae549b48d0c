"""What people may ask of what is kept about them, and the keys and checkpoints behind it, by the commands of an installation
that runs meanwhile."""

from __future__ import annotations

from pathlib import Path

import pytest
from commands import mash_here
from hub import Hub

ADULT = {"name": {"given": "Erasmus", "family": "Whimberry"}, "date_of_birth": "1971-03-09", "cohort": "adult"}


@pytest.fixture
def here(hub: Hub) -> dict[str, str]:
    """The installation's environment."""
    return {"MASH_DATA_DIR": str(hub.settings.data_dir), "COLUMNS": "200"}


@pytest.fixture
def turned_away(hub: Hub, here: dict[str, str]) -> str:
    """A contact that Merton does not take, which somebody has confirmed, from somebody who cannot be told: it is concluded."""
    made = mash_here("key", "create", "a-neighbour", "merton", "--agency", "individual", **here).stdout
    key = next(word for word in made.split() if word.startswith("mash_"))
    hub.sent += 1
    headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": f"turned-away-{hub.sent}"}
    answer = hub.http.post("/referrals", json={"subjects": [ADULT], "concern": {"summary": "He is alone."}}, headers=headers)
    assert answer.status_code == 201, answer.text
    reference = str(answer.json()["reference"])
    hub.give(reference, "confirm_not_ours", hub="merton", signposted_to="adults_social_care", words="They are to ring there.")
    return reference


def test_the_master_key_is_rotated_and_the_old_one_retired_while_everything_goes_on(hub: Hub, here: dict[str, str]) -> None:
    before = hub.referral()
    file = hub.settings.master_key_file
    assert file
    old = file.read_text().strip()
    assert "newest  wraps" in mash_here("master-key", "status", **here).stdout
    old_name = mash_here("keys", "status", **here)
    assert "newest  wraps" in old_name.stdout and "mash keys is called mash master-key now" in old_name.stderr
    rotated = mash_here("master-key", "rotate", **here)
    assert rotated.returncode == 0 and "back it up now" in rotated.stdout, rotated.stderr
    meanwhile = hub.referral()
    retired = mash_here("master-key", "retire", **here)
    assert retired.returncode == 0 and "holds the newest key alone" in retired.stdout, retired.stderr
    assert file.read_text().strip() != old and len(file.read_text().split()) == 1
    assert file.stat().st_mode & 0o777 == 0o600
    for reference in (before, meanwhile, hub.referral(), hub.referral()):
        assert "Quillfeather" in str(hub.case(reference)["items"])
    assert mash_here("log", "verify", **here).stdout.endswith("every chain verifies\n")


def test_a_person_is_erased_for_good_and_the_log_still_verifies(hub: Hub, here: dict[str, str], turned_away: str) -> None:
    reader = hub.staff("duty_manager", hub="merton")
    assert "Whimberry" in hub.http.get(f"/cases/{turned_away}", headers=reader).text
    wrong = mash_here("erase", turned_away, "--why", "because", "--yes", **here)
    assert wrong.returncode == 2 and "right_to_erasure" in wrong.stderr and "Traceback" not in wrong.stderr
    done = mash_here("erase", turned_away, "--why", "right_to_erasure", "--yes", **here)
    assert done.stdout.startswith(f"erased: {turned_away}\n") and "backups made before" in done.stdout, done.stderr
    answer = hub.http.get(f"/cases/{turned_away}", headers=reader)
    assert answer.status_code == 410 and "Whimberry" not in answer.text
    assert "every chain verifies" in mash_here("log", "verify", **here).stdout
    assert "erased" in mash_here("log", turned_away, **here).stdout
    still_open = hub.referral()
    refused = mash_here("erase", still_open, "--why", "right_to_erasure", "--yes", **here)
    assert refused.returncode == 2 and "concluded" in refused.stderr


def test_a_subject_access_request_is_answered_with_a_file_of_ones_own(hub: Hub, here: dict[str, str], tmp_path: Path) -> None:
    reference, file = hub.referral(), tmp_path / "page.html"
    done = mash_here("sar", reference, "S1", "--out", str(file), **here)
    assert done.returncode == 0 and "Read it before it leaves" in done.stdout, done.stderr
    assert file.stat().st_mode & 0o777 == 0o600 and "Zebediah" in file.read_text()
    again = mash_here("sar", reference, "S1", "--out", str(file), **here)
    assert again.returncode == 2 and "not there yet" in again.stderr
    nobody = mash_here("sar", reference, "S9", "--out", str(tmp_path / "other.html"), **here)
    assert nobody.returncode == 2 and not (tmp_path / "other.html").exists()


def test_what_is_withheld_from_a_subject_is_listed_apart_and_released_by_its_number(
    hub: Hub, here: dict[str, str], tmp_path: Path
) -> None:
    concern = {"summary": "Marigold Thistlewick-Crane has fled to the refuge. Ring her on 07700 900123."}
    household = [{"name": "Marigold Thistlewick-Crane", "relationship": "mother", "phone": "07700 900123"}]
    consent = {"safe_contact": "He reads her messages."}
    reference = hub.referral(concern=concern, household=household, consent=consent)

    def sar(file: str, *more: str) -> tuple[str, str, str]:
        done = mash_here("sar", reference, "S1", "--out", str(tmp_path / file), *more, **here)
        assert done.returncode == 0, done.stderr
        return done.stdout, (tmp_path / file).read_text(), (tmp_path / f"{file}.withheld.txt").read_text()

    printed, page, listed = sar("first.html")
    assert printed.startswith("WARNING. Safe contact") and "things are withheld in it" in printed
    assert (tmp_path / "first.html.withheld.txt").stat().st_mode & 0o777 == 0o600
    for part in ("Marigold", "Thistlewick", "07700", "refuge", "reads her messages"):
        assert part not in page and part not in printed and part in listed
    number = next(line.split()[0] for line in listed.splitlines() if line.endswith(": mother"))
    assert f"  {number}  withheld  relationship of person in the household 1" in f"  {listed}"
    half = mash_here("sar", reference, "S1", "--out", str(tmp_path / "half.html"), "--release", number, **here)
    assert half.returncode == 2 and "--because" in half.stderr and not (tmp_path / "half.html").exists()
    wrong = mash_here(
        "sar", reference, "S1", "--out", str(tmp_path / "n.html"), "--release", "99", "--because", "they_agree", **here
    )
    assert wrong.returncode == 2 and "under 99" in wrong.stderr and not list(tmp_path.glob("n.html*"))
    printed, page, listed = sar("second.html", "--release", number, "--because", "they_agree")
    assert f"Released: {number}, relationship of person in the household 1" in printed and "relationship: mother" in page
    assert "Marigold" not in page and "by cli:" in listed and "they_agree" in listed


def test_what_is_due_is_listed_held_and_let_go(hub: Hub, here: dict[str, str], turned_away: str) -> None:
    # It would be due in two years; the night's run that puts it there is tested with the store.
    row = "INSERT INTO retention (root, hub, due_at, listed_at) VALUES (%s, 'merton', '2020-01-01', now() + interval '1 year')"
    hub.sql(row, turned_away)
    assert turned_away in mash_here("retention", "list", **here).stdout
    assert mash_here("retention", "hold", turned_away, "inquiry", **here).returncode == 0
    assert "inquiry" in mash_here("retention", "list", **here).stdout
    hub.sql("UPDATE retention SET listed_at = '2020-01-01' WHERE root = %s", turned_away)
    mash_here("retention", "run", **here)
    assert turned_away in mash_here("retention", "list", **here).stdout, "held"
    mash_here("retention", "release", turned_away, **here)
    mash_here("retention", "run", **here)
    assert turned_away not in mash_here("retention", "list", **here).stdout
    answer = hub.http.get(f"/cases/{turned_away}", headers=hub.staff("duty_manager", hub="merton"))
    assert answer.status_code == 200, "its time is not over: it was taken off the list, whoever had put it there"


def test_checkpoints_are_signed_kept_elsewhere_and_held_against_the_logs(hub: Hub, here: dict[str, str], tmp_path: Path) -> None:
    reference = hub.referral()
    made = mash_here("checkpoint", "make", **here)
    assert made.returncode == 0 and "contacts" in made.stdout, made.stderr
    key = mash_here("checkpoint", "key", **here).stdout.strip()
    assert "written" in mash_here("checkpoint", "export", str(tmp_path / "kept"), **here).stdout
    against = ("--against", str(tmp_path / "kept"), "--key", key)
    assert mash_here("log", "verify", *against, **here).stdout.endswith("every chain verifies\n")
    ((canonical,),) = hub.sql("SELECT canonical FROM event WHERE reference = %s AND sequence = 1", reference)
    hub.sql("UPDATE event SET canonical = 'x' || canonical WHERE reference = %s AND sequence = 1", reference)
    try:
        found = mash_here("log", "verify", *against, **here)
        assert found.returncode == 1 and f"{reference}: event 1" in found.stdout
    finally:
        hub.sql("UPDATE event SET canonical = %s WHERE reference = %s AND sequence = 1", canonical, reference)
    other = mash_here("log", "verify", "--against", str(tmp_path / "kept"), "--key", "A" * 43 + "=", **here)
    assert other.returncode == 1 and "signature does not hold" in other.stdout
