#!/usr/bin/env python3
"""A client of Sluice in another language: submits, asks, and verifies receipts and windows' proofs.

    sluice_client.py submit  --network FOLDER --participant NAME --merchant 1001 --gateway 201 \\
                             --amount-minor 1234 --currency CNY
    sluice_client.py collect --network FOLDER --participant NAME ORDER_ID...
    sluice_client.py void    --network FOLDER --participant NAME --reason 2 ORDER_ID...
    sluice_client.py arrival --network FOLDER --participant NAME --amount-minor 1234 INSTRUCTION_ID
    sluice_client.py order   --network FOLDER ORDER_ID
    sluice_client.py receipt --network FOLDER [--lineage-apart] ORDER_ID FILE
    sluice_client.py window  --network FOLDER NUMBER FILE
    sluice_client.py lineage --network FOLDER FILE
    sluice_client.py verify  FILE GENESIS [--lineage FILE]
    sluice_client.py demo    --network FOLDER

Exit codes: 0 done or valid, 1 refused or invalid, 2 wrong usage, 4 no node answered.
"""

import argparse
import asyncio
import json
import pathlib
import sys
import time
import tomllib
import uuid

from sluice import Client, FateOpen, Genesis, Invalid, Refused, Unreachable, verify
from sluice.receipt import verify_receipt
from sluice.records import verify_window
from sluice.wire import (
    COLLECTED,
    arrival_item,
    collect_item,
    order_id,
    recharge_item,
    require,
    sha256,
    signed_batch,
    void_item,
)

REJECTION_MIN = 100  # outcomes below it refuse nothing
CURRENCIES = {
    "AED": 784, "AUD": 36, "CNY": 156, "EUR": 978, "GBP": 826, "HKD": 344, "IDR": 360, "INR": 356,
    "JPY": 392, "KRW": 410, "KWD": 414, "MYR": 458, "PHP": 608, "SGD": 702, "THB": 764, "TWD": 901,
    "USD": 840, "VND": 704,
}


class Participant:
    """A participant's folder: who it is, its key, and the nodes it talks to."""

    def __init__(self, folder):
        config = tomllib.loads((folder / "participant.toml").read_text("utf-8"))
        self.number = config["id"]
        self.rpc_urls = config["rpc"]
        self.seed = bytes.fromhex((folder / config["key"]).read_text("ascii").strip())
        self.chain_id = None

    async def say(self, client, kind, item):
        """Signs one item of the demo, and waits until it is final and applied."""
        valid_until_ms = time.time_ns() // 1_000_000 + 60_000
        batch = signed_batch(kind, self.chain_id, self.number, self.seed, [item], valid_until_ms)
        report = await client.submit(batch)
        is_applied = all(each["code"] < REJECTION_MIN for each in report["outcomes"]["counts"])
        require(is_applied, f"{kind}: {report['outcomes']}")
        say(f"{kind} is final in block {report['height']}")


# --- The command line.


def nodes_of(options):
    """The URLs of nodes: those given, or those of any participant of the network."""
    if options.rpc:
        return options.rpc
    folders = sorted((options.network / "participants").iterdir()) if options.network else []
    return Participant(folders[0]).rpc_urls if folders else []


def submit_items(options, kind, items):
    """Signs items as the participant, submits them, and tells what became of them."""
    participant = Participant(options.network / "participants" / options.participant)
    return submit_as(options, participant, kind, items)


def submit_as(options, participant, kind, items):
    """Signs items with a participant's key, submits them, and tells what became of them."""
    genesis = Genesis.parse((options.network / "genesis.toml").read_bytes())
    valid_until_ms = time.time_ns() // 1_000_000 + 60_000
    batch = signed_batch(
        kind, genesis.chain_id, participant.number, participant.seed, items, valid_until_ms)
    report = asyncio.run(Client(options.rpc or participant.rpc_urls).submit(batch))
    is_refused = any(count["code"] >= REJECTION_MIN for count in report["outcomes"]["counts"])
    return report, 1 if is_refused else 0


def run_submit(options):
    """Makes recharge orders."""
    currency = CURRENCIES.get(options.currency) or int(options.currency)
    owner = Participant(options.network / "participants" / options.participant).number
    orders = [order_id(owner) for _ in range(options.count)]
    items = [
        recharge_item(order, options.merchant, options.gateway, options.amount_minor, currency,
                      flags=COLLECTED if options.collected else 0)
        for order in orders]
    report, code = submit_items(options, "recharge", items)
    return {"orders": [str(uuid.UUID(bytes=order)) for order in orders], **report}, code


def run_collect(options):
    """Says that users were debited."""
    return submit_items(options, "collect", [collect_item(each.bytes) for each in options.order])


def run_void(options):
    """Says that reserved orders will not happen."""
    items = [void_item(each.bytes, options.reason) for each in options.order]
    return submit_items(options, "void", items)


def run_arrival(options):
    """Says that an instruction's money was credited."""
    window, merchant, currency = (int(part) for part in options.instruction.split("-"))
    item = arrival_item(
        window, merchant, options.amount_minor, currency, sha256(options.reference.encode()),
        options.attempt)
    return submit_items(options, "arrival", [item])


def run_order(options):
    """Asks an order's status."""
    report, fate = asyncio.run(Client(nodes_of(options)).order(str(options.order)))
    return {**report, "fate": fate}, 0


def run_receipt(options):
    """Fetches an order's receipt into a file."""
    asking = Client(nodes_of(options)).receipt(
        str(options.order), lineage_apart=options.lineage_apart)
    data = asyncio.run(asking)
    options.file.write_bytes(data)
    return {"file": str(options.file), "bytes": len(data)}, 0


def run_lineage(options):
    """Fetches every change of validators into a file."""
    data = asyncio.run(Client(nodes_of(options)).lineage())
    options.file.write_bytes(data)
    return {"file": str(options.file), "bytes": len(data)}, 0


def run_window(options):
    """Fetches the proof of a closed window's report into a file."""
    data = asyncio.run(Client(nodes_of(options)).window_proof(options.window))
    options.file.write_bytes(data)
    return {"file": str(options.file), "bytes": len(data)}, 0


def run_verify(options):
    """Verifies a receipt, an account proof or a window's proof against the genesis file."""
    genesis = Genesis.parse(options.genesis.read_bytes())
    lineage = options.lineage.read_bytes() if options.lineage else None
    verdict = verify(options.file.read_bytes(), genesis, lineage)
    if verdict.is_valid:
        return {"valid": True, **verdict.proven}, 0
    return {"valid": False, "reason": verdict.reason}, 1


def run_demo(options):
    """Takes one order through its whole life and verifies its receipt offline."""
    return asyncio.run(demo(options))


def say(words):
    """Says how far the demo has come."""
    print(words, flush=True)


async def paid(client, order, genesis_file, participants):
    """Waits until an order's instruction is there and says that it was credited. Gives the
    window."""
    report = await client.wait_for_order(order, ["instructed"])
    identity = report["instruction_id"]
    instruction = await client.call("settlement_instruction", {"instruction_id": identity})
    window, payee, number = (int(part) for part in identity.split("-"))
    payer = next(each["payout_gateway"] for each in genesis_file["merchants"]
                 if each["id"] == payee)
    item = arrival_item(window, payee, int(instruction["amount"]["minor"]), number,
                        sha256(b"credit", identity.encode()))
    await participants[payer].say(client, "arrival", item)
    await client.wait_for_order(order, ["arrived"])
    return window


async def demo(options):
    """One order from nothing to arrived and verified, and a receipt with one bit changed."""
    data = (options.network / "genesis.toml").read_bytes()
    genesis, content = Genesis.parse(data), tomllib.loads(data.decode("utf-8"))
    folders = sorted((options.network / "participants").iterdir())
    participants = {each.number: each for each in map(Participant, folders)}
    roles = {each["id"]: each["roles"] for each in content["participants"]}

    def with_role(role):
        return next(each for number, each in participants.items() if role in roles[number])

    service, gateway = with_role("recharge-service"), with_role("gateway")
    client = Client(options.rpc or service.rpc_urls)
    order = order_id(service.number)
    text = str(uuid.UUID(bytes=order))
    currency = CURRENCIES[content["currencies"][0]]
    merchant = content["merchants"][0]["id"]
    for participant in participants.values():
        participant.chain_id = genesis.chain_id
    await service.say(
        client, "recharge", recharge_item(order, merchant, gateway.number, 1_234, currency))
    await gateway.say(client, "collect", collect_item(order, sha256(b"debit", order)))
    window = await paid(client, text, content, participants)
    report = verify_window(await client.window_proof(window), genesis)
    require(report["window"] == window and report["orders"] > 0, "the report proves too little")
    say(f"the report of window {window} is valid")
    receipt, proven = await client.verified_receipt(text, genesis)
    require(proven["order_id"] == text and proven["arrived_ms"], "the receipt proves too little")
    changed = bytearray(receipt)
    changed[len(changed) // 2] ^= 1
    try:
        verify_receipt(bytes(changed), genesis)
    except Invalid:
        return {"demo": "receipt valid, and invalid with one bit changed", **proven}, 0
    return {"demo": "a receipt with one bit changed still holds"}, 1


def parser():
    """The command line's grammar."""
    top = argparse.ArgumentParser(description="A client of Sluice, written from its wire format.")
    commands = top.add_subparsers(required=True)

    def command(name, run, signs=False, talks=True, needs_network=False):
        sub = commands.add_parser(name, help=run.__doc__)
        sub.set_defaults(run=run)
        if talks:
            required = signs or needs_network
            sub.add_argument("--network", type=pathlib.Path, required=required)
            sub.add_argument("--rpc", action="append", default=[], help="a node's URL")
        if signs:
            sub.add_argument("--participant", required=True, help="its folder's name")
        return sub

    submit = command("submit", run_submit, signs=True)
    submit.add_argument("--merchant", type=int, required=True)
    submit.add_argument("--gateway", type=int, required=True, help="who collects")
    submit.add_argument("--amount-minor", type=int, required=True)
    submit.add_argument("--currency", required=True, help="ISO 4217 code or number")
    submit.add_argument("--count", type=int, default=1)
    submit.add_argument("--collected", action="store_true", help="submit and collect in one step")
    command("collect", run_collect, signs=True).add_argument("order", type=uuid.UUID, nargs="+")
    void = command("void", run_void, signs=True)
    void.add_argument("--reason", type=int, default=2)
    void.add_argument("order", type=uuid.UUID, nargs="+")
    arrival = command("arrival", run_arrival, signs=True)
    arrival.add_argument("--amount-minor", type=int, required=True)
    arrival.add_argument("--reference", default="")
    arrival.add_argument("--attempt", type=int, default=1)
    arrival.add_argument("instruction", help="window-merchant-currency")
    command("order", run_order).add_argument("order", type=uuid.UUID)
    receipt = command("receipt", run_receipt)
    receipt.add_argument("order", type=uuid.UUID)
    receipt.add_argument("file", type=pathlib.Path)
    receipt.add_argument("--lineage-apart", action="store_true", help="leave the lineage out")
    command("lineage", run_lineage).add_argument("file", type=pathlib.Path)
    window = command("window", run_window)
    window.add_argument("window", type=int)
    window.add_argument("file", type=pathlib.Path)
    command("demo", run_demo, needs_network=True)
    verify = command("verify", run_verify, talks=False)
    verify.add_argument("file", type=pathlib.Path)
    verify.add_argument("genesis", type=pathlib.Path)
    verify.add_argument("--lineage", type=pathlib.Path, help="for a proof without one")
    return top


def main(arguments=None):
    """Runs one command, prints its answer as JSON, gives the exit code."""
    options = parser().parse_args(arguments)
    try:
        answer, code = options.run(options)
    except Refused as error:
        refused = {"code": error.code, "message": error.message}
        if error.data:
            refused["data"] = error.data
        answer, code = {"refused": refused}, 1
    except Invalid as error:
        answer, code = {"invalid": str(error)}, 1
    except (Unreachable, FateOpen) as error:
        answer, code = {"unreachable": str(error)}, 4
    print(json.dumps(answer, indent=2))
    return code


if __name__ == "__main__":
    sys.exit(main())
