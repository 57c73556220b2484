/**
 * The types of Sluice's JSON-RPC interface, version 1.0.0. They are made from openrpc.json
 * beside this file; docs/rpc.md explains them.
 *
 * Amounts and ids that may pass 2^53 are texts. A name in an answer that a client does not know
 * is a text, for names may be added.
 */

/** The kind of an account. */
export type AccountKind = "gateway-liquidity"
  | "merchant-payable"
  | "cashback-pool"
  | "cashback-owed"
  | "fx-position"
  | "fees"
  | "suspense"
  | "scheme-settlement"
  | (string & {});

/** An account's name: kind, owner and currency, such as `gateway-liquidity:201:CNY`. */
export type AccountName = string;

/** An account's counters at a height, with their proof. */
export interface AccountProofReport {
  /** The account after the block. */
  account: AccountReport;
  /** The hash of that block's header, which holds the state digest. */
  block_hash: BlockHash;
  /** The height of the block whose state the proof is about. */
  height: number;
  /** The proof's bytes (docs/wire-format.md), as base64: what `sluice verify` reads. */
  proof_base64: Base64;
  /** The digest of the whole state after it, to which the proof leads. */
  state_digest: Digest;
  /** The time of that block, in milliseconds since 1970 (UTC). */
  time_ms: number;
}

/** An account's four counters and what follows from them. */
export interface AccountReport {
  /** The account's name: kind, owner and currency. */
  account: AccountName;
  /** The amount that may still be debited: balance and cap less pending debits. */
  available: Money;
  /** Posted credits less posted debits. */
  balance: Money;
  /** Credits reserved and not yet posted. */
  credits_pending: Money;
  /** The sum of all credits posted since block zero. */
  credits_posted: Money;
  /** Debits reserved and not yet posted. */
  debits_pending: Money;
  /** The sum of all debits posted since block zero. */
  debits_posted: Money;
  /** How far below zero the balance may go. */
  net_debit_cap: Money;
  /** The rest of the balance: what is owed by or to others in windows that are not settled. */
  position: Money;
  /**
   * The part of the balance that is money at the scheme's bank: deposits and the sums of
   * settlements, less withdrawals. No more than this may be withdrawn.
   */
  settled: Money;
}

/** Bytes as base64 of RFC 4648 section 4, with padding. */
export type Base64 = string;

/** A batch's id: the hash of its header. */
export type BatchId = string;

/** A batch in a block. */
export interface BatchReference {
  /** The id of the batch: the hash of its header. */
  batch_id: BatchId;
}

/** A batch as this node knows it. */
export interface BatchReport {
  /** The id of the batch: the hash of its header. */
  batch_id: BatchId;
  /** Its place in that block. */
  batch_index?: number;
  /** The hash of the block that holds the batch, once final. */
  block_hash?: BlockHash;
  /** The time of the block that holds the batch, once final, in milliseconds since 1970 (UTC). */
  block_time_ms?: number;
  /** The height of the block that holds it, once final. */
  height?: number;
  /** The outcomes of its items, once final. */
  outcomes?: Outcomes;
  /** How far it has come. */
  state: BatchState;
}

/** How far a batch has come. */
export type BatchState = "unknown"
  | "admitted"
  | "final"
  | (string & {});

/** The hash of a block's header. */
export type BlockHash = string;

/** A block with everything in its header, its batch ids and its certificate. */
export interface BlockReport {
  /** How many batches it holds. */
  batch_count: number;
  /** Its batches, in the order of execution. */
  batches: BatchReference[];
  /** Merkle root over the batch ids. */
  batches_root: Digest;
  /** The hash of the block's header. */
  block_hash: BlockHash;
  /** The quorum that decided it; absent for block zero. */
  certificate?: CertificateReport;
  /** The canonical bytes (docs/wire-format.md) of each piece of its evidence, as base64. */
  evidence_base64?: Base64[];
  /** How many pieces of evidence against validators it holds: see `chain_evidence`. */
  evidence_count: number;
  /** Merkle root over its evidence. */
  evidence_root: Digest;
  /** The header's canonical bytes (docs/wire-format.md), as base64. */
  header_base64: Base64;
  /** The block's height; block zero is made from the genesis file. */
  height: number;
  /** The digest of the parameters it was executed under. */
  parameters_hash: Digest;
  /** The block before it. */
  parent: BlockHash;
  /** The round in which the block before it was decided. */
  parent_round: number;
  /** The validator who proposed it. */
  proposer: number;
  /** The protocol version it was executed under. */
  protocol_version: number;
  /** Merkle root over the outcomes roots. */
  results_root: Digest;
  /** The round in which it was first proposed. */
  round: number;
  /** The digest of the whole state after it. */
  state_digest: Digest;
  /** The block's time, in milliseconds since 1970 (UTC). */
  time_ms: number;
  /** The digest of the validators who decided it. */
  validators_hash: Digest;
  /** The settlement window to which orders collected in it belong. */
  window: number;
}

/** A block's name in a question: its height as a number, or its hash as hexadecimal text. */
export type BlockSelector = number
  | BlockHash;

/** A block in short. */
export interface BlockSummary {
  /** How many batches it holds. */
  batch_count: number;
  /** The hash of the block's header. */
  block_hash: BlockHash;
  /** The block's height; block zero is made from the genesis file. */
  height: number;
  /** The block before it. */
  parent: BlockHash;
  /** The round in which the block before it was decided. */
  parent_round: number;
  /** The validator who proposed it. */
  proposer: number;
  /** The round in which it was first proposed. */
  round: number;
  /** The digest of the whole state after it. */
  state_digest: Digest;
  /** The block's time, in milliseconds since 1970 (UTC). */
  time_ms: number;
  /** The settlement window to which orders collected in it belong. */
  window: number;
}

/** How often a stage's deadline was missed. */
export interface BreachCount {
  /** The number of orders that missed it. */
  count: number;
  /** The stage whose deadline was missed. */
  stage: BreachStage;
}

/** A deadline that was missed: a fact of the ledger. */
export interface BreachReport {
  /** When it was due. */
  deadline_ms: number;
  /** The height at which it did. */
  height: number;
  /** The participant who was late, if it was one in particular. */
  late?: number;
  /** The block time at which the chain noticed. */
  noticed_ms: number;
  /** Its place among that block's breaches. */
  sequence: number;
  /** The stage whose deadline was missed. */
  stage: BreachStage;
  /** The order or instruction: its id. */
  subject: string;
}

/** A stage whose deadline can be missed. */
export type BreachStage = "collected"
  | "instructed"
  | "arrived"
  | "failed"
  | (string & {});

/** A programme's budget: what its account says. */
export interface BudgetReport {
  /** The amount that may still be granted: the balance less what is pending. */
  available: Money;
  /** Credits less debits; a withdrawal that waits for its checker is still in it. */
  balance: Money;
  /** The sum of deposits and of grants that were taken back. */
  credited: Money;
  /** The sum of grants and of withdrawals. */
  debited: Money;
}

/** Why cashback was refused on an order that was collected all the same. */
export type CashbackRefusal = "over-month"
  | "over-budget"
  | (string & {});

/**
 * The cashback at an order's collection: either granted, with tier and amount, or refused, with
 * the reason.
 */
export interface CashbackReport {
  /** How much was granted. */
  amount?: Money;
  /** Why none was granted. */
  refused?: CashbackRefusal;
  /** The tier by which it was granted, from 1. */
  tier?: number;
}

/** Cashback that one gateway granted on orders of an instruction. */
export interface CashbackSumReport {
  /** How much, less what was taken back before the arrival. */
  amount: Money;
  /** The gateway that collected the orders. */
  gateway: number;
}

/** A validator that was caught: evidence of it stands in a decided block. */
export interface CaughtReport {
  /** The height that it signed two values for. */
  height: number;
  /** Its name in the registry. */
  name: string;
  /** The round of that height. */
  round: number;
  /** The validator's id: its place in the list of nodes. */
  validator: number;
  /** The kind of message of which it signed two, in a few words. */
  what: string;
}

/** The kind of operation that changed an account. */
export type CauseKind = "genesis"
  | "batch"
  | "expiry"
  | "instruction"
  | "window-close"
  | "order"
  | "transfer"
  | "settlement"
  | (string & {});

/** The precommits of a quorum, which decided a block. */
export interface CertificateReport {
  /** The certificate's canonical bytes (docs/wire-format.md), as base64. */
  certificate_base64: Base64;
  /** The round in which the block was decided. */
  round: number;
  /** The validators who signed, ascending. */
  signers: number[];
}

/** A chain's id: SHA-256 of its genesis file. */
export type ChainId = string;

/** The chain, as of its genesis file. What grows with the scheme stands in lists of its own. */
export interface ChainInfo {
  /** SHA-256 of the genesis file. */
  chain_id: ChainId;
  /** The currencies it accepts: ISO 4217 codes. */
  currencies: CurrencyCode[];
  /** The time of block zero. */
  genesis_time_ms: number;
  /** How many liquidity lines there are: see `chain_liquidity`. */
  liquidity_count: number;
  /** How many merchants there are: see `chain_merchants`. */
  merchant_count: number;
  /** The chain's name in the genesis file. */
  name: string;
  /** Nodes; the place in the list is the validator's id. */
  nodes: NodeReport[];
  /** Parameters from block zero on. */
  parameters: ParametersReport;
  /** How many participants there are: see `chain_participants`. */
  participant_count: number;
}

/** One change of the registry. */
export type ChangeReport = ParticipantReport & {
  kind: "participant";
}
  | {
  kind: "key";
  /** For how many blocks from the activation on the key before is still accepted. */
  overlap_heights: number;
  /** The id of the participant whose key changes. */
  participant: number;
  /** The new one, hexadecimal. */
  public_key: PublicKey;
}
  | {
  kind: "participant-suspended";
  /** The id of the participant. */
  participant: number;
  /** True if batches of the participant are refused from the activation on. */
  suspended: boolean;
}
  | RegisteredMerchant & {
  kind: "merchant";
}
  | {
  kind: "merchant-suspended";
  /** The id of the merchant, as text. */
  merchant: DecimalNumber;
  /** True if new orders for the merchant are refused from the activation on. */
  suspended: boolean;
}
  | {
  kind: "parameter";
  /** Its name; its number, when this software does not know it. */
  parameter: string;
  /** The value, as a decimal string. */
  value: DecimalNumber;
}
  | {
  kind: "node";
  /** The name of the new node. */
  name: string;
  /** The key of its connections, hexadecimal. */
  network_key: PublicKey;
  /** The participant who runs it. */
  operator: number;
  /** Voting power; zero for an edge node. */
  power: number;
  /** The key of its votes, hexadecimal. */
  validator_key: PublicKey;
}
  | {
  kind: "power";
  /** The node's place in the list. */
  node: number;
  /** The power; zero for none. */
  power: number;
}
  | {
  /** Its ISO 4217 code. */
  currency: CurrencyCode;
  kind: "currency";
}
  | {
  /** The currency: an ISO 4217 code. */
  currency: CurrencyCode;
  /** The ids of the gateways that take part, ascending. */
  gateways: number[];
  /** True if it grants anything. */
  is_active: boolean;
  kind: "programme";
  /** The id of the merchant, as text. */
  merchant: DecimalNumber;
  /** Its time zone: minutes east of UTC. */
  offset_min: number;
  /** The least order that counts and earns. */
  order_least: Money;
  /** The most for one order; absent when there is no bound. */
  order_max?: Money;
  /** The first block that executes under it. */
  since_height: number;
  /** The tiers, ascending by the count of orders from which each applies. */
  tiers: TierReport[];
  /** The most for one user and month; absent when there is no bound. */
  user_month_max?: Money;
}
  | {
  kind: "protocol-version";
  /** The number of the version. */
  protocol_version: number;
}
  | {
  kind: "node-keys";
  /** The new key of its connections, hexadecimal. */
  network_key: PublicKey;
  /** The node's place in the list. */
  node: number;
  /** The new key of its votes, hexadecimal; of an edge node the same as `network_key`. */
  validator_key: PublicKey;
}
  | {
  kind: "node-removed";
  /** The node's place in the list. */
  node: number;
}
  | {
  /** How many changes it has. */
  count: number;
  /** The digest of the list: the Merkle root of its items. */
  digest: Digest;
  kind: "list";
}
  | {
  /** The most merchants that it adds in a day. */
  added_max: number;
  /** The most changes that it makes in a day of merchants which are there. */
  changed_max: number;
  /** The gateway whose merchants it adds and changes. */
  gateway: number;
  kind: "registrar";
  /** The id of the registrar. */
  participant: number;
};

/** How an order's money changes its currency. */
export interface ConversionReport {
  /** The exact amount that the provider delivers and the merchant is paid, rounded down. */
  payout: Money;
  /** The participant id of the FX provider that delivers. */
  provider: number;
  /** The quote that it names. */
  quote_id: DecimalNumber;
  /** The quote's rate, in units of the payout currency for one of the currency collected. */
  rate: DecimalRate;
}

/**
 * The deadlines that a paying gateway met and missed in a corridor: a payout currency, within
 * or across currencies.
 */
export interface CorridorReport {
  /** Orders by the time from their instruction's earliest acceptance to its arrival, ascending. */
  distribution: SlaBucket[];
  /** Instructions arrived that hold orders of the corridor. */
  instruction_count: number;
  /** True if the orders were converted. */
  is_cross_border: boolean;
  /** Orders arrived after the corridor's deadline. */
  late_count: number;
  /** The number of orders whose money arrived. */
  order_count: number;
  /** The currency in which merchants are paid: an ISO 4217 code. */
  payout_currency: CurrencyCode;
}

/** An account's four counters at some point. */
export interface CountersReport {
  /** Posted credits less posted debits. */
  balance: Money;
  /** Credits reserved and not yet posted. */
  credits_pending: Money;
  /** The sum of all credits posted since block zero. */
  credits_posted: Money;
  /** Debits reserved and not yet posted. */
  debits_pending: Money;
  /** The sum of all debits posted since block zero. */
  debits_posted: Money;
  /** How far below zero the balance may go. */
  net_debit_cap: Money;
  /** The settled part of the balance; the rest is the position. */
  settled: Money;
}

/** The sums of one currency. */
export interface CurrencyBalance {
  /** Sum of pending credits: equal to it. */
  credits_pending: Money;
  /** Sum of posted credits: equal to it. */
  credits_posted: Money;
  /** Sum of pending debits. */
  debits_pending: Money;
  /** Sum of posted debits. */
  debits_posted: Money;
}

/** A currency's ISO 4217 code; its three-digit number if ISO 4217 lists no code. */
export type CurrencyCode = string;

/** A place in a list, as a page or an event of the same list gave it. */
export type Cursor = string;

/** A day, such as `2026-11-23`. */
export type Day = string;

/** A whole number of 0 to 18446744073709551615 in decimal digits. */
export type DecimalNumber = string;

/** An exchange rate as a decimal number, with all the digits that it was given. */
export type DecimalRate = string;

/** A SHA-256 digest or a Merkle root. */
export type Digest = string;

/** One change of an account. */
export interface EntryReport {
  /** The account after it. */
  after: CountersReport;
  /** The kind of operation that caused the entry. */
  cause: CauseKind;
  /**
   * The name of the cause: a batch's height and place (`height/place`), an instruction's,
   * order's or transfer's id, a window's number; absent for genesis and expiry.
   */
  cause_id?: string;
  /** Change of pending credits. */
  credits_pending: Money;
  /** Change of posted credits. */
  credits_posted: Money;
  /** Change of pending debits. */
  debits_pending: Money;
  /** Change of posted debits. */
  debits_posted: Money;
  /** The height of the block that made the entry. */
  height: number;
  /** How many orders it sums up. */
  order_count: number;
  /** Its place among the block's entries; ascending, not always by one. */
  sequence: number;
  /** The time of that block, in milliseconds since 1970 (UTC). */
  time_ms: number;
}

/** The kind of message of which a validator signed two. */
export type EquivocationKind = "prevotes"
  | "precommits"
  | "proposals"
  | (string & {});

/** The `data` of an error with a positive code, and of -32602. */
export interface ErrorData {
  /** The cause in one sentence. */
  cause: string;
  /** The values that were wrong; may be empty. */
  detail: string;
  /** The stable name of the code. */
  name: string;
  /**
   * True if a new order with a new id may take the place of one that got this. Where it is
   * false, the order may be in the books, or may still come there: ask `recharge_order` first.
   */
  new_id_is_safe: boolean;
  /** The remedy in one sentence: what the caller does next. */
  remedy: string;
  /** After how many milliseconds to try again, if the node can tell. */
  retry_after_ms?: number;
  /** True if the same call may succeed later. */
  transient: boolean;
}

/** A validator caught at signing two values where it may sign one. */
export interface EvidenceReport {
  /** The height of the block that holds the evidence. */
  block_height: number;
  /** The lower of the two values: a block hash; absent for a vote for nothing. */
  first?: BlockHash;
  /** The height at which it did. */
  height: number;
  /** The name of the validator's node. */
  name: string;
  /** The round in which it did. */
  round: number;
  /** The higher of the two values, in the same form as the first. */
  second?: BlockHash;
  /** Its place among that block's evidence. */
  sequence: number;
  /** The time of the block that holds the evidence, in milliseconds since 1970 (UTC). */
  time_ms: number;
  /** The validator: its place in the list of nodes. */
  validator: number;
  /** The kind of message of which it signed two. */
  what: EquivocationKind;
}

/** Why an instruction could not be paid. */
export interface FailureReport {
  /** The nearest ISO 20022 external status reason code. */
  iso_code: string;
  /** The reason's number, as docs/settlement-rules.md lists it. */
  reason: number;
}

/** A change of validators. */
export interface HandoverReport {
  /** The handover's bytes (docs/wire-format.md), as base64. */
  handover_base64: Base64;
  /** The last block that the validators before it decided; its height is the cursor after it. */
  height: number;
}

/** A node's readiness to serve. */
export interface HealthReport {
  /** True if the node serves clients. */
  is_ready: boolean;
  /** Why not: a short sentence; absent when it does. */
  reason?: string;
}

/** An order that waits for a risk desk. */
export interface HeldOrderReport {
  /** Until when it may be released: then it is refused by itself. */
  decide_until_ms: number;
  /** Since when it waits. */
  held_ms: number;
  /** The content of the order as it was submitted. */
  order: OrderContent;
  /** The id of the held order. */
  order_id: OrderId;
}

/** An instruction as a subscription tells it. */
export interface InstructionEvent {
  /** Subscribe with it to resume after this event. */
  cursor: Cursor;
  /** The instruction as it stands when the event is sent. */
  instruction: InstructionReport;
}

/** An instruction's id: window, merchant and the currency's ISO 4217 number. */
export type InstructionId = string;

/** An order to a gateway to pay a merchant, made when a window closed. */
export interface InstructionReport {
  /** The amount that the gateway pays. */
  amount: Money;
  /** How much of it is to be paid: an arrival is for exactly this. */
  amount_left: Money;
  /** How much of it was sent back since it failed. */
  amount_returned: Money;
  /** How often it was given to a paying gateway: 1, and one more for each failure corrected. */
  attempt: number;
  /** Cashback on its orders: promised until it arrives, owed since; absent when there is none. */
  cashback?: CashbackSumReport[];
  /** How many of them were converted. */
  cross_border_count: number;
  /** By when the money must have arrived. */
  deadline_ms: number;
  /** When the first of them was accepted. */
  earliest_accepted_ms: number;
  /**
   * The participant id of the party that attested the failure: its gateway, or the second agent
   * who stepped in.
   */
  failed_by?: number;
  /** The reason of its last failure; absent if it has not failed. */
  failure?: FailureReport;
  /** The gateway that pays. */
  gateway: number;
  /** When it was made. */
  instructed_ms: number;
  /** The instruction's id, `window-merchant-currency`. */
  instruction_id: InstructionId;
  /** True if it arrived after its deadline. */
  is_late: boolean;
  /** The id of the merchant that is paid. */
  merchant: DecimalNumber;
  /** How many orders it pays out. */
  order_count: number;
  /** When an agent asked that this attempt shall not be paid. */
  recalled_ms?: number;
  /** The bank's reference, hexadecimal; absent while it is instructed. */
  reference?: Reference;
  /** When it arrived or failed, or the last of it was returned. */
  settled_ms?: number;
  /** The instruction's present state. */
  status: InstructionState;
  /** The window whose orders it pays out. */
  window: number;
}

/** A filter for the list of instructions: exactly one field is given. */
export interface InstructionSelector {
  /** Those that this gateway pays. */
  gateway?: number;
  /** Those of this window. */
  window?: number;
}

/** The state of an instruction. */
export type InstructionState = "instructed"
  | "arrived"
  | "failed"
  | "returned"
  | (string & {});

/** The place of an operation in the chain. */
export interface ItemLocation {
  /** The id of the batch that holds it. */
  batch_id: BatchId;
  /** The batch's place in the block. */
  batch_index: number;
  /** The height of the block that holds it. */
  height: number;
  /** The item's place in the batch. */
  item_index: number;
}

/** An item that was not applied. */
export interface ItemOutcome {
  /** The outcome's code: below 100 as docs/settlement-rules.md lists them, else a rejection's. */
  code: number;
  /** The item's place in the batch. */
  item_index: number;
  /** The stable name that belongs to the code. */
  name: string;
  /**
   * The order's standing before the item, when that is why the item was not applied. It is also
   * absent if a batch names more old orders than one answer looks up: then the code's own
   * remedy holds, which asks first.
   */
  standing?: OrderStanding;
}

/** How much a participant may have reserved on an account of another's, and has. */
export interface LineReport {
  /** The account, whose owner has given the line. */
  account: AccountName;
  /** The participant id of the party that may reserve on the line. */
  holder: number;
  /** The amount that the holder may still reserve. */
  left: Money;
  /** The most that its open reservations may sum up to; zero once the line is ended. */
  limit: Money;
  /** The sum of what the holder has reserved and not yet released. */
  outstanding: Money;
  /** When the limit was set. */
  since_ms: number;
}

/** A gateway's line in one currency. */
export interface LiquidityReport {
  /** The participant id of the gateway that owns the line. */
  gateway: number;
  /** How far below zero its liquidity may go. */
  net_debit_cap: Money;
  /** The gateway's deposit before block zero. */
  opening_liquidity: Money;
}

/** A change of a list that a proposal names. */
export interface ListedChange {
  /** The change as people read it. */
  change: ChangeReport;
  /** Its canonical bytes (docs/wire-format.md), as base64: the list's digest covers them. */
  change_base64: Base64;
  /** Its place in the list, from zero. */
  place: number;
}

/** A registered merchant, with the gateway that pays it. */
export interface MerchantReport {
  /** The legal entity that it belongs to; empty when that has no other party here. */
  legal_entity: string;
  /** The merchant's id, as text. */
  merchant: DecimalNumber;
  /** The merchant's name in the registry. */
  name: string;
  /** The gateway that pays it. */
  payout_gateway: number;
  /** True if new orders for it are refused. */
  suspended: boolean;
}

/** A whole number in decimal digits, signed. */
export type MinorUnits = string;

/** An amount of one currency, exact. Sums and differences may be negative. */
export interface Money {
  /** The ISO 4217 code; the three-digit number for a currency that ISO 4217 does not list. */
  currency: CurrencyCode;
  /** Decimal digits of the minor unit: 12.34 CNY has `minor` 1234 and `exponent` 2. */
  exponent: number;
  /** The amount in minor units, as a decimal string. */
  minor: MinorUnits;
}

/** A month, such as `2026-11`. */
export type Month = string;

/** A node of the network. */
export interface NodeReport {
  /** The node's name in the registry. */
  name: string;
  /** The key of its connections, hexadecimal; zeros of a node that was removed. */
  network_key: PublicKey;
  /** Its place in the list: the validator's id, if it is one. */
  node: number;
  /** The participant who runs it. */
  operator: number;
  /** Voting power; zero for an edge node. */
  power: number;
  /** True if governance removed it: it keeps its place and its name, and is no peer any more. */
  removed: boolean;
  /** The key of its votes, hexadecimal; zeros of a node that was removed. */
  validator_key: PublicKey;
}

/** An OpenRPC 1.3 document: https://spec.open-rpc.org. */
export interface OpenRpcDocument {
  /** Schemas and errors by name. */
  components: unknown;
  /** The name and the version. */
  info: unknown;
  /** Every method. */
  methods: unknown;
  /** The version of OpenRPC. */
  openrpc: string;
}

/** An order as it was submitted. */
export interface OrderContent {
  /** The amount that the user pays. */
  amount: Money;
  /** True if it was submitted and collected in one step. */
  collected_in_one_step: boolean;
  /** The gateway that debits the user. */
  collecting_gateway: number;
  /** The recharge service's own reference, hexadecimal. */
  external_reference: Reference;
  /** The merchant who is paid. */
  merchant: DecimalNumber;
  /** The gateway that pays the merchant, if the merchant is known. */
  paying_gateway?: number;
  /** The currency in which the merchant is paid: an ISO 4217 code. */
  payout_currency: CurrencyCode;
  /** The least that the merchant may be paid; absent when there is no bound. */
  payout_minimum?: Money;
  /** The FX quote that it names. */
  quote_id?: DecimalNumber;
  /** The participant id of the party that submitted it. */
  submitter: number;
  /** The user's pseudonym, hexadecimal. */
  user: UserPseudonym;
}

/** An order's id: a UUID of version 7, in small letters. */
export type OrderId = string;

/** An order as this node knows it. */
export interface OrderReport {
  /** The cashback granted or refused; absent when none was due. */
  cashback?: CashbackReport;
  /** How it is converted; absent when both currencies are the same or it was refused. */
  conversion?: ConversionReport;
  /** The instruction that pays it, once its window closed. */
  instruction_id?: InstructionId;
  /** The place of its submission in the chain, when it was found. */
  location?: ItemLocation;
  /** The content of the order, when it was found. */
  order?: OrderContent;
  /** The id that was asked for. */
  order_id: OrderId;
  /** Why it was refused, when it was. */
  rejection?: RejectionReport;
  /** The sum of its returns; absent when nothing was sent back. */
  returned?: ReturnedReport;
  /** The range that was searched for the order. */
  searched: Searched;
  /** When each stage happened. */
  stages: Stages;
  /** The order's present state. */
  status: OrderState;
  /** The place of the operation that gave it its status, when that was not its submission. */
  status_location?: ItemLocation;
}

/** An order's standing, for an item that was not applied because the chain knows its order. */
export interface OrderStanding {
  /** The code of its submission. */
  code?: number;
  /** The height of the block that holds its submission. */
  height?: number;
  /** True if a new order with a new id may take its place, without anything being charged twice. */
  new_id_is_safe: boolean;
  /** The remedy in one sentence. */
  remedy: string;
  /**
   * True if the item has the content that the chain knows under the id. Absent for operations
   * that only name an order, and for an order that is not found.
   */
  same_content?: boolean;
  /**
   * How far the order's own steps have come; what follows a collection, `recharge_order` says.
   * `not-found`: it is in no block and never will be.
   */
  status: OrderState;
  /** The height of the block that gave it its status. */
  status_height?: number;
}

/** The state of an order, from its submission to the arrival of the money. */
export type OrderState = "not-found"
  | "rejected"
  | "reserved"
  | "debiting"
  | "collected"
  | "instructed"
  | "arrived"
  | "failed"
  | "voided"
  | "expired"
  | "held"
  | "refused"
  | "returned"
  | (string & {});

/** How many items had one outcome. */
export interface OutcomeCount {
  /** The outcome's code: below 100 as docs/settlement-rules.md lists them, else a rejection's. */
  code: number;
  /** How many items had it. */
  item_count: number;
  /** The stable name that belongs to the code. */
  name: string;
}

/** The outcomes of a batch's items: counts by code, and each item that was not applied. */
export interface Outcomes {
  /** Every item's code, two little-endian bytes each, as base64; when asked for. */
  codes_base64?: Base64;
  /** How many items had each code, ascending by code; codes that none had are left out. */
  counts: OutcomeCount[];
  /** How many items the batch holds. */
  item_count: number;
  /** The items that were not applied, ascending by index. */
  not_applied: ItemOutcome[];
}

/** A submitter's line of an outlook. */
export interface OutlookLineReport {
  /** The line's bytes with the path to the head's root (docs/wire-format.md), as base64. */
  proof_base64: Base64;
  /** The code of the rejection with which its batches are refused now; 0 when they are admitted. */
  reason: number;
  /**
   * The moment from which its next batch is admitted, by the node's clock. A batch that is not
   * valid that long is never admitted.
   */
  retry_at_ms: number;
  /** Its share over all nodes together. */
  share_items_per_s: number;
  /** The submitter that the line is about. */
  submitter: number;
  /** Its weight by governance; the standard is 100. */
  weight: number;
}

/** A node's outlook, in numbers to read and in the bytes that it signed. */
export interface OutlookReport {
  /** The time of the block at that height. */
  block_time_ms: number;
  /** The estimate of what blocks can take. */
  capacity_items_per_s: number;
  /** The chain id, hexadecimal. */
  chain_id: ChainId;
  /** The last committed height. */
  height: number;
  /** The line of the submitter that was asked for; absent if it has none. */
  line?: OutlookLineReport;
  /** The number of lines: one for each of the submitters with the largest demand. */
  line_count: number;
  /** The busy part of the node's driver over a second, in millionths. */
  load_ppm: number;
  /** The node's clock when it made the outlook. */
  made_at_ms: number;
  /** The node that signed, by its place in the registry's list of nodes. */
  node: number;
  /** How long what waits will take. */
  queue_ms: number;
  /** The share of a submitter without a line, of the standard weight, in items a second. */
  share_of_others_items_per_s: number;
  /** The signed head's bytes (docs/wire-format.md), as base64. */
  signed_base64: Base64;
  /** The last moment at which the outlook may be referred to. */
  valid_until_ms: number;
}

/** A part of a list. */
export interface PageOfAccountReport {
  /** The items, at most as many as asked for. */
  items: AccountReport[];
  /**
   * Pass it as `cursor` to get the items after these; absent when there were none. A cursor
   * stays good for ever.
   */
  next?: Cursor;
}

/** A part of a list. */
export interface PageOfBlockSummary {
  /** The items, at most as many as asked for. */
  items: BlockSummary[];
  /**
   * Pass it as `cursor` to get the items after these; absent when there were none. A cursor
   * stays good for ever.
   */
  next?: Cursor;
}

/** A part of a list. */
export interface PageOfBreachReport {
  /** The items, at most as many as asked for. */
  items: BreachReport[];
  /**
   * Pass it as `cursor` to get the items after these; absent when there were none. A cursor
   * stays good for ever.
   */
  next?: Cursor;
}

/** A part of a list. */
export interface PageOfEntryReport {
  /** The items, at most as many as asked for. */
  items: EntryReport[];
  /**
   * Pass it as `cursor` to get the items after these; absent when there were none. A cursor
   * stays good for ever.
   */
  next?: Cursor;
}

/** A part of a list. */
export interface PageOfEvidenceReport {
  /** The items, at most as many as asked for. */
  items: EvidenceReport[];
  /**
   * Pass it as `cursor` to get the items after these; absent when there were none. A cursor
   * stays good for ever.
   */
  next?: Cursor;
}

/** A part of a list. */
export interface PageOfHandoverReport {
  /** The items, at most as many as asked for. */
  items: HandoverReport[];
  /**
   * Pass it as `cursor` to get the items after these; absent when there were none. A cursor
   * stays good for ever.
   */
  next?: Cursor;
}

/** A part of a list. */
export interface PageOfHeldOrderReport {
  /** The items, at most as many as asked for. */
  items: HeldOrderReport[];
  /**
   * Pass it as `cursor` to get the items after these; absent when there were none. A cursor
   * stays good for ever.
   */
  next?: Cursor;
}

/** A part of a list. */
export interface PageOfInstructionReport {
  /** The items, at most as many as asked for. */
  items: InstructionReport[];
  /**
   * Pass it as `cursor` to get the items after these; absent when there were none. A cursor
   * stays good for ever.
   */
  next?: Cursor;
}

/** A part of a list. */
export interface PageOfLineReport {
  /** The items, at most as many as asked for. */
  items: LineReport[];
  /**
   * Pass it as `cursor` to get the items after these; absent when there were none. A cursor
   * stays good for ever.
   */
  next?: Cursor;
}

/** A part of a list. */
export interface PageOfLiquidityReport {
  /** The items, at most as many as asked for. */
  items: LiquidityReport[];
  /**
   * Pass it as `cursor` to get the items after these; absent when there were none. A cursor
   * stays good for ever.
   */
  next?: Cursor;
}

/** A part of a list. */
export interface PageOfListedChange {
  /** The items, at most as many as asked for. */
  items: ListedChange[];
  /**
   * Pass it as `cursor` to get the items after these; absent when there were none. A cursor
   * stays good for ever.
   */
  next?: Cursor;
}

/** A part of a list. */
export interface PageOfMerchantReport {
  /** The items, at most as many as asked for. */
  items: MerchantReport[];
  /**
   * Pass it as `cursor` to get the items after these; absent when there were none. A cursor
   * stays good for ever.
   */
  next?: Cursor;
}

/** A part of a list. */
export interface PageOfParticipantReport {
  /** The items, at most as many as asked for. */
  items: ParticipantReport[];
  /**
   * Pass it as `cursor` to get the items after these; absent when there were none. A cursor
   * stays good for ever.
   */
  next?: Cursor;
}

/** A part of a list. */
export interface PageOfPolicyReport {
  /** The items, at most as many as asked for. */
  items: PolicyReport[];
  /**
   * Pass it as `cursor` to get the items after these; absent when there were none. A cursor
   * stays good for ever.
   */
  next?: Cursor;
}

/** A part of a list. */
export interface PageOfProgrammeReport {
  /** The items, at most as many as asked for. */
  items: ProgrammeReport[];
  /**
   * Pass it as `cursor` to get the items after these; absent when there were none. A cursor
   * stays good for ever.
   */
  next?: Cursor;
}

/** A part of a list. */
export interface PageOfProposalReport {
  /** The items, at most as many as asked for. */
  items: ProposalReport[];
  /**
   * Pass it as `cursor` to get the items after these; absent when there were none. A cursor
   * stays good for ever.
   */
  next?: Cursor;
}

/** A part of a list. */
export interface PageOfQuoteReport {
  /** The items, at most as many as asked for. */
  items: QuoteReport[];
  /**
   * Pass it as `cursor` to get the items after these; absent when there were none. A cursor
   * stays good for ever.
   */
  next?: Cursor;
}

/** A part of a list. */
export interface PageOfRateReport {
  /** The items, at most as many as asked for. */
  items: RateReport[];
  /**
   * Pass it as `cursor` to get the items after these; absent when there were none. A cursor
   * stays good for ever.
   */
  next?: Cursor;
}

/** A part of a list. */
export interface PageOfRegisteredMerchant {
  /** The items, at most as many as asked for. */
  items: RegisteredMerchant[];
  /**
   * Pass it as `cursor` to get the items after these; absent when there were none. A cursor
   * stays good for ever.
   */
  next?: Cursor;
}

/** A part of a list. */
export interface PageOfRegistrarReport {
  /** The items, at most as many as asked for. */
  items: RegistrarReport[];
  /**
   * Pass it as `cursor` to get the items after these; absent when there were none. A cursor
   * stays good for ever.
   */
  next?: Cursor;
}

/** A part of a list. */
export interface PageOfReturnReport {
  /** The items, at most as many as asked for. */
  items: ReturnReport[];
  /**
   * Pass it as `cursor` to get the items after these; absent when there were none. A cursor
   * stays good for ever.
   */
  next?: Cursor;
}

/** A part of a list. */
export interface PageOfSlaReport {
  /** The items, at most as many as asked for. */
  items: SlaReport[];
  /**
   * Pass it as `cursor` to get the items after these; absent when there were none. A cursor
   * stays good for ever.
   */
  next?: Cursor;
}

/** A part of a list. */
export interface PageOfTransferReport {
  /** The items, at most as many as asked for. */
  items: TransferReport[];
  /**
   * Pass it as `cursor` to get the items after these; absent when there were none. A cursor
   * stays good for ever.
   */
  next?: Cursor;
}

/** A part of a list. */
export interface PageOfWindowReport {
  /** The items, at most as many as asked for. */
  items: WindowReport[];
  /**
   * Pass it as `cursor` to get the items after these; absent when there were none. A cursor
   * stays good for ever.
   */
  next?: Cursor;
}

/** The chain's parameters. Their bounds stand in docs/wire-format.md. */
export interface ParametersReport {
  /** The most batches in a block. */
  block_batches_max: number;
  /** The least time between two blocks while there is work. */
  block_interval_ms: number;
  /** The most items in a block. */
  block_items_max: number;
  /** The most returns in a block. */
  block_returns_max: number;
  /** How long after an arrival its money may come back. */
  bounce_period_ms: number;
  /** How far a block's time may lie ahead of a voter's clock. */
  clock_drift_ms: number;
  /** The longest time that a round waits, in milliseconds. */
  consensus_timeout_max_ms: number;
  /** The first round's timeout of each consensus step. */
  consensus_timeout_ms: number;
  /** The time by which each further round of a height waits longer, in milliseconds. */
  consensus_timeout_step_ms: number;
  /** The beginning of the day of limits, in minutes east of UTC. */
  day_offset_min: number;
  /** From acceptance to collection. */
  deadline_collect_ms: number;
  /** From acceptance to arrival across currencies. */
  deadline_cross_border_ms: number;
  /** From acceptance to arrival within a currency. */
  deadline_domestic_ms: number;
  /** How often in a row a gateway may fail one instruction. */
  failures_max: number;
  /** How many legal entities of operators approve a change, its maker's among them. */
  governance_approvals: number;
  /** How many heights lie at least between a proposal and its activation. */
  governance_notice_heights: number;
  /** The time between two blocks while there is none. */
  heartbeat_ms: number;
  /** The largest amount of one order in minor units, as a decimal string. */
  order_amount_max: DecimalNumber;
  /** How far an order id's time may lie ahead of block time. */
  order_skew_ms: number;
  /** How long after its id's time an order may commit, and be collected. */
  order_validity_ms: number;
  /** The least time that a paying gateway has from the close of a window. */
  payment_least_ms: number;
  /** How long a governance proposal waits for approvals. */
  proposal_validity_ms: number;
  /** How many heights a proposer whose turn failed is passed over. */
  proposer_penalty_heights: number;
  /** How long a reservation holds a quote. */
  quote_hold_ms: number;
  /** How far ahead a quote may be valid. */
  quote_valid_max_ms: number;
  /** How long a provider's rate is fresh. */
  rate_fresh_ms: number;
  /** How many fresh rates a reference takes. */
  rates_min: number;
  /** How long the fresh rates have to keep to a new level. */
  reference_confirm_ms: number;
  /** From how many thousandths on a step of a reference rate waits for confirmation. */
  reference_step_per_mille: number;
  /** How long a reservation holds money. */
  reservation_ms: number;
  /** How long after its id's time an order may be returned. */
  return_period_ms: number;
  /** How long after the collection a return is converted back at the order's own rate. */
  return_rate_ms: number;
  /** How long after the collection the collecting gateway alone takes an order back. */
  reversal_grace_ms: number;
  /** How much rounding may cost of a converted amount, in thousandths. */
  rounding_loss_max_per_mille: number;
  /** After how long others may move what its own gateway leaves alone. */
  step_in_ms: number;
  /** How long a transfer waits for its checker. */
  transfer_validity_ms: number;
  /** How long a settlement window stays open. */
  window_ms: number;
}

/** A registered legal party, with its key and its roles. */
export interface ParticipantReport {
  /** The legal entity that it belongs to; empty when that has no other party here. */
  legal_entity: string;
  /** The participant's name in the registry. */
  name: string;
  /** The participant's id, which its order ids end in. */
  participant: number;
  /** The ed25519 key that signs its batches, as 64 hexadecimal digits. */
  public_key: PublicKey;
  /** Its roles, by the names that the genesis file uses. */
  roles: RoleName[];
  /** True if it is barred. */
  suspended: boolean;
}

/** A validator whose turns to propose come last for a while. */
export interface PassedOverReport {
  /** Its name in the registry. */
  name: string;
  /** Why, in a few words. */
  reason: string;
  /** The last height of it. */
  until_height: number;
  /** The validator's id: its place in the list of nodes. */
  validator: number;
}

/** Another node, as this node is connected to it. */
export interface PeerReport {
  /** True if it is connected. */
  is_connected: boolean;
  /** The peer's name in the registry. */
  name: string;
  /** The key of its connections, hexadecimal. */
  network_key: PublicKey;
  /** How long ago it said so. */
  said_age_ms?: number;
  /** The height that it said last; absent before it has said one. */
  said_height?: number;
}

/** A risk desk's limits for a scope and currency; what is absent is not bounded. */
export interface PolicyReport {
  /** The currency that is collected: an ISO 4217 code. */
  currency: CurrencyCode;
  /** The largest sum of the subject's orders of a day. */
  day_max?: Money;
  /** The amount of `day_max` that the subject has used today; absent when that is not bounded. */
  day_used?: Money;
  /** The risk desk that set it. */
  desk: number;
  /** Orders above this are held. */
  hold_above?: Money;
  /** The largest amount of one order. */
  order_max?: Money;
  /** The kind of its subject. */
  scope: PolicyScope;
  /** When it was set. */
  since_ms: number;
  /** The gateway's or merchant's id; zero for the scheme. */
  subject: DecimalNumber;
  /** The largest sum of a user's orders of a day. */
  user_day_max?: Money;
}

/** The kind of a policy's subject. */
export type PolicyScope = "scheme"
  | "gateway"
  | "merchant"
  | (string & {});

/** The debits, the credits and the net of a party in one currency of one window. */
export interface PositionReport {
  /** The sum that the party is owed. */
  gross_credits: Money;
  /** The sum that the party owes. */
  gross_debits: Money;
  /** As what: gateway liquidity, FX position or cashback pool. */
  kind: AccountKind;
  /** `gross_credits` less `gross_debits`: below zero, it owes on balance. */
  net: Money;
  /** The participant's or merchant's id; zero for the scheme. */
  owner: DecimalNumber;
}

/** A key that was replaced and is still accepted. */
export interface PreviousKey {
  /** The ed25519 key, as 64 hexadecimal digits. */
  public_key: PublicKey;
  /** The last height whose block accepts it. */
  until_height: number;
}

/** A merchant's cashback programme in one currency. */
export interface ProgrammeReport {
  /** The account from which grants are paid. */
  budget: BudgetReport;
  /** The currency of its orders and of its budget: an ISO 4217 code. */
  currency: CurrencyCode;
  /** True if it grants anything to an order that is collected in the next block. */
  is_active: boolean;
  /** The id of the merchant whose programme this is. */
  merchant: DecimalNumber;
  /** The programme's number among the merchant's, from 1. */
  number: number;
  /** Its versions, ascending: the last one whose height has come is in force. */
  versions: ProgrammeVersion[];
}

/** A programme as it holds from a height on. */
export interface ProgrammeVersion {
  /** The ids of the gateways that take part, ascending. */
  gateways: number[];
  /** True if it grants anything. */
  is_active: boolean;
  /** Its time zone: minutes east of UTC. */
  offset_min: number;
  /** The least order that counts and earns. */
  order_least: Money;
  /** The most for one order; absent when there is no bound. */
  order_max?: Money;
  /** The first block that executes under it. */
  since_height: number;
  /** The tiers, ascending by the count of orders from which each applies. */
  tiers: TierReport[];
  /** The most for one user and month; absent when there is no bound. */
  user_month_max?: Money;
}

/** A proposal's id: a UUID, in small letters. */
export type ProposalId = string;

/** A change that a settlement operator proposed. */
export interface ProposalReport {
  /** The first block that shall execute under it, as its maker said. */
  activation_height: number;
  /** The operators who approved, its maker first. */
  approvals: number[];
  /** Operators of how many legal entities have to approve. */
  approvals_needed: number;
  /** Until when it waits for approvals. */
  approve_until_ms: number;
  /** The change of the registry that is proposed. */
  change: ChangeReport;
  /** The change's canonical bytes (docs/wire-format.md), as base64: the digest covers them. */
  change_base64: Base64;
  /** The digest of the proposal, which an approval names. */
  digest: Digest;
  /**
   * The first block that executes under it: that one, or a later one by which the notice after
   * the last approval that it needed is over.
   */
  due_height: number;
  /** The rejection that the change met when it was due; absent if it has not failed. */
  failure?: RejectionReport;
  /** The participant id of the operator that proposed it. */
  maker: number;
  /** The proposal's id, a UUID. */
  proposal_id: ProposalId;
  /** When it was proposed. */
  proposed_ms: number;
  /** The operators who refused. */
  refusals: number[];
  /** How far it has come. */
  status: ProposalStatus;
  /** The block that set the status. */
  status_height: number;
}

/** The state of a proposal. */
export type ProposalStatus = "proposed"
  | "scheduled"
  | "effective"
  | "refused"
  | "expired"
  | "failed"
  | (string & {});

/** An ed25519 public key. */
export type PublicKey = string;

/** A provider's offer to convert. */
export interface QuoteReport {
  /** How much may be collected under it. */
  ceiling: Money;
  /** The currency that is collected. */
  currency: CurrencyCode;
  /** True if an order may still use it, at the time of the node's head. */
  is_valid: boolean;
  /** When it was issued. */
  issued_ms: number;
  /** The amount that orders may still use; zero once the quote's time is over. */
  left: Money;
  /** The currency that is paid out. */
  payout_currency: CurrencyCode;
  /** The participant id of the FX provider that made the quote. */
  provider: number;
  /** Its number; the upper 32 bits are the provider's id. */
  quote_id: DecimalNumber;
  /** The payout currency's units for one unit of the currency, as a decimal number. */
  rate: DecimalRate;
  /**
   * How much of that is used by collected and reserved orders; absent once it is over so long
   * that nothing can be given back to it.
   */
  used?: Money;
  /** The last block time at which an order may use it. */
  valid_until_ms: number;
}

/** A provider's rate of a pair. */
export interface RateReport {
  /** The currency that is collected. */
  currency: CurrencyCode;
  /** True if it counts for the reference at the node's head. */
  is_fresh: boolean;
  /** When the provider observed it. */
  observed_ms: number;
  /** The currency that is paid out. */
  payout_currency: CurrencyCode;
  /** The participant id of the FX provider that published it. */
  provider: number;
  /** When it was published. */
  published_ms: number;
  /** The payout currency's units for one unit of the currency, as a decimal number. */
  rate: DecimalRate;
}

/** An order's receipt, with the stages that it proves. */
export interface ReceiptReport {
  /** The id of the order that the receipt is about. */
  order_id: OrderId;
  /** True if the receipt proves the arrival. */
  proves_arrival: boolean;
  /** True if the receipt proves the collection. */
  proves_collection: boolean;
  /** The receipt's bytes (docs/wire-format.md), as base64. */
  receipt_base64: Base64;
  /** How many returns it proves. */
  return_count: number;
}

/** A reference of 32 bytes outside of the chain, such as a bank's. */
export type Reference = string;

/** The reference rate of a pair. */
export interface ReferenceReport {
  /** The level from which the median may differ by less than a step; absent before the first. */
  confirmed?: DecimalRate;
  /** The currency that is collected. */
  currency: CurrencyCode;
  /** How many rates are fresh. */
  fresh_count: number;
  /** The node's head, as of which this holds. */
  height: number;
  /** Why there is none: what an order that names a quote of the pair would be refused with. */
  missing?: RejectionReport;
  /** The currency that is paid out. */
  payout_currency: CurrencyCode;
  /** How many providers have ever published one. */
  provider_count: number;
  /** The median of the fresh rates; absent when there are too few. */
  rate?: DecimalRate;
  /** How many fresh ones it takes. */
  rates_min: number;
  /** The block time at which it was computed, in milliseconds since 1970 (UTC). */
  time_ms: number;
  /** A level further away, which waits for confirmation. */
  waiting?: DecimalRate;
  /** From when on a published rate confirms that level, if the fresh rates have kept to it. */
  waiting_until_ms?: number;
}

/** A merchant as it is registered now. */
export interface RegisteredMerchant {
  /** The first height under its last change; absent when it is as the genesis file says. */
  changed_height?: number;
  /** The legal entity that it belongs to; empty when that has no other party here. */
  legal_entity: string;
  /** The merchant's id, as text. */
  merchant: DecimalNumber;
  /** The merchant's name in the registry. */
  name: string;
  /** A keyed hash of its account there, hexadecimal; absent when the gateway knows it by its id. */
  payout_account?: Digest;
  /** The gateway that pays it. */
  payout_gateway: number;
  /** True if new orders for it are refused. */
  suspended: boolean;
}

/** A participant with the keys that its batches may be signed with. */
export interface RegisteredParticipant {
  /** The legal entity that it belongs to; empty when that has no other party here. */
  legal_entity: string;
  /** The participant's name in the registry. */
  name: string;
  /** The participant's id, which its order ids end in. */
  participant: number;
  /** Its key before the present one, while that is still accepted. */
  previous_key?: PreviousKey;
  /** The ed25519 key that signs its batches, as 64 hexadecimal digits. */
  public_key: PublicKey;
  /** Its roles, by the names that the genesis file uses. */
  roles: RoleName[];
  /** True if it is barred. */
  suspended: boolean;
}

/** A merchant registrar, and what it may still do in the chain's present day. */
export interface RegistrarReport {
  /** How many merchants it has added in the day of the node's head. */
  added: number;
  /** The most merchants that it adds in a day. */
  added_max: number;
  /** How many changes it has made in that day. */
  changed: number;
  /** The most changes that it makes in a day of merchants which are there. */
  changed_max: number;
  /** The gateway whose merchants it adds and changes. */
  gateway: number;
  /** The id of the registrar. */
  participant: number;
}

/** The parties and nodes of the chain, and the rules by which the next block is executed. */
export interface RegistryReport {
  /** The currencies that are accepted: ISO 4217 codes. */
  currencies: CurrencyCode[];
  /** The node's head: this holds for the block after it. */
  height: number;
  /** Nodes; the place in the list is the validator's id. */
  nodes: NodeReport[];
  /** The parameters of the chain. */
  parameters: ParametersReport;
  /** Participants, ascending by id. */
  participants: RegisteredParticipant[];
  /** The protocol version by which blocks are executed. */
  protocol_version: number;
}

/** Why an order was refused. */
export interface RejectionReport {
  /** The cause in one sentence. */
  cause: string;
  /** The rejection's code, as docs/rejections.md lists it. */
  code: number;
  /** The stable name of the code. */
  name: string;
  /** The remedy in one sentence. */
  remedy: string;
}

/**
 * The sums that decide how much of a month's cashback an order takes along when it is returned:
 * section 8 of docs/settlement-rules.md.
 */
export interface RestReport {
  /** The rest of its grants, after returns. */
  granted: Money;
  /** True if something was taken along already, or could have been by a forced return. */
  is_shifted: boolean;
  /** The largest of them that there was. */
  largest: Money;
  /** The month, written `2026-11`, in the programme's time zone. */
  month: Month;
  /**
   * The most that a return of one of its orders can cost now: who names as much in `rested_max`
   * is not refused.
   */
  most: Money;
  /** How many of them one order that goes can take along; 7 stands for all. */
  steps: number;
}

/** Money of an order that was sent back. */
export interface ReturnReport {
  /** How much of the order, in the currency that was collected. */
  amount: Money;
  /** How much cashback of the order was taken back, or is promised no longer. */
  cashback: Money;
  /** How much the gateway paid for other cashback of the user's month that rested on the order. */
  cashback_rested: Money;
  /** How much of `cashback` the collecting gateway had paid before, and does not pay again. */
  cashback_set_off: Money;
  /** The gateway that sent it back. */
  gateway: number;
  /** The block that holds it. */
  height: number;
  /** True if the order's window was still open: a reversal. */
  is_reversal: boolean;
  /**
   * True if the collecting gateway got the payout as it was, in the payout currency, and not
   * the amount: the time in which the provider converts back at the order's rate was over.
   */
  is_unconverted: boolean;
  /** The nearest ISO 20022 code. */
  iso_code: string;
  /** The id of the order whose money goes back. */
  order_id: OrderId;
  /** How much of the payout, in the currency that the merchant is paid in. */
  payout: Money;
  /** The reason's number, as docs/settlement-rules.md lists it. */
  reason: number;
  /** The bank's reference, hexadecimal. */
  reference: Reference;
  /** When it was recorded. */
  returned_ms: number;
  /** The number of the return among the order's, from 1. */
  sequence: number;
}

/** The sum of an order's returns. */
export interface ReturnedReport {
  /** The sum of its returns. */
  amount: Money;
  /** The amount of the order that has not been sent back. */
  left: Money;
  /** The returns in order, at most 100 of them: `settlement_returns` gives all. */
  returns: ReturnReport[];
}

/** A participant's role. */
export type RoleName = "settlement-operator"
  | "recharge-service"
  | "gateway"
  | "fx-provider"
  | "risk-desk"
  | "settlement-agent"
  | "auditor"
  | "merchant-registrar"
  | (string & {});

/** The range that a search covered: it makes "not found" an answer. */
export interface Searched {
  /** The first height searched. */
  from_height: number;
  /** The last block time at which an order of this id may commit. */
  may_commit_until_ms: number;
  /** True if the order may still commit: the head has not reached that time. */
  may_still_commit: boolean;
  /** The last height searched: the node's head. */
  to_height: number;
  /** The block time of that head. */
  to_time_ms: number;
}

/** A settlement of a window that is proposed. */
export interface SettlementProposedReport {
  /** The participant id of the agent that proposed it. */
  agent: number;
  /** When it was proposed. */
  proposed_ms: number;
  /** The reference of the settlement outside, hexadecimal. */
  reference: Reference;
  /** The participant id of the agent that refused it; absent if nobody did. */
  refused_by?: number;
}

/** A step of a distribution of times. */
export interface SlaBucket {
  /** How many orders took longer than the step before, and no longer than this one. */
  order_count: number;
  /** The longest time in it; absent for the last step, which has no bound. */
  up_to_ms?: number;
}

/** How well a participant keeps its deadlines. */
export interface SlaReport {
  /** Deadlines that it missed, by stage. */
  breaches: BreachCount[];
  /** As a paying gateway: what arrived, by payout currency, domestic before cross-border. */
  corridors: CorridorReport[];
  /** The participant; absent for breaches that were nobody's in particular. */
  participant?: number;
}

/** When each stage happened, in block time. */
export interface Stages {
  /** When the submission committed (also of a rejected order). */
  accepted_ms?: number;
  /** When the arrival (or failure) was recorded. */
  arrived_ms?: number;
  /** When it was collected. */
  collected_ms?: number;
  /** By when the money must have arrived, counted from acceptance. */
  deadline_ms?: number;
  /** When its gateway said that it debits the user; only as long as it is debiting. */
  debiting_ms?: number;
  /** When it was voided, refused after a hold, or expired. */
  ended_ms?: number;
  /** When its instruction was made. */
  instructed_ms?: number;
  /**
   * Until when its gateway may take it back alone, if its window is open for as long; absent
   * when the chain grants no such grace, and once the window is closed.
   */
  reversible_until_ms?: number;
}

/** A node's head, its readiness and its pool. */
export interface StatusReport {
  /** The hash of that block, hexadecimal. */
  block_hash: BlockHash;
  /** The time of the head's block, in milliseconds since 1970 (UTC). */
  block_time_ms: number;
  /** Validators that the chain holds evidence against, the newest evidence first. */
  caught: CaughtReport[];
  /** The chain id, hexadecimal. */
  chain_id: ChainId;
  /** The newest block applied. */
  height: number;
  /**
   * The highest height that validators with more than a third of the power say they have, or
   * the node's own if that is higher.
   */
  highest_known_height: number;
  /** True if the node is well behind the validators and fetching blocks. */
  is_catching_up: boolean;
  /** True if the node serves: new batches are taken, and it knows that its head is the chain's. */
  is_ready: boolean;
  /**
   * How long ago the node committed its last block; before the first one since its start, the
   * age of that block by its time.
   */
  last_block_age_ms: number;
  /** The names of the validators whose proposal or votes are missing. */
  missing: string[];
  /** The node's name in the registry. */
  name: string;
  /** Validators whose turns to propose come last for a while. */
  passed_over: PassedOverReport[];
  /** Peers, connected and configured. */
  peers: PeerReport[];
  /** Batches held that are in no block yet. */
  pool_batch_count: number;
  /** The number of items in the waiting batches. */
  pool_item_count: number;
  /** Why the node is not ready, in the words of `/readyz`; absent when it is. */
  reason?: string;
  /** The running round of the next height; absent while that height has not begun here. */
  round?: number;
  /** The state's digest after it, hexadecimal. */
  state_digest: Digest;
  /** Milliseconds since the process started. */
  uptime_ms: number;
  /** The validator's id; absent for a node that has no vote at its head. */
  validator?: number;
  /** The version of the program, as `sluice --version` prints it. */
  version: string;
  /**
   * The next block waits for this: `proposal of node-2`, `prevotes of node-2, node-3`,
   * `precommits of node-3`, `work`, `blocks of the validators` at a node without a vote, or
   * `heights of a quorum` at a validator that does not know yet whether it voted before.
   */
  waits_for?: string;
}

/** A subscription's id, unique to its connection. */
export type SubscriptionId = number;

/** "Above five recharges in a calendar month, eight percent". */
export interface TierReport {
  /** It holds for the recharges after this many in the month. */
  above: number;
  /** Hundredths of a percent of the order's amount. */
  basis_points: number;
}

/** The operation that a transfer makes. */
export type TransferAction = "deposit"
  | "withdraw"
  | "cap"
  | (string & {});

/** A transfer's id: a UUID, in small letters. */
export type TransferId = string;

/** A deposit, a withdrawal or a net debit cap. */
export interface TransferReport {
  /** The account that the money enters or leaves. */
  account: AccountName;
  /** The direction of the money. */
  action: TransferAction;
  /** How much; of a cap, the new cap. */
  amount: Money;
  /** The participant id of the agent that decided it; absent while it waits. */
  checker?: number;
  /** The checker's reference, hexadecimal. */
  checker_reference?: Reference;
  /** Until when it waits for its checker. */
  decide_until_ms: number;
  /** When it was decided, or expired. */
  decided_ms?: number;
  /** The participant id of the agent that proposed it. */
  maker: number;
  /** The block that holds the proposal. */
  proposed_height: number;
  /** When it was proposed. */
  proposed_ms: number;
  /** The maker's reference, hexadecimal. */
  reference: Reference;
  /** How far it has come. */
  status: TransferStatus;
  /** The transfer's id, a UUID. */
  transfer_id: TransferId;
}

/** The state of a transfer. */
export type TransferStatus = "proposed"
  | "approved"
  | "refused"
  | "expired"
  | (string & {});

/** The sums of all accounts. */
export interface TrialBalanceReport {
  /** Per currency, ascending by ISO 4217 number. */
  currencies: CurrencyBalance[];
  /** The node's head, at which they were made. */
  height: number;
  /** True if debits equal credits in every currency, pending and posted. */
  is_balanced: boolean;
}

/** A user's orders of one day. */
export interface UserDayReport {
  /** The day of the node's head in the chain's day offset: `2026-11-23`. */
  day: Day;
  /** The most that a day may sum up to; absent when there is no bound. */
  day_max?: Money;
  /** The amount that the user may still use today. */
  left?: Money;
  /** The sum of what was reserved and collected. */
  used: Money;
  /** The user's pseudonym, hexadecimal. */
  user: UserPseudonym;
}

/** A user's recharges of one month under one programme. */
export interface UserMonthReport {
  /** Cashback granted in it. */
  granted: Money;
  /** The amount that may still be granted in the month; absent when the programme sets no bound. */
  left?: Money;
  /** The id of the merchant whose programme grants. */
  merchant: DecimalNumber;
  /** The month of the node's head in the programme's time zone: `2026-11`. */
  month: Month;
  /** Orders collected in it. */
  recharge_count: number;
  /** The cashback that can rest on one of its orders. */
  rests: RestReport;
  /**
   * The cashback that can rest on an order of the month before; absent when nothing is kept of
   * it.
   */
  rests_before?: RestReport;
  /** The user's pseudonym, hexadecimal. */
  user: UserPseudonym;
}

/** A user's pseudonym. */
export type UserPseudonym = string;

/** The stage of a batch until which `batch_submit` waits before it answers. */
export type Wait = "admitted"
  | "final";

/** The proof of a closed window's report. What it reports is in its bytes, to be verified there. */
export interface WindowProofReport {
  /** The hash of the block whose records root the proof leads to. */
  block_hash: BlockHash;
  /** The block that closed it and left its report: the one after its last block. */
  height: number;
  /** The proof's bytes (docs/wire-format.md), as base64: what `sluice verify` reads. */
  proof_base64: Base64;
  /** The root over all records of that block, to which the proof leads. */
  records_root: Digest;
  /**
   * The block with the word that the window is settled; absent while it was not given, and then
   * the proof holds none.
   */
  settled_height?: number;
  /** The time of that block: when the window closed. */
  time_ms: number;
  /** The number of the proven window. */
  window: number;
}

/** A settlement window, open or closed. */
export interface WindowReport {
  /** When it closed; absent while it is open. */
  closed_ms?: number;
  /**
   * The digest of the positions, hexadecimal: what maker and checker of the settlement sign;
   * absent while the window is open.
   */
  digest?: Digest;
  /** The height of its first block. */
  first_height: number;
  /** Instructions it made when it closed. */
  instruction_count: number;
  /** Its last block; absent while it is open. */
  last_height?: number;
  /** The block time at which it opened, in milliseconds since 1970 (UTC). */
  opened_ms: number;
  /** Orders collected in it. */
  order_count: number;
  /**
   * The debits and credits of each party, by currency within party: the interbank settlement
   * report. Per currency the nets add up to zero.
   */
  positions: PositionReport[];
  /** A settlement that waits for its checker, or that was refused. */
  proposed?: SettlementProposedReport;
  /** The settlement by the banks; absent while no checker has approved one. */
  settled?: WindowSettledReport;
  /** The window's number; the first is 0. */
  window: number;
}

/** The settlement of a window: its nets are posted. */
export interface WindowSettledReport {
  /** The participant id of the agent that proposed it. */
  agent: number;
  /** The participant id of the agent that approved it. */
  checker: number;
  /** The block that holds the approval. */
  height: number;
  /** The reference of the settlement outside, hexadecimal. */
  reference: Reference;
  /** When it was approved. */
  settled_ms: number;
}

/** Every method, with the parameters by name and the result. */
export interface Methods {
  /** Submits one signed batch (docs/wire-format.md) as one base64 string. */
  "batch_submit": {
    params: {
      /** The bytes of a signed batch (docs/wire-format.md). */
      bytes_base64: Base64;
      /** The stage of the batch at which the node answers. */
      wait?: Wait;
      /**
       * The longest wait, in milliseconds: 10,000 by default, and at most the server's
       * `wait_ms_max`.
       */
      timeout_ms?: number;
      /** True if the answer gives every item's code. False by default. */
      with_codes?: boolean;
    };
    result: BatchReport;
  };
  /** The state of a batch at this node, with its outcomes once it is final. */
  "batch_status": {
    params: {
      /** The batch's id. */
      batch_id: BatchId;
      /** True if the answer gives every item's code. False by default. */
      with_codes?: boolean;
    };
    result: BatchReport;
  };
  /** An order's status with the time of every stage. */
  "recharge_order": {
    params: {
      /** The order's id. */
      order_id: OrderId;
    };
    result: OrderReport;
  };
  /**
   * An order's receipt: its outcome with everything needed to verify it offline, given only the
   * genesis file.
   */
  "recharge_receipt": {
    params: {
      /** The order's id. */
      order_id: OrderId;
      /**
       * True if the changes of validators are left out of the proof, for a verifier that has
       * them from `chain_lineage`. False by default.
       */
      lineage_apart?: boolean;
    };
    result: ReceiptReport;
  };
  /** Windows, newest first; the open one is among them. */
  "settlement_windows": {
    params: {
      /**
       * A place in this list: the items after it are asked for. It is the `next` of a page or
       * the `cursor` of an event, unchanged; without one, the list begins. A cursor stays good
       * for ever.
       */
      cursor?: Cursor;
      /** The most items of the page. */
      limit?: number;
    };
    result: PageOfWindowReport;
  };
  /** One window with the debits and credits of each party, by its number. */
  "settlement_window": {
    params: {
      /** The window's number; the first is 0. */
      window: number;
    };
    result: WindowReport;
  };
  /**
   * The report of a closed window, and the word that it is settled if it was given, with
   * everything needed to verify them offline.
   */
  "settlement_window_proof": {
    params: {
      /** The window's number; the first is 0. */
      window: number;
      /**
       * True if the changes of validators are left out of the proof, for a verifier that has
       * them from `chain_lineage`. False by default.
       */
      lineage_apart?: boolean;
    };
    result: WindowProofReport;
  };
  /** Instructions of a window or of a paying gateway, ascending by id. */
  "settlement_instructions": {
    params: {
      /** The instructions that are asked for: exactly one of its fields is given. */
      filter: InstructionSelector;
      /**
       * A place in this list: the items after it are asked for. It is the `next` of a page or
       * the `cursor` of an event, unchanged; without one, the list begins. A cursor stays good
       * for ever.
       */
      cursor?: Cursor;
      /** The most items of the page. */
      limit?: number;
    };
    result: PageOfInstructionReport;
  };
  /** One instruction by its id, `window-merchant-currency`. */
  "settlement_instruction": {
    params: {
      /** The instruction's id. */
      instruction_id: InstructionId;
    };
    result: InstructionReport;
  };
  /** Deadlines that were missed, oldest first. */
  "settlement_breaches": {
    params: {
      /**
       * A place in this list: the items after it are asked for. It is the `next` of a page or
       * the `cursor` of an event, unchanged; without one, the list begins. A cursor stays good
       * for ever.
       */
      cursor?: Cursor;
      /** The most items of the page. */
      limit?: number;
    };
    result: PageOfBreachReport;
  };
  /** Returns of one order, in order of their sequence numbers. */
  "settlement_returns": {
    params: {
      /** The order's id. */
      order_id: OrderId;
      /**
       * A place in this list: the items after it are asked for. It is the `next` of a page or
       * the `cursor` of an event, unchanged; without one, the list begins. A cursor stays good
       * for ever.
       */
      cursor?: Cursor;
      /** The most items of the page. */
      limit?: number;
    };
    result: PageOfReturnReport;
  };
  /** How well deadlines are kept, since block zero: one item a participant, ascending by id. */
  "settlement_sla": {
    params: {
      /**
       * A place in this list: the items after it are asked for. It is the `next` of a page or
       * the `cursor` of an event, unchanged; without one, the list begins. A cursor stays good
       * for ever.
       */
      cursor?: Cursor;
      /** The most items of the page. */
      limit?: number;
    };
    result: PageOfSlaReport;
  };
  /**
   * Instructions to a paying gateway, ascending by id: first those that exist, then each as its
   * window closes.
   */
  "settlement_subscribe_instructions": {
    params: {
      /** The participant id of the paying gateway. */
      gateway: number;
      /**
       * A place in this list: the items after it are asked for. It is the `next` of a page or
       * the `cursor` of an event, unchanged; without one, the list begins. A cursor stays good
       * for ever.
       */
      cursor?: Cursor;
    };
    result: SubscriptionId;
  };
  /** Ends a subscription of `settlement_subscribe_instructions`. */
  "settlement_unsubscribe_instructions": {
    params: {
      /** The id that the subscription's call gave. */
      subscription: SubscriptionId;
    };
    result: boolean;
  };
  /** Accounts, ascending by kind, owner and currency. */
  "ledger_accounts": {
    params: {
      /**
       * A place in this list: the items after it are asked for. It is the `next` of a page or
       * the `cursor` of an event, unchanged; without one, the list begins. A cursor stays good
       * for ever.
       */
      cursor?: Cursor;
      /** The most items of the page. */
      limit?: number;
    };
    result: PageOfAccountReport;
  };
  /** One account with its counters and its balance, by its name. */
  "ledger_account": {
    params: {
      /** The account's name. */
      account: AccountName;
    };
    result: AccountReport;
  };
  /** The changes of an account, oldest first: one entry a cause and block, not one an order. */
  "ledger_entries": {
    params: {
      /** The account's name. */
      account: AccountName;
      /**
       * A place in this list: the items after it are asked for. It is the `next` of a page or
       * the `cursor` of an event, unchanged; without one, the list begins. A cursor stays good
       * for ever.
       */
      cursor?: Cursor;
      /** The most items of the page. */
      limit?: number;
    };
    result: PageOfEntryReport;
  };
  /**
   * An account's counters after the block of a height, with everything needed to verify them
   * offline.
   */
  "ledger_account_proof": {
    params: {
      /** The account's name. */
      account: AccountName;
      /** The height of the block after which the account is asked for; without one, the head's. */
      height?: number;
      /**
       * True if the changes of validators are left out of the proof, for a verifier that has
       * them from `chain_lineage`. False by default.
       */
      lineage_apart?: boolean;
    };
    result: AccountProofReport;
  };
  /** The sums of all accounts per currency at the node's head: debits equal credits. */
  "ledger_trial_balance": {
    params: Record<string, never>;
    result: TrialBalanceReport;
  };
  /** Deposits, withdrawals and net debit caps, newest first. */
  "ledger_transfers": {
    params: {
      /** True if only those are asked for that wait for a decision. False by default. */
      open_only?: boolean;
      /**
       * A place in this list: the items after it are asked for. It is the `next` of a page or
       * the `cursor` of an event, unchanged; without one, the list begins. A cursor stays good
       * for ever.
       */
      cursor?: Cursor;
      /** The most items of the page. */
      limit?: number;
    };
    result: PageOfTransferReport;
  };
  /** One transfer with its maker, its checker and its status, by its id. */
  "ledger_transfer": {
    params: {
      /** The transfer's id. */
      transfer_id: TransferId;
    };
    result: TransferReport;
  };
  /** The lines that a participant has given on its accounts, ascending by account and holder. */
  "ledger_lines": {
    params: {
      /** The participant id of the party that has given the lines. */
      owner: number;
      /**
       * A place in this list: the items after it are asked for. It is the `next` of a page or
       * the `cursor` of an event, unchanged; without one, the list begins. A cursor stays good
       * for ever.
       */
      cursor?: Cursor;
      /** The most items of the page. */
      limit?: number;
    };
    result: PageOfLineReport;
  };
  /** The lines that a participant has on others' accounts, ascending by account. */
  "ledger_lines_held": {
    params: {
      /** The participant id of the party that may reserve on the lines. */
      holder: number;
      /**
       * A place in this list: the items after it are asked for. It is the `next` of a page or
       * the `cursor` of an event, unchanged; without one, the list begins. A cursor stays good
       * for ever.
       */
      cursor?: Cursor;
      /** The most items of the page. */
      limit?: number;
    };
    result: PageOfLineReport;
  };
  /** The reference rate of a pair at the node's head, or why there is none. */
  "fx_reference": {
    params: {
      /** The currency; of a pair, the one that is collected. */
      currency: CurrencyCode;
      /** The currency of a pair that is paid out. */
      payout_currency: CurrencyCode;
    };
    result: ReferenceReport;
  };
  /** Every provider's last rate of a pair, ascending by provider. */
  "fx_rates": {
    params: {
      /** The currency; of a pair, the one that is collected. */
      currency: CurrencyCode;
      /** The currency of a pair that is paid out. */
      payout_currency: CurrencyCode;
      /**
       * A place in this list: the items after it are asked for. It is the `next` of a page or
       * the `cursor` of an event, unchanged; without one, the list begins. A cursor stays good
       * for ever.
       */
      cursor?: Cursor;
      /** The most items of the page. */
      limit?: number;
    };
    result: PageOfRateReport;
  };
  /** All rates of a pair that a provider has published, the oldest first. */
  "fx_rate_history": {
    params: {
      /** The currency; of a pair, the one that is collected. */
      currency: CurrencyCode;
      /** The currency of a pair that is paid out. */
      payout_currency: CurrencyCode;
      /** The participant id of the FX provider. */
      provider: number;
      /**
       * A place in this list: the items after it are asked for. It is the `next` of a page or
       * the `cursor` of an event, unchanged; without one, the list begins. A cursor stays good
       * for ever.
       */
      cursor?: Cursor;
      /** The most items of the page. */
      limit?: number;
    };
    result: PageOfRateReport;
  };
  /** One quote, by its number as a decimal string. */
  "fx_quote": {
    params: {
      /** The quote's number; its upper 32 bits are the provider's id. */
      quote_id: DecimalNumber;
    };
    result: QuoteReport;
  };
  /** A provider's quotes, ascending by id. */
  "fx_quotes": {
    params: {
      /** The participant id of the FX provider. */
      provider: number;
      /**
       * A place in this list: the items after it are asked for. It is the `next` of a page or
       * the `cursor` of an event, unchanged; without one, the list begins. A cursor stays good
       * for ever.
       */
      cursor?: Cursor;
      /** The most items of the page. */
      limit?: number;
    };
    result: PageOfQuoteReport;
  };
  /** Programmes, ascending by merchant and currency. */
  "cashback_programmes": {
    params: {
      /**
       * A place in this list: the items after it are asked for. It is the `next` of a page or
       * the `cursor` of an event, unchanged; without one, the list begins. A cursor stays good
       * for ever.
       */
      cursor?: Cursor;
      /** The most items of the page. */
      limit?: number;
    };
    result: PageOfProgrammeReport;
  };
  /** A merchant's programme in a currency: its versions, and its budget now. */
  "cashback_programme": {
    params: {
      /** The merchant's id. */
      merchant: DecimalNumber;
      /** The currency; of a pair, the one that is collected. */
      currency: CurrencyCode;
    };
    result: ProgrammeReport;
  };
  /**
   * A user's recharges and cashback of the present month under a programme, and what can rest
   * on an order of it or of the month before.
   */
  "cashback_user_month": {
    params: {
      /** The merchant's id. */
      merchant: DecimalNumber;
      /** The currency; of a pair, the one that is collected. */
      currency: CurrencyCode;
      /** The user's pseudonym. */
      user: UserPseudonym;
    };
    result: UserMonthReport;
  };
  /** Policies in force, ascending by scope, subject and currency. */
  "risk_policies": {
    params: {
      /**
       * A place in this list: the items after it are asked for. It is the `next` of a page or
       * the `cursor` of an event, unchanged; without one, the list begins. A cursor stays good
       * for ever.
       */
      cursor?: Cursor;
      /** The most items of the page. */
      limit?: number;
    };
    result: PageOfPolicyReport;
  };
  /** Orders that wait for a risk desk, ascending by id, hence by age. */
  "risk_held_orders": {
    params: {
      /**
       * A place in this list: the items after it are asked for. It is the `next` of a page or
       * the `cursor` of an event, unchanged; without one, the list begins. A cursor stays good
       * for ever.
       */
      cursor?: Cursor;
      /** The most items of the page. */
      limit?: number;
    };
    result: PageOfHeldOrderReport;
  };
  /** A user's orders of the present day in a currency. */
  "risk_user_day": {
    params: {
      /** The user's pseudonym. */
      user: UserPseudonym;
      /** The currency; of a pair, the one that is collected. */
      currency: CurrencyCode;
    };
    result: UserDayReport;
  };
  /**
   * The registry for the next block: participants and their keys, nodes, currencies,
   * parameters, protocol version.
   */
  "governance_registry": {
    params: Record<string, never>;
    result: RegistryReport;
  };
  /** Merchants, ascending by id. */
  "governance_merchants": {
    params: {
      /**
       * A place in this list: the items after it are asked for. It is the `next` of a page or
       * the `cursor` of an event, unchanged; without one, the list begins. A cursor stays good
       * for ever.
       */
      cursor?: Cursor;
      /** The most items of the page. */
      limit?: number;
    };
    result: PageOfRegisteredMerchant;
  };
  /** One merchant with the gateway that pays it, by its id. */
  "governance_merchant": {
    params: {
      /** The merchant's id. */
      merchant: DecimalNumber;
    };
    result: RegisteredMerchant;
  };
  /** Merchant registrars with their limits and what they have done of the day, ascending by id. */
  "governance_registrars": {
    params: {
      /**
       * A place in this list: the items after it are asked for. It is the `next` of a page or
       * the `cursor` of an event, unchanged; without one, the list begins. A cursor stays good
       * for ever.
       */
      cursor?: Cursor;
      /** The most items of the page. */
      limit?: number;
    };
    result: PageOfRegistrarReport;
  };
  /** Proposals, newest first. */
  "governance_proposals": {
    params: {
      /** True if only those are asked for that wait for a decision. False by default. */
      open_only?: boolean;
      /**
       * A place in this list: the items after it are asked for. It is the `next` of a page or
       * the `cursor` of an event, unchanged; without one, the list begins. A cursor stays good
       * for ever.
       */
      cursor?: Cursor;
      /** The most items of the page. */
      limit?: number;
    };
    result: PageOfProposalReport;
  };
  /** One proposal with its approvals and refusals, by its id. */
  "governance_proposal": {
    params: {
      /** The proposal's id. */
      proposal_id: ProposalId;
    };
    result: ProposalReport;
  };
  /** The changes of the list that an open proposal names, in their order, each with its bytes. */
  "governance_proposal_changes": {
    params: {
      /** The proposal's id. */
      proposal_id: ProposalId;
      /**
       * A place in this list: the items after it are asked for. It is the `next` of a page or
       * the `cursor` of an event, unchanged; without one, the list begins. A cursor stays good
       * for ever.
       */
      cursor?: Cursor;
      /** The most items of the page. */
      limit?: number;
    };
    result: PageOfListedChange;
  };
  /** The chain id: SHA-256 of the genesis file, as 64 hexadecimal digits. */
  "chain_id": {
    params: Record<string, never>;
    result: ChainId;
  };
  /** The chain's name, parameters and nodes, as of its genesis file, and how long its lists are. */
  "chain_info": {
    params: Record<string, never>;
    result: ChainInfo;
  };
  /** Participants of the genesis file, ascending by id. */
  "chain_participants": {
    params: {
      /**
       * A place in this list: the items after it are asked for. It is the `next` of a page or
       * the `cursor` of an event, unchanged; without one, the list begins. A cursor stays good
       * for ever.
       */
      cursor?: Cursor;
      /** The most items of the page. */
      limit?: number;
    };
    result: PageOfParticipantReport;
  };
  /** Merchants of the genesis file, ascending by id. */
  "chain_merchants": {
    params: {
      /**
       * A place in this list: the items after it are asked for. It is the `next` of a page or
       * the `cursor` of an event, unchanged; without one, the list begins. A cursor stays good
       * for ever.
       */
      cursor?: Cursor;
      /** The most items of the page. */
      limit?: number;
    };
    result: PageOfMerchantReport;
  };
  /** Liquidity lines of the genesis file, ascending by gateway and currency. */
  "chain_liquidity": {
    params: {
      /**
       * A place in this list: the items after it are asked for. It is the `next` of a page or
       * the `cursor` of an event, unchanged; without one, the list begins. A cursor stays good
       * for ever.
       */
      cursor?: Cursor;
      /** The most items of the page. */
      limit?: number;
    };
    result: PageOfLiquidityReport;
  };
  /** The parameters at the node's head. */
  "chain_parameters": {
    params: Record<string, never>;
    result: ParametersReport;
  };
  /** The newest decided block that this node has applied. */
  "chain_head": {
    params: Record<string, never>;
    result: BlockSummary;
  };
  /** One block with its batch ids and certificate, by height (a number) or hash (text). */
  "chain_block": {
    params: {
      /** The block: its height or its hash. */
      block: BlockSelector;
    };
    result: BlockReport;
  };
  /** Blocks without their batches, newest first. */
  "chain_blocks": {
    params: {
      /**
       * A place in this list: the items after it are asked for. It is the `next` of a page or
       * the `cursor` of an event, unchanged; without one, the list begins. A cursor stays good
       * for ever.
       */
      cursor?: Cursor;
      /** The most items of the page. */
      limit?: number;
    };
    result: PageOfBlockSummary;
  };
  /** Validators that were caught at signing two values where they may sign one, oldest first. */
  "chain_evidence": {
    params: {
      /**
       * A place in this list: the items after it are asked for. It is the `next` of a page or
       * the `cursor` of an event, unchanged; without one, the list begins. A cursor stays good
       * for ever.
       */
      cursor?: Cursor;
      /** The most items of the page. */
      limit?: number;
    };
    result: PageOfEvidenceReport;
  };
  /**
   * Every change of validators that the chain made, oldest first: what verifies a proof with
   * `lineage_apart`.
   */
  "chain_lineage": {
    params: {
      /**
       * A place in this list: the items after it are asked for. It is the `next` of a page or
       * the `cursor` of an event, unchanged; without one, the list begins. A cursor stays good
       * for ever.
       */
      cursor?: Cursor;
      /** The most items of the page. */
      limit?: number;
    };
    result: PageOfHandoverReport;
  };
  /**
   * Decided blocks in order, without a gap: first those from `from_height` on, then each as it
   * is decided.
   */
  "chain_subscribe_blocks": {
    params: {
      /** The height of the first block to send. */
      from_height?: number;
    };
    result: SubscriptionId;
  };
  /** Ends a subscription of `chain_subscribe_blocks`. */
  "chain_unsubscribe_blocks": {
    params: {
      /** The id that the subscription's call gave. */
      subscription: SubscriptionId;
    };
    result: boolean;
  };
  /** The node's head, its readiness, its peers and its pool. */
  "node_status": {
    params: Record<string, never>;
    result: StatusReport;
  };
  /** The node's readiness to serve; the same as `/readyz`. */
  "node_health": {
    params: Record<string, never>;
    result: HealthReport;
  };
  /** This node's capacity, its queue and a submitter's share, signed with the node's key. */
  "node_outlook": {
    params: {
      /**
       * The participant id of the submitter whose line is asked for; without one, no line is
       * given.
       */
      submitter?: number;
    };
    result: OutlookReport;
  };
  /** This interface as an OpenRPC 1.3 document: methods, schemas and errors. */
  "rpc.discover": {
    params: Record<string, never>;
    result: OpenRpcDocument;
  };
}

/** The events of each method that subscribes. */
export interface Subscriptions {
  "settlement_subscribe_instructions": {
    notification: "settlement_instruction_event";
    unsubscribe: "settlement_unsubscribe_instructions";
    event: InstructionEvent;
  };
  "chain_subscribe_blocks": {
    notification: "chain_block_event";
    unsubscribe: "chain_unsubscribe_blocks";
    event: BlockSummary;
  };
}
