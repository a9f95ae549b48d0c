"""Vulnerabilities of the locked packages, as the package index knows them. Where it cannot be asked, that is said loudly."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

WAIVED: dict[str, str] = {}
"""Vulnerabilities by id that are not ours to mend, each with its reason."""
ROOT = Path(__file__).parents[1]
LOCKS = ("requirements.lock", ".ci/sbom.lock")
NOT_ASKED = "NOT AUDITED: {}. Nobody knows whether it is safe: run `make audit` where the index can be asked."


def main() -> int:
    """1 for a vulnerability that is not waived; 0 otherwise, with a warning where the index said nothing."""
    return max(audited(lock) for lock in LOCKS)


def audited(lock: str) -> int:
    """The same for one lock file."""
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
        return 0
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
    print(f"audited {len(packages) - len(silent)} packages: {len(found)} vulnerabilities")
    return int(any(not {wrong["id"], *wrong["aliases"]} & WAIVED.keys() for _, wrong in found))


if __name__ == "__main__":
    sys.exit(main())
