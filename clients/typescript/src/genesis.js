// The genesis file: docs/wire-format.md section 11. Its SHA-256 is the chain id, so the file is
// what a user trusts, and everything is verified against it. Pure.

import { fromHex, isEqual, require, toHex } from "./bytes.js";
import { sha256 } from "./crypto.js";
import { parseToml } from "./toml.js";

const U32_MAX = (1n << 32n) - 1n;

/**
 * @typedef {object} Genesis What the user's own genesis file says.
 * @property {Uint8Array} chainId
 * @property {string} chainIdText As `sha256sum` prints it.
 * @property {string} name
 * @property {bigint} timeMs The time of block zero.
 * @property {string[]} currencies
 * @property {Map<string, bigint>} parameters
 * @property {Map<number, {id: number, name: string, roles: string[], publicKey: Uint8Array}>
 *   } participants
 * @property {Map<bigint, {id: bigint, name: string, payoutGateway: number}>} merchants
 * @property {import("./certificate.js").Validator[]} validators Those of block one.
 */

/** @param {import("./toml.js").Table} table @param {string} key @param {string} kind */
function field(table, key, kind) {
  const value = table.get(key);
  const isThere = kind === "list" ? Array.isArray(value) : typeof value === kind;
  require(isThere, `the genesis file has no ${key} of the right form`);
  return value;
}

/** @param {import("./toml.js").Table} table @param {string} key */
function number32(table, key) {
  const value = field(table, key, "bigint");
  require(value >= 0n && value <= U32_MAX, `the genesis file's ${key} is out of bounds`);
  return Number(value);
}

/** @param {import("./toml.js").Table} table @param {string} key */
function publicKey(table, key) {
  return fromHex(field(table, key, "string"), 32);
}

/**
 * @param {import("./toml.js").Table} content
 * @param {string} key
 * @returns {import("./toml.js").Table[]}
 */
function tables(content, key) {
  const list = content.get(key) ?? [];
  const areTables = Array.isArray(list) && list.every((each) => each instanceof Map);
  require(areTables, `the genesis file's ${key} is no list of tables`);
  return list;
}

/**
 * @template K, T
 * @param {T[]} list
 * @param {(each: T) => K} key
 * @returns {Map<K, T>}
 */
function byKey(list, key) {
  const found = new Map(list.map((each) => [key(each), each]));
  require(found.size === list.length, "the genesis file gives an id twice");
  return found;
}

/** @param {import("./toml.js").Table} content */
function validatorsOf(content) {
  const nodes = tables(content, "nodes").map((node, id) => {
    const power = node.has("power") ? field(node, "power", "bigint") : 0n;
    require(power >= 0n, "the genesis file gives a node a power below zero");
    return { id, power, key: power > 0n ? publicKey(node, "validator_key") : new Uint8Array(32) };
  });
  const validators = nodes.filter(({ power }) => power > 0n);
  require(validators.length > 0, "the genesis file names no validator");
  return validators;
}

/**
 * Reads a genesis file's bytes.
 *
 * @param {Uint8Array} bytes
 * @returns {Genesis}
 */
export function parseGenesis(bytes) {
  const content = parseToml(bytes);
  const chainId = sha256(bytes);
  const participants = tables(content, "participants").map((each) => ({
    id: number32(each, "id"), name: field(each, "name", "string"),
    roles: field(each, "roles", "list"), publicKey: publicKey(each, "public_key"),
  }));
  const merchants = tables(content, "merchants").map((each) => ({
    id: field(each, "id", "bigint"), name: field(each, "name", "string"),
    payoutGateway: number32(each, "payout_gateway"),
  }));
  const parameters = content.get("parameters") ?? new Map();
  const areNumbers = parameters instanceof Map
    && [...parameters.values()].every((value) => typeof value === "bigint");
  require(areNumbers, "the genesis file's parameters are not all whole numbers");
  return {
    chainId, chainIdText: toHex(chainId),
    name: content.has("name") ? field(content, "name", "string") : "",
    timeMs: field(content, "time_ms", "bigint"), currencies: field(content, "currencies", "list"),
    parameters, participants: byKey(participants, ({ id }) => id),
    merchants: byKey(merchants, ({ id }) => id), validators: validatorsOf(content),
  };
}

/**
 * Refuses a genesis file that is not the one whose hash the user pinned.
 *
 * @param {Genesis} genesis
 * @param {string} pinned 64 hexadecimal digits, as `sha256sum` prints them.
 */
export function requirePinned(genesis, pinned) {
  const isPinned = isEqual(genesis.chainId, fromHex(pinned.trim().toLowerCase(), 32));
  require(isPinned, `the genesis file's hash is ${genesis.chainIdText}, not the one pinned`);
}
