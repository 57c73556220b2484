"""The types of Sluice's JSON-RPC interface, version 1.0.0.

They are made from docs/openrpc.json; docs/rpc.md explains them. A name in an answer that a
client does not know is a text, for names may be added.
"""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict, Union

# The kind of an account.
AccountKind = Union[Literal[
    "gateway-liquidity",
    "merchant-payable",
    "cashback-pool",
    "cashback-owed",
    "fx-position",
    "fees",
    "suspense",
    "scheme-settlement",
], str]

# An account's name: kind, owner and currency, such as `gateway-liquidity:201:CNY`.
AccountName = str

# Bytes as base64 of RFC 4648 section 4, with padding.
Base64 = str

# A batch's id: the hash of its header.
BatchId = str

# How far a batch has come.
BatchState = Union[Literal["unknown", "admitted", "final"], str]

# The hash of a block's header.
BlockHash = str

# A stage whose deadline can be missed.
BreachStage = Union[Literal[
    "collected",
    "instructed",
    "arrived",
    "failed",
], str]

# Why cashback was refused on an order that was collected all the same.
CashbackRefusal = Union[Literal["over-month", "over-budget"], str]

# The kind of operation that changed an account.
CauseKind = Union[Literal[
    "genesis",
    "batch",
    "expiry",
    "instruction",
    "window-close",
    "order",
    "transfer",
    "settlement",
], str]

# A chain's id: SHA-256 of its genesis file.
ChainId = str

# A currency's ISO 4217 code; its three-digit number if ISO 4217 lists no code.
CurrencyCode = str

# A place in a list, as a page or an event of the same list gave it.
Cursor = str

# A day, such as `2026-11-23`.
Day = str

# A whole number of 0 to 18446744073709551615 in decimal digits.
DecimalNumber = str

# An exchange rate as a decimal number, with all the digits that it was given.
DecimalRate = str

# A SHA-256 digest or a Merkle root.
Digest = str

# The kind of message of which a validator signed two.
EquivocationKind = Union[Literal["prevotes", "precommits", "proposals"], str]

# An instruction's id: window, merchant and the currency's ISO 4217 number.
InstructionId = str

# The state of an instruction.
InstructionState = Union[Literal[
    "instructed",
    "arrived",
    "failed",
    "returned",
], str]

# A whole number in decimal digits, signed.
MinorUnits = str

# A month, such as `2026-11`.
Month = str

# An order's id: a UUID of version 7, in small letters.
OrderId = str

# The state of an order, from its submission to the arrival of the money.
OrderState = Union[Literal[
    "not-found",
    "rejected",
    "reserved",
    "debiting",
    "collected",
    "instructed",
    "arrived",
    "failed",
    "voided",
    "expired",
    "held",
    "refused",
    "returned",
], str]

# The kind of a policy's subject.
PolicyScope = Union[Literal["scheme", "gateway", "merchant"], str]

# A proposal's id: a UUID, in small letters.
ProposalId = str

# The state of a proposal.
ProposalStatus = Union[Literal[
    "proposed",
    "scheduled",
    "effective",
    "refused",
    "expired",
    "failed",
], str]

# An ed25519 public key.
PublicKey = str

# A reference of 32 bytes outside of the chain, such as a bank's.
Reference = str

# A participant's role.
RoleName = Union[Literal[
    "settlement-operator",
    "recharge-service",
    "gateway",
    "fx-provider",
    "risk-desk",
    "settlement-agent",
    "auditor",
    "merchant-registrar",
], str]

# A subscription's id, unique to its connection.
SubscriptionId = int

# The operation that a transfer makes.
TransferAction = Union[Literal["deposit", "withdraw", "cap"], str]

# A transfer's id: a UUID, in small letters.
TransferId = str

# The state of a transfer.
TransferStatus = Union[Literal[
    "proposed",
    "approved",
    "refused",
    "expired",
], str]

# A user's pseudonym.
UserPseudonym = str

# The stage of a batch until which `batch_submit` waits before it answers.
Wait = Literal["admitted", "final"]


class AccountProofReport(TypedDict):
    """An account's counters at a height, with their proof."""

    # The account after the block.
    account: AccountReport
    # The hash of that block's header, which holds the state digest.
    block_hash: BlockHash
    # The height of the block whose state the proof is about.
    height: int
    # The proof's bytes (docs/wire-format.md), as base64: what `sluice verify` reads.
    proof_base64: Base64
    # The digest of the whole state after it, to which the proof leads.
    state_digest: Digest
    # The time of that block, in milliseconds since 1970 (UTC).
    time_ms: int


class AccountReport(TypedDict):
    """An account's four counters and what follows from them."""

    # The account's name: kind, owner and currency.
    account: AccountName
    # The amount that may still be debited: balance and cap less pending debits.
    available: Money
    # Posted credits less posted debits.
    balance: Money
    # Credits reserved and not yet posted.
    credits_pending: Money
    # The sum of all credits posted since block zero.
    credits_posted: Money
    # Debits reserved and not yet posted.
    debits_pending: Money
    # The sum of all debits posted since block zero.
    debits_posted: Money
    # How far below zero the balance may go.
    net_debit_cap: Money
    # The rest of the balance: what is owed by or to others in windows that are not settled.
    position: Money
    # The part of the balance that is money at the scheme's bank: deposits and the sums of
    # settlements, less withdrawals. No more than this may be withdrawn.
    settled: Money


class BatchReference(TypedDict):
    """A batch in a block."""

    # The id of the batch: the hash of its header.
    batch_id: BatchId


class BatchReport(TypedDict):
    """A batch as this node knows it."""

    # The id of the batch: the hash of its header.
    batch_id: BatchId
    # Its place in that block.
    batch_index: NotRequired[int]
    # The hash of the block that holds the batch, once final.
    block_hash: NotRequired[BlockHash]
    # The time of the block that holds the batch, once final, in milliseconds since 1970 (UTC).
    block_time_ms: NotRequired[int]
    # The height of the block that holds it, once final.
    height: NotRequired[int]
    # The outcomes of its items, once final.
    outcomes: NotRequired[Outcomes]
    # How far it has come.
    state: BatchState


class BlockReport(TypedDict):
    """A block with everything in its header, its batch ids and its certificate."""

    # How many batches it holds.
    batch_count: int
    # Its batches, in the order of execution.
    batches: list[BatchReference]
    # Merkle root over the batch ids.
    batches_root: Digest
    # The hash of the block's header.
    block_hash: BlockHash
    # The quorum that decided it; absent for block zero.
    certificate: NotRequired[CertificateReport]
    # The canonical bytes (docs/wire-format.md) of each piece of its evidence, as base64.
    evidence_base64: NotRequired[list[Base64]]
    # How many pieces of evidence against validators it holds: see `chain_evidence`.
    evidence_count: int
    # Merkle root over its evidence.
    evidence_root: Digest
    # The header's canonical bytes (docs/wire-format.md), as base64.
    header_base64: Base64
    # The block's height; block zero is made from the genesis file.
    height: int
    # The digest of the parameters it was executed under.
    parameters_hash: Digest
    # The block before it.
    parent: BlockHash
    # The round in which the block before it was decided.
    parent_round: int
    # The validator who proposed it.
    proposer: int
    # The protocol version it was executed under.
    protocol_version: int
    # Merkle root over the outcomes roots.
    results_root: Digest
    # The round in which it was first proposed.
    round: int
    # The digest of the whole state after it.
    state_digest: Digest
    # The block's time, in milliseconds since 1970 (UTC).
    time_ms: int
    # The digest of the validators who decided it.
    validators_hash: Digest
    # The settlement window to which orders collected in it belong.
    window: int


class BlockSummary(TypedDict):
    """A block in short."""

    # How many batches it holds.
    batch_count: int
    # The hash of the block's header.
    block_hash: BlockHash
    # The block's height; block zero is made from the genesis file.
    height: int
    # The block before it.
    parent: BlockHash
    # The round in which the block before it was decided.
    parent_round: int
    # The validator who proposed it.
    proposer: int
    # The round in which it was first proposed.
    round: int
    # The digest of the whole state after it.
    state_digest: Digest
    # The block's time, in milliseconds since 1970 (UTC).
    time_ms: int
    # The settlement window to which orders collected in it belong.
    window: int


class BreachCount(TypedDict):
    """How often a stage's deadline was missed."""

    # The number of orders that missed it.
    count: int
    # The stage whose deadline was missed.
    stage: BreachStage


class BreachReport(TypedDict):
    """A deadline that was missed: a fact of the ledger."""

    # When it was due.
    deadline_ms: int
    # The height at which it did.
    height: int
    # The participant who was late, if it was one in particular.
    late: NotRequired[int]
    # The block time at which the chain noticed.
    noticed_ms: int
    # Its place among that block's breaches.
    sequence: int
    # The stage whose deadline was missed.
    stage: BreachStage
    # The order or instruction: its id.
    subject: str


class BudgetReport(TypedDict):
    """A programme's budget: what its account says."""

    # The amount that may still be granted: the balance less what is pending.
    available: Money
    # Credits less debits; a withdrawal that waits for its checker is still in it.
    balance: Money
    # The sum of deposits and of grants that were taken back.
    credited: Money
    # The sum of grants and of withdrawals.
    debited: Money


class CashbackReport(TypedDict):
    """The cashback at an order's collection: either granted, with tier and amount, or refused,
    with the reason.
    """

    # How much was granted.
    amount: NotRequired[Money]
    # Why none was granted.
    refused: NotRequired[CashbackRefusal]
    # The tier by which it was granted, from 1.
    tier: NotRequired[int]


class CashbackSumReport(TypedDict):
    """Cashback that one gateway granted on orders of an instruction."""

    # How much, less what was taken back before the arrival.
    amount: Money
    # The gateway that collected the orders.
    gateway: int


class CaughtReport(TypedDict):
    """A validator that was caught: evidence of it stands in a decided block."""

    # The height that it signed two values for.
    height: int
    # Its name in the registry.
    name: str
    # The round of that height.
    round: int
    # The validator's id: its place in the list of nodes.
    validator: int
    # The kind of message of which it signed two, in a few words.
    what: str


class CertificateReport(TypedDict):
    """The precommits of a quorum, which decided a block."""

    # The certificate's canonical bytes (docs/wire-format.md), as base64.
    certificate_base64: Base64
    # The round in which the block was decided.
    round: int
    # The validators who signed, ascending.
    signers: list[int]


class ChainInfo(TypedDict):
    """The chain, as of its genesis file. What grows with the scheme stands in lists of its own."""

    # SHA-256 of the genesis file.
    chain_id: ChainId
    # The currencies it accepts: ISO 4217 codes.
    currencies: list[CurrencyCode]
    # The time of block zero.
    genesis_time_ms: int
    # How many liquidity lines there are: see `chain_liquidity`.
    liquidity_count: int
    # How many merchants there are: see `chain_merchants`.
    merchant_count: int
    # The chain's name in the genesis file.
    name: str
    # Nodes; the place in the list is the validator's id.
    nodes: list[NodeReport]
    # Parameters from block zero on.
    parameters: ParametersReport
    # How many participants there are: see `chain_participants`.
    participant_count: int


class ConversionReport(TypedDict):
    """How an order's money changes its currency."""

    # The exact amount that the provider delivers and the merchant is paid, rounded down.
    payout: Money
    # The participant id of the FX provider that delivers.
    provider: int
    # The quote that it names.
    quote_id: DecimalNumber
    # The quote's rate, in units of the payout currency for one of the currency collected.
    rate: DecimalRate


class CorridorReport(TypedDict):
    """The deadlines that a paying gateway met and missed in a corridor: a payout currency, within
    or across currencies.
    """

    # Orders by the time from their instruction's earliest acceptance to its arrival, ascending.
    distribution: list[SlaBucket]
    # Instructions arrived that hold orders of the corridor.
    instruction_count: int
    # True if the orders were converted.
    is_cross_border: bool
    # Orders arrived after the corridor's deadline.
    late_count: int
    # The number of orders whose money arrived.
    order_count: int
    # The currency in which merchants are paid: an ISO 4217 code.
    payout_currency: CurrencyCode


class CountersReport(TypedDict):
    """An account's four counters at some point."""

    # Posted credits less posted debits.
    balance: Money
    # Credits reserved and not yet posted.
    credits_pending: Money
    # The sum of all credits posted since block zero.
    credits_posted: Money
    # Debits reserved and not yet posted.
    debits_pending: Money
    # The sum of all debits posted since block zero.
    debits_posted: Money
    # How far below zero the balance may go.
    net_debit_cap: Money
    # The settled part of the balance; the rest is the position.
    settled: Money


class CurrencyBalance(TypedDict):
    """The sums of one currency."""

    # Sum of pending credits: equal to it.
    credits_pending: Money
    # Sum of posted credits: equal to it.
    credits_posted: Money
    # Sum of pending debits.
    debits_pending: Money
    # Sum of posted debits.
    debits_posted: Money


class EntryReport(TypedDict):
    """One change of an account."""

    # The account after it.
    after: CountersReport
    # The kind of operation that caused the entry.
    cause: CauseKind
    # The name of the cause: a batch's height and place (`height/place`), an instruction's,
    # order's or transfer's id, a window's number; absent for genesis and expiry.
    cause_id: NotRequired[str]
    # Change of pending credits.
    credits_pending: Money
    # Change of posted credits.
    credits_posted: Money
    # Change of pending debits.
    debits_pending: Money
    # Change of posted debits.
    debits_posted: Money
    # The height of the block that made the entry.
    height: int
    # How many orders it sums up.
    order_count: int
    # Its place among the block's entries; ascending, not always by one.
    sequence: int
    # The time of that block, in milliseconds since 1970 (UTC).
    time_ms: int


class ErrorData(TypedDict):
    """The `data` of an error with a positive code, and of -32602."""

    # The cause in one sentence.
    cause: str
    # The values that were wrong; may be empty.
    detail: str
    # The stable name of the code.
    name: str
    # True if a new order with a new id may take the place of one that got this. Where it is
    # false, the order may be in the books, or may still come there: ask `recharge_order` first.
    new_id_is_safe: bool
    # The remedy in one sentence: what the caller does next.
    remedy: str
    # After how many milliseconds to try again, if the node can tell.
    retry_after_ms: NotRequired[int]
    # True if the same call may succeed later.
    transient: bool


class EvidenceReport(TypedDict):
    """A validator caught at signing two values where it may sign one."""

    # The height of the block that holds the evidence.
    block_height: int
    # The lower of the two values: a block hash; absent for a vote for nothing.
    first: NotRequired[BlockHash]
    # The height at which it did.
    height: int
    # The name of the validator's node.
    name: str
    # The round in which it did.
    round: int
    # The higher of the two values, in the same form as the first.
    second: NotRequired[BlockHash]
    # Its place among that block's evidence.
    sequence: int
    # The time of the block that holds the evidence, in milliseconds since 1970 (UTC).
    time_ms: int
    # The validator: its place in the list of nodes.
    validator: int
    # The kind of message of which it signed two.
    what: EquivocationKind


class FailureReport(TypedDict):
    """Why an instruction could not be paid."""

    # The nearest ISO 20022 external status reason code.
    iso_code: str
    # The reason's number, as docs/settlement-rules.md lists it.
    reason: int


class HandoverReport(TypedDict):
    """A change of validators."""

    # The handover's bytes (docs/wire-format.md), as base64.
    handover_base64: Base64
    # The last block that the validators before it decided; its height is the cursor after it.
    height: int


class HealthReport(TypedDict):
    """A node's readiness to serve."""

    # True if the node serves clients.
    is_ready: bool
    # Why not: a short sentence; absent when it does.
    reason: NotRequired[str]


class HeldOrderReport(TypedDict):
    """An order that waits for a risk desk."""

    # Until when it may be released: then it is refused by itself.
    decide_until_ms: int
    # Since when it waits.
    held_ms: int
    # The content of the order as it was submitted.
    order: OrderContent
    # The id of the held order.
    order_id: OrderId


class InstructionEvent(TypedDict):
    """An instruction as a subscription tells it."""

    # Subscribe with it to resume after this event.
    cursor: Cursor
    # The instruction as it stands when the event is sent.
    instruction: InstructionReport


class InstructionReport(TypedDict):
    """An order to a gateway to pay a merchant, made when a window closed."""

    # The amount that the gateway pays.
    amount: Money
    # How much of it is to be paid: an arrival is for exactly this.
    amount_left: Money
    # How much of it was sent back since it failed.
    amount_returned: Money
    # How often it was given to a paying gateway: 1, and one more for each failure corrected.
    attempt: int
    # Cashback on its orders: promised until it arrives, owed since; absent when there is none.
    cashback: NotRequired[list[CashbackSumReport]]
    # How many of them were converted.
    cross_border_count: int
    # By when the money must have arrived.
    deadline_ms: int
    # When the first of them was accepted.
    earliest_accepted_ms: int
    # The participant id of the party that attested the failure: its gateway, or the second
    # agent who stepped in.
    failed_by: NotRequired[int]
    # The reason of its last failure; absent if it has not failed.
    failure: NotRequired[FailureReport]
    # The gateway that pays.
    gateway: int
    # When it was made.
    instructed_ms: int
    # The instruction's id, `window-merchant-currency`.
    instruction_id: InstructionId
    # True if it arrived after its deadline.
    is_late: bool
    # The id of the merchant that is paid.
    merchant: DecimalNumber
    # How many orders it pays out.
    order_count: int
    # When an agent asked that this attempt shall not be paid.
    recalled_ms: NotRequired[int]
    # The bank's reference, hexadecimal; absent while it is instructed.
    reference: NotRequired[Reference]
    # When it arrived or failed, or the last of it was returned.
    settled_ms: NotRequired[int]
    # The instruction's present state.
    status: InstructionState
    # The window whose orders it pays out.
    window: int


class InstructionSelector(TypedDict):
    """A filter for the list of instructions: exactly one field is given."""

    # Those that this gateway pays.
    gateway: NotRequired[int]
    # Those of this window.
    window: NotRequired[int]


class ItemLocation(TypedDict):
    """The place of an operation in the chain."""

    # The id of the batch that holds it.
    batch_id: BatchId
    # The batch's place in the block.
    batch_index: int
    # The height of the block that holds it.
    height: int
    # The item's place in the batch.
    item_index: int


class ItemOutcome(TypedDict):
    """An item that was not applied."""

    # The outcome's code: below 100 as docs/settlement-rules.md lists them, else a rejection's.
    code: int
    # The item's place in the batch.
    item_index: int
    # The stable name that belongs to the code.
    name: str
    # The order's standing before the item, when that is why the item was not applied. It is
    # also absent if a batch names more old orders than one answer looks up: then the code's own
    # remedy holds, which asks first.
    standing: NotRequired[OrderStanding]


class LineReport(TypedDict):
    """How much a participant may have reserved on an account of another's, and has."""

    # The account, whose owner has given the line.
    account: AccountName
    # The participant id of the party that may reserve on the line.
    holder: int
    # The amount that the holder may still reserve.
    left: Money
    # The most that its open reservations may sum up to; zero once the line is ended.
    limit: Money
    # The sum of what the holder has reserved and not yet released.
    outstanding: Money
    # When the limit was set.
    since_ms: int


class LiquidityReport(TypedDict):
    """A gateway's line in one currency."""

    # The participant id of the gateway that owns the line.
    gateway: int
    # How far below zero its liquidity may go.
    net_debit_cap: Money
    # The gateway's deposit before block zero.
    opening_liquidity: Money


class ListedChange(TypedDict):
    """A change of a list that a proposal names."""

    # The change as people read it.
    change: ChangeReport
    # Its canonical bytes (docs/wire-format.md), as base64: the list's digest covers them.
    change_base64: Base64
    # Its place in the list, from zero.
    place: int


class MerchantReport(TypedDict):
    """A registered merchant, with the gateway that pays it."""

    # The legal entity that it belongs to; empty when that has no other party here.
    legal_entity: str
    # The merchant's id, as text.
    merchant: DecimalNumber
    # The merchant's name in the registry.
    name: str
    # The gateway that pays it.
    payout_gateway: int
    # True if new orders for it are refused.
    suspended: bool


class Money(TypedDict):
    """An amount of one currency, exact. Sums and differences may be negative."""

    # The ISO 4217 code; the three-digit number for a currency that ISO 4217 does not list.
    currency: CurrencyCode
    # Decimal digits of the minor unit: 12.34 CNY has `minor` 1234 and `exponent` 2.
    exponent: int
    # The amount in minor units, as a decimal string.
    minor: MinorUnits


class NodeReport(TypedDict):
    """A node of the network."""

    # The node's name in the registry.
    name: str
    # The key of its connections, hexadecimal; zeros of a node that was removed.
    network_key: PublicKey
    # Its place in the list: the validator's id, if it is one.
    node: int
    # The participant who runs it.
    operator: int
    # Voting power; zero for an edge node.
    power: int
    # True if governance removed it: it keeps its place and its name, and is no peer any more.
    removed: bool
    # The key of its votes, hexadecimal; zeros of a node that was removed.
    validator_key: PublicKey


class OpenRpcDocument(TypedDict):
    """An OpenRPC 1.3 document: https://spec.open-rpc.org."""

    # Schemas and errors by name.
    components: Any
    # The name and the version.
    info: Any
    # Every method.
    methods: Any
    # The version of OpenRPC.
    openrpc: str


class OrderContent(TypedDict):
    """An order as it was submitted."""

    # The amount that the user pays.
    amount: Money
    # True if it was submitted and collected in one step.
    collected_in_one_step: bool
    # The gateway that debits the user.
    collecting_gateway: int
    # The recharge service's own reference, hexadecimal.
    external_reference: Reference
    # The merchant who is paid.
    merchant: DecimalNumber
    # The gateway that pays the merchant, if the merchant is known.
    paying_gateway: NotRequired[int]
    # The currency in which the merchant is paid: an ISO 4217 code.
    payout_currency: CurrencyCode
    # The least that the merchant may be paid; absent when there is no bound.
    payout_minimum: NotRequired[Money]
    # The FX quote that it names.
    quote_id: NotRequired[DecimalNumber]
    # The participant id of the party that submitted it.
    submitter: int
    # The user's pseudonym, hexadecimal.
    user: UserPseudonym


class OrderReport(TypedDict):
    """An order as this node knows it."""

    # The cashback granted or refused; absent when none was due.
    cashback: NotRequired[CashbackReport]
    # How it is converted; absent when both currencies are the same or it was refused.
    conversion: NotRequired[ConversionReport]
    # The instruction that pays it, once its window closed.
    instruction_id: NotRequired[InstructionId]
    # The place of its submission in the chain, when it was found.
    location: NotRequired[ItemLocation]
    # The content of the order, when it was found.
    order: NotRequired[OrderContent]
    # The id that was asked for.
    order_id: OrderId
    # Why it was refused, when it was.
    rejection: NotRequired[RejectionReport]
    # The sum of its returns; absent when nothing was sent back.
    returned: NotRequired[ReturnedReport]
    # The range that was searched for the order.
    searched: Searched
    # When each stage happened.
    stages: Stages
    # The order's present state.
    status: OrderState
    # The place of the operation that gave it its status, when that was not its submission.
    status_location: NotRequired[ItemLocation]


class OrderStanding(TypedDict):
    """An order's standing, for an item that was not applied because the chain knows its order."""

    # The code of its submission.
    code: NotRequired[int]
    # The height of the block that holds its submission.
    height: NotRequired[int]
    # True if a new order with a new id may take its place, without anything being charged
    # twice.
    new_id_is_safe: bool
    # The remedy in one sentence.
    remedy: str
    # True if the item has the content that the chain knows under the id. Absent for operations
    # that only name an order, and for an order that is not found.
    same_content: NotRequired[bool]
    # How far the order's own steps have come; what follows a collection, `recharge_order` says.
    # `not-found`: it is in no block and never will be.
    status: OrderState
    # The height of the block that gave it its status.
    status_height: NotRequired[int]


class OutcomeCount(TypedDict):
    """How many items had one outcome."""

    # The outcome's code: below 100 as docs/settlement-rules.md lists them, else a rejection's.
    code: int
    # How many items had it.
    item_count: int
    # The stable name that belongs to the code.
    name: str


class Outcomes(TypedDict):
    """The outcomes of a batch's items: counts by code, and each item that was not applied."""

    # Every item's code, two little-endian bytes each, as base64; when asked for.
    codes_base64: NotRequired[Base64]
    # How many items had each code, ascending by code; codes that none had are left out.
    counts: list[OutcomeCount]
    # How many items the batch holds.
    item_count: int
    # The items that were not applied, ascending by index.
    not_applied: list[ItemOutcome]


class OutlookLineReport(TypedDict):
    """A submitter's line of an outlook."""

    # The line's bytes with the path to the head's root (docs/wire-format.md), as base64.
    proof_base64: Base64
    # The code of the rejection with which its batches are refused now; 0 when they are
    # admitted.
    reason: int
    # The moment from which its next batch is admitted, by the node's clock. A batch that is not
    # valid that long is never admitted.
    retry_at_ms: int
    # Its share over all nodes together.
    share_items_per_s: int
    # The submitter that the line is about.
    submitter: int
    # Its weight by governance; the standard is 100.
    weight: int


class OutlookReport(TypedDict):
    """A node's outlook, in numbers to read and in the bytes that it signed."""

    # The time of the block at that height.
    block_time_ms: int
    # The estimate of what blocks can take.
    capacity_items_per_s: int
    # The chain id, hexadecimal.
    chain_id: ChainId
    # The last committed height.
    height: int
    # The line of the submitter that was asked for; absent if it has none.
    line: NotRequired[OutlookLineReport]
    # The number of lines: one for each of the submitters with the largest demand.
    line_count: int
    # The busy part of the node's driver over a second, in millionths.
    load_ppm: int
    # The node's clock when it made the outlook.
    made_at_ms: int
    # The node that signed, by its place in the registry's list of nodes.
    node: int
    # How long what waits will take.
    queue_ms: int
    # The share of a submitter without a line, of the standard weight, in items a second.
    share_of_others_items_per_s: int
    # The signed head's bytes (docs/wire-format.md), as base64.
    signed_base64: Base64
    # The last moment at which the outlook may be referred to.
    valid_until_ms: int


class PageOfAccountReport(TypedDict):
    """A part of a list."""

    # The items, at most as many as asked for.
    items: list[AccountReport]
    # Pass it as `cursor` to get the items after these; absent when there were none. A cursor
    # stays good for ever.
    next: NotRequired[Cursor]


class PageOfBlockSummary(TypedDict):
    """A part of a list."""

    # The items, at most as many as asked for.
    items: list[BlockSummary]
    # Pass it as `cursor` to get the items after these; absent when there were none. A cursor
    # stays good for ever.
    next: NotRequired[Cursor]


class PageOfBreachReport(TypedDict):
    """A part of a list."""

    # The items, at most as many as asked for.
    items: list[BreachReport]
    # Pass it as `cursor` to get the items after these; absent when there were none. A cursor
    # stays good for ever.
    next: NotRequired[Cursor]


class PageOfEntryReport(TypedDict):
    """A part of a list."""

    # The items, at most as many as asked for.
    items: list[EntryReport]
    # Pass it as `cursor` to get the items after these; absent when there were none. A cursor
    # stays good for ever.
    next: NotRequired[Cursor]


class PageOfEvidenceReport(TypedDict):
    """A part of a list."""

    # The items, at most as many as asked for.
    items: list[EvidenceReport]
    # Pass it as `cursor` to get the items after these; absent when there were none. A cursor
    # stays good for ever.
    next: NotRequired[Cursor]


class PageOfHandoverReport(TypedDict):
    """A part of a list."""

    # The items, at most as many as asked for.
    items: list[HandoverReport]
    # Pass it as `cursor` to get the items after these; absent when there were none. A cursor
    # stays good for ever.
    next: NotRequired[Cursor]


class PageOfHeldOrderReport(TypedDict):
    """A part of a list."""

    # The items, at most as many as asked for.
    items: list[HeldOrderReport]
    # Pass it as `cursor` to get the items after these; absent when there were none. A cursor
    # stays good for ever.
    next: NotRequired[Cursor]


class PageOfInstructionReport(TypedDict):
    """A part of a list."""

    # The items, at most as many as asked for.
    items: list[InstructionReport]
    # Pass it as `cursor` to get the items after these; absent when there were none. A cursor
    # stays good for ever.
    next: NotRequired[Cursor]


class PageOfLineReport(TypedDict):
    """A part of a list."""

    # The items, at most as many as asked for.
    items: list[LineReport]
    # Pass it as `cursor` to get the items after these; absent when there were none. A cursor
    # stays good for ever.
    next: NotRequired[Cursor]


class PageOfLiquidityReport(TypedDict):
    """A part of a list."""

    # The items, at most as many as asked for.
    items: list[LiquidityReport]
    # Pass it as `cursor` to get the items after these; absent when there were none. A cursor
    # stays good for ever.
    next: NotRequired[Cursor]


class PageOfListedChange(TypedDict):
    """A part of a list."""

    # The items, at most as many as asked for.
    items: list[ListedChange]
    # Pass it as `cursor` to get the items after these; absent when there were none. A cursor
    # stays good for ever.
    next: NotRequired[Cursor]


class PageOfMerchantReport(TypedDict):
    """A part of a list."""

    # The items, at most as many as asked for.
    items: list[MerchantReport]
    # Pass it as `cursor` to get the items after these; absent when there were none. A cursor
    # stays good for ever.
    next: NotRequired[Cursor]


class PageOfParticipantReport(TypedDict):
    """A part of a list."""

    # The items, at most as many as asked for.
    items: list[ParticipantReport]
    # Pass it as `cursor` to get the items after these; absent when there were none. A cursor
    # stays good for ever.
    next: NotRequired[Cursor]


class PageOfPolicyReport(TypedDict):
    """A part of a list."""

    # The items, at most as many as asked for.
    items: list[PolicyReport]
    # Pass it as `cursor` to get the items after these; absent when there were none. A cursor
    # stays good for ever.
    next: NotRequired[Cursor]


class PageOfProgrammeReport(TypedDict):
    """A part of a list."""

    # The items, at most as many as asked for.
    items: list[ProgrammeReport]
    # Pass it as `cursor` to get the items after these; absent when there were none. A cursor
    # stays good for ever.
    next: NotRequired[Cursor]


class PageOfProposalReport(TypedDict):
    """A part of a list."""

    # The items, at most as many as asked for.
    items: list[ProposalReport]
    # Pass it as `cursor` to get the items after these; absent when there were none. A cursor
    # stays good for ever.
    next: NotRequired[Cursor]


class PageOfQuoteReport(TypedDict):
    """A part of a list."""

    # The items, at most as many as asked for.
    items: list[QuoteReport]
    # Pass it as `cursor` to get the items after these; absent when there were none. A cursor
    # stays good for ever.
    next: NotRequired[Cursor]


class PageOfRateReport(TypedDict):
    """A part of a list."""

    # The items, at most as many as asked for.
    items: list[RateReport]
    # Pass it as `cursor` to get the items after these; absent when there were none. A cursor
    # stays good for ever.
    next: NotRequired[Cursor]


class PageOfRegisteredMerchant(TypedDict):
    """A part of a list."""

    # The items, at most as many as asked for.
    items: list[RegisteredMerchant]
    # Pass it as `cursor` to get the items after these; absent when there were none. A cursor
    # stays good for ever.
    next: NotRequired[Cursor]


class PageOfRegistrarReport(TypedDict):
    """A part of a list."""

    # The items, at most as many as asked for.
    items: list[RegistrarReport]
    # Pass it as `cursor` to get the items after these; absent when there were none. A cursor
    # stays good for ever.
    next: NotRequired[Cursor]


class PageOfReturnReport(TypedDict):
    """A part of a list."""

    # The items, at most as many as asked for.
    items: list[ReturnReport]
    # Pass it as `cursor` to get the items after these; absent when there were none. A cursor
    # stays good for ever.
    next: NotRequired[Cursor]


class PageOfSlaReport(TypedDict):
    """A part of a list."""

    # The items, at most as many as asked for.
    items: list[SlaReport]
    # Pass it as `cursor` to get the items after these; absent when there were none. A cursor
    # stays good for ever.
    next: NotRequired[Cursor]


class PageOfTransferReport(TypedDict):
    """A part of a list."""

    # The items, at most as many as asked for.
    items: list[TransferReport]
    # Pass it as `cursor` to get the items after these; absent when there were none. A cursor
    # stays good for ever.
    next: NotRequired[Cursor]


class PageOfWindowReport(TypedDict):
    """A part of a list."""

    # The items, at most as many as asked for.
    items: list[WindowReport]
    # Pass it as `cursor` to get the items after these; absent when there were none. A cursor
    # stays good for ever.
    next: NotRequired[Cursor]


class ParametersReport(TypedDict):
    """The chain's parameters. Their bounds stand in docs/wire-format.md."""

    # The most batches in a block.
    block_batches_max: int
    # The least time between two blocks while there is work.
    block_interval_ms: int
    # The most items in a block.
    block_items_max: int
    # The most returns in a block.
    block_returns_max: int
    # How long after an arrival its money may come back.
    bounce_period_ms: int
    # How far a block's time may lie ahead of a voter's clock.
    clock_drift_ms: int
    # The longest time that a round waits, in milliseconds.
    consensus_timeout_max_ms: int
    # The first round's timeout of each consensus step.
    consensus_timeout_ms: int
    # The time by which each further round of a height waits longer, in milliseconds.
    consensus_timeout_step_ms: int
    # The beginning of the day of limits, in minutes east of UTC.
    day_offset_min: int
    # From acceptance to collection.
    deadline_collect_ms: int
    # From acceptance to arrival across currencies.
    deadline_cross_border_ms: int
    # From acceptance to arrival within a currency.
    deadline_domestic_ms: int
    # How often in a row a gateway may fail one instruction.
    failures_max: int
    # How many legal entities of operators approve a change, its maker's among them.
    governance_approvals: int
    # How many heights lie at least between a proposal and its activation.
    governance_notice_heights: int
    # The time between two blocks while there is none.
    heartbeat_ms: int
    # The largest amount of one order in minor units, as a decimal string.
    order_amount_max: DecimalNumber
    # How far an order id's time may lie ahead of block time.
    order_skew_ms: int
    # How long after its id's time an order may commit, and be collected.
    order_validity_ms: int
    # The least time that a paying gateway has from the close of a window.
    payment_least_ms: int
    # How long a governance proposal waits for approvals.
    proposal_validity_ms: int
    # How many heights a proposer whose turn failed is passed over.
    proposer_penalty_heights: int
    # How long a reservation holds a quote.
    quote_hold_ms: int
    # How far ahead a quote may be valid.
    quote_valid_max_ms: int
    # How long a provider's rate is fresh.
    rate_fresh_ms: int
    # How many fresh rates a reference takes.
    rates_min: int
    # How long the fresh rates have to keep to a new level.
    reference_confirm_ms: int
    # From how many thousandths on a step of a reference rate waits for confirmation.
    reference_step_per_mille: int
    # How long a reservation holds money.
    reservation_ms: int
    # How long after its id's time an order may be returned.
    return_period_ms: int
    # How long after the collection a return is converted back at the order's own rate.
    return_rate_ms: int
    # How long after the collection the collecting gateway alone takes an order back.
    reversal_grace_ms: int
    # How much rounding may cost of a converted amount, in thousandths.
    rounding_loss_max_per_mille: int
    # After how long others may move what its own gateway leaves alone.
    step_in_ms: int
    # How long a transfer waits for its checker.
    transfer_validity_ms: int
    # How long a settlement window stays open.
    window_ms: int


class ParticipantReport(TypedDict):
    """A registered legal party, with its key and its roles."""

    # The legal entity that it belongs to; empty when that has no other party here.
    legal_entity: str
    # The participant's name in the registry.
    name: str
    # The participant's id, which its order ids end in.
    participant: int
    # The ed25519 key that signs its batches, as 64 hexadecimal digits.
    public_key: PublicKey
    # Its roles, by the names that the genesis file uses.
    roles: list[RoleName]
    # True if it is barred.
    suspended: bool


class PassedOverReport(TypedDict):
    """A validator whose turns to propose come last for a while."""

    # Its name in the registry.
    name: str
    # Why, in a few words.
    reason: str
    # The last height of it.
    until_height: int
    # The validator's id: its place in the list of nodes.
    validator: int


class PeerReport(TypedDict):
    """Another node, as this node is connected to it."""

    # True if it is connected.
    is_connected: bool
    # The peer's name in the registry.
    name: str
    # The key of its connections, hexadecimal.
    network_key: PublicKey
    # How long ago it said so.
    said_age_ms: NotRequired[int]
    # The height that it said last; absent before it has said one.
    said_height: NotRequired[int]


class PolicyReport(TypedDict):
    """A risk desk's limits for a scope and currency; what is absent is not bounded."""

    # The currency that is collected: an ISO 4217 code.
    currency: CurrencyCode
    # The largest sum of the subject's orders of a day.
    day_max: NotRequired[Money]
    # The amount of `day_max` that the subject has used today; absent when that is not bounded.
    day_used: NotRequired[Money]
    # The risk desk that set it.
    desk: int
    # Orders above this are held.
    hold_above: NotRequired[Money]
    # The largest amount of one order.
    order_max: NotRequired[Money]
    # The kind of its subject.
    scope: PolicyScope
    # When it was set.
    since_ms: int
    # The gateway's or merchant's id; zero for the scheme.
    subject: DecimalNumber
    # The largest sum of a user's orders of a day.
    user_day_max: NotRequired[Money]


class PositionReport(TypedDict):
    """The debits, the credits and the net of a party in one currency of one window."""

    # The sum that the party is owed.
    gross_credits: Money
    # The sum that the party owes.
    gross_debits: Money
    # As what: gateway liquidity, FX position or cashback pool.
    kind: AccountKind
    # `gross_credits` less `gross_debits`: below zero, it owes on balance.
    net: Money
    # The participant's or merchant's id; zero for the scheme.
    owner: DecimalNumber


class PreviousKey(TypedDict):
    """A key that was replaced and is still accepted."""

    # The ed25519 key, as 64 hexadecimal digits.
    public_key: PublicKey
    # The last height whose block accepts it.
    until_height: int


class ProgrammeReport(TypedDict):
    """A merchant's cashback programme in one currency."""

    # The account from which grants are paid.
    budget: BudgetReport
    # The currency of its orders and of its budget: an ISO 4217 code.
    currency: CurrencyCode
    # True if it grants anything to an order that is collected in the next block.
    is_active: bool
    # The id of the merchant whose programme this is.
    merchant: DecimalNumber
    # The programme's number among the merchant's, from 1.
    number: int
    # Its versions, ascending: the last one whose height has come is in force.
    versions: list[ProgrammeVersion]


class ProgrammeVersion(TypedDict):
    """A programme as it holds from a height on."""

    # The ids of the gateways that take part, ascending.
    gateways: list[int]
    # True if it grants anything.
    is_active: bool
    # Its time zone: minutes east of UTC.
    offset_min: int
    # The least order that counts and earns.
    order_least: Money
    # The most for one order; absent when there is no bound.
    order_max: NotRequired[Money]
    # The first block that executes under it.
    since_height: int
    # The tiers, ascending by the count of orders from which each applies.
    tiers: list[TierReport]
    # The most for one user and month; absent when there is no bound.
    user_month_max: NotRequired[Money]


class ProposalReport(TypedDict):
    """A change that a settlement operator proposed."""

    # The first block that shall execute under it, as its maker said.
    activation_height: int
    # The operators who approved, its maker first.
    approvals: list[int]
    # Operators of how many legal entities have to approve.
    approvals_needed: int
    # Until when it waits for approvals.
    approve_until_ms: int
    # The change of the registry that is proposed.
    change: ChangeReport
    # The change's canonical bytes (docs/wire-format.md), as base64: the digest covers them.
    change_base64: Base64
    # The digest of the proposal, which an approval names.
    digest: Digest
    # The first block that executes under it: that one, or a later one by which the notice after
    # the last approval that it needed is over.
    due_height: int
    # The rejection that the change met when it was due; absent if it has not failed.
    failure: NotRequired[RejectionReport]
    # The participant id of the operator that proposed it.
    maker: int
    # The proposal's id, a UUID.
    proposal_id: ProposalId
    # When it was proposed.
    proposed_ms: int
    # The operators who refused.
    refusals: list[int]
    # How far it has come.
    status: ProposalStatus
    # The block that set the status.
    status_height: int


class QuoteReport(TypedDict):
    """A provider's offer to convert."""

    # How much may be collected under it.
    ceiling: Money
    # The currency that is collected.
    currency: CurrencyCode
    # True if an order may still use it, at the time of the node's head.
    is_valid: bool
    # When it was issued.
    issued_ms: int
    # The amount that orders may still use; zero once the quote's time is over.
    left: Money
    # The currency that is paid out.
    payout_currency: CurrencyCode
    # The participant id of the FX provider that made the quote.
    provider: int
    # Its number; the upper 32 bits are the provider's id.
    quote_id: DecimalNumber
    # The payout currency's units for one unit of the currency, as a decimal number.
    rate: DecimalRate
    # How much of that is used by collected and reserved orders; absent once it is over so long
    # that nothing can be given back to it.
    used: NotRequired[Money]
    # The last block time at which an order may use it.
    valid_until_ms: int


class RateReport(TypedDict):
    """A provider's rate of a pair."""

    # The currency that is collected.
    currency: CurrencyCode
    # True if it counts for the reference at the node's head.
    is_fresh: bool
    # When the provider observed it.
    observed_ms: int
    # The currency that is paid out.
    payout_currency: CurrencyCode
    # The participant id of the FX provider that published it.
    provider: int
    # When it was published.
    published_ms: int
    # The payout currency's units for one unit of the currency, as a decimal number.
    rate: DecimalRate


class ReceiptReport(TypedDict):
    """An order's receipt, with the stages that it proves."""

    # The id of the order that the receipt is about.
    order_id: OrderId
    # True if the receipt proves the arrival.
    proves_arrival: bool
    # True if the receipt proves the collection.
    proves_collection: bool
    # The receipt's bytes (docs/wire-format.md), as base64.
    receipt_base64: Base64
    # How many returns it proves.
    return_count: int


class ReferenceReport(TypedDict):
    """The reference rate of a pair."""

    # The level from which the median may differ by less than a step; absent before the first.
    confirmed: NotRequired[DecimalRate]
    # The currency that is collected.
    currency: CurrencyCode
    # How many rates are fresh.
    fresh_count: int
    # The node's head, as of which this holds.
    height: int
    # Why there is none: what an order that names a quote of the pair would be refused with.
    missing: NotRequired[RejectionReport]
    # The currency that is paid out.
    payout_currency: CurrencyCode
    # How many providers have ever published one.
    provider_count: int
    # The median of the fresh rates; absent when there are too few.
    rate: NotRequired[DecimalRate]
    # How many fresh ones it takes.
    rates_min: int
    # The block time at which it was computed, in milliseconds since 1970 (UTC).
    time_ms: int
    # A level further away, which waits for confirmation.
    waiting: NotRequired[DecimalRate]
    # From when on a published rate confirms that level, if the fresh rates have kept to it.
    waiting_until_ms: NotRequired[int]


class RegisteredMerchant(TypedDict):
    """A merchant as it is registered now."""

    # The first height under its last change; absent when it is as the genesis file says.
    changed_height: NotRequired[int]
    # The legal entity that it belongs to; empty when that has no other party here.
    legal_entity: str
    # The merchant's id, as text.
    merchant: DecimalNumber
    # The merchant's name in the registry.
    name: str
    # A keyed hash of its account there, hexadecimal; absent when the gateway knows it by its
    # id.
    payout_account: NotRequired[Digest]
    # The gateway that pays it.
    payout_gateway: int
    # True if new orders for it are refused.
    suspended: bool


class RegisteredParticipant(TypedDict):
    """A participant with the keys that its batches may be signed with."""

    # The legal entity that it belongs to; empty when that has no other party here.
    legal_entity: str
    # The participant's name in the registry.
    name: str
    # The participant's id, which its order ids end in.
    participant: int
    # Its key before the present one, while that is still accepted.
    previous_key: NotRequired[PreviousKey]
    # The ed25519 key that signs its batches, as 64 hexadecimal digits.
    public_key: PublicKey
    # Its roles, by the names that the genesis file uses.
    roles: list[RoleName]
    # True if it is barred.
    suspended: bool


class RegistrarReport(TypedDict):
    """A merchant registrar, and what it may still do in the chain's present day."""

    # How many merchants it has added in the day of the node's head.
    added: int
    # The most merchants that it adds in a day.
    added_max: int
    # How many changes it has made in that day.
    changed: int
    # The most changes that it makes in a day of merchants which are there.
    changed_max: int
    # The gateway whose merchants it adds and changes.
    gateway: int
    # The id of the registrar.
    participant: int


class RegistryReport(TypedDict):
    """The parties and nodes of the chain, and the rules by which the next block is executed."""

    # The currencies that are accepted: ISO 4217 codes.
    currencies: list[CurrencyCode]
    # The node's head: this holds for the block after it.
    height: int
    # Nodes; the place in the list is the validator's id.
    nodes: list[NodeReport]
    # The parameters of the chain.
    parameters: ParametersReport
    # Participants, ascending by id.
    participants: list[RegisteredParticipant]
    # The protocol version by which blocks are executed.
    protocol_version: int


class RejectionReport(TypedDict):
    """Why an order was refused."""

    # The cause in one sentence.
    cause: str
    # The rejection's code, as docs/rejections.md lists it.
    code: int
    # The stable name of the code.
    name: str
    # The remedy in one sentence.
    remedy: str


class RestReport(TypedDict):
    """The sums that decide how much of a month's cashback an order takes along when it is
    returned: section 8 of docs/settlement-rules.md.
    """

    # The rest of its grants, after returns.
    granted: Money
    # True if something was taken along already, or could have been by a forced return.
    is_shifted: bool
    # The largest of them that there was.
    largest: Money
    # The month, written `2026-11`, in the programme's time zone.
    month: Month
    # The most that a return of one of its orders can cost now: who names as much in
    # `rested_max` is not refused.
    most: Money
    # How many of them one order that goes can take along; 7 stands for all.
    steps: int


class ReturnReport(TypedDict):
    """Money of an order that was sent back."""

    # How much of the order, in the currency that was collected.
    amount: Money
    # How much cashback of the order was taken back, or is promised no longer.
    cashback: Money
    # How much the gateway paid for other cashback of the user's month that rested on the order.
    cashback_rested: Money
    # How much of `cashback` the collecting gateway had paid before, and does not pay again.
    cashback_set_off: Money
    # The gateway that sent it back.
    gateway: int
    # The block that holds it.
    height: int
    # True if the order's window was still open: a reversal.
    is_reversal: bool
    # True if the collecting gateway got the payout as it was, in the payout currency, and not
    # the amount: the time in which the provider converts back at the order's rate was over.
    is_unconverted: bool
    # The nearest ISO 20022 code.
    iso_code: str
    # The id of the order whose money goes back.
    order_id: OrderId
    # How much of the payout, in the currency that the merchant is paid in.
    payout: Money
    # The reason's number, as docs/settlement-rules.md lists it.
    reason: int
    # The bank's reference, hexadecimal.
    reference: Reference
    # When it was recorded.
    returned_ms: int
    # The number of the return among the order's, from 1.
    sequence: int


class ReturnedReport(TypedDict):
    """The sum of an order's returns."""

    # The sum of its returns.
    amount: Money
    # The amount of the order that has not been sent back.
    left: Money
    # The returns in order, at most 100 of them: `settlement_returns` gives all.
    returns: list[ReturnReport]


class Searched(TypedDict):
    """The range that a search covered: it makes "not found" an answer."""

    # The first height searched.
    from_height: int
    # The last block time at which an order of this id may commit.
    may_commit_until_ms: int
    # True if the order may still commit: the head has not reached that time.
    may_still_commit: bool
    # The last height searched: the node's head.
    to_height: int
    # The block time of that head.
    to_time_ms: int


class SettlementProposedReport(TypedDict):
    """A settlement of a window that is proposed."""

    # The participant id of the agent that proposed it.
    agent: int
    # When it was proposed.
    proposed_ms: int
    # The reference of the settlement outside, hexadecimal.
    reference: Reference
    # The participant id of the agent that refused it; absent if nobody did.
    refused_by: NotRequired[int]


class SlaBucket(TypedDict):
    """A step of a distribution of times."""

    # How many orders took longer than the step before, and no longer than this one.
    order_count: int
    # The longest time in it; absent for the last step, which has no bound.
    up_to_ms: NotRequired[int]


class SlaReport(TypedDict):
    """How well a participant keeps its deadlines."""

    # Deadlines that it missed, by stage.
    breaches: list[BreachCount]
    # As a paying gateway: what arrived, by payout currency, domestic before cross-border.
    corridors: list[CorridorReport]
    # The participant; absent for breaches that were nobody's in particular.
    participant: NotRequired[int]


class Stages(TypedDict):
    """When each stage happened, in block time."""

    # When the submission committed (also of a rejected order).
    accepted_ms: NotRequired[int]
    # When the arrival (or failure) was recorded.
    arrived_ms: NotRequired[int]
    # When it was collected.
    collected_ms: NotRequired[int]
    # By when the money must have arrived, counted from acceptance.
    deadline_ms: NotRequired[int]
    # When its gateway said that it debits the user; only as long as it is debiting.
    debiting_ms: NotRequired[int]
    # When it was voided, refused after a hold, or expired.
    ended_ms: NotRequired[int]
    # When its instruction was made.
    instructed_ms: NotRequired[int]
    # Until when its gateway may take it back alone, if its window is open for as long; absent
    # when the chain grants no such grace, and once the window is closed.
    reversible_until_ms: NotRequired[int]


class StatusReport(TypedDict):
    """A node's head, its readiness and its pool."""

    # The hash of that block, hexadecimal.
    block_hash: BlockHash
    # The time of the head's block, in milliseconds since 1970 (UTC).
    block_time_ms: int
    # Validators that the chain holds evidence against, the newest evidence first.
    caught: list[CaughtReport]
    # The chain id, hexadecimal.
    chain_id: ChainId
    # The newest block applied.
    height: int
    # The highest height that validators with more than a third of the power say they have, or
    # the node's own if that is higher.
    highest_known_height: int
    # True if the node is well behind the validators and fetching blocks.
    is_catching_up: bool
    # True if the node serves: new batches are taken, and it knows that its head is the chain's.
    is_ready: bool
    # How long ago the node committed its last block; before the first one since its start, the
    # age of that block by its time.
    last_block_age_ms: int
    # The names of the validators whose proposal or votes are missing.
    missing: list[str]
    # The node's name in the registry.
    name: str
    # Validators whose turns to propose come last for a while.
    passed_over: list[PassedOverReport]
    # Peers, connected and configured.
    peers: list[PeerReport]
    # Batches held that are in no block yet.
    pool_batch_count: int
    # The number of items in the waiting batches.
    pool_item_count: int
    # Why the node is not ready, in the words of `/readyz`; absent when it is.
    reason: NotRequired[str]
    # The running round of the next height; absent while that height has not begun here.
    round: NotRequired[int]
    # The state's digest after it, hexadecimal.
    state_digest: Digest
    # Milliseconds since the process started.
    uptime_ms: int
    # The validator's id; absent for a node that has no vote at its head.
    validator: NotRequired[int]
    # The version of the program, as `sluice --version` prints it.
    version: str
    # The next block waits for this: `proposal of node-2`, `prevotes of node-2, node-3`,
    # `precommits of node-3`, `work`, `blocks of the validators` at a node without a vote, or
    # `heights of a quorum` at a validator that does not know yet whether it voted before.
    waits_for: NotRequired[str]


class TierReport(TypedDict):
    """"Above five recharges in a calendar month, eight percent"."""

    # It holds for the recharges after this many in the month.
    above: int
    # Hundredths of a percent of the order's amount.
    basis_points: int


class TransferReport(TypedDict):
    """A deposit, a withdrawal or a net debit cap."""

    # The account that the money enters or leaves.
    account: AccountName
    # The direction of the money.
    action: TransferAction
    # How much; of a cap, the new cap.
    amount: Money
    # The participant id of the agent that decided it; absent while it waits.
    checker: NotRequired[int]
    # The checker's reference, hexadecimal.
    checker_reference: NotRequired[Reference]
    # Until when it waits for its checker.
    decide_until_ms: int
    # When it was decided, or expired.
    decided_ms: NotRequired[int]
    # The participant id of the agent that proposed it.
    maker: int
    # The block that holds the proposal.
    proposed_height: int
    # When it was proposed.
    proposed_ms: int
    # The maker's reference, hexadecimal.
    reference: Reference
    # How far it has come.
    status: TransferStatus
    # The transfer's id, a UUID.
    transfer_id: TransferId


class TrialBalanceReport(TypedDict):
    """The sums of all accounts."""

    # Per currency, ascending by ISO 4217 number.
    currencies: list[CurrencyBalance]
    # The node's head, at which they were made.
    height: int
    # True if debits equal credits in every currency, pending and posted.
    is_balanced: bool


class UserDayReport(TypedDict):
    """A user's orders of one day."""

    # The day of the node's head in the chain's day offset: `2026-11-23`.
    day: Day
    # The most that a day may sum up to; absent when there is no bound.
    day_max: NotRequired[Money]
    # The amount that the user may still use today.
    left: NotRequired[Money]
    # The sum of what was reserved and collected.
    used: Money
    # The user's pseudonym, hexadecimal.
    user: UserPseudonym


class UserMonthReport(TypedDict):
    """A user's recharges of one month under one programme."""

    # Cashback granted in it.
    granted: Money
    # The amount that may still be granted in the month; absent when the programme sets no
    # bound.
    left: NotRequired[Money]
    # The id of the merchant whose programme grants.
    merchant: DecimalNumber
    # The month of the node's head in the programme's time zone: `2026-11`.
    month: Month
    # Orders collected in it.
    recharge_count: int
    # The cashback that can rest on one of its orders.
    rests: RestReport
    # The cashback that can rest on an order of the month before; absent when nothing is kept of
    # it.
    rests_before: NotRequired[RestReport]
    # The user's pseudonym, hexadecimal.
    user: UserPseudonym


class WindowProofReport(TypedDict):
    """The proof of a closed window's report. What it reports is in its bytes, to be verified
    there.
    """

    # The hash of the block whose records root the proof leads to.
    block_hash: BlockHash
    # The block that closed it and left its report: the one after its last block.
    height: int
    # The proof's bytes (docs/wire-format.md), as base64: what `sluice verify` reads.
    proof_base64: Base64
    # The root over all records of that block, to which the proof leads.
    records_root: Digest
    # The block with the word that the window is settled; absent while it was not given, and
    # then the proof holds none.
    settled_height: NotRequired[int]
    # The time of that block: when the window closed.
    time_ms: int
    # The number of the proven window.
    window: int


class WindowReport(TypedDict):
    """A settlement window, open or closed."""

    # When it closed; absent while it is open.
    closed_ms: NotRequired[int]
    # The digest of the positions, hexadecimal: what maker and checker of the settlement sign;
    # absent while the window is open.
    digest: NotRequired[Digest]
    # The height of its first block.
    first_height: int
    # Instructions it made when it closed.
    instruction_count: int
    # Its last block; absent while it is open.
    last_height: NotRequired[int]
    # The block time at which it opened, in milliseconds since 1970 (UTC).
    opened_ms: int
    # Orders collected in it.
    order_count: int
    # The debits and credits of each party, by currency within party: the interbank settlement
    # report. Per currency the nets add up to zero.
    positions: list[PositionReport]
    # A settlement that waits for its checker, or that was refused.
    proposed: NotRequired[SettlementProposedReport]
    # The settlement by the banks; absent while no checker has approved one.
    settled: NotRequired[WindowSettledReport]
    # The window's number; the first is 0.
    window: int


class WindowSettledReport(TypedDict):
    """The settlement of a window: its nets are posted."""

    # The participant id of the agent that proposed it.
    agent: int
    # The participant id of the agent that approved it.
    checker: int
    # The block that holds the approval.
    height: int
    # The reference of the settlement outside, hexadecimal.
    reference: Reference
    # When it was approved.
    settled_ms: int


# A block's name in a question: its height as a number, or its hash as hexadecimal text.
BlockSelector = Union[
    int,
    BlockHash,
]


class ChangeReportParticipant(ParticipantReport):
    kind: Literal["participant"]


class ChangeReportKey(TypedDict):
    kind: Literal["key"]
    # For how many blocks from the activation on the key before is still accepted.
    overlap_heights: int
    # The id of the participant whose key changes.
    participant: int
    # The new one, hexadecimal.
    public_key: PublicKey


class ChangeReportParticipantSuspended(TypedDict):
    kind: Literal["participant-suspended"]
    # The id of the participant.
    participant: int
    # True if batches of the participant are refused from the activation on.
    suspended: bool


class ChangeReportMerchant(RegisteredMerchant):
    kind: Literal["merchant"]


class ChangeReportMerchantSuspended(TypedDict):
    kind: Literal["merchant-suspended"]
    # The id of the merchant, as text.
    merchant: DecimalNumber
    # True if new orders for the merchant are refused from the activation on.
    suspended: bool


class ChangeReportParameter(TypedDict):
    kind: Literal["parameter"]
    # Its name; its number, when this software does not know it.
    parameter: str
    # The value, as a decimal string.
    value: DecimalNumber


class ChangeReportNode(TypedDict):
    kind: Literal["node"]
    # The name of the new node.
    name: str
    # The key of its connections, hexadecimal.
    network_key: PublicKey
    # The participant who runs it.
    operator: int
    # Voting power; zero for an edge node.
    power: int
    # The key of its votes, hexadecimal.
    validator_key: PublicKey


class ChangeReportPower(TypedDict):
    kind: Literal["power"]
    # The node's place in the list.
    node: int
    # The power; zero for none.
    power: int


class ChangeReportCurrency(TypedDict):
    # Its ISO 4217 code.
    currency: CurrencyCode
    kind: Literal["currency"]


class ChangeReportProgramme(TypedDict):
    # The currency: an ISO 4217 code.
    currency: CurrencyCode
    # The ids of the gateways that take part, ascending.
    gateways: list[int]
    # True if it grants anything.
    is_active: bool
    kind: Literal["programme"]
    # The id of the merchant, as text.
    merchant: DecimalNumber
    # Its time zone: minutes east of UTC.
    offset_min: int
    # The least order that counts and earns.
    order_least: Money
    # The most for one order; absent when there is no bound.
    order_max: NotRequired[Money]
    # The first block that executes under it.
    since_height: int
    # The tiers, ascending by the count of orders from which each applies.
    tiers: list[TierReport]
    # The most for one user and month; absent when there is no bound.
    user_month_max: NotRequired[Money]


class ChangeReportProtocolVersion(TypedDict):
    kind: Literal["protocol-version"]
    # The number of the version.
    protocol_version: int


class ChangeReportNodeKeys(TypedDict):
    kind: Literal["node-keys"]
    # The new key of its connections, hexadecimal.
    network_key: PublicKey
    # The node's place in the list.
    node: int
    # The new key of its votes, hexadecimal; of an edge node the same as `network_key`.
    validator_key: PublicKey


class ChangeReportNodeRemoved(TypedDict):
    kind: Literal["node-removed"]
    # The node's place in the list.
    node: int


class ChangeReportList(TypedDict):
    # How many changes it has.
    count: int
    # The digest of the list: the Merkle root of its items.
    digest: Digest
    kind: Literal["list"]


class ChangeReportRegistrar(TypedDict):
    # The most merchants that it adds in a day.
    added_max: int
    # The most changes that it makes in a day of merchants which are there.
    changed_max: int
    # The gateway whose merchants it adds and changes.
    gateway: int
    kind: Literal["registrar"]
    # The id of the registrar.
    participant: int


# One change of the registry.
ChangeReport = Union[
    ChangeReportParticipant,
    ChangeReportKey,
    ChangeReportParticipantSuspended,
    ChangeReportMerchant,
    ChangeReportMerchantSuspended,
    ChangeReportParameter,
    ChangeReportNode,
    ChangeReportPower,
    ChangeReportCurrency,
    ChangeReportProgramme,
    ChangeReportProtocolVersion,
    ChangeReportNodeKeys,
    ChangeReportNodeRemoved,
    ChangeReportList,
    ChangeReportRegistrar,
]


class BatchSubmitParams(TypedDict):
    """Submits one signed batch (docs/wire-format.md) as one base64 string."""

    # The bytes of a signed batch (docs/wire-format.md).
    bytes_base64: Base64
    # The stage of the batch at which the node answers.
    wait: NotRequired[Wait]
    # The longest wait, in milliseconds: 10,000 by default, and at most the server's
    # `wait_ms_max`.
    timeout_ms: NotRequired[int]
    # True if the answer gives every item's code. False by default.
    with_codes: NotRequired[bool]


class BatchStatusParams(TypedDict):
    """The state of a batch at this node, with its outcomes once it is final."""

    # The batch's id.
    batch_id: BatchId
    # True if the answer gives every item's code. False by default.
    with_codes: NotRequired[bool]


class RechargeOrderParams(TypedDict):
    """An order's status with the time of every stage."""

    # The order's id.
    order_id: OrderId


class RechargeReceiptParams(TypedDict):
    """An order's receipt: its outcome with everything needed to verify it offline, given only the
    genesis file.
    """

    # The order's id.
    order_id: OrderId
    # True if the changes of validators are left out of the proof, for a verifier that has them
    # from `chain_lineage`. False by default.
    lineage_apart: NotRequired[bool]


class SettlementWindowsParams(TypedDict):
    """Windows, newest first; the open one is among them."""

    # A place in this list: the items after it are asked for. It is the `next` of a page or the
    # `cursor` of an event, unchanged; without one, the list begins. A cursor stays good for
    # ever.
    cursor: NotRequired[Cursor]
    # The most items of the page.
    limit: NotRequired[int]


class SettlementWindowParams(TypedDict):
    """One window with the debits and credits of each party, by its number."""

    # The window's number; the first is 0.
    window: int


class SettlementWindowProofParams(TypedDict):
    """The report of a closed window, and the word that it is settled if it was given, with
    everything needed to verify them offline.
    """

    # The window's number; the first is 0.
    window: int
    # True if the changes of validators are left out of the proof, for a verifier that has them
    # from `chain_lineage`. False by default.
    lineage_apart: NotRequired[bool]


class SettlementInstructionsParams(TypedDict):
    """Instructions of a window or of a paying gateway, ascending by id."""

    # The instructions that are asked for: exactly one of its fields is given.
    filter: InstructionSelector
    # A place in this list: the items after it are asked for. It is the `next` of a page or the
    # `cursor` of an event, unchanged; without one, the list begins. A cursor stays good for
    # ever.
    cursor: NotRequired[Cursor]
    # The most items of the page.
    limit: NotRequired[int]


class SettlementInstructionParams(TypedDict):
    """One instruction by its id, `window-merchant-currency`."""

    # The instruction's id.
    instruction_id: InstructionId


class SettlementBreachesParams(TypedDict):
    """Deadlines that were missed, oldest first."""

    # A place in this list: the items after it are asked for. It is the `next` of a page or the
    # `cursor` of an event, unchanged; without one, the list begins. A cursor stays good for
    # ever.
    cursor: NotRequired[Cursor]
    # The most items of the page.
    limit: NotRequired[int]


class SettlementReturnsParams(TypedDict):
    """Returns of one order, in order of their sequence numbers."""

    # The order's id.
    order_id: OrderId
    # A place in this list: the items after it are asked for. It is the `next` of a page or the
    # `cursor` of an event, unchanged; without one, the list begins. A cursor stays good for
    # ever.
    cursor: NotRequired[Cursor]
    # The most items of the page.
    limit: NotRequired[int]


class SettlementSlaParams(TypedDict):
    """How well deadlines are kept, since block zero: one item a participant, ascending by id."""

    # A place in this list: the items after it are asked for. It is the `next` of a page or the
    # `cursor` of an event, unchanged; without one, the list begins. A cursor stays good for
    # ever.
    cursor: NotRequired[Cursor]
    # The most items of the page.
    limit: NotRequired[int]


class SettlementSubscribeInstructionsParams(TypedDict):
    """Instructions to a paying gateway, ascending by id: first those that exist, then each as its
    window closes.
    """

    # The participant id of the paying gateway.
    gateway: int
    # A place in this list: the items after it are asked for. It is the `next` of a page or the
    # `cursor` of an event, unchanged; without one, the list begins. A cursor stays good for
    # ever.
    cursor: NotRequired[Cursor]


class SettlementUnsubscribeInstructionsParams(TypedDict):
    """Ends a subscription of `settlement_subscribe_instructions`."""

    # The id that the subscription's call gave.
    subscription: SubscriptionId


class LedgerAccountsParams(TypedDict):
    """Accounts, ascending by kind, owner and currency."""

    # A place in this list: the items after it are asked for. It is the `next` of a page or the
    # `cursor` of an event, unchanged; without one, the list begins. A cursor stays good for
    # ever.
    cursor: NotRequired[Cursor]
    # The most items of the page.
    limit: NotRequired[int]


class LedgerAccountParams(TypedDict):
    """One account with its counters and its balance, by its name."""

    # The account's name.
    account: AccountName


class LedgerEntriesParams(TypedDict):
    """The changes of an account, oldest first: one entry a cause and block, not one an order."""

    # The account's name.
    account: AccountName
    # A place in this list: the items after it are asked for. It is the `next` of a page or the
    # `cursor` of an event, unchanged; without one, the list begins. A cursor stays good for
    # ever.
    cursor: NotRequired[Cursor]
    # The most items of the page.
    limit: NotRequired[int]


class LedgerAccountProofParams(TypedDict):
    """An account's counters after the block of a height, with everything needed to verify them
    offline.
    """

    # The account's name.
    account: AccountName
    # The height of the block after which the account is asked for; without one, the head's.
    height: NotRequired[int]
    # True if the changes of validators are left out of the proof, for a verifier that has them
    # from `chain_lineage`. False by default.
    lineage_apart: NotRequired[bool]


class LedgerTrialBalanceParams(TypedDict):
    """The sums of all accounts per currency at the node's head: debits equal credits."""

    pass


class LedgerTransfersParams(TypedDict):
    """Deposits, withdrawals and net debit caps, newest first."""

    # True if only those are asked for that wait for a decision. False by default.
    open_only: NotRequired[bool]
    # A place in this list: the items after it are asked for. It is the `next` of a page or the
    # `cursor` of an event, unchanged; without one, the list begins. A cursor stays good for
    # ever.
    cursor: NotRequired[Cursor]
    # The most items of the page.
    limit: NotRequired[int]


class LedgerTransferParams(TypedDict):
    """One transfer with its maker, its checker and its status, by its id."""

    # The transfer's id.
    transfer_id: TransferId


class LedgerLinesParams(TypedDict):
    """The lines that a participant has given on its accounts, ascending by account and holder."""

    # The participant id of the party that has given the lines.
    owner: int
    # A place in this list: the items after it are asked for. It is the `next` of a page or the
    # `cursor` of an event, unchanged; without one, the list begins. A cursor stays good for
    # ever.
    cursor: NotRequired[Cursor]
    # The most items of the page.
    limit: NotRequired[int]


class LedgerLinesHeldParams(TypedDict):
    """The lines that a participant has on others' accounts, ascending by account."""

    # The participant id of the party that may reserve on the lines.
    holder: int
    # A place in this list: the items after it are asked for. It is the `next` of a page or the
    # `cursor` of an event, unchanged; without one, the list begins. A cursor stays good for
    # ever.
    cursor: NotRequired[Cursor]
    # The most items of the page.
    limit: NotRequired[int]


class FxReferenceParams(TypedDict):
    """The reference rate of a pair at the node's head, or why there is none."""

    # The currency; of a pair, the one that is collected.
    currency: CurrencyCode
    # The currency of a pair that is paid out.
    payout_currency: CurrencyCode


class FxRatesParams(TypedDict):
    """Every provider's last rate of a pair, ascending by provider."""

    # The currency; of a pair, the one that is collected.
    currency: CurrencyCode
    # The currency of a pair that is paid out.
    payout_currency: CurrencyCode
    # A place in this list: the items after it are asked for. It is the `next` of a page or the
    # `cursor` of an event, unchanged; without one, the list begins. A cursor stays good for
    # ever.
    cursor: NotRequired[Cursor]
    # The most items of the page.
    limit: NotRequired[int]


class FxRateHistoryParams(TypedDict):
    """All rates of a pair that a provider has published, the oldest first."""

    # The currency; of a pair, the one that is collected.
    currency: CurrencyCode
    # The currency of a pair that is paid out.
    payout_currency: CurrencyCode
    # The participant id of the FX provider.
    provider: int
    # A place in this list: the items after it are asked for. It is the `next` of a page or the
    # `cursor` of an event, unchanged; without one, the list begins. A cursor stays good for
    # ever.
    cursor: NotRequired[Cursor]
    # The most items of the page.
    limit: NotRequired[int]


class FxQuoteParams(TypedDict):
    """One quote, by its number as a decimal string."""

    # The quote's number; its upper 32 bits are the provider's id.
    quote_id: DecimalNumber


class FxQuotesParams(TypedDict):
    """A provider's quotes, ascending by id."""

    # The participant id of the FX provider.
    provider: int
    # A place in this list: the items after it are asked for. It is the `next` of a page or the
    # `cursor` of an event, unchanged; without one, the list begins. A cursor stays good for
    # ever.
    cursor: NotRequired[Cursor]
    # The most items of the page.
    limit: NotRequired[int]


class CashbackProgrammesParams(TypedDict):
    """Programmes, ascending by merchant and currency."""

    # A place in this list: the items after it are asked for. It is the `next` of a page or the
    # `cursor` of an event, unchanged; without one, the list begins. A cursor stays good for
    # ever.
    cursor: NotRequired[Cursor]
    # The most items of the page.
    limit: NotRequired[int]


class CashbackProgrammeParams(TypedDict):
    """A merchant's programme in a currency: its versions, and its budget now."""

    # The merchant's id.
    merchant: DecimalNumber
    # The currency; of a pair, the one that is collected.
    currency: CurrencyCode


class CashbackUserMonthParams(TypedDict):
    """A user's recharges and cashback of the present month under a programme, and what can rest on
    an order of it or of the month before.
    """

    # The merchant's id.
    merchant: DecimalNumber
    # The currency; of a pair, the one that is collected.
    currency: CurrencyCode
    # The user's pseudonym.
    user: UserPseudonym


class RiskPoliciesParams(TypedDict):
    """Policies in force, ascending by scope, subject and currency."""

    # A place in this list: the items after it are asked for. It is the `next` of a page or the
    # `cursor` of an event, unchanged; without one, the list begins. A cursor stays good for
    # ever.
    cursor: NotRequired[Cursor]
    # The most items of the page.
    limit: NotRequired[int]


class RiskHeldOrdersParams(TypedDict):
    """Orders that wait for a risk desk, ascending by id, hence by age."""

    # A place in this list: the items after it are asked for. It is the `next` of a page or the
    # `cursor` of an event, unchanged; without one, the list begins. A cursor stays good for
    # ever.
    cursor: NotRequired[Cursor]
    # The most items of the page.
    limit: NotRequired[int]


class RiskUserDayParams(TypedDict):
    """A user's orders of the present day in a currency."""

    # The user's pseudonym.
    user: UserPseudonym
    # The currency; of a pair, the one that is collected.
    currency: CurrencyCode


class GovernanceRegistryParams(TypedDict):
    """The registry for the next block: participants and their keys, nodes, currencies, parameters,
    protocol version.
    """

    pass


class GovernanceMerchantsParams(TypedDict):
    """Merchants, ascending by id."""

    # A place in this list: the items after it are asked for. It is the `next` of a page or the
    # `cursor` of an event, unchanged; without one, the list begins. A cursor stays good for
    # ever.
    cursor: NotRequired[Cursor]
    # The most items of the page.
    limit: NotRequired[int]


class GovernanceMerchantParams(TypedDict):
    """One merchant with the gateway that pays it, by its id."""

    # The merchant's id.
    merchant: DecimalNumber


class GovernanceRegistrarsParams(TypedDict):
    """Merchant registrars with their limits and what they have done of the day, ascending by id."""

    # A place in this list: the items after it are asked for. It is the `next` of a page or the
    # `cursor` of an event, unchanged; without one, the list begins. A cursor stays good for
    # ever.
    cursor: NotRequired[Cursor]
    # The most items of the page.
    limit: NotRequired[int]


class GovernanceProposalsParams(TypedDict):
    """Proposals, newest first."""

    # True if only those are asked for that wait for a decision. False by default.
    open_only: NotRequired[bool]
    # A place in this list: the items after it are asked for. It is the `next` of a page or the
    # `cursor` of an event, unchanged; without one, the list begins. A cursor stays good for
    # ever.
    cursor: NotRequired[Cursor]
    # The most items of the page.
    limit: NotRequired[int]


class GovernanceProposalParams(TypedDict):
    """One proposal with its approvals and refusals, by its id."""

    # The proposal's id.
    proposal_id: ProposalId


class GovernanceProposalChangesParams(TypedDict):
    """The changes of the list that an open proposal names, in their order, each with its bytes."""

    # The proposal's id.
    proposal_id: ProposalId
    # A place in this list: the items after it are asked for. It is the `next` of a page or the
    # `cursor` of an event, unchanged; without one, the list begins. A cursor stays good for
    # ever.
    cursor: NotRequired[Cursor]
    # The most items of the page.
    limit: NotRequired[int]


class ChainIdParams(TypedDict):
    """The chain id: SHA-256 of the genesis file, as 64 hexadecimal digits."""

    pass


class ChainInfoParams(TypedDict):
    """The chain's name, parameters and nodes, as of its genesis file, and how long its lists are."""

    pass


class ChainParticipantsParams(TypedDict):
    """Participants of the genesis file, ascending by id."""

    # A place in this list: the items after it are asked for. It is the `next` of a page or the
    # `cursor` of an event, unchanged; without one, the list begins. A cursor stays good for
    # ever.
    cursor: NotRequired[Cursor]
    # The most items of the page.
    limit: NotRequired[int]


class ChainMerchantsParams(TypedDict):
    """Merchants of the genesis file, ascending by id."""

    # A place in this list: the items after it are asked for. It is the `next` of a page or the
    # `cursor` of an event, unchanged; without one, the list begins. A cursor stays good for
    # ever.
    cursor: NotRequired[Cursor]
    # The most items of the page.
    limit: NotRequired[int]


class ChainLiquidityParams(TypedDict):
    """Liquidity lines of the genesis file, ascending by gateway and currency."""

    # A place in this list: the items after it are asked for. It is the `next` of a page or the
    # `cursor` of an event, unchanged; without one, the list begins. A cursor stays good for
    # ever.
    cursor: NotRequired[Cursor]
    # The most items of the page.
    limit: NotRequired[int]


class ChainParametersParams(TypedDict):
    """The parameters at the node's head."""

    pass


class ChainHeadParams(TypedDict):
    """The newest decided block that this node has applied."""

    pass


class ChainBlockParams(TypedDict):
    """One block with its batch ids and certificate, by height (a number) or hash (text)."""

    # The block: its height or its hash.
    block: BlockSelector


class ChainBlocksParams(TypedDict):
    """Blocks without their batches, newest first."""

    # A place in this list: the items after it are asked for. It is the `next` of a page or the
    # `cursor` of an event, unchanged; without one, the list begins. A cursor stays good for
    # ever.
    cursor: NotRequired[Cursor]
    # The most items of the page.
    limit: NotRequired[int]


class ChainEvidenceParams(TypedDict):
    """Validators that were caught at signing two values where they may sign one, oldest first."""

    # A place in this list: the items after it are asked for. It is the `next` of a page or the
    # `cursor` of an event, unchanged; without one, the list begins. A cursor stays good for
    # ever.
    cursor: NotRequired[Cursor]
    # The most items of the page.
    limit: NotRequired[int]


class ChainLineageParams(TypedDict):
    """Every change of validators that the chain made, oldest first: what verifies a proof with
    `lineage_apart`.
    """

    # A place in this list: the items after it are asked for. It is the `next` of a page or the
    # `cursor` of an event, unchanged; without one, the list begins. A cursor stays good for
    # ever.
    cursor: NotRequired[Cursor]
    # The most items of the page.
    limit: NotRequired[int]


class ChainSubscribeBlocksParams(TypedDict):
    """Decided blocks in order, without a gap: first those from `from_height` on, then each as it
    is decided.
    """

    # The height of the first block to send.
    from_height: NotRequired[int]


class ChainUnsubscribeBlocksParams(TypedDict):
    """Ends a subscription of `chain_subscribe_blocks`."""

    # The id that the subscription's call gave.
    subscription: SubscriptionId


class NodeStatusParams(TypedDict):
    """The node's head, its readiness, its peers and its pool."""

    pass


class NodeHealthParams(TypedDict):
    """The node's readiness to serve; the same as `/readyz`."""

    pass


class NodeOutlookParams(TypedDict):
    """This node's capacity, its queue and a submitter's share, signed with the node's key."""

    # The participant id of the submitter whose line is asked for; without one, no line is
    # given.
    submitter: NotRequired[int]


class RpcDiscoverParams(TypedDict):
    """This interface as an OpenRPC 1.3 document: methods, schemas and errors."""

    pass


# Every method with the types of its parameters and of its result.
METHODS: dict[str, tuple[type, Any]] = {
    "batch_submit": (BatchSubmitParams, BatchReport),
    "batch_status": (BatchStatusParams, BatchReport),
    "recharge_order": (RechargeOrderParams, OrderReport),
    "recharge_receipt": (RechargeReceiptParams, ReceiptReport),
    "settlement_windows": (SettlementWindowsParams, PageOfWindowReport),
    "settlement_window": (SettlementWindowParams, WindowReport),
    "settlement_window_proof": (SettlementWindowProofParams, WindowProofReport),
    "settlement_instructions": (SettlementInstructionsParams, PageOfInstructionReport),
    "settlement_instruction": (SettlementInstructionParams, InstructionReport),
    "settlement_breaches": (SettlementBreachesParams, PageOfBreachReport),
    "settlement_returns": (SettlementReturnsParams, PageOfReturnReport),
    "settlement_sla": (SettlementSlaParams, PageOfSlaReport),
    "settlement_subscribe_instructions": (SettlementSubscribeInstructionsParams, SubscriptionId),
    "settlement_unsubscribe_instructions": (SettlementUnsubscribeInstructionsParams, bool),
    "ledger_accounts": (LedgerAccountsParams, PageOfAccountReport),
    "ledger_account": (LedgerAccountParams, AccountReport),
    "ledger_entries": (LedgerEntriesParams, PageOfEntryReport),
    "ledger_account_proof": (LedgerAccountProofParams, AccountProofReport),
    "ledger_trial_balance": (LedgerTrialBalanceParams, TrialBalanceReport),
    "ledger_transfers": (LedgerTransfersParams, PageOfTransferReport),
    "ledger_transfer": (LedgerTransferParams, TransferReport),
    "ledger_lines": (LedgerLinesParams, PageOfLineReport),
    "ledger_lines_held": (LedgerLinesHeldParams, PageOfLineReport),
    "fx_reference": (FxReferenceParams, ReferenceReport),
    "fx_rates": (FxRatesParams, PageOfRateReport),
    "fx_rate_history": (FxRateHistoryParams, PageOfRateReport),
    "fx_quote": (FxQuoteParams, QuoteReport),
    "fx_quotes": (FxQuotesParams, PageOfQuoteReport),
    "cashback_programmes": (CashbackProgrammesParams, PageOfProgrammeReport),
    "cashback_programme": (CashbackProgrammeParams, ProgrammeReport),
    "cashback_user_month": (CashbackUserMonthParams, UserMonthReport),
    "risk_policies": (RiskPoliciesParams, PageOfPolicyReport),
    "risk_held_orders": (RiskHeldOrdersParams, PageOfHeldOrderReport),
    "risk_user_day": (RiskUserDayParams, UserDayReport),
    "governance_registry": (GovernanceRegistryParams, RegistryReport),
    "governance_merchants": (GovernanceMerchantsParams, PageOfRegisteredMerchant),
    "governance_merchant": (GovernanceMerchantParams, RegisteredMerchant),
    "governance_registrars": (GovernanceRegistrarsParams, PageOfRegistrarReport),
    "governance_proposals": (GovernanceProposalsParams, PageOfProposalReport),
    "governance_proposal": (GovernanceProposalParams, ProposalReport),
    "governance_proposal_changes": (GovernanceProposalChangesParams, PageOfListedChange),
    "chain_id": (ChainIdParams, ChainId),
    "chain_info": (ChainInfoParams, ChainInfo),
    "chain_participants": (ChainParticipantsParams, PageOfParticipantReport),
    "chain_merchants": (ChainMerchantsParams, PageOfMerchantReport),
    "chain_liquidity": (ChainLiquidityParams, PageOfLiquidityReport),
    "chain_parameters": (ChainParametersParams, ParametersReport),
    "chain_head": (ChainHeadParams, BlockSummary),
    "chain_block": (ChainBlockParams, BlockReport),
    "chain_blocks": (ChainBlocksParams, PageOfBlockSummary),
    "chain_evidence": (ChainEvidenceParams, PageOfEvidenceReport),
    "chain_lineage": (ChainLineageParams, PageOfHandoverReport),
    "chain_subscribe_blocks": (ChainSubscribeBlocksParams, SubscriptionId),
    "chain_unsubscribe_blocks": (ChainUnsubscribeBlocksParams, bool),
    "node_status": (NodeStatusParams, StatusReport),
    "node_health": (NodeHealthParams, HealthReport),
    "node_outlook": (NodeOutlookParams, OutlookReport),
    "rpc.discover": (RpcDiscoverParams, OpenRpcDocument),
}

# The method that subscribes, with the name of its notifications, the method that ends it, and
# the type of an event.
SUBSCRIPTIONS: dict[str, tuple[str, str, Any]] = {
    "settlement_subscribe_instructions": (
        "settlement_instruction_event", "settlement_unsubscribe_instructions", InstructionEvent),
    "chain_subscribe_blocks": (
        "chain_block_event", "chain_unsubscribe_blocks", BlockSummary),
}
