#!/usr/bin/env bash
# icalendar 7.3.2: Component.add("rdate", [(start, end)]) writes periods without VALUE=PERIOD and without TZID. A list of times gets both of
# what it needs. What is written is no valid RDATE (its default type is a date and time), and read again its times have lost their zone.
#
# Shown with one period in London's summer, written and read again; beside it a list of one time. Exit 1 when this has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "icalendar==7.3.2" "tzdata"
cat >"$folder/show.py" <<'PY'
from datetime import datetime, timedelta
from importlib.metadata import version
from zoneinfo import ZoneInfo

import icalendar

start = datetime(2027, 6, 2, 9, tzinfo=ZoneInfo("Europe/London"))


def written(value):
    event = icalendar.Event()
    event.add("rdate", [value])
    return event.to_ical().decode()


def line(text):
    return next(each for each in text.splitlines() if each.startswith("RDATE"))


times, periods = written(start), written((start, start + timedelta(hours=3)))
again = icalendar.Event.from_ical(periods)["RDATE"].dts[0].dt[0]
print("icalendar", version("icalendar"))
print("a time:  ", line(times))
print("a period:", line(periods))
print("its beginning, read again:", again.isoformat(), "| zone:", again.tzinfo)
raise SystemExit(0 if line(periods) == "RDATE:20270602T090000/20270602T120000" and again.tzinfo is None else 1)
PY
"$folder/venv/bin/python" "$folder/show.py"
