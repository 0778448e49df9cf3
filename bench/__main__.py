"""`make bench`: one run, one machine, every figure with its ratio to the yardstick."""

import asyncio
import shutil

import uvloop

from bench.orders import SKUS, data_folder, measure, yardstick
from tidegate.app.supervisor import festival
from tidegate.base.config import Config
from tidegate.base.embedded.postgres import EmbeddedPostgres

CONNECTIONS = (64, 256, 1000)
SECONDS = 10


async def main() -> None:
    """Measure and print."""
    folder = data_folder()
    config = Config.from_env({"TIDEGATE_DATA_DIR": str(folder), "TIDEGATE_PORT": "18470"})
    try:
        async with festival(config) as supervisor:
            postgres = supervisor.servers[0]
            assert isinstance(postgres, EmbeddedPostgres)
            base = await asyncio.to_thread(yardstick, postgres, seconds=SECONDS)
            print(f"yardstick: {base:,.0f} transactions/s")
            for name, skus in (("one hot SKU", SKUS[:1]), ("1,000 SKUs", SKUS)):
                for connections in CONNECTIONS:
                    tally, durable = await measure(supervisor, skus, connections=connections, seconds=SECONDS)
                    print(
                        f"{name}, {connections} connections: {tally.rate():,.0f} orders/s"
                        f" = {tally.rate() / base:.2f} x, p50 {tally.quantile_ms(0.5):.0f} ms,"
                        f" p99 {tally.quantile_ms(0.99):.0f} ms, answered {tally.count(2):,}, durable {durable:,},"
                        f" refused {tally.count(4):,}, failed {tally.count(5):,}, lost {tally.lost}"
                    )
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    uvloop.run(main())
