"""Mail as an Apprise channel of ours: like Apprise's own, but that the TLS context is made once and not for every mail.

A context reads all the certificates that the machine trusts: 20 ms of CPU, several times what a mail costs otherwise.
"""

from __future__ import annotations

import logging
import smtplib
import ssl
from functools import cache
from typing import Any

from apprise.manager_plugins import NotificationManager
from apprise.plugins.email.base import NotifyEmail
from apprise.plugins.email.common import SecureMailMode

log = logging.getLogger("mash.mail")


class Mail(NotifyEmail):  # type: ignore[misc]  # Apprise has no types
    """Sends a mail for each recipient over one connection. What fails in part has failed, and is tried again."""

    def send(self, body: str, title: str = "", attach: Any = None, **_: Any) -> bool:
        """Whether the server took the mail for every recipient."""
        messages = list(
            NotifyEmail.prepare_emails(
                subject=title,
                body=body,
                notify_format=self.notify_format,
                from_addr=self.from_addr,
                to=self.targets,
                cc=self.cc,
                bcc=self.bcc,
                reply_to=self.reply_to,
                smtp_host=self.smtp_host,
                attach=attach,
                headers=self.headers,
                names=self.names,
                tzinfo=self.tzinfo,
            )
        )
        try:
            with self._connected() as server:
                for message in messages:
                    server.sendmail(self.from_addr[1], message.to_addrs, message.body)
        except (OSError, smtplib.SMTPException) as error:
            log.info("mail server: %s", type(error).__name__)  # without its words: they may hold addresses
            return False
        return bool(messages)

    def _connected(self) -> smtplib.SMTP:
        if self.secure_mode == SecureMailMode.SSL:
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                self.smtp_host, self.port, timeout=self.socket_connect_timeout, context=_trusting(self.verify_certificate)
            )
        else:
            server = smtplib.SMTP(self.smtp_host, self.port, timeout=self.socket_connect_timeout)
        if self.secure_mode == SecureMailMode.STARTTLS:
            server.starttls(context=_trusting(self.verify_certificate))
        if self.user and self.password:
            server.login(self.user, self.password)
        return server


@cache
def _trusting(verify: bool) -> ssl.SSLContext:
    """The context of this process, one for servers whose certificate is checked and one for those where a channel says not to."""
    context = ssl.create_default_context()
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


@cache
def register() -> None:
    """Have Apprise send `mailto://` and `mailtos://` with it."""
    NotificationManager().add(Mail, schemas=("mailto", "mailtos"), force=True)
