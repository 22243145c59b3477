// Airflow's two ways of writing a span of time, as seconds.

/** As JSON has it for tasks */
export interface TimeDelta {
  days: number;
  seconds: number;
  microseconds: number;
}

export function deltaSeconds(delta: TimeDelta | null | undefined): number | null {
  return delta ? delta.days * 86_400 + delta.seconds + delta.microseconds / 1e6 : null;
}

/** Of ISO 8601: "PT10M" is 600, "P1DT2H" is 93,600. Null for what is none, and for months and years: they vary. */
export function isoSeconds(text: string | null | undefined): number | null {
  const match = /^P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/.exec(text ?? "");
  if (!match || text === "P") return null;
  const [weeks = 0, days = 0, hours = 0, minutes = 0, seconds = 0] = match.slice(1).map((part) => Number(part ?? 0));
  return ((weeks * 7 + days) * 24 + hours) * 3_600 + minutes * 60 + seconds;
}
