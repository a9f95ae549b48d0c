"""Connections to mail servers, left open for a moment for the next mail: to open one costs more than to hand a mail over."""

from __future__ import annotations

import smtplib
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Hashable
from contextlib import suppress
from dataclasses import dataclass, field

KEPT = 3.0
"""Seconds for which a connection on which nothing is sent is kept: servers count who is connected, and others send too."""
OLDEST = 60.0
"""Seconds after which a connection is not used again, however much is sent."""
MOST = 2
"""Connections to one server that are kept at most."""
MAILS = 50
"""Mails by one connection: servers have limits, most of a hundred and more."""


class NotBegun(smtplib.SMTPException):
    """The server is gone before it was handed anything of a mail: by another connection the mail goes once all the same."""


@dataclass
class _Open:
    """A connection, since when it is open, how many mails went by it, and when the last one did."""

    server: smtplib.SMTP
    since: float = field(default_factory=time.monotonic)
    mails: int = 0
    used: float = 0.0

    @property
    def is_good(self) -> bool:
        """Whether it may be used again."""
        now = time.monotonic()
        return now - self.used < KEPT and now - self.since < OLDEST and self.mails < MAILS


class Connections:
    """The connections that nobody uses at present, by what they are connections to; used by several threads."""

    def __init__(self) -> None:
        self._idle: defaultdict[Hashable, list[_Open]] = defaultdict(list)
        self._lock = threading.Lock()

    def use(self, server: Hashable, begin: Callable[[], smtplib.SMTP], work: Callable[[smtplib.SMTP], None]) -> None:
        """Do some work by a connection that was left open; where the server has gone from that before it was begun, and where
        there is none, by a new one. Raises what the work raises, and NotBegun of a new one."""
        while kept := self._taken(server):
            with suppress(NotBegun):
                self._used(server, kept, work)
                return
        self._used(server, _Open(begin()), work)

    def _used(self, server: Hashable, connection: _Open, work: Callable[[smtplib.SMTP], None]) -> None:
        good = False
        try:
            work(connection.server)
            good = True
        except smtplib.SMTPResponseException:
            good = True  # it has refused a mail, and takes the next
            raise
        finally:
            connection.mails, connection.used = connection.mails + 1, time.monotonic()
            if not (good and connection.is_good and self._kept(server, connection)):
                _end(connection.server)

    def _kept(self, server: Hashable, connection: _Open) -> bool:
        with self._lock:
            idle = self._idle[server]
            if len(idle) < MOST:
                idle.append(connection)
                return True
        return False

    def _taken(self, server: Hashable) -> _Open | None:
        while True:
            with self._lock:
                if not self._idle[server]:
                    return None
                connection = self._idle[server].pop()
            if connection.is_good:
                return connection
            _end(connection.server)

    def end_idle(self) -> None:
        """End those that nobody has used for a while."""
        with self._lock:
            old = [(server, each) for server, idle in self._idle.items() for each in idle if not each.is_good]
            for server, each in old:
                self._idle[server].remove(each)
        for _, each in old:
            _end(each.server)


def _end(server: smtplib.SMTP) -> None:
    """Say that it is the end, and end it: for its answer a server that is silent would be waited for."""
    with suppress(OSError, smtplib.SMTPException):
        server.putcmd("quit")
    server.close()
