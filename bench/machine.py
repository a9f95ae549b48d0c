"""What the machine can do at most: the measure of every other figure."""

from __future__ import annotations

import asyncio
import multiprocessing
import time
from typing import Any

import asyncpg
import httpx

from mash.bench.measure import each, say
from mash.bench.stack import BenchStack
from mash.flows.installation.stack import free_port

SECONDS = 3.0


async def machine(stack: BenchStack) -> dict[str, Any]:
    """Durable commits a second of this PostgreSQL, with one client and with 32; requests a second of a bare FastAPI."""
    say("The machine's own limits ...")
    return {
        "commits_per_s_1": await _commits(stack, 1),
        "commits_per_s_32": await _commits(stack, 32),
        "fastapi_requests_per_s": await _requests(),
    }


async def _commits(stack: BenchStack, clients: int) -> int:
    url = stack.settings.owner_database_url
    address = (url.get_secret_value() if url else "").replace("postgresql+psycopg", "postgresql")
    connections = [await asyncpg.connect(address) for _ in range(clients)]
    await connections[0].execute("CREATE TABLE IF NOT EXISTS bench_commit (at double precision)")
    done, until = 0, time.monotonic() + SECONDS

    async def commit(connection: Any) -> None:
        nonlocal done
        while time.monotonic() < until:
            await connection.execute("INSERT INTO bench_commit VALUES ($1)", 1.0)
            done += 1

    await asyncio.gather(*(commit(connection) for connection in connections))
    await connections[0].execute("DROP TABLE bench_commit")
    await asyncio.gather(*(connection.close() for connection in connections))
    return round(done / SECONDS)


async def _requests() -> int:
    port = free_port()
    server = multiprocessing.get_context("spawn").Process(target=_bare, args=(port,), daemon=True)
    server.start()
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:
            for _ in range(200):
                try:
                    await http.get("/")
                    break
                except httpx.HTTPError:
                    await asyncio.sleep(0.05)
            began = time.monotonic()
            await each(lambda _: http.get("/"), 2000, 8)
            return round(2000 / (time.monotonic() - began))
    finally:
        server.kill()
        server.join()


def _bare(port: int) -> None:
    """An application that does nothing."""
    import uvicorn
    from fastapi import FastAPI

    app = FastAPI()

    @app.get("/")
    async def nothing() -> dict[str, str]:
        return {}

    uvicorn.run(app, port=port, access_log=False, log_level="critical")
