"""Connections to mail servers, left open for a moment for the next mail: to open one costs more than to hand a mail over."""

from __future__ import annotations

import select
import smtplib
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager, suppress

KEPT = 10.0
"""Seconds for which a connection on which nothing is sent is kept: servers wait for minutes, and count who is connected."""
MOST = 4
"""Connections to one server that are kept at most."""


class Connections:
    """The connections that nobody uses at present, by what they are connections to; used by several threads."""

    def __init__(self) -> None:
        self._idle: defaultdict[Hashable, list[tuple[float, smtplib.SMTP]]] = defaultdict(list)
        self._lock = threading.Lock()

    @contextmanager
    def to(self, server: Hashable, begin: Callable[[], smtplib.SMTP]) -> Iterator[smtplib.SMTP]:
        """A connection to a server, one that was left open or a new one, which is left open again unless something goes wrong."""
        connection = self._taken(server) or begin()
        try:
            yield connection
        except BaseException:
            connection.close()
            raise
        with self._lock:
            if keeps := len(self._idle[server]) < MOST:
                self._idle[server].append((time.monotonic(), connection))
        if not keeps:
            _end(connection)

    def _taken(self, server: Hashable) -> smtplib.SMTP | None:
        while True:
            with self._lock:
                if not self._idle[server]:
                    return None
                since, connection = self._idle[server].pop()
            # A server says something unasked only to say that it closes, or by closing.
            if time.monotonic() - since < KEPT and connection.sock and not select.select([connection.sock], [], [], 0)[0]:
                return connection
            connection.close()

    def end_idle(self) -> None:
        """End those that nobody has used for a while."""
        with self._lock:
            old = [(server, each) for server, kept in self._idle.items() for each in kept if time.monotonic() - each[0] > KEPT]
            for server, each in old:
                self._idle[server].remove(each)
        for _, (_, connection) in old:
            _end(connection)


def _end(connection: smtplib.SMTP) -> None:
    with suppress(OSError, smtplib.SMTPException):
        connection.quit()
    connection.close()
