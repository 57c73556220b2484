// Account proofs and proofs of records: docs/wire-format.md sections 8 and 10, against the user's
// own genesis file. Pure.

import { concat, i128, isEqual, Reader, require, toHex, u128, u16, u64, u8 } from "./bytes.js";
import { readBlockHeader, readCertificate } from "./certificate.js";
import { tagged } from "./crypto.js";
import { PROOF_BYTES_MAX, readLineage, trust } from "./lineage.js";
import { leaf, node, rootFromProof } from "./merkle.js";

export const ACCOUNT_PROOF_MAGIC = new TextEncoder().encode("SLUICEA3");
export const RECORD_PROOF_MAGIC = new TextEncoder().encode("SLUICEP2");
const ACCOUNTS_TREE_DEPTH = 32;
const RECORDS_MAX = 64;
const WINDOW = 0;
const WINDOW_SETTLEMENT = 4;
/** Bytes of a window's record before its positions: number, six u64 and two Options. */
const BEFORE_POSITIONS_BYTES = 4 + 8 + 8 + 8 + 9 + 9 + 8 + 8;

/** @type {Map<number, string>} */
const ACCOUNT_KINDS = new Map([
  [1, "gateway-liquidity"], [2, "merchant-payable"], [3, "cashback-pool"], [4, "cashback-owed"],
  [5, "fx-position"], [6, "fees"], [7, "suspense"], [8, "scheme-settlement"],
]);
/** As what a party stands in a window's report. */
const PARTY_KINDS = new Set([1, 3, 5, 7]);

/** @typedef {import("./genesis.js").Genesis} Genesis */

/**
 * @typedef {object} ProvenAccount
 * @property {"account"} kind
 * @property {string} accountKind
 * @property {bigint} owner
 * @property {number} currency
 * @property {bigint} height The block after which the account stood so.
 * @property {bigint} timeMs
 * @property {bigint} debitsPending
 * @property {bigint} debitsPosted
 * @property {bigint} creditsPending
 * @property {bigint} creditsPosted
 * @property {bigint} netDebitCap
 * @property {bigint} settled
 * @property {bigint} balance Credits posted less debits posted.
 */

/**
 * @typedef {object} ProvenWindow
 * @property {"window"} kind
 * @property {bigint} window
 * @property {bigint} openedMs
 * @property {bigint} closedMs
 * @property {bigint} firstHeight
 * @property {bigint | null} lastHeight
 * @property {bigint} orders
 * @property {bigint} instructions
 * @property {Position[]} positions
 * @property {Settlement | null} settled
 */

/**
 * @typedef {object} Position
 * @property {string} kind
 * @property {bigint} owner
 * @property {number} currency
 * @property {bigint} grossDebits
 * @property {bigint} grossCredits
 * @property {bigint} net
 */

/**
 * @typedef {object} Settlement
 * @property {number} agent
 * @property {number} checker
 * @property {string} reference
 * @property {bigint} settledMs
 * @property {bigint} height
 * @property {string} digest
 */

/** @param {Uint8Array} data @param {Uint8Array} magic @param {string} what */
function opened(data, magic, what) {
  require(data.length <= PROOF_BYTES_MAX, `more bytes than any ${what} has`);
  const reader = new Reader(data);
  require(isEqual(reader.take(magic.length), magic), `not a ${what}`);
  return reader;
}

/** @param {Reader} reader */
function readAccount(reader) {
  const [kind, owner, currency] = [reader.u8(), reader.u64(), reader.u16()];
  const accountKind = ACCOUNT_KINDS.get(kind);
  require(accountKind, "an account of no kind that there is");
  const counters = {
    debitsPending: reader.u128(), debitsPosted: reader.u128(), creditsPending: reader.u128(),
    creditsPosted: reader.u128(), netDebitCap: reader.u64(), settled: reader.i128(),
  };
  const hash = tagged("sluice:account:1", u8(kind), u64(owner), u16(currency),
    u128(counters.debitsPending), u128(counters.debitsPosted), u128(counters.creditsPending),
    u128(counters.creditsPosted), u64(counters.netDebitCap), i128(counters.settled));
  const balance = counters.creditsPosted - counters.debitsPosted;
  return { hash, account: { accountKind, owner, currency, ...counters, balance } };
}

/**
 * What an account proof proves; throws `Invalid` if it does not hold. A proof without a lineage may
 * be held against the bytes of one that stands apart.
 *
 * @param {Uint8Array} data
 * @param {Genesis} genesis
 * @param {Uint8Array} [lineage]
 * @returns {ProvenAccount}
 */
export function verifyAccount(data, genesis, lineage) {
  const reader = opened(data, ACCOUNT_PROOF_MAGIC, "account proof");
  const { hash, account } = readAccount(reader);
  const [place, siblings, writes] = [reader.u32(), reader.digests(), reader.take(32)];
  const [header, certificate] = [readBlockHeader(reader), readCertificate(reader)];
  const handovers = readLineage(reader);
  reader.end();
  require(siblings.length === ACCOUNTS_TREE_DEPTH, "not as many siblings as the tree is deep");
  const root = siblings.reduce((below, sibling, level) => {
    const isRight = ((place >>> level) & 1) === 1;
    return isRight ? node(sibling, below) : node(below, sibling);
  }, hash);
  const isLed = isEqual(tagged("sluice:state:1", concat(root, writes)), header.stateDigest);
  require(isLed, "the counters do not lead to the block's state digest");
  trust(handovers, genesis, [header.height], lineage).require(header, certificate);
  return { kind: "account", ...account, height: header.height, timeMs: header.timeMs };
}

/** @param {Reader} reader */
function readRecord(reader) {
  return {
    record: reader.bytes(), index: reader.u32(), path: reader.digests(),
    header: readBlockHeader(reader), certificate: readCertificate(reader),
  };
}

/**
 * The records that a proof holds, once everything about it does.
 *
 * @param {Uint8Array} data
 * @param {Genesis} genesis
 * @param {Uint8Array} [lineage]
 */
export function verifyRecords(data, genesis, lineage) {
  const reader = opened(data, RECORD_PROOF_MAGIC, "proof of records");
  const records = reader.list(readRecord, 406);
  const handovers = readLineage(reader);
  reader.end();
  require(records.length >= 1 && records.length <= RECORDS_MAX, "no records, or too many");
  const isAscending = records.every(({ header, index }, at) => {
    const before = records[at - 1];
    return at === 0 || before.header.height < header.height
      || (before.header.height === header.height && before.index < index);
  });
  require(isAscending, "the records do not ascend");
  const heights = records.map(({ header }) => header.height);
  for (const { record, index, path, header } of records) {
    const root = rootFromProof(leaf(record), index, header.recordCount, path);
    require(isEqual(root, header.recordsRoot), "a record does not lead to its block's root");
  }
  const trusted = trust(handovers, genesis, heights, lineage);
  for (const { header, certificate } of records) trusted.require(header, certificate);
  return records.map(({ record, header }) => ({ record, header }));
}

/**
 * @param {Reader} reader
 * @returns {Position}
 */
function readPosition(reader) {
  const [kind, owner, currency] = [reader.u8(), reader.u64(), reader.u16()];
  const [grossDebits, grossCredits] = [reader.u128(), reader.u128()];
  const name = ACCOUNT_KINDS.get(kind);
  require(name && PARTY_KINDS.has(kind), "a position of no party");
  return {
    kind: name, owner, currency, grossDebits, grossCredits, net: grossCredits - grossDebits,
  };
}

/** The report of a closed window; its nets add up to zero. @param {Uint8Array} record */
export function readWindow(record) {
  const reader = new Reader(record);
  require(reader.u32() === WINDOW, "not a window's report");
  const [window, openedMs, firstHeight] = [reader.u64(), reader.u64(), reader.u64()];
  const closedMs = reader.option(() => reader.u64());
  const lastHeight = reader.option(() => reader.u64());
  const [orders, instructions] = [reader.u64(), reader.u64()];
  const positions = reader.list(readPosition, 43);
  reader.end();
  require(closedMs !== null, "the window is open");
  /** @type {Map<number, bigint>} */
  const nets = new Map();
  for (const { currency, net } of positions) nets.set(currency, (nets.get(currency) ?? 0n) + net);
  require([...nets.values()].every((net) => net === 0n), "the report does not net");
  return {
    window, openedMs, closedMs, firstHeight, lastHeight, orders, instructions, positions,
  };
}

/**
 * What maker and checker of a window's settlement sign, of the report's bytes.
 *
 * @param {Uint8Array} record
 */
export function reportDigest(record) {
  return tagged("sluice:report:1", record.slice(4, 12), record.slice(BEFORE_POSITIONS_BYTES));
}

/** A window's settlement. @param {Uint8Array} record */
function readSettlement(record) {
  const reader = new Reader(record);
  require(reader.u32() === WINDOW_SETTLEMENT, "not the word that a window is settled");
  const [window, agent, reference] = [reader.u64(), reader.u32(), reader.take(32)];
  const [settledMs, height] = [reader.u64(), reader.u64()];
  reader.skip(4 + 4); // places of batch and item
  const [checker, digest] = [reader.u32(), reader.take(32)];
  reader.end();
  const settled = {
    agent, checker, reference: toHex(reference), settledMs, height, digest: toHex(digest),
  };
  return { window, settled };
}

/**
 * What a proof of a window's report proves; throws `Invalid` if it does not hold.
 *
 * @param {Uint8Array} data
 * @param {Genesis} genesis
 * @param {Uint8Array} [lineage]
 * @returns {ProvenWindow}
 */
export function verifyWindow(data, genesis, lineage) {
  const [report, ...rest] = verifyRecords(data, genesis, lineage);
  const proven = readWindow(report.record);
  require(rest.length <= 1, "more than a report and the word that it is settled");
  if (rest.length === 0) return { kind: "window", ...proven, settled: null };
  const { window, settled } = readSettlement(rest[0].record);
  require(window === proven.window, "the settlement is of another window");
  const isOfReport = settled.digest === toHex(reportDigest(report.record));
  require(isOfReport, "the settlement is of another report");
  return { kind: "window", ...proven, settled };
}
