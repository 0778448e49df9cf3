"""PostgreSQL and Valkey away while the web process serves: it says so at once, and comes back by itself."""

import asyncio
import os
import signal
import time

import httpx
import pytest

from tests.faults.flood import HOT, PRICE, open_shop, settings
from tidegate.app.compose import opened
from tidegate.app.supervisor import Supervisor

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("flood")]


async def _until_ready(client: httpx.AsyncClient, seconds: float) -> float:
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        if (await client.get("/health/ready")).status_code == 200:
            return time.monotonic() - began
        await asyncio.sleep(0.1)
    raise AssertionError(f"not ready within {seconds} s")


async def test_web_and_worker_outlive_postgres_and_valkey() -> None:
    """The supervisor starts everything but does not watch, so that what is killed stays away until it is started."""
    with settings(TIDEGATE_HOLD_SECONDS="3600") as config:
        supervisor = Supervisor(config)
        await supervisor.start()
        try:
            async with (
                opened(supervisor.config) as app,
                httpx.AsyncClient(base_url=config.public_url, timeout=15) as client,
            ):
                shopper = (await open_shop(app, 1))[0]
                await asyncio.sleep(1.5)
                pids = {process.name: process.pid for process in supervisor.processes}
                postgres, valkey = supervisor.servers
                body = {
                    "lines": [{"sku": HOT, "quantity": 1}],
                    "address_id": str(shopper.address_id),
                    "expected_total": PRICE,
                }

                async def order(key: str) -> httpx.Response:
                    headers = {**shopper.headers, "Idempotency-Key": key}
                    return await client.post("/api/v1/orders", json=body, headers=headers)

                assert (await order("before-all")).status_code == 201

                assert valkey.pid is not None
                os.kill(valkey.pid, signal.SIGKILL)
                without_valkey = await client.get("/health/ready")
                facts = {fact["name"]: fact["ok"] for fact in without_valkey.json()["facts"]}
                assert (without_valkey.status_code, facts["valkey"], facts["postgres"]) == (200, False, True)
                assert (await order("valkey-away")).status_code == 201, "orders need no Valkey"
                await asyncio.to_thread(valkey.start)

                assert postgres.pid is not None
                os.kill(postgres.pid, signal.SIGKILL)
                await asyncio.sleep(0.3)
                for _ in range(3):
                    began = time.monotonic()
                    away = await client.get("/health/ready")
                    assert time.monotonic() - began < 3, "a balancer does not wait longer"
                    assert away.status_code == 503
                    assert {fact["name"]: fact["ok"] for fact in away.json()["facts"]}["postgres"] is False
                assert (await client.get("/health/live")).status_code == 200
                refused = await order("all-away")
                assert (refused.status_code, refused.json()["type"]) == (503, "/problems/database-unavailable")
                assert refused.headers["content-type"] == "application/problem+json"
                assert refused.headers["retry-after"] == "2"

                await asyncio.to_thread(postgres.start)
                assert await _until_ready(client, 10) < 10
                assert (await order("all-away")).status_code == 201
                assert (await order("before-all")).status_code == 201
                async with app.db.read() as tx:
                    rows = await (await tx.execute("select idempotency_key from ordering.orders order by 1")).fetchall()
                assert [key for (key,) in rows] == ["all-away", "before-all", "valkey-away"]

                async with asyncio.timeout(20):
                    while not await app.outbox.drained(app.db):
                        await asyncio.sleep(0.1)
                assert {process.name: process.pid for process in supervisor.processes} == pids, (
                    "nobody had to be restarted"
                )
        finally:
            await supervisor.stop()
    assert all(server.pid is None for server in supervisor.servers)
