// Tokens for programs: which are still good, and for how long new ones are.

export type TokenState = "good" | "expired" | "revoked";

interface Ends {
  expires_at: string | null;
  revoked_at: string | null;
}

export function tokenState(token: Ends, now: number): TokenState {
  if (token.revoked_at) return "revoked";
  return token.expires_at && Date.parse(token.expires_at) <= now ? "expired" : "good";
}

export function liveTokens<T extends Ends>(tokens: readonly T[], now: number): T[] {
  return tokens.filter((token) => tokenState(token, now) === "good");
}

const DAY = 86_400;

/** Seconds as texts, for a select */
export const LIFETIMES = [
  { value: String(DAY), label: "1 day" },
  { value: String(7 * DAY), label: "7 days" },
  { value: String(30 * DAY), label: "30 days" },
  { value: String(90 * DAY), label: "90 days" },
  { value: String(365 * DAY), label: "1 year" },
  { value: String(3_653 * DAY), label: "10 years" },
] as const;

export const USUAL_LIFETIME = String(90 * DAY);

/** How a program shows a token, as a line for a shell. */
export function curlLine(origin: string, token: string): string {
  return `curl -H "Authorization: Bearer ${token}" ${origin}/api/v2/dags`;
}
