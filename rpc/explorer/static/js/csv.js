// Lists as CSV (RFC 4180) that a spreadsheet cannot take for a program. Pure.

import { clean } from "./text.js";

const FORMULA = /^[=+\-@\t\r]/;

/**
 * Returns one cell. A cell that a spreadsheet could run as a formula begins with an apostrophe.
 *
 * @param {unknown} value
 */
export function cell(value) {
  const raw = String(value ?? "");
  const guard = FORMULA.test(raw) ? "'" : "";
  // The guard looks at the text both as it came and without the marks that nobody sees.
  const text = clean(raw);
  const guarded = (guard || FORMULA.test(text.trimStart()) ? "'" : "") + text;
  return /[",\r\n]/.test(guarded) ? `"${guarded.replaceAll('"', '""')}"` : guarded;
}

/** @param {unknown[]} cells */
export function row(cells) {
  return `${cells.map(cell).join(",")}\r\n`;
}

/**
 * Walks all pages of a list and gives its rows as text, page by page, so that no more than a page
 * is held at a time.
 *
 * @param {(cursor: string | undefined) => Promise<{items: any[], next?: string}>} page
 * @param {{title: string, text: (item: any) => unknown}[]} columns
 * @yields {{text: string, count: number}}
 */
export async function* document(page, columns) {
  yield { text: row(columns.map(({ title }) => title)), count: 0 };
  let [cursor, count] = [/** @type {string | undefined} */ (undefined), 0];
  for (;;) {
    const { items, next } = await page(cursor);
    if (items.length === 0) return;
    count += items.length;
    yield { text: items.map((item) => row(columns.map(({ text }) => text(item)))).join(""), count };
    if (next === undefined || next === cursor) return;
    cursor = next;
  }
}
