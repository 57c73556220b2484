// One verdict for whatever bytes: docs/wire-format.md section 10. Pure.

import { Invalid, isEqual, Reader } from "./bytes.js";
import { readBlockHeader, readCertificate } from "./certificate.js";
import { trust } from "./lineage.js";
import { ACCOUNT_PROOF_MAGIC, RECORD_PROOF_MAGIC, verifyAccount, verifyWindow } from "./proof.js";
import { verifyReceipt } from "./receipt.js";

/**
 * @typedef {import("./receipt.js").ProvenReceipt | import("./proof.js").ProvenAccount
 *   | import("./proof.js").ProvenWindow} Proven
 * @typedef {{isValid: true, chainId: string, proven: Proven}
 *   | {isValid: false, chainId: string, reason: string}} Verdict
 */

/**
 * Judges the bytes of a receipt, an account proof or a window's proof against the user's own
 * genesis file. Never throws for bytes, however they came; `chainId` says against what.
 *
 * @param {Uint8Array} data
 * @param {import("./genesis.js").Genesis} genesis
 * @param {Uint8Array} [lineage] The bytes of a lineage that stands apart.
 * @returns {Verdict}
 */
export function verify(data, genesis, lineage) {
  const chainId = genesis.chainIdText;
  try {
    const magic = data.slice(0, 8);
    let judge;
    if (isEqual(magic, ACCOUNT_PROOF_MAGIC)) judge = verifyAccount;
    else if (isEqual(magic, RECORD_PROOF_MAGIC)) judge = verifyWindow;
    else judge = verifyReceipt;
    return { isValid: true, chainId, proven: judge(data, genesis, lineage) };
  } catch (error) {
    if (!(error instanceof Invalid)) throw error;
    return { isValid: false, chainId, reason: error.message };
  }
}

/**
 * Reads a block's header, once its certificate shows that the chain decided it; throws `Invalid`
 * otherwise. The validators are those of the genesis file, or those that a lineage apart leads to.
 *
 * @param {Uint8Array} header The 406 bytes that `header_base64` of `chain_block` gives.
 * @param {Uint8Array} certificate The bytes of its `certificate_base64`.
 * @param {import("./genesis.js").Genesis} genesis
 * @param {Uint8Array} [lineage]
 */
export function verifyBlock(header, certificate, genesis, lineage) {
  const [block, quorum] = [new Reader(header), new Reader(certificate)];
  const [found, decided] = [readBlockHeader(block), readCertificate(quorum)];
  block.end();
  quorum.end();
  trust([], genesis, [found.height], lineage).require(found, decided);
  return found;
}
