// Pin what you trust, and verify a receipt or proof that somebody gave you, without the node.

import { html, nothing } from "lit-html";

import { verifier } from "../pin.js";
import { against, judged } from "../prove.js";
import { fromBase64 } from "../text.js";
import { section, shown, whole } from "../view.js";

const FILE_BYTES_MAX = 64 * 1024 * 1024;

/** The bytes of the file that was chosen in an input; null if there is none. */
async function chosen(/** @type {HTMLInputElement} */ input) {
  const file = input.files?.[0];
  if (!file) return null;
  if (file.size > FILE_BYTES_MAX) throw new Error("The file has more than 64 MiB.");
  return new Uint8Array(await file.arrayBuffer());
}

/** @param {import("../scope.js").Scope} scope */
export function trust(scope) {
  const { app } = scope;
  const node = scope.ask("chain_id");
  const page = { reason: "", judgement: null, verifyReason: "" };
  const pinning = async (/** @type {() => any} */ act) => {
    page.reason = "";
    page.judgement = null;
    try {
      await act();
      app.say(app.pinned.pin ? "It is pinned." : "Nothing is pinned any more.");
    } catch (error) {
      page.reason = error.message;
      app.say(`It was not pinned: ${error.message}`);
    }
  };
  return {
    title: "Verify",
    body: () => html`
      ${section("What you trust", html`
        <p>A receipt is worth what you hold it against. Take the genesis file of the chain from
          somebody you trust, not from this node, and give it here. It stays in this browser.</p>
        ${against(app.pinned)}
        ${page.reason ? html`<div class="failure" role="alert"><p>${page.reason}</p></div>`
          : nothing}
        ${pinForms(app, pinning)}
        ${shown(node, (chainId) => comparison(app.pinned.pin, chainId))}`)}
      ${section("A receipt or proof of yours", bytesForm(scope, page))}`,
  };
}

function pinForms(app, pinning) {
  const file = (event) => pinning(async () => {
    const bytes = await chosen(event.target);
    event.target.value = "";
    if (bytes) await app.pinned.pinFile(bytes);
  });
  const hash = (event) => {
    event.preventDefault();
    pinning(() => app.pinned.pinHash(new FormData(event.target).get("hash")));
  };
  return html`
    <p><label>Genesis file <input type="file" name="genesis" @change=${file}></label></p>
    <form @submit=${hash}><p><label>or its hash, as <code>sha256sum genesis.toml</code> prints it
      <input name="hash" size="66" maxlength="80" autocomplete="off" spellcheck="false"></label>
      <button>Pin the hash</button></p></form>
    ${app.pinned.pin ? html`<p><button type="button"
      @click=${() => pinning(() => app.pinned.forget())}>Forget what is pinned</button></p>`
      : nothing}`;
}

function comparison(pin, chainId) {
  if (!pin) return html`<p class="quiet">This node says that its chain is ${whole(chainId)}.</p>`;
  return pin.chainId === chainId
    ? html`<p>This node says that it is of the chain that you pinned.</p>`
    : html`<div class="failure"><p>This node says that it is of another chain than you pinned:
        ${whole(chainId)}. Its receipts will be refused.</p></div>`;
}

function bytesForm(scope, page) {
  const run = async (/** @type {() => any} */ bytesOf) => {
    page.verifyReason = "";
    page.judgement = null;
    try {
      const bytes = await bytesOf();
      if (!bytes) return;
      const { judge } = await verifier();
      page.judgement = judge(bytes, scope.app.pinned.pin);
      const { verdict, reason } = page.judgement;
      scope.app.say(verdict === "holds" ? "It holds." : `It is not accepted: ${reason}`);
    } catch (error) {
      page.verifyReason = error instanceof DOMException
        ? "This is not base64 text." : error.message;
    }
    scope.draw();
  };
  const file = (event) => run(async () => {
    const bytes = await chosen(event.target);
    event.target.value = "";
    return bytes;
  });
  const text = (event) => {
    event.preventDefault();
    const given = String(new FormData(event.target).get("bytes") ?? "");
    run(() => fromBase64(given.replace(/\s+/g, "")));
  };
  return html`
    <p>The bytes of a receipt, of an account's proof or of a window's proof. They do not leave this
      browser.</p>
    <p><label>File <input type="file" name="proof" @change=${file}></label></p>
    <form @submit=${text}><p><label>or as base64 text
      <textarea name="bytes" rows="4" spellcheck="false"></textarea></label></p>
      <p><button class="main">Verify</button></p></form>
    ${page.verifyReason ? html`<div class="failure" role="alert"><p>${page.verifyReason}</p></div>`
      : nothing}
    ${page.judgement ? judged(scope.app, page.judgement, "text") : nothing}`;
}
