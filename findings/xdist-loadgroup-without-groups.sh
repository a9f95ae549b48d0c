#!/usr/bin/env bash
# pytest-xdist 3.8.0 under pytest 9.2.0: --dist loadgroup makes no groups. Tests that bear the same xdist_group mark are promised to run in one
# process; they are spread over all, and nothing says so: what a group shares (a server, a database) is started once in each process.
# xdist tells its scheduler the group by a suffix that it writes into an item's private node id, which this pytest does not read.
#
# Shown with forty tests of one group and two processes, which write down the process that ran them. Exit 1 when this has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "pytest==9.2.0" "pytest-xdist==3.8.0"
mkdir "$folder/tests"
cat >"$folder/tests/test_them.py" <<'PY'
import os, time
import pytest


@pytest.mark.xdist_group("one")
@pytest.mark.parametrize("number", range(40))
def test_one(number):
    time.sleep(0.01)
    with open(os.environ["SEEN"], "a") as seen:
        seen.write(os.environ["PYTEST_XDIST_WORKER"] + "\n")
PY
cd "$folder"
SEEN="$folder/seen" "$folder/venv/bin/python" -m pytest -q -n 2 --dist loadgroup tests >"$folder/out" 2>&1 || { cat "$folder/out"; exit 1; }
"$folder/venv/bin/pip" list 2>/dev/null | grep -iE '^(pytest|pytest-xdist) '
processes=$(sort -u "$folder/seen" | wc -l)
echo "forty tests of one group ran in $processes processes"
[ "$processes" -eq 2 ]
