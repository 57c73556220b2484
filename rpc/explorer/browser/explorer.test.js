// The explorer as people use it, in front of a real network.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";

import { launch, NAME, open, serious, shot, tab } from "./browser.js";
import {
  call, EXPLORER, genesisFile, genesisText, isPaidOut, ready, submitted, until,
} from "./network.js";

const HOUR_MS = 3_600_000;
let browser;
let order;

before(async () => {
  await ready();
  order = await submitted();
  browser = await launch();
}, { timeout: HOUR_MS });
after(() => browser?.close());

/** Every page, with things that exist. */
async function addresses() {
  const first = async (method, params) => (await call(method, { limit: 1, ...params })).items[0];
  const { height } = await call("chain_head");
  const { items: windows } = await call("settlement_windows", { limit: 20 });
  const { window } = windows.find(isPaidOut);
  const { instruction_id: instruction } = await first("settlement_instructions",
    { filter: { window } });
  const { account } = await first("ledger_accounts");
  const { items: blocks } = await call("chain_blocks", { limit: 100 });
  const full = blocks.find(({ batch_count: count }) => count > 0);
  const { batches } = await call("chain_block", { block: full.height });
  const transfer = await first("ledger_transfers");
  const proposal = await first("governance_proposals");
  const pages = [
    "", "blocks", `block/${height}`, `batch/${batches[0].batch_id}`, `order/${order}`, "merchants",
    "merchant/1001", "accounts", `account/${encodeURIComponent(account)}`, "windows",
    `window/${window}`, `instruction/${instruction}`, "gateways", "gateway/201", "fx",
    "fx?pair=CNY/USD", "validators", "governance", "risk", "breaches", "transfers", "participants",
    "node", "verify", "search?q=1001", "search?q=nonsense", "nothing",
  ];
  if (transfer) pages.push(`transfer/${transfer.transfer_id}`);
  if (proposal) pages.push(`proposal/${proposal.proposal_id}`);
  return pages.map((page) => `#/${page}`);
}

const SCREENS = [[1280, "light"], [1280, "dark"], [360, "light"], [360, "dark"]];
for (const [width, colorScheme] of SCREENS) {
  test(`every page is well at ${width} px, ${colorScheme}`, { timeout: HOUR_MS }, async () => {
    const { context, page, complaints } = await tab(browser, { width, colorScheme });
    for (const hash of await addresses()) {
      await open(page, hash);
      await shot(page, `${width}-${colorScheme}${hash}`);
      const wider = await page.evaluate(() => {
        const { scrollWidth, clientWidth } = document.documentElement;
        return scrollWidth - clientWidth;
      });
      assert.ok(wider <= 0, `${hash} is ${wider} px wider than the screen`);
      assert.deepEqual(await serious(page, context), [], hash);
      assert.equal(await page.locator("#page .failure").count(), 0, hash);
      assert.deepEqual(complaints, [], hash);
    }
    await context.close();
  });
}

test("an order is found by its id, arrives before one's eyes, and is verified",
  { timeout: HOUR_MS }, async () => {
    const { context, page, complaints } = await tab(browser);
    const fresh = await submitted();
    await open(page, "#/");
    await page.getByRole("searchbox").fill(fresh);
    await page.keyboard.press("Enter");
    await page.waitForURL(`**#/order/${fresh}`);
    const state = page.locator("#page .lead .state");
    await state.waitFor();
    assert.notEqual(await state.textContent(), "Arrived");
    const text = await page.locator("#page").textContent();
    assert.match(text, /12\.34\u00a0CNY/);
    // Nobody reloads the page.
    await page.evaluate(() => { globalThis.isTheSame = true; });
    await page.locator("#page .lead .state", { hasText: "Arrived" })
      .waitFor({ timeout: HOUR_MS });
    assert.equal(await page.evaluate(() => globalThis.isTheSame), true);
    await page.locator("#said", { hasText: "The order is now arrived." })
      .waitFor({ state: "attached" });

    await page.getByRole("button", { name: "Fetch and verify the receipt" }).click();
    await page.getByText("Not verified.").waitFor();
    await pin(page);
    await open(page, `#/order/${fresh}`);
    await page.getByRole("button", { name: "Fetch and verify the receipt" }).click();
    await page.getByText("It holds.").waitFor();
    const verdict = page.locator(".verdict.holds");
    assert.match(await verdict.textContent(), new RegExp(await call("chain_id")));
    assert.match(await verdict.textContent(), /arrival/);
    await shot(page, "verified");
    assert.deepEqual(complaints, []);
    await context.close();
  });

/** Pins the network's genesis file. */
async function pin(page, explorer = EXPLORER) {
  await open(page, "#/verify", explorer);
  await page.locator("input[name=genesis]").setInputFiles(genesisFile());
  await page.getByText("Verified against the genesis file that you pinned").first().waitFor();
}

test("a forged receipt is refused, whoever forged it", { timeout: HOUR_MS }, async () => {
  const { context, page, complaints } = await tab(browser);
  await pin(page);
  const { receipt_base64: genuine } = await call("recharge_receipt", { order_id: order });
  const verify = async (bytes) => {
    await page.locator("input[name=proof]").setInputFiles(
      { name: "receipt.bin", mimeType: "application/octet-stream", buffer: bytes });
    const verdict = page.locator(".verdict");
    await verdict.waitFor();
    const text = await verdict.textContent();
    await open(page, "#/");
    await open(page, "#/verify");
    return text;
  };
  const bytes = Buffer.from(genuine, "base64");
  assert.match(await verify(bytes), /It holds/);
  for (const at of [8, 100, 200, Math.floor(bytes.length / 2), bytes.length - 1]) {
    const forged = Buffer.from(bytes);
    forged[at] ^= 1;
    assert.match(await verify(forged), /Refused/, `byte ${at}`);
  }
  assert.match(await verify(bytes.subarray(0, bytes.length - 1)), /Refused/);

  // A node that gives another order's receipt, genuine as it is.
  const other = await submitted();
  const { receipt_base64: foreign } = await call("recharge_receipt", { order_id: other });
  await page.route("**/", async (route) => {
    const asked = route.request().postDataJSON();
    if (asked?.method !== "recharge_receipt") return route.continue();
    const result = { order_id: order, receipt_base64: foreign, proves_arrival: false,
      proves_collection: true, return_count: 0 };
    return route.fulfill({ json: { jsonrpc: "2.0", id: asked.id, result } });
  });
  await open(page, `#/order/${order}`);
  await page.getByRole("button", { name: "Fetch and verify the receipt" }).click();
  await page.getByText(`The receipt is about another order, ${other}.`).first().waitFor();
  await shot(page, "refused");
  assert.deepEqual(complaints, []);
  await context.close();
});

test("a window's and an account's proofs are verified", { timeout: HOUR_MS }, async () => {
  const { context, page, complaints } = await tab(browser);
  await pin(page);
  const { items } = await call("settlement_windows", { limit: 20 });
  const { window } = items.find(isPaidOut);
  for (const hash of [`#/window/${window}`, "#/account/gateway-liquidity%3A201%3ACNY"]) {
    await open(page, hash);
    await page.getByRole("button", { name: "Fetch and verify the proof" }).click();
    await page.locator(".verdict").waitFor();
    assert.match(await page.locator(".verdict").textContent(), /It holds/, hash);
  }
  assert.deepEqual(complaints, []);
  await context.close();
});

test("a receipt is verified under a name without TLS", { timeout: HOUR_MS }, async () => {
  const { context, page, complaints } = await tab(browser);
  const explorer = EXPLORER.replace("127.0.0.1", NAME);
  await pin(page, explorer);
  assert.equal(await page.evaluate(() => globalThis.isSecureContext), false);
  await open(page, `#/order/${order}`, explorer);
  await page.getByRole("button", { name: "Fetch and verify the receipt" }).click();
  await page.getByText("It holds.").waitFor();
  await page.locator("#head", { hasText: "live" }).waitFor();
  assert.deepEqual(complaints, []);
  await context.close();
});

test("another chain's genesis file verifies nothing", { timeout: HOUR_MS }, async () => {
  const { context, page } = await tab(browser);
  await open(page, "#/verify");
  const other = (await genesisText()).toString().replace("localnet", "elsewhere");
  await page.locator("input[name=genesis]").setInputFiles(
    { name: "genesis.toml", mimeType: "text/plain", buffer: Buffer.from(other) });
  await page.locator(".failure", { hasText: "of another chain than you pinned" }).waitFor();
  await open(page, `#/order/${order}`);
  await page.getByRole("button", { name: "Fetch and verify the receipt" }).click();
  await page.locator(".verdict.refused").waitFor();
  // A hash alone verifies nothing either, and takes only the file that has it.
  await open(page, "#/verify");
  await page.getByRole("button", { name: "Forget what is pinned" }).click();
  await page.locator("input[name=hash]").fill(await call("chain_id"));
  await page.getByRole("button", { name: "Pin the hash" }).click();
  await page.getByText("of the chain that you pinned").waitFor();
  await page.locator("input[name=genesis]").setInputFiles(
    { name: "genesis.toml", mimeType: "text/plain", buffer: Buffer.from(other) });
  await page.locator("[role=alert]", { hasText: "another one is pinned" }).waitFor();
  await page.locator("input[name=genesis]").setInputFiles(genesisFile());
  await page.getByText("Verified against the genesis file that you pinned").first().waitFor();
  await context.close();
});

test("names on the chain are texts, and CSV has no formulas", { timeout: HOUR_MS }, async () => {
  const { context, page, complaints } = await tab(browser);
  const nasty = `=cmd|'/c calc'!A1 <img src=x onerror=alert(1)> \u202egnp.exe ${"x".repeat(200)}`;
  page.on("dialog", () => complaints.push("a script of a name ran"));
  await page.route("**/", async (route) => {
    const asked = route.request().postDataJSON();
    if (asked?.method !== "governance_merchants") return route.continue();
    const items = [{ merchant: "1001", name: nasty, payout_gateway: 201, legal_entity: "",
      suspended: false }];
    return route.fulfill({ json: { jsonrpc: "2.0", id: asked.id, result: { items } } });
  });
  await open(page, "#/merchants");
  const cell = page.locator("tbody bdi").first();
  const shown = await cell.textContent();
  assert.ok(shown.includes("<img src=x onerror=alert(1)>"));
  assert.ok(!shown.includes("\u202e"));
  assert.equal(await page.locator("#page img").count(), 0);
  const saving = page.waitForEvent("download");
  await page.getByRole("button", { name: "Save the whole list as CSV" }).click();
  const saved = await readFile(await (await saving).path(), "utf8");
  assert.ok(saved.includes("'=cmd|"), saved);
  assert.deepEqual(complaints, []);
  await context.close();
});

test("the keyboard alone leads everywhere", { timeout: HOUR_MS }, async () => {
  const { context, page } = await tab(browser);
  await open(page, "#/");
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.id), "skip");
  assert.ok(await page.locator("#skip").isVisible());
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement.tagName), "H1");
  // From the top: skip link, search, its button, and then the pages of the menu.
  await page.evaluate(() => document.activeElement.blur());
  await page.locator("#search").focus();
  await page.keyboard.press("Tab");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Tab");
  const focused = await page.evaluate(() => {
    const { textContent } = document.activeElement;
    return { textContent, outline: getComputedStyle(document.activeElement).outlineStyle };
  });
  assert.deepEqual(focused, { textContent: "Blocks", outline: "solid" });
  await page.keyboard.press("Enter");
  await page.locator("h1", { hasText: "Blocks" }).waitFor();
  await page.waitForFunction(() => document.activeElement.tagName === "H1");
  await page.waitForFunction(() => document.title.startsWith("Blocks"));
  await context.close();
});

test("what is shown stays, and says since when, while the node is away",
  { timeout: HOUR_MS }, async () => {
    const { context, page } = await tab(browser);
    await open(page, "#/windows");
    await page.locator("tbody tr").first().waitFor();
    await page.route("**/", (route) => (route.request().method() === "POST" ? route.abort()
      : route.continue()));
    await page.locator(".stale").waitFor();
    assert.match(await page.locator(".stale").textContent(), /As of \d\d:\d\d:\d\d UTC/);
    assert.ok(await page.locator("tbody tr").count() > 0);
    await page.unroute("**/");
    await page.locator(".stale").waitFor({ state: "detached" });
    await context.close();
  });

test("heads come live, and never go back", { timeout: HOUR_MS }, async () => {
  const { context, page } = await tab(browser);
  await open(page, "#/");
  await page.locator("#head", { hasText: "live" }).waitFor();
  const height = async () => Number((await page.locator("#head strong").textContent())
    .replaceAll(",", ""));
  let last = await height();
  const begin = last;
  await until("ten more blocks", async () => {
    const now = await height();
    assert.ok(now >= last);
    last = now;
    return now >= begin + 10;
  });
  await context.close();
});

test("only the explorer's files are there, by GET and HEAD", { timeout: HOUR_MS }, async () => {
  const rows = [
    ["GET", "", 200], ["HEAD", "", 200], ["POST", "", 405], ["PUT", "style.css", 405],
    ["GET", "nothing.js", 404], ["GET", "../", 405], ["GET", "js/", 404],
    ["GET", "vendor/lit-html/lit-html.js", 200], ["GET", "..%2f..%2fnode.toml", 404],
  ];
  for (const [method, path, status] of rows) {
    const response = await fetch(EXPLORER + path, { method });
    assert.equal(response.status, status, `${method} ${path}`);
  }
  const first = await fetch(EXPLORER);
  const policy = first.headers.get("content-security-policy");
  assert.match(policy, /require-trusted-types-for 'script'/);
  const again = await fetch(EXPLORER, { headers: { "if-none-match": first.headers.get("etag") } });
  assert.equal(again.status, 304);
});
