"""Each route asks the table of permissions: who calls, and whether they may. A route that does not ask is not served."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass

from fastapi import Request
from fastapi.dependencies.models import Dependant
from starlette.routing import BaseRoute, Route

from mash.api.auth import staff
from mash.api.guard import WHO
from mash.config.permissions import may, read_permissions
from mash.states.errors import NotYours
from mash.states.values import Actor

ANYWHERE = ("use_account", "submit_referral", "read_own_referral", "disagree_with_decision")
"""What is done also by somebody whose hub is left out of the installation: they may act for another, and what referrers send
has its receipt, refused or not."""


class RouteWithoutRule(Exception):
    """The table of permissions and the routes do not agree; says where. The application does not start."""


@dataclass(frozen=True)
class Permitted:
    """A dependency: whoever calls, if the table lets their role do this action. Raises NotSignedIn, NotYours, or NotFound
    where their hub is left out of this installation."""

    action: str
    who: Callable[[Request], Awaitable[Actor]] = staff

    async def __call__(self, request: Request) -> Actor:
        """Who calls."""
        by = await self.who(request)
        request.scope["state"].setdefault(WHO, {}).update(role=by.role, agency=by.agency, hub=by.hub)
        demand(by, self.action)
        if self.action not in ANYWHERE:
            request.app.state.store.hub(by.hub)
        return by


def demand(by: Actor, what: str) -> None:
    """Refuse what the table does not list. Raises NotYours."""
    if not may(by.role, what):
        raise NotYours(f"{by.role.replace('_', ' ')} may not {what.replace('_', ' ')}")


def check_routes(routes: Iterable[BaseRoute]) -> None:
    """Refuse to serve a route that has no rule, and a rule that has no route. Raises RouteWithoutRule."""
    table = read_permissions()
    asked, wrong = set[str](), list[str]()
    paths = [route for route in routes if isinstance(route, Route)]
    served = {f"{method} {route.path}": route for route in paths for method in sorted(route.methods or ()) if method != "HEAD"}
    for name, route in served.items():
        actions = {each.action for each in asked_by(route)}
        asked |= actions
        if bool(actions) == (name in table.open):
            wrong.append(f"{name}: expected either a permission that it asks for, or a row in [open] of permissions.toml")
    wrong += [f"[open] {name}: there is no such route" for name in table.open if name not in served]
    wrong += [f"[actions] {action}: no route asks for it" for action in table.actions if action not in asked]
    wrong += [f"{action}: asked for, but not in permissions.toml" for action in asked if action not in table.actions]
    if wrong:
        raise RouteWithoutRule("\n".join(wrong))


def asked_by(route: BaseRoute) -> Iterator[Permitted]:
    """What a route asks of the table."""
    yield from _asked(getattr(route, "dependant", None))


def _asked(dependant: Dependant | None) -> Iterator[Permitted]:
    for each in dependant.dependencies if dependant else ():
        if isinstance(each.call, Permitted):
            yield each.call
        yield from _asked(each)
