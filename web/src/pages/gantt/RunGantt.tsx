// The Gantt chart of a run, with what chooses its part and what stands out.

import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { ChartNoAxesGantt, ChevronLeft, ChevronRight, Maximize2, ZoomIn, ZoomOut } from "lucide-react";
import { type ReactNode, useMemo, useState } from "react";
import { type DagRun, dagTasksQuery, ganttQuery, runQuery } from "../../api/queries";
import { formatDuration } from "../../lib/duration";
import { criticalPath, type GanttRow, ganttRows, ganttSpan, upstreamOf } from "../../lib/gantt";
import { panSpan, type Span, withRoom, zoomSpan } from "../../lib/scale";
import { stateWord } from "../../lib/state";
import { toMillis } from "../../lib/time";
import { ButtonRow, IconButton } from "../../parts/Button";
import { Empty } from "../../parts/Empty";
import { Switch } from "../../parts/Field";
import { Toolbar } from "../../parts/Filter";
import { Loaded } from "../../parts/Loaded";
import { Loading } from "../../parts/Loading";
import { TipLines } from "../../parts/PointTip";
import { SearchBox } from "../../parts/SearchBox";
import { StateDot } from "../../parts/StateBadge";
import { TaskId } from "../../parts/TaskId";
import { Time, useNow, useZone } from "../../parts/Time";
import { useHotkeys } from "../../parts/useHotkeys";
import { useUrl } from "../../parts/useUrl";
import type { Bar } from "../../views/gantt/Bars";
import { Gantt, LEAST } from "../../views/gantt/Gantt";

interface Props {
  dagId: string;
  runId: string;
  /** First in the line above the chart, such as what chooses the run */
  before?: ReactNode;
}

export function RunGantt({ dagId, runId, before }: Props) {
  const gantt = useQuery(ganttQuery(dagId, runId));
  const run = useQuery(runQuery(dagId, runId));
  const rows = useMemo(() => gantt.data && ganttRows(gantt.data.bars), [gantt.data]);
  const query = { ...gantt, data: rows && run.data && { rows, run: run.data }, error: gantt.error ?? run.error };
  return (
    <Loaded query={query} what="The Gantt chart" loading={<Waiting before={before} />}>
      {({ rows, run }) => (
        <>
          {gantt.data?.is_complete === false && (
            <p className="px-4 pb-2 text-warn">This run has more tries than are shown: some tasks miss earlier ones.</p>
          )}
          <Chart key={runId} dagId={dagId} run={run} rows={rows} before={before} />
        </>
      )}
    </Loaded>
  );
}

function Waiting({ before }: { before: ReactNode }) {
  return (
    <>
      <Toolbar>{before}</Toolbar>
      <Loading height={440} />
    </>
  );
}

function Chart({ dagId, run, rows, before }: { dagId: string; run: DagRun; rows: GanttRow[]; before: ReactNode }) {
  const url = useUrl();
  const zone = useZone();
  const navigate = useNavigate();
  const now = useNow(run.end_date ? 0 : 1_000) || Date.now();
  const worked = ganttSpan(rows, { start: toMillis(run.start_date), end: toMillis(run.end_date) }, now);
  const whole = worked && withRoom(worked, 0.015);
  // Null follows the whole run as it grows.
  const [zoomed, setZoomed] = useState<Span | null>(null);
  const span = zoomed ?? whole;
  const setSpan = (next: Span) => setZoomed(whole && next.to - next.from >= whole.to - whole.from ? null : next);
  const showsPath = url.flag("path");
  const path = usePath(dagId, rows, showsPath);
  const text = url.text("q").toLowerCase();
  const shown = useMemo(() => rows.filter((row) => row.key.toLowerCase().includes(text)), [rows, text]);
  const zoom = (factor: number) =>
    span && whole && setSpan(zoomSpan(span, whole, factor, (span.from + span.to) / 2, LEAST));
  const pan = (share: number) => span && whole && setSpan(panSpan(span, whole, share));
  const params = { dagId, runId: run.dag_run_id };
  return (
    <>
      <Toolbar
        end={
          <>
            <label className="inline-flex items-center gap-2" htmlFor="critical-path">
              <Switch
                id="critical-path"
                checked={showsPath}
                onCheckedChange={(isOn) => url.set({ path: isOn ? "true" : null })}
              />
              Critical path
            </label>
            <Zoom isZoomed={zoomed !== null} zoom={zoom} pan={pan} reset={() => setZoomed(null)} />
          </>
        }
      >
        {before}
        <SearchBox label="Search tasks" className="w-52" value={url.text("q")} onChange={(q) => url.set({ q })} />
      </Toolbar>
      {showsPath && path.length > 0 && worked && <PathWords path={path} rows={rows} length={worked.to - worked.from} />}
      {!whole || !span ? (
        <Empty icon={ChartNoAxesGantt} title="Nothing has begun yet.">
          A bar for each try will stand here as soon as the first task is queued.
        </Empty>
      ) : (
        <div className="relative min-h-[380px] flex-1 border-t">
          <div className="absolute inset-0">
            <Gantt
              label={`Tries of ${run.dag_run_id}`}
              rows={shown}
              whole={whole}
              span={span}
              onSpan={setSpan}
              zone={zone}
              now={now}
              path={new Set(showsPath ? path : [])}
              name={(row) => <TaskName {...params} row={row} />}
              onOpen={({ row, attempt }) =>
                void navigate({
                  to: "/dags/$dagId/runs/$runId/tasks/$taskId",
                  params: { ...params, taskId: row.taskId },
                  search: { ...indexOf(row), try: String(attempt.tryNumber) } as never,
                })
              }
              tip={(bar) => <BarTip bar={bar} />}
            />
            {shown.length === 0 && <p className="p-6 text-center text-muted">No task is called that.</p>}
          </div>
        </div>
      )}
    </>
  );
}

function indexOf(row: GanttRow) {
  return row.mapIndex < 0 ? {} : { map_index: String(row.mapIndex) };
}

function TaskName({ dagId, runId, row }: { dagId: string; runId: string; row: GanttRow }) {
  return (
    <Link
      to="/dags/$dagId/runs/$runId/tasks/$taskId"
      params={{ dagId, runId, taskId: row.taskId }}
      search={indexOf(row) as never}
      className="flex min-w-0 items-center gap-2 hover:underline"
    >
      <StateDot state={row.attempts.at(-1)?.state} silent />
      <TaskId id={row.key} />
    </Link>
  );
}

function BarTip({ bar: { row, attempt } }: { bar: Bar }) {
  const { queued, start, end } = attempt;
  return (
    <>
      <p className="mb-1 font-medium break-all">{row.key}</p>
      <TipLines
        lines={[
          ["Try", String(attempt.tryNumber)],
          ["State", stateWord(attempt.state)],
          ["Queued", <Time key="queued" at={queued} show="exact" />],
          ["Start", <Time key="start" at={start} show="exact" />],
          ["End", <Time key="end" at={end} show="exact" />],
          queued !== null && start !== null ? ["Waited", formatDuration((start - queued) / 1_000)] : null,
          start !== null && end !== null ? ["Duration", formatDuration((end - start) / 1_000)] : null,
        ]}
      />
    </>
  );
}

/** Asked for only when it is shown: who stands before whom is not in the bars. */
function usePath(dagId: string, rows: readonly GanttRow[], isShown: boolean): string[] {
  const tasks = useQuery({ ...dagTasksQuery(dagId), enabled: isShown }).data?.tasks;
  return useMemo(() => {
    if (!tasks) return [];
    const known = tasks.map((task) => ({
      task_id: task.task_id ?? "",
      downstream_task_ids: task.downstream_task_ids ?? [],
    }));
    return criticalPath(rows, upstreamOf(known));
  }, [tasks, rows]);
}

function PathWords({ path, rows, length }: { path: readonly string[]; rows: readonly GanttRow[]; length: number }) {
  const onPath = new Set(path);
  const busy = rows
    .filter((row) => onPath.has(row.taskId))
    .flatMap((row) => row.attempts)
    .reduce((sum, { start, end }) => (start !== null && end !== null ? sum + end - start : sum), 0);
  return (
    <p className="px-4 pb-2.5 text-muted">
      The run had to wait for these {path.length} tasks, one after the other:{" "}
      <span className="font-medium text-fg">{path.join(" → ")}</span>. They worked {formatDuration(busy / 1_000)}; the
      run took {formatDuration(length / 1_000)}.
    </p>
  );
}

interface ZoomProps {
  isZoomed: boolean;
  zoom: (factor: number) => void;
  pan: (share: number) => void;
  reset: () => void;
}

function Zoom({ isZoomed, zoom, pan, reset }: ZoomProps) {
  useHotkeys("Gantt", [
    { keys: "+", does: "Zoom in", run: () => zoom(0.5) },
    { keys: "-", does: "Zoom out", run: () => zoom(2) },
    { keys: "0", does: "The whole run", run: reset },
  ]);
  const still = { variant: "plain", disabled: !isZoomed } as const;
  return (
    <ButtonRow className="!gap-1">
      <IconButton label="Earlier" icon={ChevronLeft} {...still} onClick={() => pan(-0.5)} />
      <IconButton label="Later" icon={ChevronRight} {...still} onClick={() => pan(0.5)} />
      <IconButton
        label="Zoom in (or drag over the bars)"
        keys="+"
        icon={ZoomIn}
        variant="plain"
        onClick={() => zoom(0.5)}
      />
      <IconButton label="Zoom out" keys="-" icon={ZoomOut} {...still} onClick={() => zoom(2)} />
      <IconButton label="The whole run" keys="0" icon={Maximize2} {...still} onClick={reset} />
    </ButtonRow>
  );
}
