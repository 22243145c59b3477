// Moments in words, in a chosen zone. What the API says is RFC 3339 in UTC.

/** What the switch in the top bar chooses. "dag" is the zone of the DAG that the page is about, and else UTC. */
export type ZoneChoice = "utc" | "local" | "dag";

export function resolveZone(choice: ZoneChoice, dagZone: string | null): string {
  if (choice === "local") return localZone();
  if (choice === "dag" && dagZone && isZone(dagZone)) return dagZone;
  return "UTC";
}

export function localZone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
}

export function isZone(zone: string): boolean {
  try {
    parts(zone);
    return true;
  } catch {
    return false;
  }
}

const formats = new Map<string, Intl.DateTimeFormat>();

function parts(zone: string): Intl.DateTimeFormat {
  let format = formats.get(zone);
  if (!format) {
    format = new Intl.DateTimeFormat("en-GB", {
      timeZone: zone,
      hourCycle: "h23",
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
      weekday: "short",
      timeZoneName: "longOffset",
    });
    formats.set(zone, format);
  }
  return format;
}

interface Civil {
  year: string;
  month: string;
  day: string;
  hour: string;
  minute: string;
  second: string;
  weekday: string;
  /** "+01:00"; "+00:00" for UTC */
  offset: string;
}

function civil(at: number, zone: string): Civil {
  const found: Record<string, string> = {};
  for (const part of parts(zone).formatToParts(at)) found[part.type] = part.value;
  const offset = (found.timeZoneName ?? "").replace("GMT", "") || "+00:00";
  return { ...(found as unknown as Civil), offset };
}

/** Milliseconds since the epoch, or null for what is no moment. */
export function toMillis(at: string | number | Date | null | undefined): number | null {
  if (at == null) return null;
  const millis = at instanceof Date ? at.getTime() : typeof at === "number" ? at : Date.parse(at);
  return Number.isFinite(millis) ? millis : null;
}

/** "2026-11-20 02:00:05" */
export function formatExact(at: number, zone: string): string {
  const c = civil(at, zone);
  return `${c.year}-${c.month}-${c.day} ${c.hour}:${c.minute}:${c.second}`;
}

/** "2026-11-20 02:00" */
export function formatMinute(at: number, zone: string): string {
  return formatExact(at, zone).slice(0, 16);
}

/** "2026-11-20" */
export function formatDate(at: number, zone: string): string {
  return formatExact(at, zone).slice(0, 10);
}

/** "Fri 2026-11-20 02:00:05 Europe/Paris (+01:00)": nothing is left to guess. */
export function formatFull(at: number, zone: string): string {
  const c = civil(at, zone);
  const place = zone === "UTC" ? "UTC" : `${zone} (${c.offset})`;
  return `${c.weekday} ${formatExact(at, zone)} ${place}`;
}

/** "2026-11-20T02:00:05.123+01:00" */
export function toRfc3339(at: number, zone = "UTC"): string {
  const c = civil(at, zone);
  const millis = ((at % 1_000) + 1_000) % 1_000;
  const fraction = millis === 0 ? "" : `.${String(Math.trunc(millis)).padStart(3, "0")}`;
  const offset = c.offset === "+00:00" ? "Z" : c.offset;
  return `${c.year}-${c.month}-${c.day}T${c.hour}:${c.minute}:${c.second}${fraction}${offset}`;
}

/**
 * The moment at which clocks in `zone` show this time: "2026-11-20T02:00", "2026-11-20 02:00:05", "2026-11-20".
 * A time that clocks jump over is the moment of the jump's length later; of one that they show twice it is the first.
 */
export function fromCivil(text: string, zone: string): number | null {
  const match = /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2}))?)?$/.exec(text.trim());
  if (!match) return null;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match
    .slice(1)
    .map((part) => Number(part ?? 0));
  // A year that is still being typed; the first hundred are others to `Date`.
  if (year < 1000) return null;
  const wall = Date.UTC(year, month - 1, day, hour, minute, second);
  const written = new Date(wall);
  if (written.getUTCMonth() !== month - 1 || written.getUTCDate() !== day || hour > 23 || minute > 59) return null;
  const dayLong = 86_400_000;
  const before = wall - offsetAt(wall - dayLong, zone);
  const after = wall - offsetAt(wall + dayLong, zone);
  if (wallAt(before, zone) === wall) return before;
  return wallAt(after, zone) === wall ? after : before;
}

function wallAt(at: number, zone: string): number {
  return at + offsetAt(at, zone);
}

/** How far clocks in `zone` are ahead of UTC, in milliseconds. */
function offsetAt(at: number, zone: string): number {
  const c = civil(at, zone);
  const wall = Date.UTC(+c.year, +c.month - 1, +c.day, +c.hour, +c.minute, +c.second);
  return wall - Math.floor(at / 1_000) * 1_000;
}

const STEPS = [
  { below: 60, seconds: 1, word: "s" },
  { below: 3_600, seconds: 60, word: "min" },
  { below: 86_400, seconds: 3_600, word: "h" },
  { below: 86_400 * 14, seconds: 86_400, word: "d" },
  { below: 86_400 * 61, seconds: 86_400 * 7, word: "weeks" },
  { below: 86_400 * 731, seconds: 86_400 * 30.44, word: "months" },
  { below: Number.POSITIVE_INFINITY, seconds: 86_400 * 365.25, word: "years" },
];

/** "just now", "5 min ago", "in 3 h" */
export function formatRelative(at: number, now: number): string {
  const seconds = Math.abs(at - now) / 1_000;
  if (seconds < 5) return "just now";
  const step = STEPS.find((step) => Math.round(seconds) < step.below);
  const words = step ? `${Math.floor(Math.round(seconds) / step.seconds)} ${step.word}` : "";
  return at > now ? `in ${words}` : `${words} ago`;
}

/** How long what `formatRelative` says stays true, in milliseconds. */
export function relativeStays(at: number, now: number): number {
  const seconds = Math.abs(at - now) / 1_000;
  if (seconds < 60) return 1_000;
  return seconds < 3_600 ? 15_000 : 60_000;
}
