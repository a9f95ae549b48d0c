"""Mail as an Apprise channel of ours: like Apprise's own, but that the server is asked for an address letter by letter, that the
TLS context is made once and not for every mail, and that plain text and HTML both say the same.

A context reads all the certificates that the machine trusts: 20 ms of CPU, several times what a mail costs otherwise.
"""

from __future__ import annotations

import logging
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email.encoders import encode_base64
from email.header import Header
from email.mime.base import MIMEBase
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.policy import Compat32
from email.utils import formatdate, make_msgid, quote
from functools import cache, partial
from typing import Any

from apprise.common import NotifyFormat
from apprise.plugins.email.base import NotifyEmail
from apprise.plugins.email.common import SecureMailMode

from mash.config.addresses import in_ascii
from mash.notifications.connections import Connections, NotBegun

log = logging.getLogger("apprise.mash")
LETTERS = "the mail server does not take addresses with such letters (SMTPUTF8): tell this person in another way"


OPEN = Connections()
"""This process's."""


class _AsItIs(Compat32):
    """Writes headers as they stand: they are made whole, and a quoted address may have blanks, at which none is to be folded."""

    def fold(self, name: str, value: Any) -> str:
        """The header's lines."""
        return f"{name}: {value}".replace("\n", self.linesep) + self.linesep


class _NotSpelt(Exception):
    """The server takes no address with these letters."""


class Mail(NotifyEmail):  # type: ignore[misc]  # Apprise has no types
    """Sends a mail for each recipient. What fails in part has failed, and is tried again."""

    notify_format = NotifyFormat.TEXT
    html = ""
    """The same words as HTML, for the mail's second half."""

    def send(self, body: str, title: str = "", attach: Any = None, **_: Any) -> bool:
        """Whether the server took the mail for every recipient."""
        try:
            for to in self.targets:
                OPEN.use(
                    self._server, self._connected, partial(self._hand_over, to=to, body=body, title=title, attached=attach or ())
                )
        except _NotSpelt:
            log.warning(LETTERS)
            return False
        except (OSError, smtplib.SMTPException) as error:
            cause = error.__cause__ or error
            if isinstance(cause, smtplib.SMTPResponseException):
                log.warning("mail server answers %s", cause.smtp_code)  # without its words: they may hold addresses
            else:
                log.warning("mail server: %s", type(cause).__name__)
            return False
        return bool(self.targets)

    @property
    def _server(self) -> tuple[Any, ...]:
        """What has to be the same for another mail to go by the same connection."""
        return self.smtp_host, self.port, self.secure_mode, self.verify_certificate, self.user, self.password

    def _hand_over(self, server: smtplib.SMTP, to: tuple[Any, str], body: str, title: str, attached: Any) -> None:
        """Have the server take a mail. Raises SMTPResponseException, and _NotSpelt."""
        people = [self.from_addr[1], to[1], *self.cc, *self.bcc, *self.reply_to]
        international = server.has_extn("smtputf8") and not all(each.isascii() for each in people)
        spelt = {each: each if international else _plain(each) for each in people}
        mail = self._mail((to[0], spelt[to[1]]), title, body, attached, spelt)
        _transfer(server, spelt[self.from_addr[1]], [spelt[each] for each in (to[1], *self.cc, *self.bcc)], mail, international)

    def _mail(self, to: tuple[Any, str], title: str, body: str, attached: Any, spelt: dict[str, str]) -> bytes:
        # Not email.message.EmailMessage: its parsing of headers costs 1 ms a mail, as much as sending it.
        mail: MIMEText | MIMEMultipart = _text(body, "plain")
        if self.html:
            mail = MIMEMultipart("alternative", _subparts=[mail, _text(self.html, "html")])
        if attached:
            mail = MIMEMultipart("mixed", _subparts=[mail, *(_file(file) for file in attached)])
        mail["Subject"], mail["Date"] = _header(title), formatdate(localtime=True)
        sender = spelt[self.from_addr[1]]
        mail["From"], mail["To"] = _named(self.from_addr[0], sender), _named(*to)
        mail["Message-ID"] = make_msgid(domain=_plain(sender).rpartition("@")[2])
        mail["Auto-Submitted"] = "auto-generated"  # so that absence notes do not answer
        for name, addresses in (("Cc", self.cc), ("Reply-To", self.reply_to)):
            if addresses:
                mail[name] = ", ".join(sorted(spelt[each] for each in addresses))
        for name, value in self.headers.items():
            mail[name] = value
        return mail.as_string(policy=_AsItIs(linesep="\r\n")).encode()

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
        server.ehlo_or_helo_if_needed()
        return server


def _transfer(server: smtplib.SMTP, sender: str, recipients: list[str], mail: bytes, international: bool) -> None:
    """Have a mail taken for the first recipient, and for the others as far as the server knows them. Raises NotBegun where the
    server is gone before it was handed anything.

    Not smtplib's `sendmail`: it takes an address apart and writes it anew, and quoted ones come out as others.
    """
    server.command_encoding = "utf-8" if international else "ascii"
    size = f" SIZE={len(mail)}" if server.has_extn("size") else ""
    with _before_the_mail():
        _taken(server, *server.docmd("MAIL", f"FROM:<{sender}>{size}{' SMTPUTF8 BODY=8BITMIME' if international else ''}"))
        _taken(server, *server.docmd("RCPT", f"TO:<{recipients[0]}>"))
        for copied in recipients[1:]:
            code, _ = server.docmd("RCPT", f"TO:<{copied}>")
            if code >= REFUSED:
                log.warning("mail server answers %s of a copy", code)
    try:
        _taken(server, *server.data(mail))
    except smtplib.SMTPDataError as refused:  # before the data: what was begun of the mail is taken back
        _taken(server, max(refused.smtp_code, REFUSED), b"")


REFUSED, CLOSES = 400, 421


@contextmanager
def _before_the_mail() -> Iterator[None]:
    """What goes wrong here goes wrong before anything of the mail is handed over."""
    try:
        yield
    except smtplib.SMTPResponseException as error:
        if error.smtp_code == CLOSES:
            raise NotBegun from error
        raise
    except (OSError, smtplib.SMTPServerDisconnected) as gone:
        raise NotBegun from gone


def _taken(server: smtplib.SMTP, code: int, words: bytes) -> None:
    if not 0 <= code < REFUSED:
        with suppress(smtplib.SMTPException):
            server.rset()
        raise smtplib.SMTPResponseException(code, words)


def _plain(address: str) -> str:
    """The address for a server that knows ASCII alone: its domain as IDNA writes it. Raises _NotSpelt."""
    plain = in_ascii(address)
    if plain is None:
        raise _NotSpelt
    return plain


def _named(name: Any, address: str) -> str:
    """An address as a header has it: with the name before it, if there is one."""
    if not name:
        return address
    return f"{Header(name, 'utf-8').encode() if not name.isascii() else chr(34) + quote(name) + chr(34)} <{address}>"


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
