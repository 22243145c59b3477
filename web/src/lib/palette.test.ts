import { expect, test } from "vitest";
import { seriesColor, seriesDash } from "./palette";

test("no two of the first lines look the same", () => {
  for (const theme of ["light", "dark"] as const) {
    const looks = Array.from({ length: 24 }, (_, place) => `${seriesColor(place, theme)} ${seriesDash(place)}`);
    expect(new Set(looks).size).toBe(24);
  }
});
