// Who was to decide which height, from the genesis file on: docs/wire-format.md section 10. Pure.

import { concat, isEqual, Reader, require } from "./bytes.js";
import {
  readBlockHeader, readCertificate, requireAscending, requireDecided, validatorsHash,
} from "./certificate.js";

/** The first bytes of a lineage that stands apart. */
export const LINEAGE_MAGIC = new TextEncoder().encode("SLUICEL1");
/** The most bytes of a receipt, an account proof or a proof of records. */
export const PROOF_BYTES_MAX = 4_194_304;
const VALIDATORS_MAX = 128;

/** @typedef {import("./certificate.js").Validator} Validator */
/** @typedef {import("./certificate.js").BlockHeader} BlockHeader */
/** @typedef {import("./certificate.js").Certificate} Certificate */
/** @typedef {{id: number, seat: {key: Uint8Array, power: bigint} | null}[]} Change */

/**
 * @typedef {object} Handover The last block of some validators, and those who come.
 * @property {BlockHeader} header
 * @property {Certificate} certificate
 * @property {Change} deciders
 * @property {Change} next
 */

/**
 * @param {Reader} reader
 * @returns {Change}
 */
function readChange(reader) {
  const seat = () => ({ key: reader.take(32), power: reader.u64() });
  return reader.list(() => ({ id: reader.u32(), seat: reader.option(seat) }), 5);
}

/**
 * Reads header, certificate and the two changes.
 *
 * @param {Reader} reader
 * @returns {Handover}
 */
export function readHandover(reader) {
  return {
    header: readBlockHeader(reader), certificate: readCertificate(reader),
    deciders: readChange(reader), next: readChange(reader),
  };
}

/** Reads the lineage that ends a proof. @param {Reader} reader */
export function readLineage(reader) {
  return reader.list(readHandover, 406);
}

/**
 * @param {{key: Uint8Array, power: bigint} | null | undefined} one
 * @param {{key: Uint8Array, power: bigint} | null} other
 */
function isSameSeat(one, other) {
  if (!one || !other) return !one && !other;
  return isEqual(one.key, other.key) && one.power === other.power;
}

/**
 * The validators that others become by a change; refuses any but its one form.
 *
 * @param {Validator[]} validators
 * @param {Change} change
 * @returns {Validator[]}
 */
function changed(validators, change) {
  requireAscending(change.map(({ id }) => id), "lineage: the validators of a change");
  const seats = new Map(validators.map((validator) => [validator.id, validator]));
  for (const { id, seat } of change) {
    require(!isSameSeat(seats.get(id), seat), "lineage: a change that changes nothing");
    if (seat) seats.set(id, { id, ...seat });
    else seats.delete(id);
  }
  require(seats.size <= VALIDATORS_MAX, "lineage: too many validators");
  return [...seats.values()].sort((one, other) => one.id - other.id);
}

/**
 * Refuses a certificate of `deciders` that less than a quorum of those trusted before signed.
 *
 * @param {Validator[]} trusted
 * @param {Certificate} certificate
 * @param {Validator[]} deciders
 */
function requireVouched(trusted, certificate, deciders) {
  const signers = new Set(certificate.signatures.map(({ validator }) => validator));
  const signed = new Map(
    deciders.filter(({ id }) => signers.has(id)).map(({ id, key }) => [id, key]));
  let [power, total] = [0n, 0n];
  for (const validator of trusted) {
    const key = signed.get(validator.id);
    total += validator.power;
    if (key && isEqual(key, validator.key)) power += validator.power;
  }
  require(power * 3n > total * 2n, "lineage: too few of those trusted before signed");
}

/** A walk over handovers from the genesis file on: who was to decide the wanted heights. */
export class Trust {
  /**
   * @param {{chainId: Uint8Array, validators: Validator[]}} genesis
   * @param {Iterable<bigint>} heights
   */
  constructor(genesis, heights) {
    this.chainId = genesis.chainId;
    this.validators = genesis.validators;
    this.since = 1n;
    this.wanted = new Set(heights);
    /** @type {Map<bigint, Validator[]>} */
    this.found = new Map();
  }

  /** Goes on over the next handover. @param {Handover} handover */
  step({ header, certificate, deciders, next }) {
    require(header.height >= this.since, "lineage: it does not ascend");
    const deciding = changed(this.validators, deciders);
    const coming = changed(deciding, next);
    const isNamed = isEqual(header.nextValidatorsHash, validatorsHash(coming));
    require(isNamed, "lineage: others than the header names");
    const isChange = !isEqual(validatorsHash(coming), validatorsHash(this.validators));
    require(isChange, "lineage: a handover to the same validators");
    requireVouched(this.validators, certificate, deciding);
    requireDecided(header, certificate, deciding, this.chainId);
    for (const height of this.wanted) {
      if (height <= header.height) {
        this.found.set(height, this.validators);
        this.wanted.delete(height);
      }
    }
    this.validators = coming;
    this.since = header.height + 1n;
  }

  /**
   * Refuses a header of a wanted height that the chain has not decided.
   *
   * @param {BlockHeader} header
   * @param {Certificate} certificate
   */
  require(header, certificate) {
    const found = this.found.get(header.height);
    require(found || this.wanted.has(header.height), "nobody asked for this height");
    requireDecided(header, certificate, found ?? this.validators, this.chainId);
  }
}

/**
 * What the lineage of a proof says of the heights of its blocks. A proof without one may be held
 * against the bytes of a lineage that stands apart.
 *
 * @param {Handover[]} lineage
 * @param {{chainId: Uint8Array, validators: Validator[]}} genesis
 * @param {bigint[]} heights
 * @param {Uint8Array} [apart]
 */
export function trust(lineage, genesis, heights, apart) {
  const walk = new Trust(genesis, heights);
  if (apart && lineage.length === 0) {
    const reader = new Reader(apart);
    require(isEqual(reader.take(LINEAGE_MAGIC.length), LINEAGE_MAGIC), "not a lineage");
    while (reader.left > 0) walk.step(readHandover(reader));
    return walk;
  }
  const last = heights.reduce((most, height) => (height > most ? height : most), 0n);
  for (const handover of lineage) {
    require(handover.header.height < last, "a handover that nothing rests on");
    walk.step(handover);
  }
  return walk;
}

/**
 * The bytes of a lineage that stands apart, of the handovers that `chain_lineage` gave in order.
 *
 * @param {Uint8Array[]} handovers
 */
export function lineageApart(handovers) {
  return concat(LINEAGE_MAGIC, ...handovers);
}
