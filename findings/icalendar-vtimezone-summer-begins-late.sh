#!/usr/bin/env bash
# icalendar 7.3.2: a VTIMEZONE that it makes of a zone (Calendar.add_missing_timezones, Timezone.from_tzid) begins summer time an hour late.
# An onset is a local time in the offset that was in force before (RFC 5545, 3.6.5, TZOFFSETFROM): London's summer of 2027 begins at 01:00 GMT,
# and DTSTART should be 20270328T010000. Winter's onset is right. Programs that know no zone by its name are an hour wrong for that hour.
#
# Shown for London and New York: the onset that is written beside the one by which zoneinfo changes its offset. Exit 1 when this has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "icalendar==7.3.2" "tzdata"
cat >"$folder/show.py" <<'PY'
from datetime import date, datetime, timedelta, timezone
from importlib.metadata import version
from zoneinfo import ZoneInfo

import icalendar

print("icalendar", version("icalendar"))
late = []
for name in ("Europe/London", "America/New_York"):
    zone = ZoneInfo(name)
    made = icalendar.Timezone.from_tzid(name, first_date=date(2027, 1, 1), last_date=date(2027, 12, 31))
    summer = next(each for each in made.subcomponents if each.name == "DAYLIGHT")
    at = datetime(2027, 1, 1, tzinfo=timezone.utc)
    while not at.astimezone(zone).dst():
        at += timedelta(hours=1)
    before = (at - timedelta(hours=1)).astimezone(zone).utcoffset()
    right, written = (at + before).replace(tzinfo=None), summer["DTSTART"].dt
    print(f"{name}: summer begins, in the offset before: {right:%d %b %H:%M} | written as DTSTART: {written:%d %b %H:%M}")
    late.append(written - right)
raise SystemExit(0 if late == [timedelta(hours=1)] * 2 else 1)
PY
"$folder/venv/bin/python" "$folder/show.py"
