// An order from nothing to arrived and verified, on a network that `sluice localnet` runs:
//
//     node clients/typescript/examples/order.js FOLDER_OF_THE_NETWORK
//
// The network's own gateways pay the merchant. In a real one each party runs its own half of this.

import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import {
  Batcher, Client, collectItem, CURRENCIES, orderId, parseGenesis, parseKeyFile, rechargeItem,
  toUuid,
} from "../src/index.js";
import { parseToml } from "../src/toml.js";

/** A participant's folder: who it is, its key, and the nodes it talks to. @param {string} folder */
function participant(folder) {
  const config = parseToml(readFileSync(join(folder, "participant.toml")));
  const seed = parseKeyFile(readFileSync(join(folder, config.get("key")), "utf8"));
  return { id: Number(config.get("id")), seed, urls: config.get("rpc") };
}

const network = process.argv[2];
const genesis = parseGenesis(readFileSync(join(network, "genesis.toml"))); // whom we trust
const service = participant(join(network, "participants", "recharge-101"));
const gateway = participant(join(network, "participants", "gateway-201"));
const client = new Client(service.urls);

/** @param {string} kind @param {typeof service} party @param {Uint8Array} item */
async function say(kind, party, item) {
  const batcher = new Batcher(client, genesis.chainId, kind, party, {
    keep: async (batch) => writeFileSync(join(network, `${kind}.batch`), batch),
  });
  const result = await batcher.add(item);
  console.log(`${kind}: ${result.name} in block ${result.height}`);
  if (result.isOpen) throw new Error(`send ${kind}.batch again: its fate is open`);
  if (!result.isApplied) throw new Error(`${kind}: ${result.name}`);
  return result.height ?? 0;
}

const id = orderId(service.id); // one purchase has one id, for ever
const [merchant] = genesis.merchants.keys();
await say("recharge", service, rechargeItem({
  id, merchant, gateway: gateway.id, amountMinor: 1_234n, currency: CURRENCIES.CNY,
}));
const minHeight = await say("collect", gateway, collectItem(id, randomBytes(32)));
await client.waitForOrder(toUuid(id), ["arrived"], { minHeight });
const { bytes, proven } = await client.verifiedReceipt(toUuid(id), genesis);
writeFileSync(join(network, "order.receipt"), bytes);
const tookMs = Number((proven.arrivedMs ?? 0n) - proven.acceptedMs);
console.log(`order ${proven.orderId}: ${proven.amountMinor} fen arrived after ${tookMs} ms`);
console.log(`verified against chain ${genesis.chainIdText}`);
for (const { step, participant: party, height } of proven.signers) {
  console.log(`  ${step} in block ${height}, signed by ${party}`);
}
