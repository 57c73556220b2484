"""Account proofs, made with the keys of the vectors' validators."""

import struct
import unittest

from sluice import verify, wire
from sluice.lineage import vote_digest

from .test_vectors import GENESIS, V

STATE_DIGEST_AT = 206
WRITES = bytes([7] * 32)


def decided(header, height, round_):
    """The validators decide a header: node i's vote key has the seed 1 + i, 32 times."""
    block = wire.tagged("sluice:block:1", header)
    digest = vote_digest(GENESIS.chain_id, height, round_, True, block)
    signatures = [struct.pack("<I", at) + wire.sign(bytes([1 + at] * 32), digest)
                  for at in range(4)]
    return struct.pack("<QI32sQ", height, round_, block, 4) + b"".join(signatures)


def proof_at(place, writes=WRITES, sibling_count=32):
    """A proof of the account at a place among many."""
    account = struct.pack("<BQH", 1, 201, 156)
    values = (5, 1 << 90, 0, 700)
    counters = b"".join(value.to_bytes(16, "little") for value in values)
    counters += struct.pack("<Q", 1_000) + (-12).to_bytes(16, "little", signed=True)
    siblings = [bytes([at] * 32) for at in range(sibling_count)]
    root = wire.tagged("sluice:account:1", account, counters)
    for level, sibling in enumerate(siblings):
        root = wire.node(sibling, root) if place >> level & 1 else wire.node(root, sibling)
    header = bytearray(V["block_header"])
    digest = wire.tagged("sluice:state:1", root, WRITES)
    header[STATE_DIGEST_AT:STATE_DIGEST_AT + 32] = digest
    return b"".join([
        b"SLUICEA3", account, counters, struct.pack("<IQ", place, sibling_count), *siblings, writes,
        header, decided(bytes(header), 5, 0), struct.pack("<Q", 0)])


class Accounts(unittest.TestCase):
    """An account proof holds as it is, and in no other form."""

    def test_it_proves_the_counters(self):
        for place in (0, 6, 0xFFFF_FFFF):
            verdict = verify(proof_at(place), GENESIS)
            self.assertTrue(verdict.is_valid, verdict.reason)
            found = verdict.proven
            self.assertEqual((found["kind"], found["owner"], found["currency"], found["height"]),
                             ("gateway-liquidity", 201, 156, 5))
            self.assertEqual((found["settled"], found["balance"]), (-12, 700 - (1 << 90)))

    def test_any_changed_byte_is_refused(self):
        proof = proof_at(6)
        for at in range(len(proof)):
            changed = bytearray(proof)
            changed[at] ^= 1 << at % 8
            self.assertFalse(verify(bytes(changed), GENESIS).is_valid, f"byte {at}")

    def test_any_shorter_form_and_any_other_state_or_depth_is_refused(self):
        proof = proof_at(6)
        others = [proof[:length] for length in range(len(proof))]
        others += [proof_at(6, writes=bytes(32)), *(proof_at(6, WRITES, n) for n in (0, 31, 33))]
        for other in others:
            self.assertFalse(verify(other, GENESIS).is_valid)


if __name__ == "__main__":
    unittest.main()
