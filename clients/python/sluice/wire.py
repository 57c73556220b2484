"""The bytes of Sluice in another language, written from docs/wire-format.md alone.

Hashes, signatures, Merkle trees, order ids, items and batches: what is sent. What comes back is
read in receipt.py. Nothing here talks to a node. Standard library plus `cryptography` for
ed25519.
"""

import hashlib
import os
import struct
import time
from collections.abc import Sequence

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

CHANGE_BYTES_MAX = 480
PROOF_HASHES_MAX = 32
COLLECTED = 1  # flag bit 0 of a recharge item

# Each kind of batch: its number, the bytes of an item, and the most items.
KINDS = {
    "recharge": (1, 128, 8_192),
    "collect": (2, 64, 8_192),
    "void": (3, 64, 8_192),
    "arrival": (4, 64, 8_192),
    "failure": (5, 64, 8_192),
    "return": (6, 72, 1_024),
    "reinstruct": (7, 64, 8_192),
    "settle-window": (8, 96, 1_024),
    "transfer": (9, 96, 1_024),
    "transfer-decision": (10, 64, 1_024),
    "rate": (11, 64, 1_024),
    "quote": (12, 64, 1_024),
    "hold-decision": (13, 64, 8_192),
    "policy": (14, 64, 1_024),
    "proposal": (15, 512, 64),
    "approval": (16, 64, 1_024),
    "bounce": (17, 64, 1_024),
    "recall": (18, 64, 1_024),
    "step-in": (19, 64, 1_024),
    "change-list": (20, 348, 3_000),
    "merchant": (21, 344, 3_000),
    "debiting": (22, 64, 8_192),
    "settlement-decision": (23, 96, 1_024),
    "line": (24, 64, 1_024),
    "consent": (25, 64, 1_024),
}
APPROVE, REFUSE = 1, 2  # decisions


class Invalid(Exception):
    """Something that was to be verified does not hold; the message says what."""


def require(holds: object, what: str) -> None:
    """Raises `Invalid` unless `holds`."""
    if not holds:
        raise Invalid(what)


# --- Section 2: hashes. Section 3: signatures.


def sha256(*parts: bytes) -> bytes:
    """SHA-256 of the parts, one after the other."""
    return hashlib.sha256(b"".join(parts)).digest()


def tagged(tag: str, *parts: bytes) -> bytes:
    """SHA-256 under a domain tag of 16 bytes."""
    return sha256(tag.encode("ascii").ljust(16, b"\0"), *parts)


def public_key_of(seed: bytes) -> bytes:
    """The public key, 32 bytes, of a seed of 32 bytes."""
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


def sign(seed: bytes, digest: bytes) -> bytes:
    """The signature, 64 bytes, over a digest."""
    return Ed25519PrivateKey.from_private_bytes(seed).sign(digest)


def signature_holds(public_key: bytes, digest: bytes, signature: bytes) -> bool:
    """Whether a signature is the key's over the digest."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, digest)
        return True
    except (InvalidSignature, ValueError):
        return False


# --- Section 4: Merkle trees.


def leaf(data: bytes) -> bytes:
    """The hash of a leaf."""
    return sha256(b"\0", data)


def node(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node."""
    return sha256(b"\1", left, right)


def merkle_root(leaves: Sequence[bytes]) -> bytes:
    """The root over leaf hashes, by RFC 6962's recursive definition."""
    if not leaves:
        return sha256()
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << ((len(leaves) - 1).bit_length() - 1)
    return node(merkle_root(leaves[:split]), merkle_root(leaves[split:]))


def root_from_proof(leaf_hash: bytes, index: int, count: int, proof: Sequence[bytes]) -> bytes:
    """The root that a proof leads to; refuses a proof of the wrong length."""
    require(index < count and len(proof) <= PROOF_HASHES_MAX, "proof: no such leaf")
    result, at, last = leaf_hash, index, count - 1
    for sibling in proof:
        require(last != 0, "proof: too long")
        if at & 1 or at == last:
            result = node(sibling, result)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            result = node(result, sibling)
        at, last = at >> 1, last >> 1
    require(last == 0, "proof: too short")
    return result


# --- Section 6: items.


def order_id(owner: int, time_ms: int | None = None) -> bytes:
    """A new id of an order that the participant `owner` will submit, as 16 bytes: a UUIDv7 of a
    time, by default now, that ends in the owner's id."""
    time_ms = time.time_ns() // 1_000_000 if time_ms is None else time_ms
    value = int.from_bytes(os.urandom(6), "big") << 32 | owner | time_ms << 80
    value = value & ~(0xF << 76) | 7 << 76
    value = value & ~(0x3 << 62) | 2 << 62
    return value.to_bytes(16, "big")


def recharge_item(
    order: bytes, merchant: int, gateway: int, amount: int, currency: int, *,
    user: bytes = bytes(16), payout_currency: int | None = None, flags: int = 0, fx_quote: int = 0,
    payout_minimum: int = 0, device: int = 0, network: int = 0, reference: bytes = bytes(32),
) -> bytes:
    """One recharge order: 128 bytes. Amount in minor units, currency an ISO 4217 number."""
    payout_currency = currency if payout_currency is None else payout_currency
    return struct.pack(
        "<16s16sQIQHHHQQQQ32s6x", order, user, merchant, gateway, amount, currency,
        payout_currency, flags, fx_quote, payout_minimum, device, network, reference,
    )


def collect_item(order: bytes, reference: bytes = bytes(32)) -> bytes:
    """A collecting gateway's word that the user was debited: 64 bytes."""
    return struct.pack("<16s32s16x", order, reference)


def debiting_item(order: bytes, reference: bytes = bytes(32)) -> bytes:
    """A collecting gateway's word that it debits the user now: 64 bytes."""
    return struct.pack("<16s32s16x", order, reference)


def consent_item(order: bytes, amount: int, reference: bytes = bytes(32)) -> bytes:
    """The word of the other side that so much of an order may be reversed in all: 64 bytes."""
    return struct.pack("<16sQ32s8x", order, amount, reference)


def void_item(order: bytes, reason: int, reference: bytes = bytes(32)) -> bytes:
    """The word that a reserved order will not happen: 64 bytes."""
    return struct.pack("<16sH32s14x", order, reason, reference)


def arrival_item(
    window: int, merchant: int, amount: int, currency: int, reference: bytes = bytes(32),
    attempt: int = 1,
) -> bytes:
    """A paying gateway's word that an instruction's money was credited: 64 bytes."""
    return struct.pack(
        "<QQQH32sH4x", window, merchant, amount, currency, reference, attempt)


def failure_item(
    window: int, merchant: int, currency: int, reason: int, reference: bytes = bytes(32),
    attempt: int = 1,
) -> bytes:
    """A paying gateway's word that an instruction could not be paid: 64 bytes."""
    return struct.pack(
        "<QQHH32sH10x", window, merchant, currency, reason, reference, attempt)


def bounce_item(
    window: int, merchant: int, currency: int, reason: int, reference: bytes = bytes(32),
    attempt: int = 1,
) -> bytes:
    """A paying gateway's word that an instruction's money came back: 64 bytes."""
    return failure_item(window, merchant, currency, reason, reference, attempt)


def step_in_item(
    window: int, merchant: int, currency: int, reason: int, reference: bytes = bytes(32),
    attempt: int = 1,
) -> bytes:
    """A settlement agent's word that an instruction's gateway is absent: 64 bytes."""
    return failure_item(window, merchant, currency, reason, reference, attempt)


def recall_item(
    window: int, merchant: int, currency: int, reference: bytes = bytes(32), attempt: int = 1,
) -> bytes:
    """A settlement agent's request that an instruction shall not be paid: 64 bytes."""
    return reinstruct_item(window, merchant, currency, reference, attempt)


def return_item(
    order: bytes, amount: int, reason: int, sequence: int, reference: bytes = bytes(32),
    rested_max: int = 0,
) -> bytes:
    """A gateway's word that money of a collected order goes back: 72 bytes. `rested_max` is the
    most that it pays for cashback that rested on the order."""
    return struct.pack("<16sQQHH32s4x", order, amount, rested_max, reason, sequence, reference)


def reinstruct_item(
    window: int, merchant: int, currency: int, reference: bytes = bytes(32), attempt: int = 1,
) -> bytes:
    """A settlement agent's word that a failed instruction can be paid now: 64 bytes."""
    return struct.pack("<QQH32sH12x", window, merchant, currency, reference, attempt)


def settle_window_item(window: int, digest: bytes, reference: bytes = bytes(32)) -> bytes:
    """The maker's word that the banks have settled a window: 96 bytes. The digest is that of the
    window's report."""
    return struct.pack("<Q32s32s24x", window, digest, reference)


def settlement_decision_item(
    window: int, decision: int, digest: bytes, reference: bytes = bytes(32),
) -> bytes:
    """The checker's decision about a settlement, of the same digest and reference: 96 bytes."""
    return struct.pack("<QH32s32s22x", window, decision, digest, reference)


def transfer_item(
    transfer: bytes, action: int, account_kind: int, owner: int, currency: int, amount: int,
    reference: bytes = bytes(32),
) -> bytes:
    """The maker's proposal of a deposit, a withdrawal or a cap: 96 bytes."""
    return struct.pack(
        "<16sHHQHQ32s26x", transfer, action, account_kind, owner, currency, amount, reference)


def transfer_decision_item(
    transfer: bytes, decision: int, action: int, amount: int, reference: bytes = bytes(32),
) -> bytes:
    """The checker's decision about a transfer: 64 bytes."""
    return struct.pack("<16sHHQ32s4x", transfer, decision, action, amount, reference)


def rate_item(
    currency: int, payout_currency: int, mantissa: int, scale: int, observed_ms: int,
) -> bytes:
    """An FX provider's rate of a pair: 64 bytes."""
    return struct.pack(
        "<HHQHQ42x", currency, payout_currency, mantissa, scale, observed_ms)


def quote_id(provider: int, number: int) -> int:
    """The provider's quote of a number below 2^32."""
    return provider << 32 | number


def quote_item(
    quote: int, currency: int, payout_currency: int, mantissa: int, scale: int, ceiling: int,
    valid_until_ms: int,
) -> bytes:
    """An FX provider's offer to convert: 64 bytes."""
    return struct.pack(
        "<QHHQHQQ26x", quote, currency, payout_currency, mantissa, scale, ceiling, valid_until_ms)


def hold_decision_item(
    order: bytes, decision: int, reason: int, reference: bytes = bytes(32),
) -> bytes:
    """A risk desk's decision about a held order: 64 bytes."""
    return struct.pack("<16sHH32s12x", order, decision, reason, reference)


def policy_item(
    scope: int, subject: int, currency: int, *, order_max: int = 0, user_day_max: int = 0,
    day_max: int = 0, hold_above: int = 0,
) -> bytes:
    """A risk desk's limits for a scope and currency: 64 bytes."""
    return struct.pack(
        "<HQHQQQQ20x", scope, subject, currency, order_max, user_day_max, day_max, hold_above)


def line_item(account: int, holder: int, currency: int, limit: int) -> bytes:
    """How much a holder may have reserved on an account of the submitter's: 64 bytes."""
    return struct.pack("<HIHQ48x", account, holder, currency, limit)


def proposal_item(proposal: bytes, activation_height: int, change: bytes) -> bytes:
    """A settlement operator's proposal of a change, given by its bytes: 512 bytes."""
    require(len(change) <= CHANGE_BYTES_MAX, "a change has at most 480 bytes")
    return struct.pack("<16sQH480s6x", proposal, activation_height, len(change), change)


def listed_change_item(change: bytes) -> bytes:
    """A change of a list that one proposal makes as a whole, given by its bytes: 348 bytes."""
    require(len(change) <= 341, "a change of a list has at most 341 bytes")
    return struct.pack("<H341s5x", len(change), change)


def merchant_item(merchant: bytes) -> bytes:
    """A merchant that a registrar adds or changes, given by its bytes: 344 bytes."""
    require(len(merchant) <= 337, "a merchant has at most 337 bytes")
    return struct.pack("<H337s5x", len(merchant), merchant)


def list_digest(items: Sequence[bytes]) -> bytes:
    """What a proposal of a list names: the items root of the list's batch."""
    return merkle_root([leaf(item) for item in items])


def list_change(items: Sequence[bytes]) -> bytes:
    """The change that makes all changes of a list, or none."""
    return struct.pack("<I32sI", 13, list_digest(items), len(items))


def proposal_digest(item: bytes) -> bytes:
    """What an approval names."""
    return tagged("sluice:change:1", item)


def approval_item(proposal: bytes, decision: int, digest: bytes) -> bytes:
    """A settlement operator's decision about a proposal: 64 bytes."""
    return struct.pack("<16sH32s14x", proposal, decision, digest)


# --- Section 5: batches.


def batch_header(
    kind: str, chain_id: bytes, submitter: int, items: Sequence[bytes], valid_until_ms: int,
) -> bytes:
    """The 84 bytes that name a batch of items, each of the kind's size."""
    number, size, most = KINDS[kind]
    require(1 <= len(items) <= most, f"a {kind} batch holds 1 to {most} items")
    require(all(len(item) == size for item in items), f"a {kind} item has {size} bytes")
    root = merkle_root([leaf(item) for item in items])
    return struct.pack(
        "<HH32sIIQ32s", 1, number, chain_id, submitter, len(items), valid_until_ms, root
    )


def batch_id(header: bytes) -> bytes:
    """The batch id: what the submitter signs."""
    return tagged("sluice:batch:1", header)


def signed_batch(
    kind: str, chain_id: bytes, submitter: int, seed: bytes, items: Sequence[bytes],
    valid_until_ms: int,
) -> bytes:
    """A whole batch: header, signature, items."""
    header = batch_header(kind, chain_id, submitter, items, valid_until_ms)
    return header + sign(seed, batch_id(header)) + b"".join(items)
