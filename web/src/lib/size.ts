// Sizes in bytes, in words.

const UNITS = ["B", "kB", "MB", "GB", "TB"];

/** "0 B", "812 B", "1.5 kB", "10 GB" */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1_000;
    unit += 1;
  }
  const text = unit === 0 || value >= 99.5 ? value.toFixed(0) : value.toFixed(1).replace(/\.0$/, "");
  return `${text} ${UNITS[unit]}`;
}
