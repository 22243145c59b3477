// What the duration and the landing time of a DAG's tasks have in common: runs, lines, and which of them are shown.

import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { ChartLine } from "lucide-react";
import { type ReactNode, useMemo, useState } from "react";
import { gridQuery } from "../../api/queries";
import { formatDuration } from "../../lib/duration";
import { seriesColor, seriesDash } from "../../lib/palette";
import { longestTasks, type Series, type SeriesSet, type TimedGrid } from "../../lib/series";
import { useTheme } from "../../lib/settings";
import { Button } from "../../parts/Button";
import { Empty } from "../../parts/Empty";
import { Toolbar } from "../../parts/Filter";
import { Loaded } from "../../parts/Loaded";
import { Loading } from "../../parts/Loading";
import { RunFilters, RunSpan } from "../../parts/RunWindowFields";
import { SearchBox } from "../../parts/SearchBox";
import { useZone } from "../../parts/Time";
import { usePlace } from "../../parts/usePlace";
import { useRunWindow } from "../../parts/useRunWindow";
import { type ChartLine as Line, RunChart } from "../../views/chart/RunChart";
import { SeriesList } from "../../views/chart/SeriesList";
import { SeriesTip } from "./SeriesTip";
import { type Choice, useChoice } from "./useChoice";

interface Props {
  /** "Duration", "Landing time" */
  what: string;
  /** One sentence */
  explain: ReactNode;
  measure: (grid: TimedGrid) => SeriesSet;
  /** Why there may be runs, but no values */
  noValues: ReactNode;
}

/** So many lines are on before anything is chosen. */
const SHOWN = 8;

export function SeriesPage({ what, explain, measure, noValues }: Props) {
  const { dagId } = usePlace();
  const window = useRunWindow(50);
  const grid = useQuery(gridQuery(dagId, { ...window.filter, times: true }));
  const oldest = grid.data?.has_more ? grid.data.runs.at(-1) : null;
  return (
    <>
      <Toolbar end={<RunSpan window={window} oldest={oldest ?? null} />}>
        <RunFilters window={window} />
      </Toolbar>
      <p className="px-4 pb-2 text-muted">{explain}</p>
      <Loaded query={grid} what={what} loading={<Loading height={460} />}>
        {(data) =>
          data.runs.length === 0 ? (
            <Empty
              icon={ChartLine}
              title={window.isFiltered ? "No run is like that." : "This DAG has not run yet."}
              action={window.isFiltered && <Button onClick={window.clear}>Clear the filters</Button>}
            >
              {!window.isFiltered && "A line for each task will stand here."}
            </Empty>
          ) : (
            <ChartAndList what={what} grid={data} measure={measure} noValues={noValues} dagId={dagId} />
          )
        }
      </Loaded>
    </>
  );
}

function ChartAndList({
  what,
  grid,
  measure,
  noValues,
  dagId,
}: Omit<Props, "explain"> & { grid: TimedGrid; dagId: string }) {
  const zone = useZone();
  const theme = useTheme();
  const navigate = useNavigate();
  const [focused, setFocused] = useState<string | null>(null);
  const set = useMemo(() => measure(grid), [grid, measure]);
  const all = useMemo(() => colored(set, theme), [set, theme]);
  const usual = useMemo(() => ["", ...longestTasks(set.tasks, SHOWN)], [set]);
  const choice = useChoice(usual, all);
  const lines = useMemo(() => all.filter((line) => choice.isOn(line.id)), [all, choice]);
  const stands = all.find((line) => line.id === (focused ?? (lines.length === 1 ? lines[0]?.id : null)));
  const guides = useMemo(() => guidesOf(stands), [stands]);
  if (all.every((line) => line.values.every((value) => value === null))) {
    return (
      <Empty icon={ChartLine} title={`No run has a ${what.toLowerCase()}.`}>
        {noValues}
      </Empty>
    );
  }
  return (
    <div className="flex min-h-[440px] flex-1 border-t max-lg:flex-col">
      <div className="relative min-h-[300px] min-w-0 flex-1">
        <div className="absolute inset-0">
          <RunChart
            label={`${what} of ${lines.length} lines over ${set.runs.length} runs; the list says what is usual for each`}
            runs={set.runs}
            lines={lines}
            focused={focused}
            guides={guides}
            zone={zone}
            onOpen={({ lineId, place }) => {
              const runId = set.runs[place]?.run_id ?? "";
              if (lineId === "") void navigate({ to: "/dags/$dagId/runs/$runId", params: { dagId, runId } });
              else {
                const to = "/dags/$dagId/runs/$runId/tasks/$taskId";
                void navigate({ to, params: { dagId, runId, taskId: lineId } });
              }
            }}
            tip={(place, lineId) => <SeriesTip run={set.runs[place]} place={place} lines={lines} lineId={lineId} />}
          />
          {lines.length === 0 && (
            <p className="absolute inset-x-0 top-24 text-center text-muted">
              Choose tasks in the list to see their lines.
            </p>
          )}
        </div>
      </div>
      <section
        aria-label="Lines"
        className="flex w-[440px] shrink-0 flex-col border-l max-lg:h-96 max-lg:w-auto max-lg:border-t max-lg:border-l-0"
      >
        <ListHead choice={choice} />
        <SeriesList
          label="Lines of the chart"
          series={choice.found.map((line) => ({
            ...line,
            isOn: choice.isOn(line.id),
            last: line.values.findLast((value) => value !== null) ?? null,
          }))}
          onToggle={choice.toggle}
          onFocus={setFocused}
        />
      </section>
    </div>
  );
}

function ListHead({ choice }: { choice: Choice }) {
  return (
    <div className="flex items-center gap-1 px-3 py-2">
      <SearchBox label="Search tasks" className="min-w-0 flex-1" value={choice.query} onChange={choice.search} />
      <Button variant="ghost" size="sm" onClick={choice.all}>
        All
      </Button>
      <Button variant="ghost" size="sm" onClick={choice.none}>
        None
      </Button>
      <Button variant="ghost" size="sm" disabled={choice.isUsual} onClick={choice.reset}>
        Longest
      </Button>
    </div>
  );
}

export type ColoredSeries = Series & Line;

/** The run as a whole first, then every task; a task keeps its colour whatever else is shown. */
function colored(set: SeriesSet, theme: "light" | "dark"): ColoredSeries[] {
  return [
    { ...set.total, color: theme === "dark" ? "#e7e9ee" : "#171a21", width: 2.25 },
    ...set.tasks.map((task, place) => ({ ...task, color: seriesColor(place, theme), dash: seriesDash(place) })),
  ];
}

function guidesOf(series: Series | undefined) {
  if (!series || series.median === null || series.p95 === null) return [];
  return [
    { label: `median ${formatDuration(series.median)}`, value: series.median },
    { label: `95 % ${formatDuration(series.p95)}`, value: series.p95 },
  ];
}
