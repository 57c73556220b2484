// The judgement of receipts, over the client's own modules. Node finds packages in folders called
// node_modules; the explorer's stand in `vendor`, so a small loader leads there, as the page's
// import map does in a browser.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { register } from "node:module";
import test from "node:test";

const index = readFileSync(new URL("../static/index.html", import.meta.url), "utf8");
const { imports } = JSON.parse(/importmap">(.*?)<\/script>/s.exec(index)[1]);
const explorer = new URL("../", import.meta.url).href;
const client = new URL("../../../clients/typescript/src/", import.meta.url).href;
const loader = `
const imports = ${JSON.stringify(imports)};
export async function resolve(name, context, next) {
  if (imports[name]) return next(new URL(imports[name], ${JSON.stringify(explorer)}).href, context);
  const isClients = name.startsWith("../client/");
  if (isClients) return next(${JSON.stringify(client)} + name.slice(10), context);
  return next(name, context);
}
export async function load(url, context, next) {
  return next(url, url.includes("/vendor/") ? { ...context, format: "module" } : context);
}`;
register(`data:text/javascript,${encodeURIComponent(loader)}`);
const { chainIdOf, judge } = await import("../static/js/proofs.js");

const genesis = new TextEncoder().encode(`
name = "small"
time_ms = 1
currencies = ["CNY"]
[[participants]]
id = 101
name = "service"
roles = ["recharge-service"]
public_key = "${"11".repeat(32)}"
[[nodes]]
name = "node-0"
operator = 1
power = 1
validator_key = "${"22".repeat(32)}"
network_key = "${"33".repeat(32)}"
`);

test("without a pinned file nothing is called verified", () => {
  assert.equal(judge(new Uint8Array(8), null).verdict, "unpinned");
  const hashOnly = { chainId: chainIdOf(genesis), sinceMs: 0 };
  assert.equal(judge(new Uint8Array(8), hashOnly).verdict, "unpinned");
});

test("bytes that prove nothing are refused, and the page says against what", () => {
  const pin = { chainId: chainIdOf(genesis), sinceMs: 0, file: genesis };
  const magic = new TextEncoder().encode("SLUICER2");
  for (const bytes of [new Uint8Array(0), new Uint8Array(100), magic]) {
    const judgement = judge(bytes, pin);
    assert.equal(judgement.verdict, "refused");
    assert.equal(judgement.against, pin.chainId);
    assert.ok(judgement.reason);
  }
});

test("a file that is not the one whose hash is pinned is no ground to judge on", () => {
  const pin = { chainId: "00".repeat(32), sinceMs: 0, file: genesis };
  assert.throws(() => judge(new Uint8Array(8), pin));
  assert.throws(() => chainIdOf(new TextEncoder().encode("name = 5")));
});
