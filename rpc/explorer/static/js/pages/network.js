// Validators, governance, and the node that gave this page.

import { html, nothing } from "lit-html";

import { listBody } from "../list.js";
import { against } from "../prove.js";
import { call } from "../rpc.js";
import { clean, grouped, words } from "../text.js";
import { duration, utc } from "../time.js";
import { forgetToken, keepToken, token } from "../token.js";
import {
  block, facts, hash, link, listed, moment, name, note, section, shown, state, table, whole, yes,
} from "../view.js";

const EVERY_MS = 5_000;
const CERTIFICATES = 20;

/** Who signed the certificates of the newest blocks. */
async function signers(signal) {
  const { items } = await call("chain_blocks", { limit: CERTIFICATES }, signal);
  const asked = items.filter(({ height }) => height > 0)
    .map(({ height }) => call("chain_block", { block: height }, signal));
  const reports = await Promise.all(asked);
  const counts = new Map();
  for (const { certificate } of reports) {
    for (const id of certificate?.signers ?? []) counts.set(id, (counts.get(id) ?? 0) + 1);
  }
  return { counts, blocks: reports.length, height: items[0]?.height ?? 0 };
}

/** @param {import("../scope.js").Scope} scope @param {string} _ @param {URLSearchParams} query */
export function validators(scope, _, query) {
  const { app } = scope;
  const signed = scope.load(signers, { everyMs: 15_000, heightOf: ({ height }) => height });
  const evidence = listBody(scope, {
    title: "Evidence", page: "validators", method: "chain_evidence", file: "evidence.csv",
    empty: "No validator was caught at signing two values.",
    columns: [
      { title: "Validator", text: (row) => row.name, cell: (row) => name(row.name) },
      { title: "Signed two", text: ({ what }) => what, cell: ({ what }) => words(what) },
      { title: "At height", text: ({ height }) => height, isNumber: true },
      { title: "In block", text: ({ block_height }) => block_height,
        cell: ({ block_height }) => block(block_height), isNumber: true },
      { title: "Time", text: ({ time_ms }) => utc(time_ms),
        cell: ({ time_ms }) => moment(time_ms) },
    ],
  }, query);
  return {
    title: "Validators",
    body: () => html`${shown(app.registry, ({ nodes }) => {
      const total = nodes.reduce((sum, { power }) => sum + power, 0);
      const counts = signed.value?.counts;
      return html`<p>A block is decided by more than two thirds of the power, which is
        ${grouped(total)} in all.</p>
      ${table("Nodes", [
        { title: "Id", text: ({ node }) => node, isNumber: true },
        { title: "Name", text: (row) => row.name, cell: (row) => name(row.name) },
        { title: "Power", text: ({ power, removed }) => (removed ? "removed" : grouped(power)),
          isNumber: true },
        { title: `Signed of the newest ${signed.value?.blocks ?? CERTIFICATES}`, isNumber: true,
          text: ({ node, power }) => (power > 0 && counts ? counts.get(node) ?? 0 : "") },
        { title: "Operated by", text: ({ operator }) => operator,
          cell: ({ operator }) => app.party(operator) },
        { title: "Key of its votes", text: ({ validator_key }) => validator_key,
          cell: ({ validator_key }) => hash(validator_key) },
      ], nodes)}
      ${note("A certificate holds a quorum, not everybody: a validator that is missing in one may "
        + "have signed a little later.")}`;
    })}
    ${section("Evidence of double signing", evidence())}`,
  };
}

/** @param {import("../scope.js").Scope} scope @param {string} _ @param {URLSearchParams} query */
export function governance(scope, _, query) {
  const { app } = scope;
  const parameters = scope.ask("chain_parameters", {}, { everyMs: 60_000 });
  const registrars = scope.ask("governance_registrars", { limit: 100 }, { everyMs: 60_000 });
  const proposals = listBody(scope, {
    title: "Proposals", page: "governance", method: "governance_proposals", file: "proposals.csv",
    everyMs: EVERY_MS, empty: "Nothing was ever proposed.",
    columns: [
      { title: "Proposal", text: ({ proposal_id }) => proposal_id,
        cell: ({ proposal_id }) => link("proposal", proposal_id, proposal_id) },
      { title: "State", text: ({ status }) => status, cell: ({ status }) => state(status) },
      { title: "Change", text: ({ change }) => change.kind, cell: ({ change }) =>
        words(change.kind) },
      { title: "Maker", text: ({ maker }) => maker, cell: ({ maker }) => app.party(maker) },
      { title: "Approvals", text: ({ approvals, approvals_needed }) =>
        `${approvals.length} of ${approvals_needed}`, isNumber: true },
      { title: "Proposed", text: ({ proposed_ms }) => utc(proposed_ms),
        cell: ({ proposed_ms }) => moment(proposed_ms) },
      { title: "In force from block", text: ({ due_height }) => due_height,
        cell: ({ due_height }) => block(due_height), isNumber: true },
    ],
  }, query);
  return {
    title: "Governance",
    body: () => html`
      ${section("Proposals", proposals())}
      ${section("Merchant registrars", shown(registrars, ({ items }) => table("Registrars", [
        { title: "Registrar", text: ({ participant }) => participant,
          cell: ({ participant }) => app.party(participant) },
        { title: "For", text: ({ gateway }) => gateway, cell: ({ gateway }) => app.party(gateway) },
        { title: "Added today", text: ({ added, added_max }) => `${added} of ${added_max}`,
          isNumber: true },
        { title: "Changed today", text: ({ changed, changed_max }) =>
          `${changed} of ${changed_max}`, isNumber: true },
      ], items)))}
      ${section("Parameters", shown(parameters, (value) => table("Parameters", [
        { title: "Parameter", text: ([key]) => key, cell: ([key]) => html`<code>${key}</code>` },
        { title: "Value", text: ([, each]) => grouped(each), isNumber: true },
        { title: "That is", text: ([key, each]) => (key.endsWith("_ms") ? duration(each) : "") },
      ], Object.entries(value))))}
      <p><a href="#/participants">All participants</a></p>`,
  };
}

/** The fields of a change as rows, whatever its kind is. */
function changeRows(change) {
  const text = (/** @type {any} */ each) => {
    if (each !== null && typeof each === "object") return clean(JSON.stringify(each));
    return clean(each);
  };
  return Object.entries(change).map(([key, each]) => [words(key), html`<bdi>${text(each)}</bdi>`]);
}

/** @param {import("../scope.js").Scope} scope @param {string} id @param {URLSearchParams} query */
export function oneProposal(scope, id, query) {
  const { app } = scope;
  const report = scope.ask("governance_proposal", { proposal_id: id }, { everyMs: EVERY_MS });
  const changes = listBody(scope, {
    title: "Changes of the list", page: "proposal", part: id, params: { proposal_id: id },
    method: "governance_proposal_changes", file: `proposal-${id}.csv`,
    columns: [
      { title: "Place", text: ({ place }) => place, isNumber: true },
      { title: "Kind", text: ({ change }) => change.kind, cell: ({ change }) =>
        words(change.kind) },
      { title: "What", text: ({ change }) => JSON.stringify(change),
        cell: ({ change }) => facts(changeRows(change)) },
    ],
  }, query);
  return {
    title: "Proposal",
    body: () => html`<p>${whole(id)}</p>${shown(report, (value) => html`
      ${facts([
        ["State", html`${state(value.status)} in block ${block(value.status_height)}`],
        ["Maker", app.party(value.maker)],
        ["Approved by", listed(value.approvals.map((each) => app.party(each)))],
        ["Legal entities that must approve", value.approvals_needed],
        ["Refused by", value.refusals.length ? listed(value.refusals.map((each) =>
          app.party(each))) : undefined],
        ["Proposed", moment(value.proposed_ms)],
        ["Waits for approvals until", moment(value.approve_until_ms)],
        ["In force from block", html`${block(value.due_height)}, asked for was
          ${block(value.activation_height)}`],
        ["Why it failed", value.failure && clean(value.failure.cause)],
        ["Digest that is approved", whole(value.digest)],
      ])}
      ${section("Change", facts(changeRows(value.change)))}
      ${value.change.kind === "list" ? section("Changes of the list", changes()) : nothing}`)}`,
  };
}

/** @param {import("../scope.js").Scope} scope */
export function thisNode(scope) {
  const { app } = scope;
  const status = scope.ask("node_status", {}, {
    everyMs: 2_000, heightOf: ({ height }) => height,
  });
  const outlook = scope.ask("node_outlook", {}, { everyMs: EVERY_MS });
  const told = { reason: "" };
  const peers = [
    { title: "Node", text: (row) => row.name, cell: (row) => name(row.name) },
    { title: "Connected", text: ({ is_connected }) => yes(is_connected) },
    { title: "Says its height is", isNumber: true, text: ({ said_height }) =>
      (said_height === undefined ? "nothing yet" : grouped(said_height)) },
    { title: "Said ago", isNumber: true, text: ({ said_age_ms }) =>
      (said_age_ms === undefined ? "" : duration(said_age_ms)) },
  ];
  return {
    title: "This node",
    body: () => html`${shown(status, (value) => html`
      ${facts([
        ["Name", name(value.name)],
        ["Version", clean(value.version)],
        ["Ready", html`${yes(value.is_ready)}${value.reason ? `: ${clean(value.reason)}` : ""}`],
        ["Height", html`${block(value.height)}, the highest known is
          ${grouped(value.highest_known_height)}`],
        ["Last block", `${duration(value.last_block_age_ms)} ago`],
        ["Waits for", value.waits_for && clean(value.waits_for)],
        ["Missing", value.missing.length ? value.missing.map(clean).join(", ") : undefined],
        ["Waiting batches", `${grouped(value.pool_batch_count)} with
          ${grouped(value.pool_item_count)} items`],
        ["Running for", duration(value.uptime_ms)],
        ["Votes as", value.validator === undefined ? "it has no vote"
          : app.node(value.validator)],
        ["Chain", whole(value.chain_id)],
        ["Trusted here", chainVerdict(app.pinned, value.chain_id)],
        ["State after its head", whole(value.state_digest)],
      ])}
      ${section("Peers", table("Peers", peers, value.peers))}`)}
      ${section("What it can take", shown(outlook, (value) => facts([
        ["Capacity", `${grouped(value.capacity_items_per_s)} items a second`],
        ["Busy", `${(value.load_ppm / 10_000).toFixed(1)} % of its driver's time`],
        ["What waits will take", duration(value.queue_ms)],
        ["Share of a submitter without a line",
          `${grouped(value.share_of_others_items_per_s)} items a second`],
      ])))}
      ${section("What you trust", against(app.pinned))}
      ${section("Your token", tokenForm(scope, told))}`,
  };
}

/** The form by which a person shows the node a token. */
function tokenForm(scope, told) {
  const { app } = scope;
  const changing = (/** @type {() => void} */ act) => {
    try {
      act();
      told.reason = "";
      app.say(token() ? "The token is used from now on." : "No token is used any more.");
      app.heads.again();
      scope.refresh();
    } catch (error) {
      told.reason = error.message;
      scope.draw();
    }
  };
  const keep = (event) => {
    event.preventDefault();
    const text = String(new FormData(event.target).get("token") ?? "");
    event.target.reset();
    changing(() => keepToken(text));
  };
  const held = token();
  return html`
    <p>A node may ask its callers for a token, which its operator hands out. It stays in this tab,
      and is gone when the tab is closed.</p>
    ${held ? html`<p>Token <code>${held.slice(4, 20)}</code> is in use.
      <button type="button" @click=${() => changing(forgetToken)}>Forget it</button></p>` : nothing}
    <form @submit=${keep}><p><label>Token <input type="password" name="token" size="40"
      maxlength="120" autocomplete="off" spellcheck="false"></label>
      <button>Use this token</button></p></form>
    ${told.reason ? html`<div class="failure" role="alert"><p>${told.reason}</p></div>`
      : nothing}`;
}

function chainVerdict({ pin }, chainId) {
  if (!pin) return html`<a href="#/verify">nothing is pinned</a>`;
  return pin.chainId === chainId ? html`yes: it is the chain that you pinned`
    : html`<strong class="bad">no: you pinned another chain</strong>`;
}
