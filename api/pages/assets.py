"""What pages load: our style sheet and script, and those of the Design System and of htmx where set-up fetched them."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from pathlib import Path

from fastapi import APIRouter, Request, Response

from mash.states.errors import NotFound

router = APIRouter(include_in_schema=False)
HERE = Path(__file__).parent
FETCHED = HERE / "fetched"
"""Where `make setup` puts what it has from the npm registry; without it, pages have our own plain style and are not live."""
KINDS = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
DESIGN_SYSTEM, PLAIN = "govuk-frontend.min.css", "plain.css"
SCRIPTS = ("htmx.min.js", "hx-sse.min.js", "mash.js")


@dataclass(frozen=True)
class Asset:
    """A file as it is sent: small, and kept by browsers until it is another one."""

    content: bytes
    packed: bytes
    kind: str
    version: str


class Assets:
    """All of them, read once."""

    def __init__(self, fetched: Path = FETCHED) -> None:
        paths = [path for folder in (HERE / "static", fetched) if folder.is_dir() for path in sorted(folder.iterdir())]
        self.files = {path.name: _asset(path) for path in paths if path.suffix in KINDS}

    @property
    def styles(self) -> list[str]:
        """The addresses of the style sheets: the Design System's, or the plain one instead of it, then ours."""
        return [self._address(name) for name in (DESIGN_SYSTEM if DESIGN_SYSTEM in self.files else PLAIN, "mash.css")]

    @property
    def icon(self) -> str:
        """The address of the picture that browsers put beside a page's title."""
        return self._address("mash.svg")

    @property
    def scripts(self) -> list[str]:
        """The addresses of the scripts."""
        return [self._address(name) for name in SCRIPTS if name in self.files]

    @property
    def of_refer(self) -> str:
        """The address of the script of the pages on which a referral is made."""
        return self._address("refer.js")

    def _address(self, name: str) -> str:
        return f"/static/{name}?v={self.files[name].version}"


def _asset(path: Path) -> Asset:
    content = path.read_bytes()
    version = hashlib.sha256(content).hexdigest()[:12]
    return Asset(content, gzip.compress(content, 9, mtime=0), KINDS[path.suffix], version)


@router.get("/static/{name}")
async def static(request: Request, name: str) -> Response:
    """A file that pages load."""
    asset: Asset | None = request.app.state.assets.files.get(name)
    if asset is None:
        raise NotFound("there is no such file")
    # Its address names its version, so that a browser never asks for it again.
    headers = {"Cache-Control": "public, max-age=31536000, immutable", "Vary": "Accept-Encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(asset.packed, media_type=asset.kind, headers={**headers, "Content-Encoding": "gzip"})
    return Response(asset.content, media_type=asset.kind, headers=headers)
