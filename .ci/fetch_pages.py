"""Fetch what pages load from the npm registry, checked against the digests here, into api/pages/fetched (never committed).

Without npm, or without the registry, it says so: pages then have a plain style sheet of ours, and are not live.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

FETCHED = Path(__file__).parent.parent / "api" / "pages" / "fetched"
PACKAGES = {
    "govuk-frontend@6.6.0": (
        "52c4eb554e54d8a6e4ba801e9da5ec3a5b930fd2f117a39677f0b6296e954751",
        ("package/dist/govuk/govuk-frontend.min.css",),
    ),
    "htmx.org@4.0.1": (
        "5fba65616ca148a86d377e9771bcada7f35faee3558651feb929eea425e13b3c",
        ("package/dist/htmx.min.js", "package/dist/ext/hx-sse.min.js"),
    ),
}
"""Each package, the SHA-256 of its archive, and which of its files we want."""
FONT = re.compile(r"@font-face\{[^}]*\}|GDS Transport,")
PICTURE = re.compile(r"url\(/assets/[^)]*\)")


def main() -> None:
    """Fetch what is not there yet."""
    wanted = {Path(name).name for _, names in PACKAGES.values() for name in names}
    stamp = FETCHED / ".fetched"
    if stamp.exists() and stamp.read_text() == " ".join(PACKAGES) and wanted <= {path.name for path in FETCHED.iterdir()}:
        return
    if not (npm := shutil.which("npm")):
        sys.exit("npm is not installed: pages get a plain style sheet of ours, and are not live. All else works.")
    FETCHED.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        for package, (digest, names) in PACKAGES.items():
            packed = subprocess.run(
                [npm, "pack", "--silent", "--pack-destination", folder, package], capture_output=True, text=True, check=False
            )
            if packed.returncode:
                sys.exit(f"{package} cannot be fetched: pages get a plain style sheet of ours, and are not live. All else works.")
            archive = Path(folder) / packed.stdout.split()[-1]
            if hashlib.sha256(archive.read_bytes()).hexdigest() != digest:
                sys.exit(f"{package}: what was fetched is not what is expected; nothing of it is used.")
            with tarfile.open(archive) as files:
                for name in names:
                    member = files.extractfile(name)
                    assert member
                    (FETCHED / Path(name).name).write_text(_ours(member.read().decode()), encoding="utf-8")
    stamp.write_text(" ".join(PACKAGES))


def _ours(text: str) -> str:
    """Without the typeface and the crown, which belong to GOV.UK."""
    return PICTURE.sub("none", FONT.sub("", text)) if "govuk-" in text else text


if __name__ == "__main__":
    main()
