"""A page: rendered here by the GOV.UK Design System's components, complete without scripts, and what its browser may load."""

from __future__ import annotations

from functools import cache, partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import ChoiceLoader, Environment, FileSystemLoader, PackageLoader, PrefixLoader

from mash.api.pages import words
from mash.config.permissions import may
from mash.config.words import agency_title, authority_title, destination_title, referrer_title, sentence
from mash.flows.store.store import Store
from mash.states.values import Actor

TEMPLATES = Path(__file__).parent / "templates"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none';"
    " form-action 'self'{leads_to}; frame-ancestors 'none'"
)
"""Scripts, styles and pictures come from us alone, and none stands in a page itself."""
Ways = tuple[tuple[str, str, str], ...]
WAYS: Ways = (
    ("/board", "Board", "read_board"),
    ("/checks", "Checks", "read_checks"),
    ("/meetings", "Meetings", "read_agenda"),
    ("/people", "Find", "find_people"),
    ("/manager", "How we are doing", "read_figures"),
)
"""Where staff go in their work, and what their role must be let do there: what stands in the bar."""
MORE: Ways = (
    ("/handover", "Hand over the shift", "read_end_of_shift"),
    ("/wall", "Wall", "watch_wall"),
    ("/dataset", "Dataset", "read_dataset"),
    ("/near-misses", "Record a near miss", "record_near_miss"),
    ("/audit", "Audit of decisions", "audit_decisions"),
    ("/looked", "Who looked", "read_accesses"),
    ("/inspect", "Inspectors’ questions", "answer_inspectors"),
    ("/near-misses/remove", "Remove a near miss", "remove_near_miss"),
    ("/returns", "Returns", "check_returns"),
    ("/simulation", "What if: a hub simulated", "simulate"),
    ("/admin", "Administration", "look_after_installation"),
    ("/account", "Your account", "use_account"),
)
"""Where they go now and then: what stands in the menu beside it."""


@cache
def environment() -> Environment:
    """The templates, ours and the Design System's."""
    components = PrefixLoader({"govuk_frontend_jinja": PackageLoader("govuk_frontend_jinja")})
    made = Environment(
        loader=ChoiceLoader([FileSystemLoader(TEMPLATES), components]), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    made.filters.update(words.FILTERS)
    return made


def page(
    request: Request, template: str, title: str, status: int = 200, *, leads_to: str = "", by: Actor | None = None, **more: Any
) -> HTMLResponse:
    """A page for whoever calls: where they may go stands above it. Its forms lead to us alone, or on to some other site."""
    app = request.app.state
    known = {
        "title": title,
        "here": request.url.path,
        "assets": app.assets,
        "csrf": getattr(request.state, "csrf", ""),
        "now": app.store.time.now(),
        "rate": app.store.time.rate,
        "demo_time": not app.store.time.is_of_the_wall,
        **_whose(app.store, by or caller(request)),
        **more,
    }
    policy = POLICY.format(leads_to=f" {leads_to}" if leads_to else "")
    return HTMLResponse(environment().get_template(template).render(known), status, {"Content-Security-Policy": policy})


def caller(request: Request) -> Actor | None:
    """Who is signed in."""
    session = getattr(request.state, "session", None)
    return session.actor if session else None


def _whose(store: Store, by: Actor | None) -> dict[str, Any]:
    """What the pages of somebody's hub need: what it and its agencies are called; and by rating, how many are more urgent, which
    colours it."""
    if by is None:
        return {"by": None, "ways": [], "more_ways": [], "finds": False, "opens": False}
    profile = store.hubs.get(by.hub)
    return {
        "by": by,
        "rules": profile,
        "ways": ways_of(by, WAYS),
        "more_ways": ways_of(by, MORE),
        "finds": may(by.role, "find_people"),
        "opens": may(by.role, "read_case"),
        "hub_title": profile.title if profile else sentence(by.hub),
        "agency_title": partial(agency_title, profile),
        "authority_title": authority_title,
        "destination_title": partial(destination_title, profile),
        "referrer_title": referrer_title,
        "places": {name: profile.place(name) for name in profile.ratings} if profile else {},
    }


def ways_of(by: Actor, ways: Ways = (*WAYS, *MORE)) -> list[tuple[str, str]]:
    """Where somebody may go, by path and name; what they do first comes first."""
    return [(path, name) for path, name, action in ways if may(by.role, action)]


def problem_page(request: Request, title: str, text: str, status: int) -> HTMLResponse:
    """What a browser is told of a refusal; whoever is not signed in is led to where one signs in, and back."""
    query = f"?{request.url.query}" if request.url.query else ""
    onward = quote(f"{request.url.path}{query}", safe="") if status == 401 and request.method == "GET" else ""
    return page(request, "problem.html", title, status, text=text, ours=status >= 500, onward=onward)


def is_page(request: Request) -> bool:
    """Whether what was asked for is a page, and not what programs read."""
    return getattr(request.scope.get("route"), "response_class", None) is HTMLResponse
