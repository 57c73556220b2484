// The token that a guarded node asks for (docs/access.md). It stays in this tab's storage until the
// tab is closed, and goes to the node that this page came from and to nobody else.

const KEY = "sluice.token";
const FORM = /^sl1_[0-9a-f]{16}_[0-9a-f]{64}$/;

/** The token as it is sent; empty if there is none. */
export function token() {
  try {
    return sessionStorage.getItem(KEY) ?? "";
  } catch {
    // A browser that keeps nothing for this page, or no browser at all.
    return "";
  }
}

/** Keeps a token; throws if the text is none. */
export function keepToken(/** @type {string} */ text) {
  const given = text.trim();
  if (!FORM.test(given)) {
    throw new Error("A token is sl1_, 16 digits, _ and 64 digits, all of them 0 to 9 or a to f.");
  }
  sessionStorage.setItem(KEY, given);
}

export function forgetToken() {
  sessionStorage.removeItem(KEY);
}

/** The header by which a call shows the token. @returns {Record<string, string>} */
export function tokenHeader() {
  const shown = token();
  return shown ? { authorization: `Bearer ${shown}` } : {};
}

/** The sub-protocols by which a WebSocket shows it: a URL would be written to logs. */
export function subProtocols() {
  const shown = token();
  return shown ? ["sluice.v1", shown] : [];
}
