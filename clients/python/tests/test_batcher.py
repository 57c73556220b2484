"""Batches by size and age, and what is certain of their items."""

import asyncio
import os
import unittest

from sluice import Batcher, FateOpen, Invalid, Refused, fate_of, is_new_id_safe
from sluice.wire import batch_id, collect_item, order_id, recharge_item

CHAIN_ID, SEED = bytes(32), bytes([201] * 32)
CLOCK_MS = 1_767_225_600_000


def item():
    """A collection of some order."""
    return collect_item(order_id(101), os.urandom(32))


def refused(code, **data):
    """A node's refusal."""
    return Refused("http://a", code, "no", data)


class Recording:
    """A client whose submissions an answer judges."""

    def __init__(self, answer):
        self.answer, self.sent = answer, []

    async def submit(self, batch, **_):
        self.sent.append(batch)
        found = self.answer(batch, len(self.sent))
        if isinstance(found, Exception):
            raise found
        return found


def final(batch, others=()):
    """A final report; `others` are the items that were not applied."""
    outcomes = {"item_count": int.from_bytes(batch[40:44], "little"), "counts": [],
                "not_applied": [{"name": "", **each} for each in others]}
    return {"state": "final", "height": 7, "outcomes": outcomes}


def batcher(client, **options):
    """A batcher of collections on a clock that stands."""
    options = {"wall_clock_ms": lambda: CLOCK_MS, "age_ms": 0, **options}
    return Batcher(client, CHAIN_ID, "collect", 201, SEED, **options)


class Batches(unittest.IsolatedAsyncioTestCase):
    """What goes out, and when."""

    async def test_a_batch_goes_out_when_it_is_full_and_the_rest_by_age(self):
        client = Recording(lambda batch, _: final(batch))
        gathering = batcher(client, items_max=3, age_ms=5)
        results = await asyncio.gather(*(gathering.add(item()) for _ in range(7)))
        self.assertEqual([(len(batch) - 148) // 64 for batch in client.sent], [3, 3, 1])
        self.assertTrue(all(each.is_applied and each.height == 7 for each in results))

    async def test_flush_sends_what_waits_and_waits_for_its_fate(self):
        client = Recording(lambda batch, _: final(batch))
        gathering = batcher(client, age_ms=1_000_000)
        result = asyncio.create_task(gathering.add(item()))
        await asyncio.sleep(0)
        await gathering.flush()
        self.assertEqual(len(client.sent), 1)
        self.assertTrue((await result).is_applied)

    async def test_a_batch_is_kept_before_it_is_sent(self):
        order = []

        async def keep(batch):
            order.append(("kept", batch_id(batch[:84])))

        def answer(batch, _):
            order.append(("sent", batch_id(batch[:84])))
            return final(batch)

        await batcher(Recording(answer), keep=keep).add(item())
        self.assertEqual([what for what, _ in order], ["kept", "sent"])
        self.assertEqual(order[0][1], order[1][1])

    async def test_a_batch_that_is_too_old_is_signed_anew_with_the_same_items(self):
        for code in (112, 115, 1017):
            client = Recording(lambda batch, count: refused(code) if count == 1 else final(batch))
            times = iter(range(CLOCK_MS, CLOCK_MS + 10_000, 1_000))
            result = await batcher(client, wall_clock_ms=lambda: next(times)).add(item())
            self.assertTrue(result.is_applied)
            first, second = client.sent
            self.assertNotEqual(first[:148], second[:148])
            self.assertEqual(first[148:], second[148:])
        client = Recording(lambda *_: refused(112))
        with self.assertRaises(Refused):
            await batcher(client).add(item())
        self.assertEqual(len(client.sent), 4)

    async def test_of_an_order_whose_fate_is_unknown_no_new_id_is_safe(self):
        for error in (FateOpen(1, "cut"), refused(1016), refused(1008), refused(-32603)):
            client = Recording(lambda *_: error)
            result = await batcher(client).add(item())
            found = (result.is_open, result.is_applied, result.new_id_is_safe, result.code)
            self.assertEqual(found, (True, False, False, None))
            self.assertEqual(result.batch, client.sent[0])

    async def test_a_whole_batch_that_was_refused_says_nothing_of_its_orders(self):
        with self.assertRaises(Refused) as caught:
            await batcher(Recording(lambda *_: refused(109))).add(item())
        self.assertEqual((caught.exception.code, caught.exception.is_refusal), (109, True))

    async def test_each_item_has_the_outcome_of_its_place(self):
        def standing(status, **more):
            return {"status": status, "new_id_is_safe": False, "remedy": "", **more}

        others = [
            {"item_index": 1, "code": 210},
            {"item_index": 2, "code": 1, "standing": standing("arrived")},
            {"item_index": 3, "code": 203, "standing": standing("not-found", new_id_is_safe=True)},
            {"item_index": 4, "code": 1, "standing": standing("collected", same_content=False)},
            {"item_index": 5, "code": 203, "standing": standing("rejected")},
        ]
        gathering = batcher(Recording(lambda batch, _: final(batch, others)))
        results = await asyncio.gather(*(gathering.add(item()) for _ in range(6)))
        self.assertEqual([each.is_applied for each in results],
                         [True, False, True, False, False, False])
        self.assertEqual([each.new_id_is_safe for each in results],
                         [False, False, False, True, False, False])

    async def test_an_old_order_that_the_node_did_not_look_up_is_open(self):
        def answer(batch, _):
            return final(batch, [{"item_index": 0, "code": 1}])

        said = await batcher(Recording(answer)).add(item())
        self.assertEqual((said.is_applied, said.is_open), (True, False))
        orders = Batcher(Recording(answer), CHAIN_ID, "recharge", 201, SEED, age_ms=0)
        asked = await orders.add(recharge_item(order_id(201), 1, 201, 1, 156))
        found = (asked.is_applied, asked.is_open, asked.new_id_is_safe)
        self.assertEqual(found, (False, True, False))

    async def test_an_item_of_another_kind_is_refused_before_it_is_signed(self):
        client = Recording(lambda batch, _: final(batch))
        with self.assertRaises(Invalid):
            await batcher(client).add(bytes(128))
        self.assertEqual(client.sent, [])
        with self.assertRaises(Invalid):
            Batcher(client, CHAIN_ID, "nothing", 201, SEED)


class Fates(unittest.TestCase):
    """What a node's answer about an order means."""

    def test_the_fate_of_an_order_is_what_its_status_and_the_searched_heights_say(self):
        for status, may, fate in (
                ("collected", False, "settled"), ("instructed", False, "settled"),
                ("arrived", False, "settled"), ("reserved", False, "waiting"),
                ("debiting", False, "waiting"), ("held", False, "waiting"),
                ("voided", False, "ended"), ("returned", False, "ended"),
                ("rejected", False, "rejected"), ("not-found", False, "never"),
                ("not-found", True, "open"), ("a name that was added", False, "open")):
            report = {"status": status, "searched": {"to_height": 50, "may_still_commit": may}}
            self.assertEqual(fate_of(report), fate)
            self.assertEqual(fate_of(report, 51), "behind")
            self.assertEqual(is_new_id_safe(fate), fate in ("never", "rejected"))


if __name__ == "__main__":
    unittest.main()
