#!/usr/bin/env bash
# Apprise 2.0.1 takes the part behind an apostrophe in an e-mail address for the whole of it: sam.o'brien@school.example.org is
# brien@school.example.org, somebody else. It says nothing, sends the mail there, and answers that it was delivered; %27 in the
# URL is no better, and the same happens to from=, cc=, bcc= and reply=. RFC 5321 allows the apostrophe, and names have it.
#
# Shown with a mail server on loopback that writes down whom it was asked for. Exit 1 when this has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "apprise==2.0.1" "aiosmtpd==1.4.6"
cat >"$folder/show.py" <<'PY'
import socket
from importlib.metadata import version

import apprise
from aiosmtpd.controller import Controller

ADDRESS, asked = "sam.o'brien@school.example.org", []


class Server:
    async def handle_DATA(self, server, session, envelope):
        asked.extend(envelope.rcpt_tos)
        return "250 taken"


with socket.create_server(("127.0.0.1", 0)) as free:
    port = free.getsockname()[1]
server = Controller(Server(), hostname="127.0.0.1", port=port)
server.start()
try:
    url = f"mailto://127.0.0.1:{port}/?from=hub@example.org&to="
    answers = [bool(apprise.Apprise().instantiate(url + to).notify("Hello")) for to in (ADDRESS, ADDRESS.replace("'", "%27"))]
finally:
    server.stop()
print(f"apprise {version('apprise')}: to {ADDRESS}: delivered, it says: {answers}; the server was asked for {asked}")
raise SystemExit(answers != [True, True] or asked != ["brien@school.example.org"] * 2)
PY
"$folder/venv/bin/python" "$folder/show.py"
# Seen: apprise 2.0.1: to sam.o'brien@school.example.org: delivered, it says: [True, True]; the server was asked for
#   ['brien@school.example.org', 'brien@school.example.org']
