// Bytes as docs/wire-format.md section 1 has them: read, written, compared and shown. A number that
// may pass 2^53 is a bigint, always; nothing here makes a float.

/** Something that was to be verified does not hold; the message says what. */
export class Invalid extends Error {
  /** @param {string} message */
  constructor(message) {
    super(message);
    this.name = "Invalid";
  }
}

/**
 * Throws `Invalid` unless `holds`.
 *
 * @param {unknown} holds
 * @param {string} message
 * @returns {asserts holds}
 */
export function require(holds, message) {
  if (!holds) throw new Invalid(message);
}

/**
 * Reads basic forms from bytes, little-endian, and refuses what is not there.
 */
export class Reader {
  /** @param {Uint8Array} data */
  constructor(data) {
    require(data instanceof Uint8Array, "the bytes are no Uint8Array");
    this.data = data;
    this.at = 0;
    this.view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  }

  /** Returns how many bytes are left. */
  get left() {
    return this.data.length - this.at;
  }

  /**
   * Passes over `size` bytes and returns the place at which they begin.
   *
   * @param {number} size
   */
  skip(size) {
    require(size <= this.left, "the bytes end early");
    this.at += size;
    return this.at - size;
  }

  /**
   * Returns the next bytes, as a copy.
   *
   * @param {number} size
   */
  take(size) {
    const from = this.skip(size);
    return this.data.slice(from, from + size);
  }

  u8() {
    return this.view.getUint8(this.skip(1));
  }

  u16() {
    return this.view.getUint16(this.skip(2), true);
  }

  u32() {
    return this.view.getUint32(this.skip(4), true);
  }

  u64() {
    return this.view.getBigUint64(this.skip(8), true);
  }

  u128() {
    const low = this.u64();
    return low | (this.u64() << 64n);
  }

  i128() {
    return BigInt.asIntN(128, this.u128());
  }

  /** Reads the length of a Vec whose elements take at least `size` bytes each. */
  count(size = 1) {
    const count = this.u64();
    require(
      count * BigInt(size) <= BigInt(this.left),
      "a length is larger than what follows",
    );
    return Number(count);
  }

  /** Reads a Vec of bytes. */
  bytes() {
    return this.take(this.count());
  }

  /** Reads a Vec of digests. */
  digests() {
    return this.list(() => this.take(32), 32);
  }

  /**
   * Reads a Vec of what `read` reads, each at least `size` bytes long.
   *
   * @template T
   * @param {(reader: Reader) => T} read
   * @param {number} [size]
   * @returns {T[]}
   */
  list(read, size = 1) {
    const found = [];
    for (let left = this.count(size); left > 0; left -= 1) found.push(read(this));
    return found;
  }

  /**
   * Reads an Option of what `read` reads.
   *
   * @template T
   * @param {(reader: Reader) => T} read
   * @returns {T | null}
   */
  option(read) {
    const tag = this.u8();
    require(tag <= 1, "an option's tag is neither 0 nor 1");
    return tag === 1 ? read(this) : null;
  }

  /** Refuses bytes that are left over. */
  end() {
    require(this.left === 0, "bytes follow the end");
  }
}

const U64_END = 1n << 64n;

/**
 * Returns the little-endian bytes of a whole number of `size` bytes. Refuses a number that does not
 * fit, and one that is not exact.
 *
 * @param {number} size
 * @param {number | bigint} value
 */
export function unsigned(size, value) {
  const isExact = typeof value === "bigint" || Number.isSafeInteger(value);
  require(isExact, `${value} is not a whole number, or too large for one: use a bigint`);
  const number = BigInt(value);
  const end = size === 8 ? U64_END : 1n << BigInt(8 * size);
  require(number >= 0n && number < end, `${value} is not within ${size} bytes`);
  const bytes = new Uint8Array(size);
  for (let at = 0, rest = number; at < size; at += 1, rest >>= 8n) bytes[at] = Number(rest & 255n);
  return bytes;
}

/** @param {number} value */
export const u8 = (value) => unsigned(1, value);
/** @param {number} value */
export const u16 = (value) => unsigned(2, value);
/** @param {number} value */
export const u32 = (value) => unsigned(4, value);
/** @param {number | bigint} value */
export const u64 = (value) => unsigned(8, value);
/** @param {bigint} value */
export const u128 = (value) => unsigned(16, value);
/** @param {bigint} value */
export const i128 = (value) => unsigned(16, BigInt.asUintN(128, value));

/**
 * Returns exactly `size` bytes as they are.
 *
 * @param {number} size
 * @param {Uint8Array} bytes
 */
export function exactly(size, bytes) {
  require(bytes instanceof Uint8Array && bytes.length === size, `not ${size} bytes`);
  return bytes;
}

/** @param {...Uint8Array} parts */
export function concat(...parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/**
 * @param {Uint8Array} one
 * @param {Uint8Array} other
 */
export function isEqual(one, other) {
  return one.length === other.length && one.every((byte, at) => byte === other[at]);
}

/** @param {Uint8Array} bytes */
export function toHex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * Reads lower-case hexadecimal text, of `size` bytes if that is given.
 *
 * @param {string} text
 * @param {number} [size]
 */
export function fromHex(text, size) {
  const isHex = typeof text === "string" && /^(?:[0-9a-f]{2})*$/.test(text);
  require(isHex, "not hexadecimal text in small letters");
  require(size === undefined || text.length === 2 * size, `not ${size} bytes of hexadecimal text`);
  const bytes = new Uint8Array(text.length / 2);
  for (let at = 0; at < bytes.length; at += 1) {
    bytes[at] = Number.parseInt(text.slice(2 * at, 2 * at + 2), 16);
  }
  return bytes;
}

const STEP = 8_190; // a multiple of three, so that pieces of base64 join

/** Writes base64 of RFC 4648 section 4, with padding. @param {Uint8Array} bytes */
export function toBase64(bytes) {
  let text = "";
  for (let at = 0; at < bytes.length; at += STEP) {
    text += btoa(String.fromCharCode(...bytes.subarray(at, at + STEP)));
  }
  return text;
}

/**
 * Reads base64 of RFC 4648 section 4: with padding, in its one form, nothing else.
 *
 * @param {unknown} text
 */
export function fromBase64(text) {
  require(typeof text === "string" && text.length % 4 === 0, "not base64 with padding");
  require(/^[A-Za-z0-9+/]*={0,2}$/.test(text), "not base64 with padding");
  const letters = atob(text);
  const bytes = new Uint8Array(letters.length);
  for (let at = 0; at < bytes.length; at += 1) bytes[at] = letters.charCodeAt(at);
  require(toBase64(bytes.slice(bytes.length - (bytes.length % 3))) === text.slice(
    4 * Math.floor(bytes.length / 3)), "base64 whose last letter has bits that nobody reads");
  return bytes;
}

/** Writes an id of 16 bytes as a UUID. @param {Uint8Array} id */
export function toUuid(id) {
  const text = toHex(exactly(16, id));
  return [text.slice(0, 8), text.slice(8, 12), text.slice(12, 16), text.slice(16, 20),
    text.slice(20)].join("-");
}

/** Reads a UUID in small letters. @param {string} text */
export function fromUuid(text) {
  const isUuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/.test(text);
  require(isUuid, "not a UUID in small letters");
  return fromHex(text.replaceAll("-", ""));
}
