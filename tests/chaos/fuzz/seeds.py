"""What the parsers are fed to begin with: whole files and messages, so that what is changed in them gets far."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from mash.api.schemas.contact import EXAMPLE
from mash.config.profile import load_profile
from mash.config.profile_files import SHIPPED
from mash.notifications.links import AlertLink, sign, status_code
from mash.notifications.rota import Absence, Pattern, Rota, Shift
from mash.notifications.rota_calendar import to_ical
from mash.notifications.rota_sheet import to_csv

CALENDARS = Path(__file__).parents[2] / "notifications" / "calendars"
SECRET = "Hunter22Quillfeather"
"""Stands where a secret or a name may stand: no error repeats it."""
KEY = "k" * 43
AT = datetime(2026, 11, 27, 17, tzinfo=UTC)
_ROTA = Rota.model_validate(
    {
        "patterns": (
            Pattern.model_validate(
                {
                    "role": "duty_manager",
                    "person": "dm1",
                    "days": ("mon",),
                    "starts": "09:00",
                    "ends": "17:00",
                    "since": "2026-11-02",
                }
            ),
        ),
        "shifts": (Shift(role="duty_manager", person="dm2", instead_of="dm1", why="cover", begins=AT, ends=AT.replace(hour=20)),),
        "absences": (Absence(person="dm1", begins=AT, ends=AT.replace(day=29)),),
    }
)
_CHANNELS = f"""[merton]
duty_manager = ["mailto://u:{SECRET}@mail.example.org?to=a@example.org"]
reply_to = "mash@example.org"
[merton.people]
dm1 = [{{ url = "hook://{SECRET}@127.0.0.1/sms", after = "5 min", per_hour = 20, quiet = "22:00-07:00" }}]
"""
_SETTINGS = f"MASH_TOKEN_KEY={SECRET}\nMASH_MASTER_KEY={SECRET}\nMASH_API_PORT=8000\nMASH_TIME_RATE=1\nMASH_HUBS=sandwell"
_SIGN_ON = f"""issuer = "https://login.example.org/realms/mash"
client_id = "mash"
client_secret = "{SECRET}"
[groups]
"managers" = [{{ role = "duty_manager", hub = "sandwell" }}]
"officers" = [{{ role = "agency", agency = "police", hub = "merton" }}]
"""
_ACCOUNTS = f"""[accounts."d.manager"]
password = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ${SECRET}"
one_time_codes = "{SECRET}"
positions = [{{ role = "duty_manager", agency = "social_care", hub = "sandwell" }}]
"""
_IDENTITY = f"# public key: age1\nAGE-SECRET-KEY-1{SECRET.upper()}\n"
_COMMANDS = [
    {"seen": 3, "command": {"kind": "rate_referral", "rating": "amber"}, "words": SECRET},
    {"seen": 3, "command": {"kind": "convene_meeting", "at": "2026-11-27T17:00:00Z"}, "words": SECRET},
    {"seen": 3, "command": {"kind": "record_decision", "outcomes": {"S1": "early_help"}, "primary_need": "N3"}, "words": SECRET},
]


def _bytes(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def seeds() -> dict[str, list[bytes]]:
    """For each parser, by name."""
    hubs = [path.read_bytes() for path in sorted((SHIPPED / "hubs").glob("*.toml"), key=lambda path: path.stat().st_size)]
    link = AlertLink(reference="MASH-26-000001", hub="sandwell", clock="triage", role="duty_manager", notice=1)
    named = {**EXAMPLE, "subjects": [{"name": {"given": SECRET}, SECRET: SECRET}], "concern": {"summary": SECRET}}
    return {
        "profile": [b'title = "Ourtown MASH"\narea = "Ourtown Council"\n', *hubs[:3]],
        "stored_profile": [load_profile("sandwell").model_dump_json().encode()],
        "permissions": [(SHIPPED / "permissions.toml").read_bytes()],
        "channels": [_CHANNELS.encode()],
        "sign_on": [_SIGN_ON.encode()],
        "accounts": [_ACCOUNTS.encode()],
        "backup_identity": [_IDENTITY.encode()],
        "rota_csv": [to_csv(_ROTA).encode()],
        "rota_ical": [to_ical(_ROTA, "sandwell", AT), *(path.read_bytes() for path in sorted(CALENDARS.glob("*.ics")))],
        "spoken_time": [b"friday 17:10", b"4 dec 2026 0900", b"27/11/26 at 5.10 pm", b"2027-10-31 01:30 GMT"],
        "link": [sign(KEY, link).encode()],
        "status_code": [status_code(KEY, "MASH-26-000001").encode()],
        "settings": [_SETTINGS.encode()],
        "submission": [_bytes(EXAMPLE), _bytes(named)],
        "command": [_bytes(command) for command in _COMMANDS],
        "disagreement": [_bytes({"words": SECRET, "disagreement": "D1"})],
        "search": [_bytes({"name": SECRET, "born": "2015-12-20"})],
        "accesses": [
            _bytes({"person": SECRET.lower(), "since": "2026-11-23T00:00:00Z"}),
            _bytes({"reference": "MASH-26-000001"}),
        ],
        "text": ["Siân O’Neill, فاطمة, שרה, Łukasz, e\u0301".encode(), b"\x0b\x0c"],
    }


def folder_of(name: str, parent: Path) -> Path:
    """A folder of a parser's seeds, as libFuzzer takes them."""
    folder = parent / name
    folder.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate(seeds()[name]):
        (folder / f"seed-{number}").write_bytes(data)
    return folder
