"""Local accounts, for the demonstration and small hubs: a password and a one-time code."""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from pydantic import SecretStr
from zxcvbn import zxcvbn

from mash.config.errors import SettingsError
from mash.config.sign_on import Account, Position, accounts_in, accounts_text, same_login
from mash.flows.installation.processes import one_at_a_time
from mash.flows.installation.secret_files import write_secret
from mash.flows.store.sessions import use_code
from mash.flows.store.store import Store
from mash.states.values import Actor

HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
"""Argon2id as OWASP's Password Storage Cheat Sheet asks for at least: 19 MiB, two passes, one lane."""
STEP = 30
SHORTEST, LONGEST = 12, 128
LONGEST_JUDGED = 72
"""What zxcvbn takes; the whole counts when signing in."""
HARD = 3
"""Of zxcvbn's 0 to 4: safely unguessable by whoever has the hash (10^8 guesses and more)."""
NEAR = ("mash", "safeguarding", "safeguard", "referral", "child", "children", "council", "borough", "social", "police", "hub")
"""Words of the field that are too near to be part of what makes a password hard, besides login, role, agency and hub."""


def new_account(login: str, password: str, position: Position) -> Account:
    """An account. Raises SettingsError for a password that is too short, too long, or easily guessed."""
    hashed = _hashed(login, password, (position,))
    return Account(password=hashed, one_time_codes=SecretStr(pyotp.random_base32()), positions=(position,))


def change_accounts(path: Path, change: Callable[[dict[str, Account]], dict[str, Account]]) -> None:
    """Change the file of accounts; of several who do so at once, each sees what the one before has done."""
    with one_at_a_time(path.with_name(f".{path.name}.lock")):
        write_secret(path, accounts_text(change(accounts_in(path) if path.exists() else {})))


def change_password(path: Path, login: str, password: str) -> None:
    """Give an account another password. Raises SettingsError for one that is too short, too long, or easily guessed, and for an
    account that was removed."""

    def change(accounts: dict[str, Account]) -> dict[str, Account]:
        if (account := accounts.get(same_login(login))) is None:
            raise SettingsError("this account was removed")
        hashed = _hashed(login, password, account.positions)
        return {**accounts, same_login(login): account.model_copy(update={"password": hashed})}

    change_accounts(path, change)


def _hashed(login: str, password: str, positions: Sequence[Position]) -> str:
    if not SHORTEST <= len(password) <= LONGEST:
        raise SettingsError(f"a password has {SHORTEST} to {LONGEST} characters, any there are")
    # Whoever guesses at one hub tries its name and the work's words first.
    words = [*re.split(r"\W+", login), *NEAR, *(word for p in positions for word in (p.hub, p.agency, *p.role.split("_")))]
    near = [word.casefold() for word in words if len(word) > 2]
    left = re.sub("|".join(map(re.escape, sorted(near, key=len, reverse=True))), "", password.casefold())
    if zxcvbn(password[:LONGEST_JUDGED], user_inputs=near)["score"] < HARD or len(re.sub(r"\W", "", left)) < SHORTEST // 2:
        raise SettingsError(
            "this password is easily guessed (it is known, or made of known words or patterns): take several unusual words"
        )
    return HASHER.hash(password)


def set_up_address(login: str, account: Account) -> str:
    """What an authenticator app takes, as a picture or typed in: the secret of the one-time codes."""
    return pyotp.TOTP(account.one_time_codes.get_secret_value()).provisioning_uri(name=login, issuer_name="MASH")


async def who_signs_in(
    store: Store, accounts: dict[str, Account], login: str, password: str, code: str
) -> tuple[Actor, ...] | None:
    """What somebody may act as; None for an unknown login, a wrong password or a wrong code, which are told apart for nobody and
    take as long."""
    login = same_login(login)
    account = accounts.get(login)
    # In a thread: 30 ms in which whoever else asks would wait.
    right = await asyncio.to_thread(lambda: _is_password(account.password if account else _nobodys(), password))
    step = _step(account.one_time_codes.get_secret_value() if account else pyotp.random_base32(), code)
    if account is None or not right or step is None or not await use_code(store, login, step):
        return None
    return tuple(position.of(login) for position in account.positions)


def _is_password(password_hash: str, password: str) -> bool:
    try:
        return HASHER.verify(password_hash, password[: LONGEST + 1])
    except (VerificationError, InvalidHashError):
        return False


@cache
def _nobodys() -> str:
    """The hash of a password that nobody knows: what is unknown is checked like what is known."""
    return HASHER.hash(secrets.token_urlsafe(32))


def _step(secret: str, code: str) -> int | None:
    """The time step that a one-time code is of: this one, the one before or the next; None for none of them."""
    codes, now = pyotp.TOTP(secret), int(time.time())
    steps = (now // STEP + late for late in (0, -1, 1))
    return next((step for step in steps if secrets.compare_digest(codes.at(step * STEP).encode(), code.strip().encode())), None)
