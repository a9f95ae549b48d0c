"""Mail as an Apprise channel of ours: like Apprise's own, but that the TLS context is made once and not for every mail, and that
plain text and HTML both say the same.

A context reads all the certificates that the machine trusts: 20 ms of CPU, several times what a mail costs otherwise.
"""

from __future__ import annotations

import logging
import smtplib
import ssl
from email.encoders import encode_base64
from email.header import Header
from email.message import Message
from email.mime.base import MIMEBase
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.utils import formataddr, formatdate, make_msgid
from functools import cache
from typing import Any

from apprise.common import NotifyFormat
from apprise.plugins.email.base import NotifyEmail
from apprise.plugins.email.common import SecureMailMode

log = logging.getLogger("apprise.mash")


class Mail(NotifyEmail):  # type: ignore[misc]  # Apprise has no types
    """Sends a mail for each recipient over one connection. What fails in part has failed, and is tried again."""

    notify_format = NotifyFormat.TEXT
    html = ""
    """The same words as HTML, for the mail's second half."""

    def send(self, body: str, title: str = "", attach: Any = None, **_: Any) -> bool:
        """Whether the server took the mail for every recipient."""
        try:
            with self._connected() as server:
                for name, address in self.targets:
                    mail = self._mail((name, address), title, body, attach or ())
                    server.sendmail(self.from_addr[1], [address, *self.cc, *self.bcc], mail.as_string())
        except smtplib.SMTPResponseException as error:
            log.warning("mail server answers %s", error.smtp_code)  # without its words: they may hold addresses
            return False
        except (OSError, smtplib.SMTPException) as error:
            log.warning("mail server: %s", type(error).__name__)
            return False
        return bool(self.targets)

    def _mail(self, to: tuple[Any, str], title: str, body: str, attached: Any) -> Message:
        # Not email.message.EmailMessage: its parsing of headers costs 1 ms a mail, as much as sending it.
        mail: MIMEText | MIMEMultipart = _text(body, "plain")
        if self.html:
            mail = MIMEMultipart("alternative", _subparts=[mail, _text(self.html, "html")])
        if attached:
            mail = MIMEMultipart("mixed", _subparts=[mail, *(_file(file) for file in attached)])
        mail["Subject"], mail["Date"] = _header(title), formatdate(localtime=True)
        mail["From"], mail["To"] = (formataddr((name or "", address)) for name, address in (self.from_addr, to))
        mail["Message-ID"] = make_msgid(domain=self.from_addr[1].rpartition("@")[2])
        mail["Auto-Submitted"] = "auto-generated"  # so that absence notes do not answer
        for name, addresses in (("Cc", self.cc), ("Reply-To", self.reply_to)):
            if addresses:
                mail[name] = ", ".join(sorted(addresses))
        for name, value in self.headers.items():
            mail[name] = value
        return mail

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


def _text(words: str, kind: str) -> MIMEText:
    return MIMEText(words, kind, "us-ascii" if words.isascii() else "utf-8")


def _file(file: Any) -> MIMEBase:
    part = MIMEBase(*file.mimetype.split("/", 1))
    part.set_payload(file.open().read())
    encode_base64(part)
    part.add_header("Content-Disposition", "attachment", filename=file.name)
    return part


def _header(text: str) -> str:
    return text if text.isascii() else Header(text, "utf-8").encode()


@cache
def _trusting(verify: bool) -> ssl.SSLContext:
    """The context of this process, one for servers whose certificate is checked and one for those where a channel says not to."""
    context = ssl.create_default_context()
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
