"""Vulnerabilities of the locked packages, as the package index knows them. Where it cannot be asked, that is said loudly."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

WAIVED: dict[str, str] = {}
"""Vulnerabilities by id that are not ours to mend, each with its reason."""
ROOT = Path(__file__).parents[1]
LOCKS = ("requirements.lock", ".ci/sbom.lock")
REQUIRED = "MASH_AUDIT_REQUIRED"
"""In the environment: where an index was promised (CI), what was not audited has not passed. Elsewhere it is said, and no more:
whoever works without a network can go on."""
NOT_ASKED = "NOT AUDITED: {}. Nobody knows whether it is safe: run `make audit` where the index can be asked."


def main() -> int:
    """1 for a vulnerability that is not waived, and, where an audit is required, for packages of which nothing was learnt; 0
    otherwise."""
    found = [audited(lock) for lock in LOCKS]
    unknown = [lock for lock, (_, asked) in zip(LOCKS, found, strict=True) if not asked]
    if unknown:
        print(f"NOT AUDITED: {', '.join(unknown)}. This is no pass.", file=sys.stderr)
    return int(any(vulnerable for vulnerable, _ in found) or bool(unknown and os.environ.get(REQUIRED)))


def audited(lock: str) -> tuple[bool, bool]:
    """Whether one lock file has a vulnerability that is not waived; and whether the index knew each of its packages."""
    program = str(Path(sys.executable).with_name("pip-audit"))
    command = [
        program,
        "-r",
        lock,
        "--disable-pip",
        "--require-hashes",
        "--format",
        "json",
        "--progress-spinner",
        "off",
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    try:
        packages = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        # It answers in JSON whether it finds something or not; else it did not get that far.
        print(NOT_ASKED.format((done.stderr.strip().splitlines() or ["no answer"])[-1][:200]), file=sys.stderr)
        return False, False
    silent = [package["name"] for package in packages if "skip_reason" in package]
    found = [(package, wrong) for package in packages for wrong in package.get("vulns", ())]
    for package, wrong in found:
        reason = next((WAIVED[name] for name in (wrong["id"], *wrong["aliases"]) if name in WAIVED), "")
        mended = ", ".join(wrong["fix_versions"]) or "no version yet"
        print(
            f"{package['name']} {package['version']}: {wrong['id']}, mended in {mended}{f' (waived: {reason})' if reason else ''}"
        )
    if silent:
        print(NOT_ASKED.format(f"the index knows nothing of {len(silent)} of {len(packages)} packages"), file=sys.stderr)
    print(f"{lock}: audited {len(packages) - len(silent)} of {len(packages)} packages: {len(found)} vulnerabilities")
    return any(not {wrong["id"], *wrong["aliases"]} & WAIVED.keys() for _, wrong in found), not silent


if __name__ == "__main__":
    sys.exit(main())
