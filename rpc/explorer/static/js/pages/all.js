// Every page by the name in its address.

import { blocks, oneBatch, oneBlock } from "./chain.js";
import { fx } from "./fx.js";
import { accounts, oneAccount, oneTransfer, transfers } from "./ledger.js";
import { governance, oneProposal, thisNode, validators } from "./network.js";
import { oneOrder } from "./orders.js";
import { overview } from "./overview.js";
import { gateways, merchants, oneGateway, oneMerchant, participants } from "./parties.js";
import { risk } from "./risk.js";
import { search } from "./search.js";
import { breaches, oneInstruction, oneWindow, windows } from "./settlement.js";
import { trust } from "./trust.js";

/**
 * @typedef {{title: string, body: () => any}} Page
 * @typedef {import("../scope.js").Scope} Scope
 * @typedef {(scope: Scope, part: string, query: URLSearchParams) => Page} Open
 */

/** @type {Record<string, Open>} */
export const PAGES = {
  "": overview, blocks, block: oneBlock, batch: oneBatch, order: oneOrder, merchants,
  merchant: oneMerchant, accounts, account: oneAccount, windows, window: oneWindow,
  instruction: oneInstruction, gateways, gateway: oneGateway, fx, validators, governance,
  proposal: oneProposal, risk, breaches, transfers, transfer: oneTransfer, participants,
  node: thisNode, verify: trust, search,
};
