// Addresses within the explorer: everything stands behind the "#", so that no request tells a
// server or a proxy which order is being looked at. Pure.

/** The names of pages, each with how many parts follow its name. */
export const ROUTES = new Map(Object.entries({
  "": 0, blocks: 0, block: 1, batch: 1, order: 1, merchants: 0, merchant: 1, accounts: 0,
  account: 1, windows: 0, window: 1, instruction: 1, gateways: 0, gateway: 1, fx: 0,
  validators: 0, governance: 0, proposal: 1, risk: 0, breaches: 0, transfers: 0, transfer: 1,
  participants: 0, node: 0, verify: 0, search: 0,
}));

/**
 * Reads the part of an address after the "#".
 *
 * @param {string} hash
 * @returns {{name: string, part: string, query: URLSearchParams} | null} Null for no page.
 */
export function parse(hash) {
  const [path, query = ""] = hash.replace(/^#?\/?/, "").split("?", 2);
  const [name, ...rest] = path.split("/").filter((part) => part !== "");
  const count = ROUTES.get(name ?? "");
  if (count === undefined || rest.length !== count) return null;
  try {
    const part = rest.length === 0 ? "" : decodeURIComponent(rest[0]);
    return { name: name ?? "", part, query: new URLSearchParams(query) };
  } catch {
    return null;
  }
}

/**
 * Returns the address of a page.
 *
 * @param {string} name
 * @param {string | number} [part]
 * @param {Record<string, string>} [query]
 */
export function href(name, part, query) {
  const tail = part === undefined ? "" : `/${encodeURIComponent(part)}`;
  const asked = query ? `?${new URLSearchParams(query)}` : "";
  return `#/${name}${tail}${asked}`;
}
