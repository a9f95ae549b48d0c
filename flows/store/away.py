"""What is wrong with the database, in words: whether waiting helps, or something has to be mended first."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

from asyncpg.exceptions import PostgresError
from sqlalchemy.exc import DBAPIError, DisconnectionError, InterfaceError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as NoneFree

from mash.config.errors import NotYet, SettingsError

DATABASE_AWAY = (SQLAlchemyError, PostgresError, OSError)
"""What is raised while the database cannot be reached."""
UNREACHED = "the database cannot be reached: start PostgreSQL, or correct the addresses in MASH_..._DATABASE_URL"
PASSES = {
    "08": UNREACHED,
    "25006": "the database is read-only: it takes nothing in (a standby, or default_transaction_read_only)",
    "40": "the database had to choose between two that changed the same",
    "53100": "the disk of the database is full: make room",
    "53300": "the database has no connection free: raise max_connections",
    "53": "the database lacks memory or room",
    "55P03": "the database is held by somebody else",
    "57P": "PostgreSQL is starting or stopping",
    "58": "the disk of the database fails",
}
"""What passes, or is mended while we wait, by the beginning of PostgreSQL's code for it (SQLSTATE)."""
TO_MEND = {
    "28": "PostgreSQL refuses the login: correct role and password in MASH_..._DATABASE_URL, or its pg_hba.conf",
    "3D000": "there is no such database: make it (docs/run/production.md), or correct MASH_..._DATABASE_URL",
    "42": "the database has not this release's tables, or not its rights: run `mash db upgrade`",
}
"""What nobody waits for."""


def passing(error: BaseException) -> str:
    """What is wrong with the database, in a sentence, where trying again helps; empty for any other error."""
    if sentence := _by_code(error, PASSES):
        return sentence
    if isinstance(error, NoneFree):
        return "the database has no connection free: too much is asked at once"
    if isinstance(error, TimeoutError):
        return "the database does not answer"
    lost = isinstance(error, DisconnectionError | ConnectionError | InterfaceError)
    lost = lost or (isinstance(error, DBAPIError) and error.connection_invalidated)
    # What asyncpg cannot send is no connection's fault.
    return UNREACHED if lost and not any(isinstance(each, ValueError) for each in _causes(error)) else ""


def to_mend(error: BaseException) -> str:
    """What is wrong with how the database is set up, in a sentence; empty for any other error."""
    return _by_code(error, TO_MEND)


def _by_code(error: BaseException, sentences: dict[str, str]) -> str:
    codes = [code for each in _causes(error) if (code := getattr(each, "sqlstate", None))]
    return next((words for code in codes for begins, words in sentences.items() if code.startswith(begins)), "")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error, and what it was made of."""
    while error is not None:
        yield error
        error = getattr(error, "orig", None) or error.__cause__


@asynccontextmanager
async def opening() -> AsyncIterator[None]:
    """What goes wrong while the database is opened, in words. Raises SettingsError, or NotYet where waiting helps."""
    try:
        yield
    except DATABASE_AWAY as error:
        if sentence := to_mend(error):
            raise SettingsError(sentence) from None
        if sentence := passing(error) or (UNREACHED if isinstance(error, OSError) else ""):
            raise NotYet(sentence) from None
        raise
