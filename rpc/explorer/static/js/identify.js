// What a text that somebody searches for may be the name of. Pure.

const ACCOUNT = /^[a-z]+(-[a-z]+)*:\d{1,20}:[A-Z0-9]{3}$/;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/**
 * Returns the things that have a name of this form, each as a page's name and the part after it.
 *
 * @param {string} text
 * @returns {{kind: string, page: string, part: string}[]}
 */
export function candidates(text) {
  const asked = text.trim();
  const small = asked.toLowerCase();
  if (UUID.test(small)) {
    return [
      { kind: "order", page: "order", part: small },
      { kind: "transfer", page: "transfer", part: small },
      { kind: "proposal", page: "proposal", part: small },
    ];
  }
  if (/^[0-9a-f]{64}$/.test(small)) {
    return [
      { kind: "block", page: "block", part: small },
      { kind: "batch", page: "batch", part: small },
    ];
  }
  if (/^\d{1,20}-\d{1,20}-\d{1,3}$/.test(small)) {
    return [{ kind: "instruction", page: "instruction", part: small }];
  }
  if (ACCOUNT.test(asked)) return [{ kind: "account", page: "account", part: asked }];
  if (/^\d{1,15}$/.test(small)) {
    return [
      { kind: "block", page: "block", part: small },
      { kind: "window", page: "window", part: small },
      { kind: "merchant", page: "merchant", part: small },
      { kind: "participant", page: "gateway", part: small },
    ];
  }
  if (/^\d{1,20}$/.test(small)) return [{ kind: "merchant", page: "merchant", part: small }];
  return [];
}
