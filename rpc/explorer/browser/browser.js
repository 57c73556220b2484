// A browser that is strict about what a page may do, and tells what it saw.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { mkdir } from "node:fs/promises";

import { EXPLORER } from "./network.js";

const tools = createRequire(`${process.env.SLUICE_BROWSER_TOOLS}/package.json`);
const { chromium } = tools("playwright-core");
const AXE = readFileSync(tools.resolve("axe-core/axe.min.js"), "utf8");
const SHOTS = process.env.SLUICE_SHOTS;

/** A name of the nodes that is no address: without TLS, a browser has no cryptography for it. */
export const NAME = "node.example";

export const launch = () => chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: [
    `--host-resolver-rules=MAP ${NAME} 127.0.0.1`,
    // A container's root has no namespace to put a sandbox in.
    ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
  ],
});

/** Opens a tab; `complaints` collects errors of the console and reports of the policy. */
export async function tab(browser, { width = 1280, colorScheme = "light", more = {} } = {}) {
  const context = await browser.newContext({
    viewport: { width, height: 900 }, colorScheme, acceptDownloads: true, ...more,
  });
  const page = await context.newPage();
  const complaints = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error.stack)));
  page.on("response", (response) => {
    if (response.status() >= 400) complaints.push(`${response.status()} ${response.url()}`);
  });
  await page.addInitScript(() => {
    addEventListener("securitypolicyviolation", (event) => {
      console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`);
    });
  });
  return { context, page, complaints };
}

/** Goes to a page of the explorer and waits until it asks for nothing more. */
export async function open(page, hash, explorer = EXPLORER) {
  await page.goto(explorer + hash);
  await page.locator("#page h1").waitFor();
  await page.waitForFunction(() => !document.querySelector("#page [aria-busy=true]"));
}

/** What axe finds that is serious. It runs by the debugger: the policy allows no such script. */
export async function serious(page, context) {
  const session = await context.newCDPSession(page);
  await session.send("Runtime.evaluate", { expression: AXE });
  const { result } = await session.send("Runtime.evaluate", {
    expression: "axe.run().then(({violations}) => JSON.stringify(violations))",
    awaitPromise: true, returnByValue: true,
  });
  await session.detach();
  const violations = JSON.parse(result.value);
  return violations.filter(({ impact }) => ["serious", "critical"].includes(impact))
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" | ")}`);
}

/** Saves a picture if a person asked for pictures. */
export async function shot(page, name) {
  if (!SHOTS) return;
  await mkdir(SHOTS, { recursive: true });
  const file = name.replace(/[^a-z0-9]+/gi, "_").slice(0, 60);
  await page.screenshot({ path: `${SHOTS}/${file}.png`, fullPage: true });
}
