// The grid of a DAG: what every task did in run after run.

import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Grid2x2, Play } from "lucide-react";
import { useMemo } from "react";
import { gridQuery, useMe } from "../api/queries";
import type { Grid as GridData, GridRun } from "../api/types";
import { foldTree } from "../lib/tree";
import { Button, ButtonLink } from "../parts/Button";
import { Empty } from "../parts/Empty";
import { Loaded } from "../parts/Loaded";
import { Loading } from "../parts/Loading";
import { useNow, useZone } from "../parts/Time";
import { usePlace } from "../parts/usePlace";
import { Grid, type GridCell } from "../views/grid/Grid";
import { GridLegend } from "../views/grid/Legend";
import { GridFilters } from "./grid/GridFilters";
import { GridPanel } from "./grid/GridPanel";
import { GridTip } from "./grid/GridTip";
import { type GridUrl, useGridUrl } from "./grid/useGridUrl";

export function DagGridPage() {
  const { dagId } = usePlace();
  const url = useGridUrl();
  const grid = useQuery(gridQuery(dagId, url.window.filter));
  return (
    <>
      <GridFilters url={url} grid={grid.data} />
      <Loaded query={grid} what="The grid" loading={<Loading height={480} />}>
        {(data) =>
          data.runs.length === 0 ? <NoRuns url={url} /> : <GridAndPanel dagId={dagId} data={data} url={url} />
        }
      </Loaded>
    </>
  );
}

function GridAndPanel({ dagId, data, url }: { dagId: string; data: GridData; url: GridUrl }) {
  const navigate = useNavigate();
  const zone = useZone();
  const folded = useMemo(() => new Set(url.folded), [url.folded]);
  const rows = useMemo(() => foldTree(data.tasks, folded, url.query), [data.tasks, folded, url.query]);
  const runs = useMemo(() => data.runs.toReversed(), [data.runs]);
  const isGoing = runs.some((run) => run.start_date && !run.end_date);
  const now = useNow(isGoing ? 5_000 : 0);
  const open = ({ run, row }: GridCell<GridRun>) => {
    const params = { dagId, runId: run.run_id };
    if (!row) void navigate({ to: "/dags/$dagId/runs/$runId", params });
    else if (row.task.kind === "group") url.fold(row.task.id);
    else {
      const to = "/dags/$dagId/runs/$runId/tasks/$taskId";
      void navigate({ to, params: { ...params, taskId: row.task.id } });
    }
  };
  const selected = useMemo(
    () => selectedCell(data, runs, url.selected?.runId, url.selected?.taskId),
    [data, runs, url.selected?.runId, url.selected?.taskId],
  );
  return (
    <>
      <div className="flex min-h-[440px] flex-1 border-t">
        <div className="relative min-w-0 flex-1">
          <div className="absolute inset-0">
            <Grid
              label={`Task instances of ${dagId}: tasks down, runs across`}
              rows={rows}
              runs={runs}
              zone={zone}
              now={now || Date.now()}
              selected={url.selected}
              onSelect={(cell) => url.select(cell && { runId: cell.run.run_id, taskId: cell.row?.task.id ?? "" })}
              onOpen={open}
              onFold={url.fold}
              tip={(cell) => <GridTip key={`${cell.run.run_id} ${cell.row?.task.id}`} dagId={dagId} cell={cell} />}
            />
          </div>
        </div>
        {selected && <GridPanel dagId={dagId} cell={selected} tasks={data.tasks} url={url} />}
      </div>
      <GridLegend className="border-t px-4 py-2 max-lg:hidden" />
      <details className="border-t px-4 py-2 lg:hidden">
        <summary className="text-xs text-muted">Legend</summary>
        <GridLegend className="pt-2" />
      </details>
    </>
  );
}

/** What is selected, also when its row is folded away. Null when it is not in this part of the grid. */
function selectedCell(data: GridData, runs: GridRun[], runId?: string, taskId?: string): GridCell<GridRun> | null {
  const run = runs.find((run) => run.run_id === runId);
  if (!run) return null;
  if (!taskId) return { run, row: null };
  const row = foldTree(data.tasks, new Set()).find((row) => row.task.id === taskId);
  return row ? { run, row } : null;
}

function NoRuns({ url }: { url: GridUrl }) {
  const { dagId } = usePlace();
  const { may } = useMe();
  if (url.window.isFiltered) {
    return (
      <Empty
        icon={Grid2x2}
        title="No run is like that."
        action={<Button onClick={url.window.clear}>Clear the filters</Button>}
      />
    );
  }
  return (
    <Empty
      icon={Grid2x2}
      title="This DAG has not run yet."
      action={
        may("User") && (
          <ButtonLink variant="primary" icon={Play} to="/dags/$dagId/trigger" params={{ dagId }}>
            Trigger the first run
          </ButtonLink>
        )
      }
    >
      A column for each run will stand here, and a row for each task.
    </Empty>
  );
}
