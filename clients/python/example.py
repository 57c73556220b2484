#!/usr/bin/env python3
"""An order from nothing to arrived and verified, on a network that `sluice localnet` runs:

    clients/python/example.py FOLDER_OF_THE_NETWORK

The network's own gateways pay the merchant. In a real one each party runs its own half of this.
"""

import asyncio
import os
import pathlib
import sys
import tomllib
import uuid

from sluice import Batcher, Client, Genesis
from sluice.wire import collect_item, order_id, recharge_item

CNY = 156


def participant(folder: pathlib.Path) -> tuple[int, bytes, list[str]]:
    """Who a participant is, its key, and the nodes it talks to."""
    config = tomllib.loads((folder / "participant.toml").read_text("utf-8"))
    return config["id"], bytes.fromhex((folder / config["key"]).read_text().strip()), config["rpc"]


async def main(network: pathlib.Path) -> None:
    """Makes the order, waits for the money, verifies the receipt."""
    genesis = Genesis.parse((network / "genesis.toml").read_bytes())  # whom we trust
    service, service_seed, urls = participant(network / "participants" / "recharge-101")
    gateway, gateway_seed, _ = participant(network / "participants" / "gateway-201")
    client = Client(urls)

    async def say(kind: str, party: int, seed: bytes, item: bytes) -> int:
        async def keep(batch: bytes) -> None:
            (network / f"{kind}.batch").write_bytes(batch)

        batcher = Batcher(client, genesis.chain_id, kind, party, seed, keep=keep)
        result = await batcher.add(item)
        print(f"{kind}: {result.name} in block {result.height}")
        if result.is_open or not result.is_applied:
            raise SystemExit(f"{kind}: {result.name}; if it is open, send {kind}.batch again")
        return result.height or 0

    order = order_id(service)  # one purchase has one id, for ever
    text, merchant = str(uuid.UUID(bytes=order)), genesis.merchants[0]
    await say("recharge", service, service_seed,
              recharge_item(order, merchant, gateway, 1_234, CNY))
    height = await say("collect", gateway, gateway_seed, collect_item(order, os.urandom(32)))
    await client.wait_for_order(text, ["arrived"], min_height=height)
    receipt, proven = await client.verified_receipt(text, genesis)
    (network / "order.receipt").write_bytes(receipt)
    took_ms = proven["arrived_ms"] - proven["accepted_ms"]
    print(f"order {text}: {proven['amount_minor']} fen arrived after {took_ms} ms")
    print(f"verified against chain {genesis.chain_id.hex()}")


asyncio.run(main(pathlib.Path(sys.argv[1])))
