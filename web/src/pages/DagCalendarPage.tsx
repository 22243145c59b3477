// A year of a DAG: what came of its runs, day by day.

import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { ChevronLeft, ChevronRight } from "lucide-react";
import { useMemo } from "react";
import { calendarQuery } from "../api/queries";
import type { Calendar as CalendarData, CalendarDay } from "../api/types";
import { addDays, dayOutcome } from "../lib/calendar";
import { shortDay } from "../lib/scale";
import { sortedCounts, stateWord } from "../lib/state";
import { formatDate, fromCivil } from "../lib/time";
import { Button, IconButton } from "../parts/Button";
import { Toolbar } from "../parts/Filter";
import { Loaded } from "../parts/Loaded";
import { Loading } from "../parts/Loading";
import { StateDot } from "../parts/StateBadge";
import { useNow, useZone } from "../parts/Time";
import { usePlace } from "../parts/usePlace";
import { useUrl } from "../parts/useUrl";
import { Calendar, type CalendarCell, CalendarLegend } from "../views/calendar/Calendar";

export function DagCalendarPage() {
  const { dagId } = usePlace();
  const url = useUrl();
  const zone = useZone();
  const now = useNow(60_000);
  const navigate = useNavigate();
  const today = formatDate(now, zone);
  const thisYear = Number(today.slice(0, 4));
  const year = Math.min(9_998, Math.max(1, url.number("year", thisYear)));
  const text = String(year).padStart(4, "0");
  const calendar = useQuery(calendarQuery(dagId, { from: `${text}-01-01`, to: `${text}-12-31`, timezone: zone }));
  const openDay = (date: string) => {
    const [from, next] = [fromCivil(date, zone), fromCivil(addDays(date, 1), zone)];
    if (from === null || next === null) return;
    const span = { from: new Date(from).toISOString(), to: new Date(next - 1).toISOString() };
    void navigate({ to: "/dags/$dagId/runs", params: { dagId }, search: span as never });
  };
  const goTo = (next: number) => url.set({ year: next === thisYear ? null : next });
  return (
    <>
      <Toolbar end={<span className="text-muted">Days of {zone}. Click one to see its runs.</span>}>
        <IconButton label="Year before" icon={ChevronLeft} variant="plain" onClick={() => goTo(year - 1)} />
        <h2 className="w-14 text-center text-lg font-semibold">{year}</h2>
        <IconButton label="Year after" icon={ChevronRight} variant="plain" onClick={() => goTo(year + 1)} />
        {year !== thisYear && <Button onClick={() => goTo(thisYear)}>This year</Button>}
      </Toolbar>
      <Loaded query={calendar} what="The calendar" loading={<Loading height={560} />}>
        {(data) => (
          <>
            {!data.is_complete && <p className="px-4 pb-2 text-warn">{uncounted(data)}</p>}
            <Year data={data} year={year} today={today} onOpen={openDay} />
            <CalendarLegend />
          </>
        )}
      </Loaded>
    </>
  );
}

/** So many of the runs that there are the server counts. */
const COUNTED = 100_000;

/** Where the counting ends: days after it are not empty. */
function uncounted({ days }: CalendarData): string {
  const made = days.reduce((sum, { states }) => sum + Object.values(states).reduce((all, count) => all + count, 0), 0);
  const last = days.findLast((day) => day.planned > 0)?.date;
  if (made >= COUNTED || !last)
    return "This year has more runs, made or planned, than are counted: some days miss some.";
  return `Planned runs are shown up to ${shortDay(last)} only, there are so many: the timetable goes on after it.`;
}

interface YearProps {
  data: CalendarData;
  year: number;
  today: string;
  onOpen: (date: string) => void;
}

function Year({ data, year, today, onOpen }: YearProps) {
  const days = useMemo(() => new Map(data.days.map((day) => [day.date, day])), [data]);
  const cells = useMemo(() => new Map(data.days.map((day) => [day.date, toCell(day)])), [data]);
  return (
    <Calendar year={year} days={cells} today={today} onOpen={onOpen} tip={(date) => <DayTip day={days.get(date)} />} />
  );
}

function toCell(day: CalendarDay): CalendarCell {
  const words = sortedCounts(day.states).map(({ state, count }) => `${count} ${stateWord(state)}`);
  if (day.planned > 0) words.push(`${day.planned} planned`);
  return { date: day.date, outcome: dayOutcome(day.states, day.planned), words: words.join(", ") || "no runs" };
}

function DayTip({ day }: { day: CalendarDay | undefined }) {
  if (!day) return null;
  return (
    <>
      <p className="mb-1 font-medium">{day.date}</p>
      <ul>
        {sortedCounts(day.states).map(({ state, count }) => (
          <li key={state} className="flex items-center gap-1.5">
            <StateDot state={state} size={9} silent />
            {count} {stateWord(state)}
          </li>
        ))}
        {day.planned > 0 && <li className="text-muted">{day.planned} planned</li>}
      </ul>
    </>
  );
}
