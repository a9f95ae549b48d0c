"""`mash token`, `mash session`, `mash account`, `mash key`: who may come in, from the administrator's side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic import ValidationError

from mash.api.commands.installed import administrator, counted, installed, out, with_store
from mash.config.errors import SettingsError
from mash.states.acts.demands import named_agencies
from mash.states.values import Actor

if TYPE_CHECKING:
    from mash.config.sign_on import Account, Position
    from mash.states.profile import Profile

AGENCY = "social_care, unless you say; a partner's has to be said."
PARTNER = "agency"
LONGEST_KEY = 1100
"""Days, three years: a key that nobody changes is one that nobody remembers."""
keys = typer.Typer(no_args_is_help=True, help="API keys of referrers' systems.")
sessions = typer.Typer(no_args_is_help=True, help="Who is signed in.")
accounts = typer.Typer(no_args_is_help=True, help="Local accounts, for small hubs: MASH_LOCAL_ACCOUNTS=true, MASH_ACCOUNTS_FILE.")


def token(
    role: str,
    hub: str,
    agency: Annotated[str | None, typer.Option(help=AGENCY)] = None,
    login: str = "",
    hours: Annotated[float | None, typer.Option(min=0, max=24, help="MASH_SESSION_HOURS, unless you say.")] = None,
) -> None:
    """Begin a session for a script, and print the secret that it sends: mash token duty_manager HUB

    That it was begun, for whom and by whom on this machine, is written down among who looked at what."""
    from mash.flows.store.reads.accesses import note_token
    from mash.flows.store.sessions import begin_session

    with _errors_in_words("a role of staff, an agency and a hub"):
        actor = _position(role, agency, hub).of(login or f"{role}.{hub}")
    lasts = installed().session_hours if hours is None else hours

    async def work(store: Any) -> None:
        _demand_partner(actor.role, actor.agency, store.hub(hub))
        secret = await begin_session(store, [actor], "command_line", hours=lasts)
        # Before it is shown: nobody acts by a secret of which there is no trace.
        await note_token(store, actor, administrator(hub))
        print(secret)

    with_store(work)


@sessions.command("list")
def list_sessions(login: Annotated[str | None, typer.Argument(help="Of one person alone.")] = None) -> None:
    """Print who is signed in, as what, how, since when and when they were last seen."""
    from mash.flows.store.sessions import SHOWN, sessions_of
    from mash.states.clocks import local

    async def work(store: Any) -> None:
        for row in await sessions_of(store, login):
            acts, since, seen = f"{row.role}, {row.agency}, {row.hub}", local(row.started_at), local(row.seen_at)
            line = f"{row.hash[:SHOWN]}  {row.person}  {acts}  {row.how}  since {since}, seen {seen}"
            out.print(line, markup=False)

    with_store(work)


@sessions.command("end")
def end_session(login: str) -> None:
    """Sign somebody out everywhere, at once: browsers and scripts."""
    from mash.config.sign_on import same_login
    from mash.flows.store.sessions import end_sessions

    async def work(store: Any) -> None:
        # Those too that were begun before a login had one form.
        ended = [await end_sessions(store, person=each) for each in {login, same_login(login)}]
        out.print(f"{counted(sum(ended), 'session was', 'sessions were')} ended")

    with_store(work)


def _demand_agency(agency: str, known: Sequence[str]) -> None:
    """Refuse an agency that nothing at the hub names: whoever speaks for it would be heard by nobody."""
    if agency not in known:
        raise SettingsError(f"--agency {agency}: there is no such agency; there are {', '.join(known)}")


def _demand_partner(role: str, agency: str, profile: Profile) -> None:
    if role == PARTNER:
        _demand_agency(agency, sorted(named_agencies(profile)))


def _file() -> Path:
    path = installed().accounts_file
    if path is None:
        raise SettingsError("MASH_ACCOUNTS_FILE names the file that local accounts are kept in")
    return path


def _position(role: str, agency: str | None, hub: str, hubs: tuple[str, ...] = ()) -> Position:
    from mash.config.sign_on import Position

    fields = {"role": role, "hub": hub, **({"agency": agency} if agency is not None else {})}
    return Position.model_validate(fields, context=hubs)


@contextmanager
def _errors_in_words(expected: str) -> Iterator[None]:
    """What is wrong with what was given, as a sentence."""
    try:
        yield
    except ValidationError as wrong:
        raise SettingsError(f"expected {expected}: {wrong.errors()[0]['msg']}") from None


@accounts.command("add")
def add_account(
    login: str,
    role: Annotated[str, typer.Option()],
    hub: Annotated[str, typer.Option()],
    password: Annotated[
        str, typer.Option(prompt=True, hide_input=True, confirmation_prompt=True, help="Asked for: not to be typed here.")
    ],
    agency: Annotated[str | None, typer.Option(help=AGENCY)] = None,
) -> None:
    """Make a local account, or make it anew and sign it out everywhere; prints what its authenticator app is set up by, once."""
    from mash.api.accounts import change_accounts, new_account, set_up_address
    from mash.config.profile import load_profile
    from mash.config.sign_on import same_login

    login = same_login(login)
    path, before = _file(), set[str]()
    with _errors_in_words("a login, a role of staff, an agency and a hub"):
        position = _position(role, agency, hub, installed().hub_names)
        position.of(login)
    _demand_partner(role, position.agency, load_profile(hub, installed().profiles_dir))
    account = new_account(login, password, position)

    def added(known: dict[str, Account]) -> dict[str, Account]:
        before.update(known)
        return {**known, login: account}

    change_accounts(path, added)
    out.print(f"For the authenticator app of {login}, shown once:", markup=False)
    print(set_up_address(login, account))
    if login in before:
        end_session(login)


@accounts.command("list")
def list_accounts() -> None:
    """Print the local accounts, and what each acts as."""
    from mash.config.sign_on import accounts_in

    path = _file()
    for login, account in (accounts_in(path) if path.exists() else {}).items():
        acts = "; ".join(f"{each.role}, {each.agency}, {each.hub}" for each in account.positions)
        out.print(f"{login}  {acts}", markup=False)


@accounts.command("remove")
def remove_account(login: str) -> None:
    """Remove a local account, and sign it out everywhere."""
    from mash.api.accounts import change_accounts
    from mash.config.sign_on import same_login

    login = same_login(login)

    def removed(known: dict[str, Account]) -> dict[str, Account]:
        if login not in known:
            raise SettingsError("there is no such local account: see `mash account list`")
        return {name: account for name, account in known.items() if name != login}

    change_accounts(_file(), removed)
    end_session(login)


@keys.command("create")
def create_key(
    caller: str,
    hub: str,
    agency: str = "unknown",
    scope: Annotated[
        list[str] | None, typer.Option(help="submit, read_status, disagree: all of them, unless you say; or wall, for a screen.")
    ] = None,
    days: Annotated[float, typer.Option(min=0, max=LONGEST_KEY, help="After so many days it is good for nothing.")] = 365,
) -> None:
    """Make an API key for a referrer's system, or for a screen in the hub. It is printed once, and stored hashed."""
    from mash.api.schemas.codes import SOURCES
    from mash.config.sign_on import LOGIN
    from mash.flows.store.api_keys import SCOPES, WALL, NewKey, make_api_key

    if unknown := set(scope or ()) - {*SCOPES, WALL}:
        raise SettingsError(f"there is no scope {', '.join(sorted(unknown))}; there are {', '.join((*SCOPES, WALL))}")
    if scope and WALL in scope and len(scope) > 1:
        raise SettingsError("a screen's key has the scope wall alone: it hangs where everybody passes")

    with _errors_in_words("a name of at most 120 letters, figures, blanks and . _ : / @ + ' -, an agency and a hub"):
        Actor(id=LOGIN.validate_python(caller), role="referrer", agency=agency, hub=hub)

    async def work(store: Any) -> None:
        profile = store.hub(hub)
        # What a system sends is owned by its agency, for good. A screen sends nothing.
        if WALL not in (scope or ()):
            _demand_agency(agency, (*SOURCES, *sorted(named_agencies(profile) - {*SOURCES})))
        print(await make_api_key(store, NewKey(caller, hub, agency, tuple(scope or SCOPES), days)))

    with_store(work)


@keys.command("list")
def list_keys(all_: Annotated[bool, typer.Option("--all", help="Those that are over too.")] = False) -> None:
    """Print the API keys by name: whose, at which hub, what for, until when, and when each was last used."""
    from mash.flows.store.api_keys import api_keys

    async def work(store: Any) -> None:
        for row in await api_keys(store, all_=all_):
            used = f"{row.last_used_at:%Y-%m-%d %H:%M}" if row.last_used_at else "never"
            over = "  revoked" if row.revoked_at else f"  replaced by {row.replaced_by}" if row.replaced_by else ""
            what = f"{row.caller}  {row.hub}  {','.join(row.scopes)}"
            out.print(f"{row.id}  {what}  until {row.expires_at:%Y-%m-%d}  last used {used}{over}", markup=False)

    with_store(work)


@keys.command("rotate")
def rotate_key(
    name: str,
    days: Annotated[
        float, typer.Option(min=0, max=LONGEST_KEY, help="After so many days the new one is good for nothing.")
    ] = 365,
    overlap: Annotated[float, typer.Option(min=0, max=90, help="For so many days the old one goes on.")] = 7,
) -> None:
    """Make a new API key in the place of one, and print it, once."""
    from mash.flows.store.api_keys import rotate_api_key

    async def work(store: Any) -> None:
        print(await rotate_api_key(store, name, days, overlap))

    with_store(work)


@keys.command("revoke")
def revoke_key(name: str) -> None:
    """Have an API key be good for nothing, at once."""
    from mash.flows.store.api_keys import revoke_api_key

    with_store(lambda store: revoke_api_key(store, name))
