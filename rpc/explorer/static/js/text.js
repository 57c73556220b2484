// Texts from the chain, made fit to be shown: they are data, never markup. Pure.

// Marks that change the direction of the text around them (Unicode's Bidi_Control), and marks that
// break a line where none is meant.
const BIDI = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029]/gu;
const CONTROLS = /[\u0000-\u001f\u007f-\u009f]/gu;

/**
 * Returns a text without controls that could disguise it.
 *
 * @param {unknown} value
 */
export function clean(value) {
  return String(value ?? "").replace(BIDI, "").replace(CONTROLS, " ");
}

/**
 * Returns the first and last digits of a long hexadecimal text.
 *
 * @param {string} hex
 */
export function shortened(hex) {
  const text = clean(hex);
  return text.length > 20 ? `${text.slice(0, 10)}…${text.slice(-6)}` : text;
}

/**
 * Returns a name with words set apart, its first letter a capital: "over-budget" is "Over budget".
 *
 * @param {unknown} name
 */
export function words(name) {
  const text = clean(name).replaceAll("-", " ").replaceAll("_", " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/**
 * Returns a whole number with its thousands set apart.
 *
 * @param {number | bigint | string} number
 */
export function grouped(number) {
  const text = clean(number);
  return /^-?\d+$/.test(text) ? text.replace(/\B(?=(\d{3})+$)/g, ",") : text;
}

/**
 * Returns bytes from base64; throws for what is none.
 *
 * @param {string} text
 */
export function fromBase64(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

/** @param {Uint8Array} bytes */
export function toBase64(bytes) {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}
