"""A web hook as an Apprise channel of ours, for receivers that say how long to wait: Apprise's own forgets what they answered."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import requests
from apprise.plugins.custom_json import NotifyJSON

log = logging.getLogger("apprise.mash")
OVERLOADED = (429, 503)


class Webhook(NotifyJSON):  # type: ignore[misc]  # Apprise has no types
    """Posts JSON like `json://`: `hook://host/path`, `hooks://` with TLS. After a 429 or 503, `retry_after` says for how many
    seconds the receiver wants to be left alone."""

    service_name = "Web hook"
    protocol = "hook"
    secure_protocol = "hooks"
    retry_after: float | None = None

    def send(self, body: str, title: str = "", **_: Any) -> bool:
        """Whether the receiver took it."""
        port = f":{self.port}" if self.port else ""
        try:
            answer = requests.post(
                f"{'https' if self.secure else 'http'}://{self.host}{port}{self.fullpath}",
                json={"version": "1.0", "title": title, "message": body, **self.payload_extras},
                headers={"User-Agent": self.app_id, **self.headers},
                auth=(self.user, self.password) if self.user else None,
                verify=self.verify_certificate,
                timeout=self.request_timeout,
                allow_redirects=False,  # an alert is not carried to wherever somebody points
            )
        except requests.RequestException as error:
            log.warning("web hook: %s", type(error).__name__)
            return False
        if answer.ok and not answer.is_redirect:
            return True
        if answer.status_code in OVERLOADED:
            self.retry_after = _seconds(answer.headers.get("Retry-After", ""))
        log.warning("web hook answers %s", answer.status_code)
        return False


def _seconds(header: str) -> float | None:
    """The seconds that a Retry-After header means: a number of them, or a date."""
    if header.strip().isdigit():
        return float(header)
    try:
        return max(0.0, (parsedate_to_datetime(header) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None
