#!/usr/bin/env bash
# uvloop 0.23: a signal is lost where somebody else's handler for it raises. A program tells its loop what to do at SIGTERM
# (add_signal_handler); a library in it then sets a handler of its own by signal.signal, which raises, as Prefect's engine does for as long as
# it runs a flow. asyncio's own loop does both: what the handler raises comes out of run(), and the loop's own handler is called as well. On
# uvloop neither happens: what is raised is logged as "Exception in callback" and dropped, the loop's own handler is not called, and the
# program goes on as if nobody had asked it to end.
#
# Shown with such a handler. Exit 1 when this has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "uvloop==0.23.0" 2>/dev/null
cat >"$folder/ended.py" <<'PY'
import asyncio
import os
import signal
import sys
import threading

import uvloop


class Asked(BaseException):
    """What the library's handler raises."""


def raises(*_):
    raise Asked


async def main():
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, heard.append, "the loop's own handler")
    signal.signal(signal.SIGTERM, raises)
    threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGTERM)).start()
    await asyncio.sleep(2)
    heard.append("nobody: it went on")


heard = []
asyncio_or_uvloop = {"asyncio": None, "uvloop": uvloop.new_event_loop}[sys.argv[1]]
try:
    with asyncio.Runner(loop_factory=asyncio_or_uvloop) as runner:
        runner.run(main())
except Asked:
    heard.append("whoever ran it")
print(", ".join(heard))
PY
echo "Python $(python3 -c 'import platform; print(platform.python_version())'), uvloop 0.23.0"
own=$("$folder/venv/bin/python" "$folder/ended.py" asyncio 2>/dev/null)
other=$("$folder/venv/bin/python" "$folder/ended.py" uvloop 2>/dev/null)
echo "at SIGTERM, on asyncio's own loop, these heard of it: $own"
echo "at SIGTERM, on uvloop, these heard of it:             $other"
[ "$own" = "the loop's own handler, whoever ran it" ] && [ "$other" = "nobody: it went on" ]
