// Spans of time to look at a list through: the last hours or days, or from one moment to another.

export interface Span {
  /** "24h", "7d": until now */
  within: string;
  /** RFC 3339; "" = open */
  from: string;
  to: string;
}

export const PRESETS = [
  { within: "1h", label: "last hour" },
  { within: "24h", label: "last 24 hours" },
  { within: "7d", label: "last 7 days" },
  { within: "30d", label: "last 30 days" },
] as const;

/** Filters whose bound moves with the clock ask again when it has moved by so much, in milliseconds. */
const STEP = 60_000;
const UNITS: Record<string, number> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/** The bounds of a span, in RFC 3339. Bounds of a moving span are whole minutes, so that a query keeps its key. */
export function spanBounds(span: Span, now: number): { from?: string; to?: string } {
  const match = /^(\d{1,6})([mhd])$/.exec(span.within);
  if (match) {
    const length = Number(match[1]) * (UNITS[match[2] ?? ""] ?? 0);
    return { from: new Date(Math.floor((now - length) / STEP) * STEP).toISOString() };
  }
  return { from: moment(span.from), to: moment(span.to) };
}

function moment(text: string): string | undefined {
  const at = Date.parse(text);
  return Number.isFinite(at) ? new Date(at).toISOString() : undefined;
}
