"""Who staff are: an OpenID provider's groups (MASH_SIGN_ON_FILE), or a file of local accounts (MASH_ACCOUNTS_FILE)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Self, TypeVar
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    SecretStr,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from mash.config.errors import SettingsError
from mash.config.permissions import reach, roles
from mash.config.settings import Settings, read_secret_file
from mash.config.toml_lines import Key, Problem, WrongFile, dotted, read_document, shown
from mash.states.clocks import Frozen
from mash.states.values import SYSTEM, Actor, Code, Login

SIGN_ON_FILE, ACCOUNTS_FILE = "MASH_SIGN_ON_FILE", "MASH_ACCOUNTS_FILE"
NOT_STAFF = "referrer"
LOOPBACK = ("127.0.0.1", "::1", "localhost")
"""Where nobody is between: demonstrations, tests, and an API behind a proxy of its own machine."""
T = TypeVar("T", bound=Frozen)


def same_login(login: str) -> str:
    """A login as it is known here: by whatever case and blanks somebody signs in, they are one person, with one limit, in one
    list of who looked."""
    return " ".join(login.lower().split())


def _of_somebody(login: str) -> str:
    login = same_login(login)
    if login in (SYSTEM, NOT_STAFF) or login.startswith(("link:", "form:", "cli:")):
        raise ValueError("expected another login: this one is the software's own, or that of links, forms or the command line")
    return login


OwnLogin = Annotated[Login, AfterValidator(_of_somebody)]
"""Of a person, or of a referrer's system."""
LOGIN: TypeAdapter[str] = TypeAdapter(OwnLogin, config=ConfigDict(hide_input_in_errors=True))


class Position(Frozen):
    """What somebody acts as: a role, for an agency, at a hub."""

    role: Code
    agency: Code = "social_care"
    hub: Code

    @field_validator("role")
    @classmethod
    def is_staff(cls, role: str) -> str:
        """Refuse what is no role of staff."""
        if role not in roles() or role == NOT_STAFF:
            raise ValueError(f"expected one of {', '.join(name for name in roles() if name != NOT_STAFF)}")
        return role

    @field_validator("hub")
    @classmethod
    def is_served(cls, hub: str, info: ValidationInfo) -> str:
        """Refuse a hub that is not served here: whoever acts there would find nothing, and not learn why."""
        if info.context and hub not in info.context:
            raise ValueError(f"this installation does not serve {hub}; see MASH_HUBS")
        return hub

    @model_validator(mode="after")
    def says_for_whom(self) -> Self:
        """Refuse a partner without an agency: they reach what it takes part in, and social care takes part in nearly all."""
        if reach(self.role) == "involved" and "agency" not in self.model_fields_set:
            raise ValueError(f'expected an agency for {self.role}, such as agency = "police": it says which cases they reach')
        return self

    def of(self, login: str) -> Actor:
        """Somebody in this position. Raises ValidationError for what is no login."""
        return Actor(id=LOGIN.validate_python(login), role=self.role, agency=self.agency, hub=self.hub)


class SignOn(Frozen):
    """The OpenID provider, and what its groups mean here."""

    issuer: str = Field(pattern=r"^https://|^http://(127\.0\.0\.1|localhost)[:/]")
    client_id: str = Field(min_length=1)
    client_secret: SecretStr | None = None
    scope: str = "openid profile"
    login_claim: str = "preferred_username"
    groups_claim: str = "groups"
    groups: dict[str, tuple[Position, ...]] = Field(min_length=1)

    def positions(self, login: str, groups: list[str]) -> tuple[Actor, ...]:
        """What somebody in these groups may act as, in the order of the file."""
        found = (position for name, positions in self.groups.items() if name in groups for position in positions)
        return tuple(position.of(login) for position in dict.fromkeys(found))


class Account(Frozen):
    """A local account: an Argon2 hash, the secret of its one-time codes, and what it acts as."""

    password: str = Field(pattern=r"^\$argon2id\$")
    one_time_codes: SecretStr
    positions: tuple[Position, ...] = Field(min_length=1)


def _demand_secure(settings: Settings) -> None:
    address = urlsplit(settings.base_url)
    if address.scheme != "https" and address.hostname not in LOOPBACK:
        raise SettingsError("MASH_PUBLIC_URL: expected an https:// address where staff sign in: by http, others read along")


def read_sign_on(settings: Settings) -> SignOn | None:
    """The provider; None where there is none. Raises SettingsError, which says which line is wrong and no secret of it."""
    if settings.sign_on_file is None:
        return None
    _demand_secure(settings)
    return _read(settings.sign_on_file, SIGN_ON_FILE, SignOn, settings.hub_names)


def read_accounts(settings: Settings) -> dict[str, Account]:
    """The local accounts by login; none unless they are asked for. Raises SettingsError."""
    if not settings.local_accounts:
        if settings.accounts_file:
            raise SettingsError(
                f"{ACCOUNTS_FILE} is given, and local accounts are off: say MASH_LOCAL_ACCOUNTS=true, or leave it out"
            )
        return {}
    if settings.accounts_file is None:
        raise SettingsError(f"{ACCOUNTS_FILE} is needed with MASH_LOCAL_ACCOUNTS: `mash account add` writes it")
    _demand_secure(settings)
    return accounts_in(settings.accounts_file, settings.hub_names)


def accounts_in(path: Path, hubs: tuple[str, ...] = ()) -> dict[str, Account]:
    """The accounts of a file: at these hubs alone, if any are given. Raises SettingsError."""
    return _read(path, ACCOUNTS_FILE, _Accounts, hubs).accounts


class _Accounts(Frozen):
    accounts: dict[OwnLogin, Account] = {}

    @field_validator("accounts", mode="before")
    @classmethod
    def each_once(cls, accounts: Any) -> Any:
        """Refuse two accounts that are one person's here."""
        if isinstance(accounts, dict) and len({same_login(login) for login in accounts}) < len(accounts):
            raise ValueError("expected each login once: two differ by nothing but capital letters or blanks")
        return accounts


def _read(path: Path, what: str, kind: type[T], hubs: tuple[str, ...]) -> T:
    read_secret_file(path, what)
    try:
        document = read_document(path)
    except WrongFile as wrong:
        raise SettingsError(f"{what}: {wrong}") from None
    try:
        return kind.model_validate(document.data, context=hubs)
    except ValidationError as wrong:
        problems = [
            Problem(shown(path), document.line_of(error["loc"]), f"{_place(error['loc'])}: {error['msg']}")
            for error in wrong.errors(include_input=False)
        ]
        raise SettingsError(f"{what}: " + "; ".join(map(str, sorted(problems)))) from None


def _place(key: Key) -> str:
    """Where in the file, without anybody's login: the line says whose account it is."""
    return dotted((key[0], *key[2:]) if key[:1] == ("accounts",) else key)


def accounts_text(accounts: dict[str, Account]) -> str:
    """The accounts as the file that holds them."""
    return "\n".join(line for login, account in accounts.items() for line in _lines(login, account)) + "\n"


def _lines(login: str, account: Account) -> list[str]:
    def text(value: Any) -> str:
        return json.dumps(value)  # a JSON string is one of TOML too

    positions = ", ".join(
        "{ " + ", ".join(f"{name} = {text(value)}" for name, value in position.model_dump().items()) + " }"
        for position in account.positions
    )
    return [
        f"[accounts.{text(login)}]",
        f"password = {text(account.password)}",
        f"one_time_codes = {text(account.one_time_codes.get_secret_value())}",
        f"positions = [{positions}]",
    ]
