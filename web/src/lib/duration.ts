// Spans of time in words.

const UNITS = [
  { word: "d", seconds: 86_400 },
  { word: "h", seconds: 3_600 },
  { word: "min", seconds: 60 },
  { word: "s", seconds: 1 },
] as const;

/** "0.3 s", "12 s", "1 min 3 s", "2 h 5 min", "3 d 4 h": the two largest parts. */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds)) return "–";
  if (seconds < 0) return `−${formatDuration(-seconds)}`;
  if (seconds === 0) return "0 s";
  if (seconds < 0.1) return `${Math.max(1, Math.round(seconds * 1_000))} ms`;
  if (seconds < 9.95) return `${trim(seconds.toFixed(1))} s`;
  const whole = Math.round(seconds);
  const first = UNITS.findIndex((unit) => whole >= unit.seconds);
  const large = UNITS[first];
  const small = UNITS[first + 1];
  if (!large) return "0 s";
  const count = Math.floor(whole / large.seconds);
  if (!small) return `${count} ${large.word}`;
  const rest = Math.floor((whole - count * large.seconds) / small.seconds);
  return rest === 0 ? `${count} ${large.word}` : `${count} ${large.word} ${rest} ${small.word}`;
}

/** Seconds from `start` until `end`, or until `now` while there is no end. Null before the start. */
export function secondsBetween(start: string | null | undefined, end: string | null | undefined, now: number) {
  if (!start) return null;
  const from = Date.parse(start);
  const to = end ? Date.parse(end) : now;
  return Number.isFinite(from) && Number.isFinite(to) ? Math.max(0, (to - from) / 1_000) : null;
}

function trim(number: string): string {
  return number.replace(/\.0+$/, "");
}
