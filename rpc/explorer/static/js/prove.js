// A panel that fetches a receipt or a proof, saves it, and judges it in this browser.

import { html, nothing } from "lit-html";

import { verifier } from "./pin.js";
import { call } from "./rpc.js";
import { fromBase64, grouped } from "./text.js";
import { utc } from "./time.js";
import { block, facts, failure, hash, moment, order, table, whole } from "./view.js";

/**
 * @typedef {object} Question
 * @property {string} subject "receipt" or "proof".
 * @property {string} method
 * @property {object} params
 * @property {(answer: any) => string} bytesOf The base64 text in the method's answer.
 * @property {string} file
 * @property {(proven: any) => string} expected What differs from what it has to be about.
 */

/**
 * @param {import("./scope.js").Scope} scope
 * @param {Question} question
 */
export function proofPanel(scope, { subject, method, params, bytesOf, file, expected }) {
  let judgement = null;
  let reason = null;
  const fetched = async (/** @type {(bytes: Uint8Array) => any} */ use) => {
    try {
      await use(fromBase64(bytesOf(await call(method, params))));
      reason = null;
    } catch (error) {
      [judgement, reason] = [null, error];
    }
    if (scope.isOpen) scope.draw();
  };
  const save = () => fetched((bytes) => scope.save(bytes, file, "application/octet-stream"));
  const verify = () => fetched(async (bytes) => {
    const { judge } = await verifier();
    judgement = judge(bytes, scope.app.pinned.pin, expected);
    if (!scope.isOpen) return;
    scope.app.say(judgement.verdict === "holds" ? `The ${subject} holds.`
      : `The ${subject} is not accepted: ${judgement.reason}`);
  });
  return () => html`
    <div class="row">
      <button type="button" class="main" @click=${verify}>Fetch and verify the ${subject}</button>
      <button type="button" @click=${save}>Save the ${subject}</button>
    </div>
    ${reason ? failure(reason) : nothing}
    ${judgement ? judged(scope.app, judgement, subject) : against(scope.app.pinned)}`;
}

/** Against what a verification would be. */
export function against({ pin, remark }) {
  const told = remark ? html`<p class="note">${remark}</p>` : nothing;
  if (!pin) {
    return html`${told}<p class="note">Nothing is pinned yet: <a href="#/verify">give your own
      genesis file</a> first. What a node says about itself proves nothing.</p>`;
  }
  return html`${told}<p class="note">Verified against the genesis ${pin.file ? "file" : "hash"}
    that you pinned on ${utc(pin.sinceMs)}: ${whole(pin.chainId)}</p>`;
}

/** A judgement with what was proven. */
export function judged(app, judgement, subject) {
  const { verdict, against: chain, reason, proven } = judgement;
  if (verdict === "unpinned") {
    return html`<div class="verdict open"><p><strong>Not verified.</strong> ${reason}
      <a href="#/verify">Pin your genesis file.</a></p></div>`;
  }
  if (verdict === "refused") {
    return html`<div class="verdict refused"><p><strong>Refused.</strong> The ${subject} does not
      hold: ${reason}</p><p>Judged in this browser against the genesis file that you pinned:
      ${whole(chain)}</p></div>`;
  }
  return html`<div class="verdict holds"><p><strong>It holds.</strong> Verified in this browser
    against the genesis file that you pinned: ${whole(chain)}</p>
    ${PROVEN[proven.kind]?.(app, proven) ?? nothing}</div>`;
}

const minor = (/** @type {bigint} */ value, /** @type {string} */ code) =>
  html`<span class="money">${grouped(value)}</span> minor units of ${code}`;
const time = (/** @type {bigint | null} */ ms) =>
  (ms === null ? undefined : moment(Number(ms)));

const PROVEN = {
  receipt: (app, proven) => html`
    ${facts([
      ["Order", order(proven.orderId)],
      ["Outcome of its submission", proven.outcome],
      ["Amount", minor(proven.amountMinor, proven.code)],
      ["Merchant", app.merchant(proven.merchant.toString())],
      ["Accepted", time(proven.acceptedMs)],
      ["Collected", time(proven.collectedMs) ?? "not proven"],
      ["Arrived", time(proven.arrivedMs) ?? "not proven"],
      ["Sent back", proven.returnedMinor === 0n ? undefined
        : minor(proven.returnedMinor, proven.code)],
    ])}
    ${table("Signatures of the receipt", [
      { title: "Step", text: ({ step }) => step },
      { title: "Signed by", text: ({ participant }) => participant,
        cell: ({ participant }) => app.party(participant) },
      { title: "Key", text: ({ publicKey }) => publicKey, cell: ({ publicKey }) =>
        hash(publicKey) },
      { title: "Block", text: ({ height }) => height, cell: ({ height }) => block(Number(height)),
        isNumber: true },
      { title: "Time", text: ({ timeMs }) => timeMs, cell: ({ timeMs }) => time(timeMs) },
    ], proven.signers)}`,
  account: (app, proven) => facts([
    ["Account", `${proven.accountKind}:${proven.owner}:${proven.code}`],
    ["After block", block(Number(proven.height))],
    ["Balance", minor(proven.balance, proven.code)],
    ["Pending debits", minor(proven.debitsPending, proven.code)],
    ["Pending credits", minor(proven.creditsPending, proven.code)],
    ["Settled", minor(proven.settled, proven.code)],
  ]),
  window: (app, proven) => facts([
    ["Window", proven.window.toString()],
    ["Closed", time(proven.closedMs)],
    ["Orders", grouped(proven.orders)],
    ["Instructions", grouped(proven.instructions)],
    ["Positions", proven.positions.length],
    ["Settled", proven.settled ? time(proven.settled.settledMs) : "not proven"],
  ]),
};
