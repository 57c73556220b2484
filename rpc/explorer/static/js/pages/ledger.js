// Accounts with their entries, and what moves money in and out: deposits, withdrawals, caps.

import { html, nothing } from "lit-html";

import { accountColumns, moneyColumns, transferColumns } from "../columns.js";
import { listBody, listPage } from "../list.js";
import { proofPanel } from "../prove.js";
import { clean, grouped, words } from "../text.js";
import { utc } from "../time.js";
import {
  account, block, facts, link, moment, money, note, order, section, shown, state, table,
  whole,
} from "../view.js";

const EVERY_MS = 5_000;

/** @param {import("../scope.js").Scope} scope @param {string} _ @param {URLSearchParams} query */
export function accounts(scope, _, query) {
  const balance = scope.ask("ledger_trial_balance", {}, {
    everyMs: EVERY_MS, heightOf: ({ height }) => height,
  });
  const list = listBody(scope, {
    title: "Accounts", page: "accounts", method: "ledger_accounts", columns: accountColumns(),
    file: "accounts.csv", everyMs: EVERY_MS,
    remark: "Amounts are in the currency that ends the account's name.",
  }, query);
  return {
    title: "Accounts",
    body: () => html`${list()}
      ${section("Trial balance", shown(balance, ({ currencies, height, is_balanced: isBalanced }) =>
        html`<p>At block ${block(height)}, debits ${isBalanced ? "equal" : html`<strong>do not
          equal</strong>`} credits in every currency.</p>
        ${table("Trial balance", [
          { title: "Currency", text: ({ debits_posted }) => debits_posted.currency },
          ...moneyColumns("Posted debits", ({ debits_posted }) => debits_posted),
          ...moneyColumns("Posted credits", ({ credits_posted }) => credits_posted),
          ...moneyColumns("Pending debits", ({ debits_pending }) => debits_pending),
          ...moneyColumns("Pending credits", ({ credits_pending }) => credits_pending),
        ], currencies)}`))}`,
  };
}

/** What caused an entry, with a link to it if it has a page. */
function cause({ cause: kind, cause_id: id }) {
  const text = clean(id);
  const page = { order, transfer: (each) => link("transfer", each, each),
    instruction: (each) => link("instruction", each, each),
    "window-close": (each) => link("window", each, `window ${each}`),
    settlement: (each) => link("window", each, `window ${each}`) }[kind];
  return html`${words(kind)} ${id === undefined ? nothing : page ? page(text) : text}`;
}

/** @param {import("../scope.js").Scope} scope @param {string} id @param {URLSearchParams} query */
export function oneAccount(scope, id, query) {
  const report = scope.ask("ledger_account", { account: id }, { everyMs: EVERY_MS });
  const entries = listBody(scope, {
    title: "Entries", page: "account", part: id, method: "ledger_entries",
    params: { account: id }, file: `${id.replaceAll(":", "-")}-entries.csv`, everyMs: EVERY_MS,
    remark: "The oldest first: one entry a cause and block, not one an order.",
    empty: "Nothing has changed it yet.",
    columns: [
      { title: "Block", text: ({ height }) => height, cell: ({ height }) => block(height),
        isNumber: true },
      { title: "Time", text: ({ time_ms }) => utc(time_ms),
        cell: ({ time_ms }) => moment(time_ms) },
      { title: "Cause", text: (row) => `${row.cause} ${row.cause_id ?? ""}`.trim(), cell: cause },
      { title: "Orders", text: ({ order_count }) => order_count,
        cell: ({ order_count }) => grouped(order_count), isNumber: true },
      ...moneyColumns("Posted debits", ({ debits_posted }) => debits_posted),
      ...moneyColumns("Posted credits", ({ credits_posted }) => credits_posted),
      ...moneyColumns("Pending debits", ({ debits_pending }) => debits_pending),
      ...moneyColumns("Pending credits", ({ credits_pending }) => credits_pending),
      ...moneyColumns("Balance after", ({ after }) => after.balance),
    ],
  }, query);
  const proof = proofPanel(scope, {
    subject: "proof", method: "ledger_account_proof", params: { account: id },
    bytesOf: ({ proof_base64 }) => proof_base64, file: `${id.replaceAll(":", "-")}-proof.bin`,
    expected: (proven) => {
      const [kind, owner] = id.split(":");
      const isThis = proven.kind === "account" && proven.accountKind === kind
        && proven.owner === BigInt(owner);
      return isThis ? "" : "The proof is about another account.";
    },
  });
  return {
    title: "Account",
    body: () => html`<p><code class="whole">${clean(id)}</code></p>
      ${shown(report, (value) => html`
        ${facts([
          ["Balance", money(value.balance)],
          ["Available", money(value.available)],
          ["Settled at the scheme's bank", money(value.settled)],
          ["Position", money(value.position)],
          ["Net debit cap", money(value.net_debit_cap)],
          ["Pending debits", money(value.debits_pending)],
          ["Pending credits", money(value.credits_pending)],
          ["Posted debits since block zero", money(value.debits_posted)],
          ["Posted credits since block zero", money(value.credits_posted)],
        ])}`)}
      ${section("Entries", entries())}
      ${section("Proof", html`${proof()}${note("A proof is about the account after one block. The "
        + "figures above may be of a later one.")}`)}`,
  };
}

/** @param {import("../scope.js").Scope} scope @param {string} _ @param {URLSearchParams} query */
export function transfers(scope, _, query) {
  return listPage(scope, {
    title: "Transfers", page: "transfers", method: "ledger_transfers",
    columns: transferColumns(scope.app), file: "transfers.csv", everyMs: EVERY_MS,
    remark: "Deposits, withdrawals and net debit caps, the newest first.",
  }, query);
}

/** @param {import("../scope.js").Scope} scope @param {string} id */
export function oneTransfer(scope, id) {
  const { app } = scope;
  const report = scope.ask("ledger_transfer", { transfer_id: id }, { everyMs: EVERY_MS });
  return {
    title: "Transfer",
    body: () => html`<p>${whole(id)}</p>${shown(report, (value) => facts([
      ["State", state(value.status)],
      ["What", words(value.action)],
      ["Account", account(value.account)],
      ["Amount", money(value.amount)],
      ["Maker", app.party(value.maker)],
      ["Maker's reference", whole(value.reference)],
      ["Proposed", html`${moment(value.proposed_ms)} in block ${block(value.proposed_height)}`],
      ["To be decided until", moment(value.decide_until_ms)],
      ["Decided", value.decided_ms && moment(value.decided_ms)],
      ["Checker", value.checker && app.party(value.checker)],
      ["Checker's reference", value.checker_reference && whole(value.checker_reference)],
    ]))}`,
  };
}

