// The part of TOML 1.0 that genesis, participant and key files are written in. Whole numbers are
// bigints. Floats, dates and strings of several lines are refused: no file of Sluice has them, and
// what is not understood is never guessed. Pure.

import { Invalid, require } from "./bytes.js";

/** @typedef {string | bigint | boolean | any[] | Table} Value */
/** @typedef {Map<string, any>} Table A table by its keys; values are as `Value` says. */

const NESTING_MAX = 32;
/** @type {Record<string, string>} */
const ESCAPES = { b: "\b", t: "\t", n: "\n", f: "\f", r: "\r", '"': '"', "\\": "\\" };

class Parser {
  /** @param {string} text */
  constructor(text) {
    this.text = text;
    this.at = 0;
    /** @type {Table} */
    this.root = new Map();
    this.table = this.root;
    /** Tables and lists that their own braces have closed. @type {Set<unknown>} */
    this.closed = new Set();
    /** Tables that a header has named. @type {Set<unknown>} */
    this.named = new Set();
  }

  /** @param {string} what @returns {never} */
  fail(what) {
    const line = this.text.slice(0, this.at).split("\n").length;
    throw new Invalid(`line ${line} of the file: ${what}`);
  }

  /** @param {string} letters */
  has(letters) {
    return this.text.startsWith(letters, this.at);
  }

  /** Passes over letters if they come next. @param {string} letters */
  passes(letters) {
    if (!this.has(letters)) return false;
    this.at += letters.length;
    return true;
  }

  /** Passes over what a pattern (sticky) finds here and returns it. @param {RegExp} pattern */
  match(pattern) {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text);
    if (!found) return null;
    this.at += found[0].length;
    return found;
  }

  spaces() {
    this.match(/[ \t]*/y);
  }

  /** Passes over spaces, line ends and comments. */
  gap() {
    // eslint-disable-next-line no-control-regex
    this.match(/(?:[ \t]|\r?\n|#[^\x00-\x08\x0a-\x1f\x7f]*)*/y);
  }

  lineEnd() {
    this.match(/[ \t]*(?:#[^\x00-\x08\x0a-\x1f\x7f]*)?/y);
    if (this.at < this.text.length && !this.match(/\r?\n/y)) this.fail("letters follow the value");
  }

  /** @returns {string} */
  string() {
    if (this.has('"""') || this.has("'''")) this.fail("a string of several lines");
    const literal = this.match(/'([^\x00-\x08\x0a-\x1f\x7f']*)'/y);
    if (literal) return literal[1];
    if (!this.passes('"')) this.fail("no string");
    let text = "";
    while (!this.passes('"')) {
      const plain = this.match(/[^\x00-\x08\x0a-\x1f\x7f"\\]+/y);
      const escaped = plain ?? this.match(/\\([btnfr"\\])/y);
      if (plain) text += plain[0];
      else if (escaped) text += ESCAPES[escaped[1]];
      else text += this.codePoint();
    }
    return text;
  }

  codePoint() {
    const found = this.match(/\\u([0-9a-fA-F]{4})|\\U([0-9a-fA-F]{8})/y);
    if (!found) return this.fail("a string does not end, or has an escape that there is not");
    const number = Number.parseInt(found[1] ?? found[2], 16);
    const isScalar = number < 0xd800 || (number > 0xdfff && number <= 0x10ffff);
    return isScalar ? String.fromCodePoint(number) : this.fail("an escape that is no letter");
  }

  /** @returns {string[]} */
  key() {
    const parts = [];
    do {
      this.spaces();
      const bare = this.match(/[A-Za-z0-9_-]+/y);
      parts.push(bare ? bare[0] : this.string());
      this.spaces();
    } while (this.passes("."));
    return parts;
  }

  /** @returns {Value} */
  number() {
    const found = this.match(
      /0x[0-9a-fA-F]+(?:_[0-9a-fA-F]+)*|0o[0-7]+(?:_[0-7]+)*|0b[01]+(?:_[01]+)*/y)
      ?? this.match(/[+-]?(?:0|[1-9][0-9]*(?:_[0-9]+)*)/y);
    if (!found || this.match(/[0-9A-Za-z_.+:-]/y)) this.fail("no value that such a file has");
    const [text] = /** @type {RegExpExecArray} */ (found);
    const digits = text.replace(/[_+]/g, "");
    const number = digits.startsWith("-") ? -BigInt(digits.slice(1)) : BigInt(digits);
    if (number < -(1n << 63n) || number >= 1n << 63n) this.fail("a number beyond 64 bits");
    return number;
  }

  /** @param {number} depth @returns {Value} */
  value(depth) {
    if (depth > NESTING_MAX) this.fail("values within values beyond all bounds");
    if (this.has('"') || this.has("'")) return this.string();
    if (this.match(/true(?![A-Za-z0-9_-])/y)) return true;
    if (this.match(/false(?![A-Za-z0-9_-])/y)) return false;
    if (this.passes("[")) return this.array(depth);
    if (this.passes("{")) return this.inlineTable(depth);
    return this.number();
  }

  /** @param {number} depth */
  array(depth) {
    /** @type {Value[]} */
    const items = [];
    this.closed.add(items);
    this.gap();
    while (!this.passes("]")) {
      items.push(this.value(depth + 1));
      this.gap();
      if (!this.passes(",") && !this.has("]")) this.fail("a list does not end");
      this.gap();
    }
    return items;
  }

  /** @param {number} depth */
  inlineTable(depth) {
    /** @type {Table} */
    const table = new Map();
    this.spaces();
    if (!this.passes("}")) {
      do {
        this.pair(table, depth + 1);
        this.spaces();
      } while (this.passes(","));
      if (!this.passes("}")) this.fail("a table in braces does not end");
    }
    this.close(table);
    return table;
  }

  /** @param {Table} table */
  close(table) {
    this.closed.add(table);
    for (const value of table.values()) if (value instanceof Map) this.close(value);
  }

  /** @param {Table} table @param {number} depth */
  pair(table, depth) {
    const path = this.key();
    if (!this.passes("=")) this.fail("a key without a value");
    this.spaces();
    const value = this.value(depth);
    const last = /** @type {string} */ (path.pop());
    let inner = table;
    for (const part of path) inner = this.child(inner, part, true);
    if (inner.has(last)) this.fail(`the key ${last} is given twice`);
    inner.set(last, value);
  }

  /**
   * The table of a name within another, made if it is not there.
   *
   * @param {Table} table
   * @param {string} name
   * @param {boolean} isDotted
   * @returns {Table}
   */
  child(table, name, isDotted) {
    if (!table.has(name)) table.set(name, new Map());
    const found = table.get(name);
    const isOpen = !this.closed.has(found) && !(isDotted && this.named.has(found));
    const child = !isDotted && Array.isArray(found) ? found[found.length - 1] : found;
    if (!isOpen || !(child instanceof Map)) this.fail(`the key ${name} is given twice`);
    return child;
  }

  header() {
    const isList = this.passes("[[");
    if (!isList) this.passes("[");
    const path = this.key();
    if (!this.passes(isList ? "]]" : "]")) this.fail("a header does not end");
    const last = /** @type {string} */ (path.pop());
    let outer = this.root;
    for (const part of path) outer = this.child(outer, part, false);
    if (!isList) {
      const isNew = !outer.has(last);
      const table = this.child(outer, last, true);
      // A table that only stands above others may be named once afterwards; one with keys may not.
      const isAbove = [...table.values()].every((value) => this.named.has(value)
        || Array.isArray(value) || value instanceof Map);
      if (!isNew && !isAbove) this.fail(`the table ${last} is given twice`);
      this.named.add(table);
      this.table = table;
      return;
    }
    if (!outer.has(last)) outer.set(last, []);
    const list = outer.get(last);
    if (!Array.isArray(list) || this.closed.has(list)) this.fail(`the key ${last} is given twice`);
    this.table = new Map();
    this.named.add(this.table);
    list.push(this.table);
  }

  document() {
    this.gap();
    while (this.at < this.text.length) {
      if (this.has("[")) this.header();
      else this.pair(this.table, 0);
      this.lineEnd();
      this.gap();
    }
    return this.root;
  }
}

/**
 * Reads a file's bytes.
 *
 * @param {Uint8Array} bytes
 * @returns {Table}
 */
export function parseToml(bytes) {
  let text;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    require(false, "the file is not UTF-8");
  }
  return new Parser(text).document();
}
