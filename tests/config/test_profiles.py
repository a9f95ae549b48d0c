"""Profiles: what the shipped hubs say, what the product adds, and how a wrong file is refused."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from mash.config.describe import describe, differences, explain
from mash.config.profile import ProfileError, load_profile, stated, stored_profile
from mash.config.profile_files import SHIPPED, available
from mash.states.acts.contact import ReceiveContact
from mash.states.acts.protection import RecordStrategyDiscussion
from mash.states.acts.rating import RateReferral
from mash.states.profile import Profile, Returns
from mash.states.stages import OPEN
from mash.states.values import Actor, Subject, Words
from mash.states.world import World

RECEIVED = datetime(2026, 6, 3, 10, 0, tzinfo=UTC)
DUTY = Actor(id="account-1", role="duty_manager", agency="social_care", hub="any")
WORDS = Words(item="item-1", hmac="00")


def rated(profile: Profile, rating: str) -> World:
    """A child's referral, received and rated at once."""
    case = World(profile, RECEIVED)
    subjects = (Subject(id="S1", cohort="child"),)
    case.give(ReceiveContact(contact="referral", source="2A", source_agency="education", subjects=subjects), DUTY, words=WORDS)
    case.give(RateReferral(rating=rating), DUTY, words=WORDS)
    return case


def write(folder: Path, *changes: tuple[str, str], hub: str = "sandwell") -> Path:
    """The shipped file of a hub with parts of its text replaced, as `own` in the folder."""
    text = (SHIPPED / "hubs" / f"{hub}.toml").read_text(encoding="utf-8")
    for old, new in changes:
        assert text.count(old) >= 1, f"{old!r} is not in {hub}.toml"
        text = text.replace(old, new, 1)
    path = folder / "own.toml"
    path.write_text(text, encoding="utf-8")
    return path


def line_of(path: Path, text: str) -> int:
    return next(n for n, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1) if text in line)


def refusal(folder: Path, *changes: tuple[str, str], hub: str = "sandwell") -> tuple[Path, str]:
    path = write(folder, *changes, hub=hub)
    with pytest.raises(ProfileError) as refused:
        load_profile("own", folder)
    return path, str(refused.value)


# --- the shipped hubs -----------------------------------------------------------------------------------------------------


def test_the_22_hubs_of_the_source_documents_are_available_and_load() -> None:
    assert len(available()) == 22
    assert [load_profile(name).name for name in available()] == available()


@pytest.mark.parametrize("name", available())
def test_every_stage_that_somebody_waits_in_has_a_clock(name: str) -> None:
    assert set(load_profile(name).stages) == set(OPEN) - {"contact", "section_17_assessment", "transfer_offered"}


@pytest.mark.parametrize(("rating", "hours"), [("red", 4), ("amber", 24), ("green", 72)])
def test_sandwells_ratings_are_due_in_their_hours_from_receipt(rating: str, hours: int) -> None:
    referral = rated(load_profile("sandwell"), rating).referral
    assert referral.clocks["response"].due_at == RECEIVED + timedelta(hours=hours)


def test_sandwells_red_hours_cover_checks_and_meeting_and_a_second_rating_follows() -> None:
    sandwell = load_profile("sandwell")
    assert sandwell.ratings["red"].covers == ("agency_checks", "mash_meeting")
    assert sandwell.ratings["green"].route == ("agency_checks", "decision")
    assert (sandwell.meeting.second_rating, sandwell.meeting.chair) == (True, "responsible_social_worker")


def test_sandwell_asks_twelve_agencies_and_takes_adults() -> None:
    sandwell = load_profile("sandwell")
    assert len(sandwell.agencies) == 12
    assert {cohort for sort in sandwell.intake.values() for cohort in sort.cohorts} == {"child", "unborn", "adult"}


def test_a_red_of_merton_goes_straight_to_the_strategy_discussion() -> None:
    referral = rated(load_profile("merton"), "red").referral
    assert referral.stage == "strategy_discussion"
    assert not referral.checks


def test_a_red_of_merton_that_ends_without_section_47_is_decided() -> None:
    case = rated(load_profile("merton"), "red")
    held = RecordStrategyDiscussion(attended=("social_care", "police", "health"), outcome="no_section_47")
    case.give(held, DUTY, words=WORDS)
    assert case.stage == "decision"


@pytest.mark.parametrize(("rating", "stage"), [("amber", "agency_checks"), ("green", "agency_checks"), ("blue", "decision")])
def test_mertons_other_ratings_take_their_route(rating: str, stage: str) -> None:
    assert rated(load_profile("merton"), rating).stage == stage


def test_merton_is_decided_by_its_team_manager_and_takes_no_adults() -> None:
    merton = load_profile("merton")
    assert merton.deciders == ("team_manager",)
    assert not any("adult" in sort.cohorts for sort in merton.intake.values())
    assert "adult" in merton.signpost


@pytest.mark.parametrize(
    ("name", "limit", "length", "start"),
    [
        ("merton", "decision", "1 working day", "receipt"),
        ("merton", "assessment", "45 working days", "receipt"),
        ("sandwell", "acknowledgement", "1 working day", "receipt"),
        ("sandwell", "conference", "15 working days", "strategy_discussion"),
    ],
)
def test_statutory_limits_hold_beside_the_hubs_own(name: str, limit: str, length: str, start: str) -> None:
    rule = load_profile(name).statutory[limit]
    assert (str(rule.length), rule.start) == (length, start)
    assert "Working Together" in rule.source


def test_the_calendar_knows_englands_bank_holidays_and_their_substitutes() -> None:
    holidays = load_profile("merton").calendar.bank_holidays
    assert {date(2026, 8, 31), date(2026, 12, 28), date(2022, 9, 19)} <= set(holidays)
    assert date(2026, 8, 3) not in holidays, "the summer bank holiday of Scotland"


PROCLAIMED = '[calendar]\nsource = "local"\nbank_holidays = [2026-12-11]\n[meeting]'
AT_CHRISTMAS = PROCLAIMED.replace("bank_holidays = [2026-12-11]", "open_bank_holidays = [2026-12-25]")


def decision_due(folder: Path, received: datetime) -> datetime:
    """When the decision on the response is due at the hub of this folder."""
    case = World(load_profile("own", folder), received)
    subjects = (Subject(id="S1", cohort="child"),)
    case.give(ReceiveContact(contact="referral", source="2A", source_agency="education", subjects=subjects), DUTY, words=WORDS)
    return case.referral.clocks["decision_on_response"].due_at


@pytest.mark.parametrize(
    ("received", "due"),
    [
        (datetime(2026, 12, 10, 10, tzinfo=UTC), datetime(2026, 12, 14, 17, tzinfo=UTC)),
        (datetime(2026, 12, 24, 10, tzinfo=UTC), datetime(2026, 12, 29, 17, tzinfo=UTC)),
    ],
)
def test_a_bank_holiday_of_a_hub_is_added_to_englands(tmp_path: Path, received: datetime, due: datetime) -> None:
    write(tmp_path, ("[meeting]", PROCLAIMED))
    assert decision_due(tmp_path, received) == due


def test_a_hubs_own_bank_holiday_is_shown_with_its_source_and_englands_with_theirs(tmp_path: Path) -> None:
    write(tmp_path, ("[meeting]", PROCLAIMED))
    shown = {setting.name: setting for setting in describe("own", tmp_path)}["calendar.bank_holidays"]
    assert shown.source == "product default: the bank holidays of England; beside them those of the hub: local"


def test_a_hub_that_opens_on_a_bank_holiday_says_so_and_no_working_day_is_counted_that_it_is_not(tmp_path: Path) -> None:
    write(tmp_path, ("[meeting]", AT_CHRISTMAS))
    calendar = load_profile("own", tmp_path).calendar
    assert calendar.is_open(datetime(2026, 12, 25, 10, tzinfo=UTC)) and not calendar.is_open(
        datetime(2026, 12, 28, 10, tzinfo=UTC)
    )
    assert decision_due(tmp_path, datetime(2026, 12, 24, 10, tzinfo=UTC)) == datetime(2026, 12, 29, 17, tzinfo=UTC)


def test_a_day_that_is_no_bank_holiday_cannot_be_one_that_is_not_kept(tmp_path: Path) -> None:
    path, refused = refusal(tmp_path, ("[meeting]", AT_CHRISTMAS.replace("12-25", "12-11")))
    assert f"{path}:{line_of(path, '2026-12-11')}: calendar.open_bank_holidays: no bank holiday: 2026-12-11" in refused


@pytest.mark.parametrize("wrong", ["2026-12-11", "[true]", '["11/12/2026"]', "[[2026-12-11]]", "{}"])
def test_bank_holidays_that_are_no_list_of_days_are_refused_at_their_line(tmp_path: Path, wrong: str) -> None:
    path, refused = refusal(tmp_path, ("[meeting]", PROCLAIMED.replace("[2026-12-11]", wrong)))
    assert f"{path}:{line_of(path, 'bank_holidays')}: calendar.bank_holidays" in refused


@pytest.mark.parametrize(
    ("written", "lengths"),
    [
        ("", ("1 h", "4 h", "24 h")),
        ('renew = "12 h"\nsource.renew = "ours"\n', ("12 h", "12 h", "12 h")),
        ('renew = { second = "2 h", source = "ours" }\n', ("1 h", "2 h", "24 h")),
    ],
)
def test_how_long_an_alert_rests_goes_by_the_place_of_the_rating_or_is_one_length(
    tmp_path: Path, written: str, lengths: tuple[str, ...]
) -> None:
    (tmp_path / "merton.toml").write_text(written + (SHIPPED / "hubs" / "merton.toml").read_text())
    renew = load_profile("merton", tmp_path).renew
    assert (str(renew.first), str(renew.second), str(renew.further)) == lengths


# --- where it comes from --------------------------------------------------------------------------------------------------


def test_what_a_hub_does_not_state_is_shown_as_the_products() -> None:
    shown = {setting.name: setting for setting in describe("merton")}
    assert shown["ratings.amber.reply"].source.startswith("product default")
    monday = shown["calendar.windows.mon"]
    assert (monday.value, monday.source[:15]) == ("09:00-17:00", "product default")
    assert shown["deciders"].source.startswith("Home Office 2014: ")
    assert shown["statutory.assessment"].source.startswith("statutory: ")


@pytest.mark.parametrize("name", available())
def test_every_setting_shown_says_where_it_comes_from(name: str) -> None:
    for setting in describe(name):
        known = ("Home Office 20", "Alexi evaluation 2018", "product default", "statutory", "the hub's name")
        assert setting.value and setting.source.startswith(known), setting.name


def test_the_difference_of_two_hubs_is_where_their_settings_differ() -> None:
    found = {name: (a, b) for name, a, b in differences("sandwell", "merton")}
    a, b = found["meeting.second_rating"]
    assert a and b and (a.value, b.value) == ("yes", "no")
    assert found["ratings.blue.route"][0] is None and found["agencies.womens_aid.role"][1] is None
    assert "out_of_hours.role" not in found
    assert differences("sandwell", "sandwell") == []


def test_a_rating_is_explained_by_its_route_and_clocks_each_with_its_source() -> None:
    rules = {rule.name: rule for rule in explain("sandwell", "red")}
    assert rules["ratings.red.route"].value == "agency_checks, mash_meeting, decision"
    assert rules["ratings.red.response"].value.startswith("4 h from receipt")
    assert rules["ratings.red.response"].source.startswith("Home Office 2014: 'Red 4 hours'")
    assert rules["stages.triage"].source.startswith("product default")
    assert not any(name.startswith("ratings.green") for name in rules)


@pytest.mark.parametrize("name", available())
def test_of_each_exit_to_a_service_it_is_explained_who_accepts(name: str) -> None:
    profile = load_profile(name)
    rules = {rule.name: rule.value for rule in explain(name, profile.unrated)}
    assert {f"services.{service}.role": about.role for service, about in profile.services.items()}.items() <= rules.items()


def test_a_rating_that_the_hub_does_not_have_is_not_explained() -> None:
    with pytest.raises(LookupError, match="expected one of red, amber, green"):
        explain("sandwell", "blue")


def test_stated_is_what_the_hubs_own_file_gives() -> None:
    values = stated("sandwell")
    assert "ratings.red.response.length" in values
    assert "stages.triage.length" not in values
    assert "source" not in values


def test_the_same_settings_have_the_same_version(tmp_path: Path) -> None:
    folders = [tmp_path / "a", tmp_path / "b"]
    for folder in folders:
        folder.mkdir()
        write(folder, ('title = "Sandwell MASH"', 'title = "Our MASH"'))
    first, second = (load_profile("own", folder) for folder in folders)
    assert first.digest == second.digest != load_profile("sandwell").digest


# --- a hub's own file -----------------------------------------------------------------------------------------------------


def test_a_folder_of_own_profiles_stands_beside_the_shipped_ones(tmp_path: Path) -> None:
    write(tmp_path, ('title = "Sandwell MASH"', 'title = "Our MASH"'))
    assert set(available(tmp_path)) == {*available(), "own"}
    assert load_profile("own", tmp_path).title == "Our MASH"
    assert load_profile("merton", tmp_path).title == "Merton MASH"


def test_opening_hours_replace_the_products_week_as_a_whole(tmp_path: Path) -> None:
    hours = '[calendar]\nsource = "local"\n[calendar.windows]\nsat = [{ opens = "08:00", closes = "20:00" }]\n[meeting]'
    write(tmp_path, ("[meeting]", hours))
    assert set(load_profile("own", tmp_path).calendar.windows) == {"sat"}


def test_a_rule_that_changes_only_its_owner_still_says_where_its_length_is_from(tmp_path: Path) -> None:
    write(tmp_path, ("[meeting]", '[stages.enquiries]\nowner = "social_worker"\nsource = "local"\n[meeting]'))
    rule = load_profile("own", tmp_path).stages["enquiries"]
    assert (rule.owner, str(rule.length)) == ("social_worker", "10 working days")
    assert rule.source.startswith("local; its length: product default")


def test_a_response_clock_without_start_counts_from_receipt(tmp_path: Path) -> None:
    write(tmp_path, ('length = "4 h"\nstart = "receipt"\n', 'length = "4 h"\n'))
    response = load_profile("own", tmp_path).ratings["red"].response
    assert response is not None and response.start == "receipt"


# --- refusals -------------------------------------------------------------------------------------------------------------


def test_a_wrong_length_is_refused_with_file_line_and_forms(tmp_path: Path) -> None:
    path, refused = refusal(tmp_path, ('length = "24 h"', 'length = "a day"'))
    assert f"{path}:{line_of(path, 'a day')}: ratings.amber.response.length: expected a length such as '4 h'" in refused


@pytest.mark.parametrize("wrong", ["4", '"4h"', '"0 h"', '"1.5 working days"', "[4]", '"-4 h"'])
def test_no_other_form_of_a_length_is_taken(tmp_path: Path, wrong: str) -> None:
    path, refused = refusal(tmp_path, ('length = "72 h"', f"length = {wrong}"))
    assert f":{line_of(path, f'length = {wrong}')}: ratings.green.response.length: expected a" in refused


def test_an_unknown_setting_is_refused_with_its_line_and_those_there_are(tmp_path: Path) -> None:
    path, refused = refusal(tmp_path, ("second_rating = true", "second_ratings = true"))
    assert f"{path}:{line_of(path, 'second_ratings')}: meeting.second_ratings: unknown setting: expected one of chair" in refused


def test_a_route_through_an_unknown_stage_is_refused(tmp_path: Path) -> None:
    path, refused = refusal(tmp_path, ('route = ["agency_checks", "decision"]', 'route = ["agency_check", "decision"]'))
    assert f"{path}:{line_of(path, '[ratings.green]') + 3}: ratings.green.route.0: expected 'agency_checks'" in refused


@pytest.mark.parametrize(
    "route",
    [
        '["agency_checks"]',
        '["mash_meeting", "agency_checks", "decision"]',
        '["decision", "strategy_discussion"]',
        '["agency_checks", "agency_checks", "decision"]',
    ],
)
def test_a_route_that_would_stall_is_refused(tmp_path: Path, route: str) -> None:
    path, refused = refusal(tmp_path, ('route = ["agency_checks", "decision"]', f"route = {route}"), hub="merton")
    assert f"{path}:{line_of(path, route)}: ratings.amber.route: " in refused


@pytest.mark.parametrize("covers", ['["decision"]', '["strategy_discussion"]', "[]"])
def test_a_response_clock_covers_the_route_from_its_first_stage(tmp_path: Path, covers: str) -> None:
    path, refused = refusal(tmp_path, ('covers = ["agency_checks", "decision"]', f"covers = {covers}"))
    assert ": ratings.green." in refused and str(path) in refused


def test_a_setting_without_a_source_is_refused(tmp_path: Path) -> None:
    path, refused = refusal(tmp_path, ("source.deciders", "# "), hub="merton")
    assert f"{path}:{line_of(path, 'deciders = ')}: deciders: expected a source beside it" in refused


def test_a_source_of_nothing_is_refused(tmp_path: Path) -> None:
    path, refused = refusal(tmp_path, ("source.deciders", "source.decider"), hub="merton")
    assert f"{path}:{line_of(path, 'source.decider')}: source.decider: names no setting of this file" in refused


def test_a_limit_that_holds_for_every_hub_is_not_a_hubs_to_change(tmp_path: Path) -> None:
    rule = '[statutory.decision]\nlength = "9 working days"\nsource = "local"\n[meeting]'
    path, refused = refusal(tmp_path, ("[meeting]", rule))
    assert f"{path}:{line_of(path, '9 working days')}: statutory.decision.length: expected only an owner" in refused


def test_how_soon_a_referrer_hears_the_outcome_is_the_hubs_to_say(tmp_path: Path) -> None:
    write(tmp_path, ("[meeting]", '[statutory.outcome_told]\nlength = "24 h"\nsource = "local"\n[meeting]'))
    rule = load_profile("own", tmp_path).statutory["outcome_told"]
    assert (str(rule.length), rule.start, rule.source) == ("24 h", "decision", "local")


def test_an_unknown_role_is_refused(tmp_path: Path) -> None:
    path, refused = refusal(tmp_path, ('"team_manager"', '"team_leader"'), hub="merton")
    assert f"{path}:{line_of(path, 'team_leader')}: deciders: unknown role 'team_leader': expected one of duty_manager" in refused


def test_a_decider_that_the_permissions_refuse_is_refused(tmp_path: Path) -> None:
    _, refused = refusal(tmp_path, ('"team_manager"', '"social_worker"'), hub="merton")
    assert "deciders: permissions.toml does not let social_worker record decision" in refused


def test_a_clock_for_an_unknown_stage_is_refused(tmp_path: Path) -> None:
    path, refused = refusal(tmp_path, ("[meeting]", '[stages.triagge]\nlength = "1 h"\nsource = "local"\n[meeting]'))
    assert f"{path}:{line_of(path, 'triagge')}: stages.triagge: expected a clock for each of to_confirm_not_ours" in refused


def test_a_missing_setting_is_named_at_its_table(tmp_path: Path) -> None:
    path, refused = refusal(tmp_path, ("severity = 2\n", ""))
    assert f"{path}:{line_of(path, '[ratings.amber]')}: ratings.amber.severity: missing" in refused


def test_all_problems_are_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    _, refused = refusal(
        tmp_path, ('length = "72 h"', 'length = "soon"'), ('length = "24 h"', "length = 24"), ("second_rating", "second")
    )
    lines = [int(problem.split(":")[1]) for problem in refused.splitlines()]
    assert len(lines) == 3 and lines == sorted(lines)


def test_a_file_that_is_not_toml_is_refused_with_its_line(tmp_path: Path) -> None:
    path, refused = refusal(tmp_path, ("severity = 2", "severity = = 2"))
    assert refused.startswith(f"{path}:{line_of(path, '= = 2')}: not TOML: ")


def test_a_file_that_is_not_text_is_refused_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_bytes(b'title = "x"\narea = "\xff"\n')
    with pytest.raises(ProfileError, match=r"own\.toml:2: not UTF-8"):
        load_profile("own", tmp_path)


@pytest.mark.parametrize("name", ["../settings", "Sandwell", "", "atlantis"])
def test_a_profile_that_does_not_exist_is_refused(name: str) -> None:
    with pytest.raises(ProfileError):
        load_profile(name)


def test_lines_are_right_after_lists_and_texts_of_many_lines(tmp_path: Path) -> None:
    text = '[remarks.many]\nsays = """\n[meeting]\nroute = 5\n"""\nsource = "local"\n\n[meeting]'
    names = 'raters = [\n  "duty_manager", # only\n]\nsource.raters = "local"\narea = '
    path, refused = refusal(tmp_path, ("[meeting]", text), ("area = ", names), ('length = "24 h"', "length = 24"))
    assert refused.startswith(f"{path}:{line_of(path, 'length = 24')}: ratings.amber.response.length")


def test_a_table_in_a_list_is_refused_at_its_own_line(tmp_path: Path) -> None:
    ladder = '[[ladder]]\nrole = "duty_manager"\nwait = "1 h"\n[[ladder]]\nrole = "service_manager"\nwait = "ages"\n[meeting]'
    path, refused = refusal(tmp_path, ("area = ", 'source.ladder = "local"\narea = '), ("[meeting]", ladder))
    assert refused.startswith(f"{path}:{line_of(path, 'ages')}: ladder.1.wait: expected a length")


# --- profiles that a database has had for long ------------------------------------------------------------------------------

ADDED_SINCE = {
    "whole_family",
    "assess_first",
    "chase_at",
    "settle_within",
    "intake",
    "consultation",
    "triage",
    "places",
    "sharing",
    "firewall",
    "strategy_discussion",
    "gatherings",
    "sign_off",
    "services",
    "disagreements",
    "out_of_hours",
    "volume",
    "remarks",
}


def test_a_profile_stored_by_the_first_version_is_still_a_profile() -> None:
    today = load_profile("merton").model_dump(mode="json")
    for table in ("meeting", "calendar"):
        today[table] = {
            name: value for name, value in today[table].items() if name not in ("quorum", "modes", "gathering", "changes")
        }
    old = {name: value for name, value in today.items() if name not in ADDED_SINCE} | {
        "unrated_counts_as": "red",
        "kinds": ["referral"],
        "cohorts": ["child"],
        "quorum": ["social_care", "police"],
        "out_of_hours_role": "out_of_hours",
    }
    old["stages"] = {name: rule for name, rule in old["stages"].items() if name not in ("consultation", "sign_off")}
    read = stored_profile(json.dumps(old))
    assert (read.unrated, read.strategy_discussion.quorum) == ("red", ("social_care", "police"))
    assert [(sort.kinds, sort.cohorts) for sort in read.intake.values()] == [(("referral",), ("child",))]
    assert rated(read, "red").stage == "strategy_discussion"


def test_a_profile_that_is_stored_today_is_read_back_as_it_is() -> None:
    for name in available():
        profile = load_profile(name)
        assert stored_profile(profile.canonical) == profile


def test_a_profile_from_before_there_were_returns_counts_referrals_as_the_defaults_say() -> None:
    """The values stand in `defaults.toml` with their source, and beside the fields for what was stored without them."""
    assert load_profile("sandwell").returns == Returns()


def test_a_profile_with_something_changed_is_another_one_whatever_was_asked_of_it_before() -> None:
    """Cases go by a profile's digest: one that was worked out before a change would name the other profile."""
    known = load_profile("merton").model_copy(update={"title": "A hub"})
    for asked in ("canonical", "digest"):
        assert getattr(known, asked) != getattr(known.model_copy(update={"title": "Another hub"}), asked)
        assert getattr(known.model_copy(update={"title": "Another hub"}), asked) != getattr(known, asked)
