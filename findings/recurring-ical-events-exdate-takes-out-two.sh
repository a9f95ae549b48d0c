#!/usr/bin/env bash
# recurring-ical-events 3.8.2: an EXDATE takes out two occurrences, and a changed occurrence swallows another one. An occurrence is known
# by two times, that in UTC and that on the wall, both without a zone: in summer, London's 09:00 (08:00 in UTC) is taken for 08:00 on the
# wall too. RFC 5545 has an EXDATE exclude the one occurrence that it names. In New York it is what is four or five hours away.
#
# Shown with a daily series at 08:00 and 09:00 (BYHOUR), and the 09:00 of its second day taken out: the 08:00 of that day is gone as well.
# Exit 1 when this has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "recurring-ical-events==3.8.2" "icalendar==7.3.2" "tzdata"
cat >"$folder/show.py" <<'PY'
from importlib.metadata import version

import icalendar
import recurring_ical_events

CALENDAR = """BEGIN:VCALENDAR\r
VERSION:2.0\r
PRODID:-//Example//EN\r
BEGIN:VEVENT\r
UID:1@example.org\r
DTSTAMP:20270101T000000Z\r
DTSTART;TZID=Europe/London:20270601T080000\r
DURATION:PT1H\r
RRULE:FREQ=DAILY;BYHOUR=8,9;COUNT=6\r
{}END:VEVENT\r
END:VCALENDAR\r
"""


def starts(more=""):
    calendar = icalendar.Calendar.from_ical(CALENDAR.format(more))
    found = recurring_ical_events.of(calendar).between((2027, 5, 30), (2027, 6, 10))
    return sorted(each["DTSTART"].dt.strftime("%d %H:%M") for each in found)


whole, less = starts(), starts("EXDATE;TZID=Europe/London:20270602T090000\r\n")
gone = [each for each in whole if each not in less]
print("recurring-ical-events", version("recurring-ical-events"))
print("occurrences:              ", whole)
print("one EXDATE (02 09:00) took:", gone)
raise SystemExit(0 if gone == ["02 08:00", "02 09:00"] else 1)
PY
"$folder/venv/bin/python" "$folder/show.py"
