// A page that is one list: a table, its further pages, and the whole as CSV.

import { html, nothing } from "lit-html";

import { document as csvDocument } from "./csv.js";
import { href } from "./route.js";
import { note, shown, table } from "./view.js";

const ROWS = 50;

/**
 * @typedef {object} List
 * @property {string} title
 * @property {string} page The page's name in its address.
 * @property {string} [part]
 * @property {string} method
 * @property {object} [params]
 * @property {import("./view.js").Column[]} columns
 * @property {string} [empty]
 * @property {any} [remark]
 * @property {string} file The name of the CSV file.
 * @property {number} [everyMs] How often the first page is asked for again.
 */

/**
 * Gives the body of a list: to be put under a heading.
 *
 * @param {import("./scope.js").Scope} scope
 * @param {List} list
 * @param {URLSearchParams} query
 */
export function listBody(scope, list, query) {
  const cursor = query.get("cursor");
  const params = { ...list.params, limit: ROWS };
  const asked = cursor ? { ...params, cursor } : params;
  const rows = scope.ask(list.method, asked, { everyMs: cursor ? undefined : list.everyMs });
  const savePage = async () => {
    let text = "";
    const items = { items: rows.value.items };
    for await (const part of csvDocument(async () => items, list.columns)) text += part.text;
    scope.save(text, list.file, "text/csv;charset=utf-8");
    scope.app.say(`${list.file} has ${rows.value.items.length} rows.`);
  };
  const saveAll = () => scope.saveList(list.method, list.params ?? {}, list.columns, list.file);
  return () => html`
    ${list.remark ? note(list.remark) : nothing}
    ${shown(rows, ({ items, next }) => html`
      ${table(list.title, list.columns, items, list.empty)}
      <div class="row">
        ${cursor ? html`<a class="button" href=${href(list.page, list.part)}>First page</a>`
          : nothing}
        ${next && items.length === ROWS
          ? html`<a class="button" rel="next"
              href=${href(list.page, list.part, { cursor: next })}>Next page</a>` : nothing}
        ${items.length > 0 ? html`
          <button type="button" @click=${savePage}>Save this page as CSV</button>
          <button type="button" @click=${saveAll}>Save the whole list as CSV</button>` : nothing}
      </div>`)}`;
}

/**
 * Gives a page that is one list.
 *
 * @param {import("./scope.js").Scope} scope
 * @param {List} list
 * @param {URLSearchParams} query
 */
export function listPage(scope, list, query) {
  return { title: list.title, body: listBody(scope, list, query) };
}

