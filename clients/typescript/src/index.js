// A client of Sluice for browsers and Node.js (18 and later). Plain ES modules, typed by JSDoc.
//
// Verification is pure: bytes in, a verdict out, no I/O and nothing of Node.js, so that a browser
// can embed it. Its modules are bytes, certificate, crypto, genesis, kinds, lineage, merkle, proof,
// receipt, toml and verify; the only imports from outside stand in crypto.js (`@noble/ed25519`, and
// `sha256` and `sha512` of `@noble/hashes/sha2`). Entry points:
//
// - `parseGenesis(bytes)` reads the user's own genesis file; its `chainIdText` is the file's hash.
//   `requirePinned(genesis, hex)` refuses a file of another hash.
// - `verify(bytes, genesis, lineage?)` judges a receipt, an account proof or a window's proof, by
//   its first bytes: `{isValid: true, chainId, proven}` or `{isValid: false, chainId, reason}`.
// - `verifyReceipt`, `verifyAccount`, `verifyWindow` and `verifyRecords` do one each, and throw
//   `Invalid`. A receipt's `signers` say whose signature each step bears.
// - `lineageApart(handovers)` joins what `chain_lineage` gives to a lineage for all of them.
// - `verifyBlock(header, certificate, genesis, lineage?)` judges one block's header.
//
// Numbers of 64 bits and more are bigints, in what is proven and in what is made.

export { fromBase64, fromHex, fromUuid, Invalid, toBase64, toHex, toUuid } from "./bytes.js";
export { parseGenesis, requirePinned } from "./genesis.js";
export { APPROVE, COLLECTED, CURRENCIES, isApplied, KINDS, REFUSE } from "./kinds.js";
export { LINEAGE_MAGIC, lineageApart } from "./lineage.js";
export { verifyAccount, verifyRecords, verifyWindow } from "./proof.js";
export { verifyReceipt } from "./receipt.js";
export { verify, verifyBlock } from "./verify.js";

// Talking to nodes: the client and what it throws, items, batches, keys.
export { Batcher } from "./batcher.js";
export { FateOpen, Refused, Unreachable } from "./errors.js";
export { fateOf, isNewIdSafe } from "./fate.js";
export { Client } from "./rpc.js";
export { parseKeyFile, publicKeyOf, sign, signedBatch } from "./sign.js";
export * from "./wire.js";
