// Block headers, votes, certificates and validators: docs/wire-format.md sections 8 and 9. Pure.

import { concat, isEqual, require, u32, u64, u8 } from "./bytes.js";
import { signatureHoldsStrictly, tagged } from "./crypto.js";

export const BLOCK_HEADER_BYTES = 406;

/**
 * @typedef {object} Validator
 * @property {number} id Its place in the registry's list of nodes.
 * @property {Uint8Array} key
 * @property {bigint} power
 */

/**
 * @typedef {object} BlockHeader
 * @property {Uint8Array} raw Its 406 bytes.
 * @property {Uint8Array} hash
 * @property {number} version
 * @property {Uint8Array} chainId
 * @property {bigint} height
 * @property {number} round
 * @property {number} parentRound
 * @property {number} proposer
 * @property {bigint} timeMs
 * @property {bigint} window
 * @property {Uint8Array} parent
 * @property {number} batchCount
 * @property {Uint8Array} batchesRoot
 * @property {number} evidenceCount
 * @property {Uint8Array} evidenceRoot
 * @property {Uint8Array} resultsRoot
 * @property {Uint8Array} stateDigest
 * @property {Uint8Array} validatorsHash
 * @property {Uint8Array} nextValidatorsHash
 * @property {Uint8Array} parametersHash
 * @property {number} partyCount
 * @property {Uint8Array} partiesRoot
 * @property {number} recordCount
 * @property {Uint8Array} recordsRoot
 */

/**
 * @typedef {object} Certificate
 * @property {bigint} height
 * @property {number} round
 * @property {Uint8Array} block The hash of the block that was decided.
 * @property {{validator: number, signature: Uint8Array}[]} signatures
 */

/**
 * Reads the 406 bytes of a header.
 *
 * @param {import("./bytes.js").Reader} reader
 * @returns {BlockHeader}
 */
export function readBlockHeader(reader) {
  const start = reader.at;
  const fields = {
    version: reader.u16(),
    chainId: reader.take(32),
    height: reader.u64(),
    round: reader.u32(),
    parentRound: reader.u32(),
    proposer: reader.u32(),
    timeMs: reader.u64(),
    window: reader.u64(),
    parent: reader.take(32),
    batchCount: reader.u32(),
    batchesRoot: reader.take(32),
    evidenceCount: reader.u32(),
    evidenceRoot: reader.take(32),
    resultsRoot: reader.take(32),
    stateDigest: reader.take(32),
    validatorsHash: reader.take(32),
    nextValidatorsHash: reader.take(32),
    parametersHash: reader.take(32),
    partyCount: reader.u32(),
    partiesRoot: reader.take(32),
    recordCount: reader.u32(),
    recordsRoot: reader.take(32),
  };
  const raw = reader.data.slice(start, reader.at);
  return { raw, hash: tagged("sluice:block:1", raw), ...fields };
}

/**
 * What a validator's vote is a signature over; `block` is null in a vote for nothing.
 *
 * @param {Uint8Array} chainId
 * @param {bigint} height
 * @param {number} round
 * @param {boolean} isPrecommit
 * @param {Uint8Array | null} block
 */
export function voteDigest(chainId, height, round, isPrecommit, block) {
  return tagged("sluice:vote:1", chainId, u64(height), u32(round), u8(isPrecommit ? 1 : 0),
    u8(block ? 1 : 0), block ?? new Uint8Array(32));
}

/**
 * Reads height, round, block hash and signatures.
 *
 * @param {import("./bytes.js").Reader} reader
 * @returns {Certificate}
 */
export function readCertificate(reader) {
  const [height, round, block] = [reader.u64(), reader.u32(), reader.take(32)];
  const signatures = reader.list(
    () => ({ validator: reader.u32(), signature: reader.take(64) }), 68);
  return { height, round, block, signatures };
}

/**
 * Refuses numbers that do not ascend strictly.
 *
 * @param {number[]} ids
 * @param {string} what
 */
export function requireAscending(ids, what) {
  require(ids.every((id, at) => at === 0 || ids[at - 1] < id), `${what} do not ascend`);
}

/**
 * Refuses anything but a quorum of these validators, each signature good.
 *
 * @param {Certificate} certificate
 * @param {Uint8Array} chainId
 * @param {Validator[]} validators
 */
export function requireQuorum(certificate, chainId, validators) {
  const { height, round, block, signatures } = certificate;
  requireAscending(signatures.map(({ validator }) => validator), "certificate: signers");
  const known = new Map(validators.map((validator) => [validator.id, validator]));
  const signers = signatures.map(({ validator }) => {
    const signer = known.get(validator);
    require(signer, `certificate: ${validator} is not a validator`);
    return signer;
  });
  const power = signers.reduce((sum, signer) => sum + signer.power, 0n);
  const total = validators.reduce((sum, { power }) => sum + power, 0n);
  require(power * 3n > total * 2n, "certificate: no quorum");
  const digest = voteDigest(chainId, height, round, true, block);
  signatures.forEach(({ signature }, at) => {
    const holds = signatureHoldsStrictly(signers[at].key, digest, signature);
    require(holds, `certificate: signature of ${signers[at].id}`);
  });
}

/** The digest of validators that headers carry. @param {Validator[]} validators */
export function validatorsHash(validators) {
  const entries = validators.map(({ id, key, power }) => concat(u32(id), key, u64(power)));
  return tagged("sluice:validat:1", u64(validators.length), ...entries);
}

/**
 * Refuses a header that these validators have not decided.
 *
 * @param {BlockHeader} header
 * @param {Certificate} certificate
 * @param {Validator[]} validators
 * @param {Uint8Array} chainId
 */
export function requireDecided(header, certificate, validators, chainId) {
  require(isEqual(header.chainId, chainId), "the block is of another chain");
  require(isEqual(certificate.block, header.hash), "the certificate is of another block");
  require(certificate.height === header.height, "the certificate is of another height");
  const isTheirs = isEqual(header.validatorsHash, validatorsHash(validators));
  require(isTheirs, "the block names other validators");
  requireQuorum(certificate, chainId, validators);
}
