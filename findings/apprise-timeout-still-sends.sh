#!/usr/bin/env bash
# Apprise 2 gives each service a time, by default a minute, and calls a send that takes longer a failed one (it logs a time-out
# and answers something falsy). The thread that sends is not stopped: the message arrives all the same. Whoever tries again what
# failed, as any queue does, delivers twice. Apprise 1 had no such limit. With service_timeout=0 in the asset there is none again.
#
# Shown with a receiver on loopback that answers after three seconds, and a limit of one second. Exit 1 when this has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "apprise==2.0.1"
cat >"$folder/show.py" <<'PY'
import threading, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import apprise

arrived = []


class Slow(BaseHTTPRequestHandler):
    def do_POST(self):
        arrived.append(self.rfile.read(int(self.headers["Content-Length"])))
        time.sleep(3)
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Slow)
threading.Thread(target=server.serve_forever, daemon=True).start()


def send(limit):
    arrived.clear()
    sender = apprise.Apprise(asset=apprise.AppriseAsset(service_timeout=limit))
    sender.add(f"json://127.0.0.1:{server.server_port}/")
    began = time.monotonic()
    answer = bool(sender.notify(body="one message"))
    seconds = time.monotonic() - began
    time.sleep(4)
    return answer, round(seconds), len(arrived)


print("apprise", apprise.__version__)
with_limit, without = send(1), send(0)
print("limit of 1 s:  sent:", with_limit[0], "| answered after", with_limit[1], "s | arrived:", with_limit[2])
print("no limit (0):  sent:", without[0], "| answered after", without[1], "s | arrived:", without[2])
raise SystemExit(0 if with_limit[0] is False and with_limit[2] == 1 and without[0] is True and without[2] == 1 else 1)
PY
"$folder/venv/bin/python" "$folder/show.py"
