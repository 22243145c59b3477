// Colours for lines that mean nothing but "another one": neighbours are far apart, in as many as are needed.

const GOLDEN_ANGLE = 137.508;

export function seriesColor(place: number, theme: "light" | "dark"): string {
  const hue = Math.round((250 + place * GOLDEN_ANGLE) % 360);
  return theme === "dark" ? `oklch(0.77 0.13 ${hue})` : `oklch(0.55 0.15 ${hue})`;
}

/** Lines that look alike by colour differ by their dashes. */
export function seriesDash(place: number): number[] | undefined {
  const dashes = [undefined, [6, 4], [2, 3]];
  return dashes[Math.floor(place / 8) % dashes.length];
}
