// Times for people, always in UTC: two people at two desks read the same. Pure.

/**
 * Returns a time such as "2026-12-01 09:05:06.120 UTC".
 *
 * @param {number} ms
 */
export function utc(ms) {
  const date = new Date(ms);
  if (typeof ms !== "number" || Number.isNaN(date.getTime())) return "unknown";
  const text = date.toISOString();
  const fraction = ms % 1_000 === 0 ? "" : text.slice(19, 23);
  return `${text.slice(0, 10)} ${text.slice(11, 19)}${fraction} UTC`;
}

/** Returns the hours, minutes and seconds of a time, in UTC. @param {number} ms */
export function clockTime(ms) {
  return new Date(ms).toISOString().slice(11, 19);
}

/**
 * Returns a length of time for people: "120 ms", "4.2 s", "3 min 5 s", "2 h 10 min".
 *
 * @param {number} ms
 */
export function duration(ms) {
  if (!Number.isFinite(ms)) return "unknown";
  if (ms < 0) return `\u2212${duration(-ms)}`;
  if (ms < 1_000) return `${Math.round(ms)}\u00a0ms`;
  const seconds = Math.floor(ms / 1_000);
  if (seconds < 60) return `${(Math.floor(ms / 100) / 10).toString()}\u00a0s`;
  const [minutes, hours] = [Math.floor(seconds / 60), Math.floor(seconds / 3_600)];
  /** @param {string} large @param {number} left @param {string} small */
  const two = (large, left, small) =>
    (left === 0 ? large : `${large} ${left}\u00a0${small}`);
  if (hours === 0) return two(`${minutes}\u00a0min`, seconds % 60, "s");
  if (hours < 48) return two(`${hours}\u00a0h`, minutes % 60, "min");
  return two(`${Math.floor(hours / 24)}\u00a0d`, hours % 24, "h");
}
