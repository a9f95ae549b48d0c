"""The application in this process: served as `mash api` serves it, by a thread, on a port of loopback."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from mash.api.app import create_app
from mash.api.wire import server_options
from mash.config.logs import log_to_stderr
from mash.config.settings import Settings
from mash.flows.installation.stack import LONGEST_START


@contextmanager
def serving(settings: Settings) -> Iterator[FastAPI]:
    """The application answers at the address that its settings say; what it logs goes to logs/api.log of its data directory."""
    with _logging_to(settings.data_dir / "logs" / "api.log"):
        app = create_app(settings)
        options = server_options(settings.trusted_proxies)
        config = uvicorn.Config(app, host=settings.api_host, port=settings.api_port, access_log=False, log_config=None, **options)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, name="api")
        thread.start()
        try:
            deadline = time.monotonic() + LONGEST_START
            while not server.started:
                assert thread.is_alive() and time.monotonic() < deadline, "the application does not start"
                time.sleep(0.005)
            yield app
        finally:
            # Who still listens to what is live is not waited for.
            server.should_exit = server.force_exit = True
            thread.join()


@contextmanager
def _logging_to(path: Path) -> Iterator[None]:
    """Log as a part of the product does, to a file, beside whoever heard before."""
    root, before = logging.getLogger(), list(logging.getLogger().handlers)
    levels = root.level, logging.getLogger("uvicorn.error").level
    root.handlers = []
    with path.open("a") as file:
        with redirect_stderr(file):
            log_to_stderr()
        ours = root.handlers
        root.handlers = [*before, *ours]
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
        try:
            yield
        finally:
            root.handlers = [each for each in root.handlers if each not in ours]
            root.setLevel(levels[0])
            logging.getLogger("uvicorn.error").setLevel(levels[1])
