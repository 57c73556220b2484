// The local network that the pages show: calls to it, orders of ours, and forged receipts.

import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";

const execute = promisify(execFile);

export const RPC = process.env.SLUICE_RPC ?? "http://127.0.0.1:26601";
export const EXPLORER = process.env.SLUICE_EXPLORER ?? `${RPC}/explorer/`;
const HOME = `${process.env.SLUICE_NETWORK}/net`;
const BINARY = process.env.SLUICE_BINARY ?? "sluice";

/** Calls the node; gives the result, or throws the error. */
export async function call(method, params = {}) {
  const response = await fetch(RPC, {
    method: "POST", headers: { "content-type": "application/json" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
  });
  const { result, error } = await response.json();
  if (error) throw new Error(JSON.stringify(error));
  return result;
}

/** Waits, at whatever pace, until something holds. */
export async function until(what, holds) {
  for (let count = 0; count < 600; count += 1) {
    const found = await holds().catch(() => false);
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(`never: ${what}`);
}

/** Waits until the network has blocks, a closed window and an instruction. */
export async function ready() {
  await until("a node that is ready", async () => (await call("node_health")).is_ready);
  await until("a closed window with instructions", async () => {
    const { items } = await call("settlement_windows", { limit: 10 });
    return items.some(({ instruction_count: count }) => count > 0);
  });
}

/** Submits an order of gateway 201 that is collected in one step; gives its id. */
export async function submitted() {
  const { stdout } = await execute(BINARY, [
    "submit", "--participant", `${HOME}/participants/gateway-201/participant.toml`,
    "--kind", "collected", "--set", "merchant=1001", "--set", "amount=12.34",
    "--set", "currency=CNY",
  ]);
  return stdout.slice(0, 36);
}

export const genesisFile = () => `${HOME}/genesis.toml`;
export const genesisText = () => readFile(genesisFile());
