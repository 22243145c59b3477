// A year as twelve small pages, and what happened on a day.

export interface DayCounts {
  success: number;
  failed: number;
  running: number;
  queued: number;
}

export interface DayOutcome {
  total: number;
  /** The share of failed runs among those that have ended, from 0 to 1 */
  failed: number;
  /** What the day looks like as a whole */
  kind: "none" | "success" | "mixed" | "failed" | "going" | "planned";
}

export function dayOutcome(states: DayCounts, planned: number): DayOutcome {
  const ended = states.success + states.failed;
  const total = ended + states.running + states.queued;
  const failed = ended === 0 ? 0 : states.failed / ended;
  return { total, failed, kind: kindOf() };

  function kindOf(): DayOutcome["kind"] {
    if (total === 0) return planned > 0 ? "planned" : "none";
    if (ended === 0) return "going";
    if (failed === 0) return "success";
    return failed === 1 ? "failed" : "mixed";
  }
}

export interface MonthPage {
  /** From 1 */
  month: number;
  /** Weeks from Monday to Sunday, each with seven days; null where another month is */
  weeks: (string | null)[][];
}

/** The twelve months of a year, days as "2026-11-20". */
export function yearPages(year: number): MonthPage[] {
  return Array.from({ length: 12 }, (_, place) => {
    const month = place + 1;
    const days = new Date(Date.UTC(year, month, 0)).getUTCDate();
    const lead = (new Date(Date.UTC(year, place, 1)).getUTCDay() + 6) % 7;
    const weeks: (string | null)[][] = [];
    for (let first = 1 - lead; first <= days; first += 7) {
      weeks.push(
        Array.from({ length: 7 }, (_, weekday) => {
          const day = first + weekday;
          return day < 1 || day > days ? null : dateText(year, month, day);
        }),
      );
    }
    return { month, weeks };
  });
}

function dateText(year: number, month: number, day: number): string {
  const two = (number: number) => String(number).padStart(2, "0");
  return `${String(year).padStart(4, "0")}-${two(month)}-${two(day)}`;
}

/** The day `days` after a date. */
export function addDays(date: string, days: number): string {
  const at = new Date(`${date}T00:00:00Z`);
  at.setUTCDate(at.getUTCDate() + days);
  return at.toISOString().slice(0, 10);
}
