"""The bill of materials of the locked packages: CycloneDX, to build/sbom.cdx.json, valid and without the name of any registry."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
FILE = ROOT / "build" / "sbom.cdx.json"


def main() -> None:
    """Write it, or end with what is wrong with it. cyclonedx-py validates what it writes."""
    FILE.parent.mkdir(exist_ok=True)
    program = str(Path(sys.executable).with_name("cyclonedx-py"))
    made = ["--pyproject", "pyproject.toml", "--output-reproducible", "--validate", "--output-file", str(FILE)]
    subprocess.run([program, "requirements", "requirements.lock", *made], cwd=ROOT, check=True)
    bill = json.loads(FILE.read_text(encoding="utf-8"))
    for part in bill["components"]:
        # Where a package was found is this machine's affair: its name, version and hashes say what it is.
        part.pop("externalReferences", None)
    for tool in bill["metadata"]["tools"]["components"]:
        tool.pop("externalReferences", None)
    text = json.dumps(bill, indent=1, sort_keys=True)
    locked = len(re.findall(r"^[a-z0-9][a-z0-9._-]*(?:\[[^]]*\])?==", (ROOT / "requirements.lock").read_text(), re.MULTILINE))
    if len(bill["components"]) != locked:
        sys.exit(f"{len(bill['components'])} of {locked} locked packages are in the bill of materials")
    if named := re.search(r"(?:index|simple|artifactory|nexus|repository_url|pypi\.org)\S*", text):
        sys.exit(f"the bill of materials names a registry: {named[0]}")
    FILE.write_text(text + "\n", encoding="utf-8")
    print(f"{FILE.relative_to(ROOT)}: {locked} packages")


if __name__ == "__main__":
    main()
