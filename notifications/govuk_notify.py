"""GOV.UK Notify as an Apprise channel of ours: e-mails, texts and letters by the hub's own templates, over its official client.

`govuknotify://KEY/email/TEMPLATE/name@example.org`, `…/text/TEMPLATE/07700900123`, `…/letter/TEMPLATE?address=Line|Postcode`.
What each answer means is from docs.notifications.service.gov.uk (read in its client's edition 13, November 2026).
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from typing import Any, Literal, get_args
from urllib.parse import unquote

from apprise.common import NotifyFormat
from apprise.plugins.base import NotifyBase
from notifications_python_client.errors import APIError
from notifications_python_client.notifications import NotificationsAPIClient

from mash.notifications.confirmed import FAILED, UNTIL_LATER, UUID

log = logging.getLogger("apprise.mash")
Kind = Literal["email", "text", "letter"]
API = "https://api.notifications.service.gov.uk"
LONGEST_TEXT = 918
"""Characters of a text message: Notify refuses longer ones (six parts)."""
LONGEST_TITLE, LONGEST_SILENCE = 200, 300
"""Characters of a text that is too long: more of its title gives way to links, and a list of families to one sentence."""
MORE = "And {} more: sign in, and look at the board."
_SILENCE = re.compile(r"do not tell the family[^.\n]*\.", re.IGNORECASE)
ADDRESS_LINES = range(3, 8)
"""Lines of a postal address, the last of them a postcode."""
A_MINUTE = 60.0
"""Seconds to leave it alone: 3,000 messages a minute are allowed for a key."""
_KEY = re.compile(rf"[^/?#]*?{UUID}-{UUID}")
_NUMBER = re.compile(r"\+?[\d ()-]{7,}")


class GovukNotify(NotifyBase):  # type: ignore[misc]  # Apprise has no types
    """Has Notify send a message by a template with the fields ((subject)) and ((body)); a text has ((body)) alone."""

    service_name = "GOV.UK Notify"
    secure_protocol = "govuknotify"
    notify_format = NotifyFormat.TEXT
    attachment_support = False
    retry_after: float | None = None
    final = False
    """Whether trying the same again cannot help: the message, its template or its address is wrong."""
    sent_as: str | None = None
    """What Notify calls the message it took."""
    reference = ""
    """What we call it: by this Notify is asked whether it has it already, as a try that timed out may have been taken."""
    asked_before = False

    def __init__(self, **known: Any) -> None:
        super().__init__(**known)
        self.key, (self.kind, self.template_id, self.to, *self.more) = known["key"], known["parts"]
        self.address, self.api = known["address"], known["api"]
        self.sender_id = known["sender_id"]

    @staticmethod
    def parse_url(url: str) -> dict[str, Any] | None:
        """What stands in a URL; nothing is dropped that was asked for."""
        found: dict[str, Any] | None = NotifyBase.parse_url(url, verify_host=False)
        if found:
            query = found["qsd"]
            path = [unquote(part) for part in str(found["fullpath"] or "").split("/") if part]
            found |= {"key": unquote(found["host"] or "").strip(), "parts": [*path, "", "", ""][: max(3, len(path))]}
            found |= {"address": [line.strip() for line in query.get("address", "").split("|") if line.strip()]}
            found |= {"api": query.get("api", API), "sender_id": query.get("sender", "")}
        return found

    def url(self, privacy: bool = False, *args: Any, **kwargs: Any) -> str:
        """Its kind alone: the rest is a secret."""
        return f"{self.secure_protocol}://{self.kind}"

    def wrong(self) -> str:
        """What is wrong with it, without any part of it; '' where nothing is."""
        if not _KEY.fullmatch(self.key):
            return "the key is not one of GOV.UK Notify: expected its name and two UUIDs, as the page 'API keys' shows it once"
        if self.kind not in get_args(Kind) or not re.fullmatch(UUID, self.template_id):
            return "expected govuknotify://KEY/KIND/TEMPLATE, with email, text or letter, and the template's UUID"
        if self.kind == "letter":
            fits = len(self.address) in ADDRESS_LINES and not self.to
            return "" if fits else "a letter has an address of 3 to 7 lines, its postcode last: ?address=Line|Line|Postcode"
        if self.more or self.address or (self.kind == "text" and not _NUMBER.fullmatch(self.to)):
            return "expected one telephone number for a text, or one address for an e-mail, behind the template"
        return "" if self.to else "an e-mail needs to whom: behind the template, or beside the URL (to)"

    def send(self, body: str, title: str = "", **_: Any) -> bool:
        """Whether Notify took it. What became of it then comes by its receipt."""
        client = self._client()
        try:
            self.sent_as = self._taken_before(client) or str(self._hand_over(client, title, body)["id"])
        except APIError as error:
            self._judge(error)
            return False
        return True

    def became(self, sent_as: str) -> str | None:
        """What has become of a message, as Notify says it; None where it is not of this key, or cannot be asked now."""
        try:
            return str(self._client().get_notification_by_id(sent_as)["status"])
        except APIError as error:
            log.warning("GOV.UK Notify answers %s of a message", error.status_code)
            return None

    def _client(self) -> NotificationsAPIClient:
        return NotificationsAPIClient(self.key, base_url=self.api, timeout=self.request_timeout)

    def _taken_before(self, client: NotificationsAPIClient) -> str | None:
        """What Notify calls the message, where an earlier try of ours reached it and did not fail."""
        if not (self.asked_before and self.reference):
            return None
        found = client.get_all_notifications(reference=self.reference)["notifications"]
        return next((str(each["id"]) for each in found if each["status"] not in FAILED and self._is_ours(each)), None)

    def _is_ours(self, message: Mapping[str, Any]) -> bool:
        """Whether a message of our reference went by this very channel: what another one took has told nobody by this one."""
        kind, name, to = {
            "email": ("email", "email_address", self.to),
            "text": ("sms", "phone_number", self.to),
            "letter": ("letter", "line_1", next(iter(self.address), "")),
        }[self.kind]
        return bool(message["type"] == kind and _plain(message.get(name) or to) == _plain(to))

    def _hand_over(self, client: NotificationsAPIClient, title: str, body: str) -> Any:
        words = {"subject": title, "body": body}
        match self.kind:
            case "email":
                return client.send_email_notification(
                    self.to, self.template_id, words, self.reference or None, email_reply_to_id=self.sender_id or None
                )
            case "text":
                said = {"body": shortened(title, body)}
                return client.send_sms_notification(
                    self.to, self.template_id, said, self.reference or None, sms_sender_id=self.sender_id or None
                )
            case _:
                lines = {f"address_line_{place}": line for place, line in enumerate(self.address, 1)}
                return client.send_letter_notification(self.template_id, {**words, **lines}, self.reference or None)

    def _judge(self, error: APIError) -> None:
        """Write down what a refusal means, by its code and kind: its words may repeat what we sent."""
        kinds = [str(each.get("error", "")) for each in error.message] if isinstance(error.message, list) else []
        kind = next((each for each in kinds if re.fullmatch(r"[A-Za-z]{1,40}", each)), "")
        log.warning("GOV.UK Notify answers %s%s", error.status_code, f" {kind}" if kind else "")
        if error.status_code == 429:
            self.retry_after = UNTIL_LATER if kind == "TooManyRequestsError" else A_MINUTE
        self.final = error.status_code in (400, 404, 413)


def shortened(title: str, body: str) -> str:
    """A message as a text: whole, or its title, that the family is not told, and as many of the links that lead to the rest as
    there is room for, the most urgent first; and how many more there are."""
    whole = f"{title}\n{body}"
    if len(whole) <= LONGEST_TEXT:
        return whole
    lines = body.splitlines()
    silence = " ".join(dict.fromkeys(_SILENCE.findall(body)))
    if len(silence) > LONGEST_SILENCE:
        silence = "Do not tell any of these families."
    links = [line for line in lines if "://" in line] or lines[-1:]
    room = LONGEST_TEXT - min(len(title), LONGEST_TITLE) - len(silence) - len(MORE.format(len(links))) - 3
    kept = 1
    while kept < len(links) and sum(len(line) + 1 for line in links[: kept + 1]) <= room:
        kept += 1
    more = MORE.format(len(links) - kept) if kept < len(links) else ""
    rest = "\n".join(filter(None, (silence, *links[:kept], more)))[: LONGEST_TEXT - 1]
    return f"{title[: LONGEST_TEXT - len(rest) - 1]}\n{rest}"


def _plain(address: str) -> str:
    """An address as it is compared: a number may come back with other blanks."""
    return re.sub(r"[\s()-]", "", address).lower()
