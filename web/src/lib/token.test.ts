import { expect, test } from "vitest";
import { curlLine, liveTokens, tokenState } from "./token";

const NOW = Date.parse("2026-11-21T12:00:00Z");
const token = (expires_at: string | null, revoked_at: string | null = null) => ({ expires_at, revoked_at });

test("a token is good until it expires or is revoked", () => {
  const good = token("2026-11-21T12:00:01Z");
  expect(tokenState(good, NOW)).toBe("good");
  expect(tokenState(token(null), NOW)).toBe("good");
  expect(tokenState(token("2026-11-21T12:00:00Z"), NOW)).toBe("expired");
  expect(tokenState(token("2026-11-21T12:00:00Z", "2026-11-20T00:00:00Z"), NOW)).toBe("revoked");
  expect(liveTokens([good, token("2026-01-01T00:00:00Z")], NOW)).toEqual([good]);
});

test("the line for a shell", () => {
  expect(curlLine("https://flow.example", "flow_x")).toBe(
    'curl -H "Authorization: Bearer flow_x" https://flow.example/api/v2/dags',
  );
});
