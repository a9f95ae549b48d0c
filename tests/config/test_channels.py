"""The channels file: what it says, and what is wrong with one, without an address in the sentence."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from mash.config.channels import Channels, read_channels
from mash.config.errors import SettingsError
from mash.config.settings import Settings
from mash.flows.carrying.postman import check_alerts
from mash.notifications.sender import check_channels

SECRET = "hunter22"
GOOD = f"""
[merton]
duty_manager = ["mailto://u:{SECRET}@mail.example.org?to=a@example.org"]
reply_to = "mash@example.org"
[merton.people]
dm1 = [
  {{ url = "hook://127.0.0.1/teams", quiet = "22:00-07:00" }},
  {{ url = "hook://127.0.0.1/sms", after = "5 min", per_hour = 20 }},
]
["*"]
"*" = ["json://127.0.0.1/all"]
"""


def read(folder: Path, text: str) -> Channels:
    path = folder / "channels.toml"
    path.touch(mode=0o600)
    path.write_text(text)
    return read_channels(path)


def test_a_hub_a_role_and_a_person_have_their_channels_and_a_star_stands_for_any(tmp_path: Path) -> None:
    channels = read(tmp_path, GOOD)
    assert [c.scheme for c in channels.of_role("merton", "duty_manager")] == ["mailto"]
    assert [c.scheme for c in channels.of_role("merton", "police_lead")] == ["json"]
    assert [c.scheme for c in channels.of_role("camden", "duty_manager")] == ["json"]
    assert [(c.after, c.per_hour) for c in channels.of_person("merton", "dm1")] == [
        (timedelta(0), None),
        (timedelta(minutes=5), 20),
    ]
    assert channels.of_person("camden", "dm1") == ()
    assert (channels.reply_to("merton"), channels.reply_to("camden")) == (SecretStr("mash@example.org"), None)
    assert check_channels(channels) == []
    assert SECRET not in repr(channels)


@pytest.mark.parametrize(("at", "quiet"), [("21:59", False), ("22:00", True), ("03:00", True), ("06:59", True), ("07:00", False)])
def test_quiet_hours_may_go_over_midnight(tmp_path: Path, at: str, quiet: bool) -> None:
    teams, sms = read(tmp_path, GOOD).of_person("merton", "dm1")
    moment = datetime.fromisoformat(f"2026-11-27T{at}").replace(tzinfo=UTC)
    assert teams.is_quiet(moment) is quiet
    assert sms.is_quiet(moment) is False


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[merton]\nduty_manager = "mailto://hunter22"', r"\[merton\] duty_manager: Input should be a valid tuple"),
        ("[merton]\nduty_manager = []", r"\[merton\] duty_manager: Tuple should have at least 1 item"),
        ('merton = "mailto://hunter22"', r'\[merton\] expected role = \["apprise address", ...\]'),
        ('[merton.people]\ndm1 = [{ url = "a://hunter22", after = "soon" }]', "people, dm1, entry 1, after.*'5 min' or '1 h'"),
        ('[merton.people]\ndm1 = ["a://b", { url = "a://hunter22", quiet = "night" }]', "entry 2, quiet.*22:00-07:00"),
        ('[merton.people]\ndm1 = [{ url = "a://hunter22", every = 2 }]', "entry 1, every: Extra inputs are not permitted"),
        ('[merton]\nreply_to = "hunter22"', r"\[merton\] reply_to"),
        ("[merton", "not TOML"),
    ],
)
def test_a_wrong_file_is_refused_by_entry_and_with_what_is_expected(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(SettingsError, match=says) as wrong:
        read(tmp_path, text)
    assert SECRET not in str(wrong.value)


def test_addresses_that_apprise_does_not_understand_are_named_by_their_place(tmp_path: Path) -> None:
    text = f'[merton]\nduty_manager = ["json://h/", "nonsense://{SECRET}"]\n[merton.people]\ndm1 = ["nonsense://{SECRET}"]'
    wrong = check_channels(read(tmp_path, text))
    assert wrong == [
        "[merton] duty_manager, entry 2: Apprise does not understand this URL",
        "[merton] people.dm1, entry 1: Apprise does not understand this URL",
    ]


ONE_IS_LOST = [
    "mailto://mail.example.org?from=m@example.org&to=sam.o'hunter22@example.org",
    "mailto://mail.example.org?from=m@example.org&to=sam.o%27hunter22@example.org",
    "mailto://mail.example.org?from=m@example.org&to=sam.o’hunter22@example.org",
    "mailto://mail.example.org/sam.o'hunter22@example.org?from=m@example.org",
    "mailto://mail.example.org?from=m@example.org&to=hunter22@bücher.example",
    "mailto://mail.example.org?from=m@example.org&to=hunter22@example.org&to=b@example.org",
    "mailto://mail.example.org?from=m@example.org&to=b@example.org;hunter22@example.org",
    "mailtos://u:p@mail.example.org?from=o'hunter22@example.org&to=a@example.org",
    "mailtos://u:p@mail.example.org?to=a@example.org&cc=o'hunter22@example.org",
    "mailtos://u:p@mail.example.org?to=a@example.org&bcc=o'hunter22@example.org",
    "mailtos://u:p@mail.example.org?to=a@example.org&reply=o'hunter22@example.org",
    "mailtos://u:p@mail.example.org?to=a@example.org&too=hunter22@example.org",
    "sendgrid://abcd1234:from@example.org/a@example.org/o'hunter22@example.org",
    "sendgrid://abcd1234:o'hunter22@example.org/a@example.org",
    "brevo://apikey12345678:from@example.org/a@example.org?cc=o'hunter22@example.org",
    f"twilio://AC{'a' * 32}:{'b' * 32}@07700900123/+447700900124/22",
    "hook://127.0.0.1/run?sig=hunter22",
    "hook://127.0.0.1/run%2Fhunter22",
    "jsons://127.0.0.1/run#hunter22",
]


@pytest.mark.parametrize("url", ONE_IS_LOST)
def test_a_channel_whose_url_lost_or_changed_an_address_is_refused_by_its_place_and_without_it(tmp_path: Path, url: str) -> None:
    (wrong,) = check_channels(read(tmp_path, f'[merton]\nduty_manager = ["json://h/", "{url}"]'))
    assert wrong.startswith("[merton] duty_manager, entry 2: ") and "hunter22" not in wrong and "example.org/" not in wrong
    assert ('to = "name@example.org"' in wrong) is url.startswith("mailto")


@pytest.mark.parametrize(
    "url",
    [
        "mailto://mail.example.org/a@example.org/b+tag@example.org?from=Merton MASH <m@example.org>&reply=r@example.org",
        "mailtos://u:p%40ss@mail.example.org?smtp=smtp.example.org&to=a@example.org,b@example.org&cc=Duty <c@example.org>",
        "sendgrid://abcd1234:from@example.org/a@example.org",
        f"twilio://AC{'a' * 32}:{'b' * 32}@07700900123/+447700900124",
        "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#general",
        "tgram://123456789:abcdefg_hijklmnop/12315544/",
        "rocket://u:p@127.0.0.1/#room/@user",
        "hooks://u:p@127.0.0.1:8443/a/b/?rto=5&verify=no&+X-Key=v",
    ],
)
def test_a_channel_that_holds_what_was_asked_for_is_taken(tmp_path: Path, url: str) -> None:
    assert check_channels(read(tmp_path, f'[merton]\nduty_manager = ["{url}"]')) == []


def test_an_address_for_which_a_url_has_no_room_stands_beside_it(tmp_path: Path) -> None:
    server, to = "mailto://127.0.0.1:25/?from=mash@example.org", "sam.o'brien@example.org"
    channels = read(tmp_path, f'[merton]\nreply_to = "o\'neil@example.org"\nduty_manager = [{{ url = "{server}", to = "{to}" }}]')
    assert check_channels(channels) == [] and to not in repr(channels)
    for text in (f'url = "{server}", to = "hunter22"', f'url = "{server}", to = "a@example,org"'):
        with pytest.raises(SettingsError, match=r"duty_manager, entry 1, to: expected an e-mail address"):
            read(tmp_path, f"[merton]\nduty_manager = [{{ {text} }}]")
    web = read(tmp_path, '[merton]\nduty_manager = [{ url = "hook://127.0.0.1/x", to = "a@example.org" }]')
    assert "are for mail" in check_channels(web)[0]


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("mailto://127.0.0.1:25/?from=o'hunter22@example.org", "is not the one in this URL"),
        ("mailtos://u:p@mail.example.org?reply=o'hunter22@example.org", "is not the one in this URL"),
        ("json://hunter22/x", "expected a mailto:// or mailtos:// URL"),
        ("nonsense://hunter22", "does not understand this URL"),
    ],
)
def test_the_mail_server_by_which_referrers_are_written_to_is_held_to_its_url_too(url: str, says: str) -> None:
    with pytest.raises(SettingsError, match=f"MASH_MAIL_URL: .*{says}") as wrong:
        check_alerts(Settings.model_validate({"mail_url": url}))
    assert SECRET not in str(wrong.value)
    check_alerts(Settings.model_validate({"mail_url": "mailto://127.0.0.1:25/?from=mash@example.org"}))
