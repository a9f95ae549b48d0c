"""What GOV.UK Notify says of a message, for those who only hear of it: its client, and Apprise's, are not needed for that."""

from __future__ import annotations

UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
UNTIL_LATER = 600.0
"""Seconds to leave it alone whose day's allowance is used up: it comes back at midnight."""
ARRIVED = ("delivered", "sent", "received")
"""What has become of a message that arrived: `sent` to another country, where no more is heard; `received` by whoever prints."""
PASSES = ("temporary-failure", "technical-failure")
"""Of one that did not: the telephone was off, the inbox full, or the fault was Notify's: it is to be tried again."""
FOR_GOOD = ("permanent-failure", "validation-failed", "virus-scan-failed", "cancelled")
"""Of one for which trying again is of no use: there is no such address or number."""
FAILED = (*PASSES, *FOR_GOOD)
