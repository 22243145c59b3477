// A DAG's graph with a run's states on it, what can be looked for in it, and what is known about the chosen task.
// In the URL: task, q, state, direction, folded.

import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { ArrowDownUp, ArrowRightLeft, FoldVertical, UnfoldVertical, Waypoints } from "lucide-react";
import { type ReactNode, useMemo } from "react";
import { type DagRun, graphQuery, runTasksQuery, type TaskOfRun } from "../../api/queries";
import type { Graph as GraphData } from "../../api/types";
import { ALL_FOLDED, boxStates, countTasks, foldedAfter, parentsOf } from "../../lib/graph";
import { NARROW, useMedia } from "../../lib/media";
import { sortedCounts, stateWord } from "../../lib/state";
import { IconButton } from "../../parts/Button";
import { Empty } from "../../parts/Empty";
import { Filter, Toolbar } from "../../parts/Filter";
import { Loaded } from "../../parts/Loaded";
import { Loading } from "../../parts/Loading";
import { SearchBox } from "../../parts/SearchBox";
import { StateDot } from "../../parts/StateBadge";
import { type Url, useUrl } from "../../parts/useUrl";
import { Graph } from "../../views/graph/Graph";
import { TaskPanel } from "./TaskPanel";

interface Props {
  dagId: string;
  /** Null = there is none, or it is not known yet */
  run: DagRun | null;
  picker?: ReactNode;
}

const NO_TASKS: readonly TaskOfRun[] = [];

export function GraphBoard({ dagId, run, picker }: Props) {
  const url = useUrl();
  const runId = run?.dag_run_id ?? "";
  const graphs = useGraphs(dagId, run, url);
  const tasks = useQuery({ ...runTasksQuery(dagId, runId), enabled: runId !== "" });
  const known = runId === "" ? NO_TASKS : (tasks.data ?? NO_TASKS);
  const states = useMemo(() => boxStates(known, graphs.parents), [known, graphs.parents]);
  return (
    <div className="flex min-h-0 flex-1 flex-col">
      <BoardToolbar url={url} tasks={known} picker={picker} oldVersion={graphs.oldVersion} />
      <Loaded query={graphs.shown} what="The graph" loading={<Loading label="Graph" height={480} />}>
        {(graph) =>
          graph.nodes.length === 0 ? (
            <Empty icon={Waypoints} title="This DAG has no tasks.">
              Add one to its file, below <code className="font-mono">tasks</code>.
            </Empty>
          ) : (
            <Board
              dagId={dagId}
              runId={runId}
              graph={graph}
              direction={graphs.direction}
              whole={graphs.whole}
              isStale={graphs.shown.isPlaceholderData}
              states={states}
              tasks={tasks.data ?? null}
              url={url}
            />
          )
        }
      </Loaded>
    </div>
  );
}

/** The graph to show, and the whole of it: what is in a folded group only the whole graph knows. */
function useGraphs(dagId: string, run: DagRun | null, url: Url) {
  const { direction, choosing } = useDirection(dagId, url.text("direction"));
  const folded = url.list("folded");
  const newest = useQuery(graphQuery(dagId, { direction }));
  const pinned = run?.dag_versions[0]?.version_number;
  // A run of an older version has tasks that the newest one may not have.
  const isOld = newest.data !== undefined && pinned !== undefined && pinned !== newest.data.version_number;
  const version_number = isOld ? pinned : undefined;
  const older = useQuery({ ...graphQuery(dagId, { direction, version_number }), enabled: isOld });
  const foldedOne = useQuery({
    ...graphQuery(dagId, { direction, folded, version_number }),
    enabled: folded.length > 0,
  });
  const whole = isOld ? older : newest;
  const parents = useMemo(() => (whole.data ? parentsOf(whole.data) : new Map<string, null>()), [whole.data]);
  return {
    shown: choosing ?? (folded.length > 0 ? foldedOne : whole),
    direction,
    whole: whole.data ?? null,
    parents,
    oldVersion: isOld ? pinned : null,
  };
}

/** As it was asked for; else from left to right, or on a narrow screen whichever way needs less of its width. */
function useDirection(dagId: string, asked: string) {
  const isOpen = useMedia(NARROW) && asked !== "LR" && asked !== "TB";
  const across = useQuery({ ...graphQuery(dagId, { direction: "LR" }), enabled: isOpen });
  const down = useQuery({ ...graphQuery(dagId, { direction: "TB" }), enabled: isOpen });
  const choosing = isOpen ? [across, down].find((query) => query.isPending) : undefined;
  const isLess = isOpen && across.data && down.data && down.data.width < across.data.width;
  const direction: "TB" | "LR" = asked === "TB" || isLess ? "TB" : "LR";
  return { direction, choosing };
}

interface ToolbarProps {
  url: Url;
  tasks: readonly TaskOfRun[];
  picker: ReactNode;
  oldVersion: number | null;
}

function BoardToolbar({ url, tasks, picker, oldVersion }: ToolbarProps) {
  const counts = sortedCounts(countTasks(tasks));
  const note = oldVersion !== null && (
    <span className="text-sm text-muted">This run is pinned to version {oldVersion}; there is a newer one.</span>
  );
  return (
    <Toolbar end={note}>
      {picker}
      <SearchBox value={url.text("q")} onChange={(q) => url.set({ q })} label="Search tasks" className="w-56" />
      {tasks.length > 0 && (
        <Filter
          label="State"
          options={counts.map(({ state, count }) => ({
            value: state,
            label: stateWord(state),
            icon: <StateDot state={state} silent />,
            count,
          }))}
          values={url.list("state")}
          onChange={(state) => url.set({ state })}
        />
      )}
    </Toolbar>
  );
}

interface BoardProps {
  dagId: string;
  runId: string;
  graph: GraphData;
  direction: "TB" | "LR";
  whole: GraphData | null;
  isStale: boolean;
  states: ReturnType<typeof boxStates>;
  tasks: readonly TaskOfRun[] | null;
  url: Url;
}

function Board({ dagId, runId, graph, direction, whole, isStale, states, tasks, url }: BoardProps) {
  const navigate = useNavigate();
  const selected = url.text("task") || null;
  const folded = url.list("folded");
  const groups = useMemo(() => new Map((whole?.groups ?? []).map((group) => [group.id, group.parent])), [whole]);
  const open = (taskId: string) => {
    if (runId) void navigate({ to: "/dags/$dagId/runs/$runId/tasks/$taskId", params: { dagId, runId, taskId } });
  };
  return (
    <div className="relative flex min-h-[440px] flex-1 border-t">
      <Graph
        className="flex-1"
        graph={graph}
        states={states}
        isStale={isStale}
        selected={selected}
        search={url.text("q")}
        only={url.list("state")}
        label={`Graph of ${dagId}`}
        controls={<BoardControls url={url} isDown={direction === "TB"} hasGroups={groups.size > 0} />}
        onSelect={(task) => url.set({ task })}
        onOpen={(node) => open(node.id)}
        onFold={(id, isFolded) => url.set({ folded: foldedAfter(folded, groups, id, isFolded) })}
      />
      {selected !== null && (
        <TaskPanel
          dagId={dagId}
          runId={runId}
          taskId={selected}
          graph={whole ?? graph}
          tasks={tasks}
          onSelect={(task) => url.set({ task })}
        />
      )}
    </div>
  );
}

function BoardControls({ url, isDown, hasGroups }: { url: Url; isDown: boolean; hasGroups: boolean }) {
  const hasFolded = url.list("folded").length > 0;
  return (
    <>
      <IconButton
        label={isDown ? "From left to right" : "From top to bottom"}
        icon={isDown ? ArrowRightLeft : ArrowDownUp}
        size="sm"
        onClick={() => url.set({ direction: isDown ? "LR" : "TB" })}
      />
      {hasGroups && (
        <IconButton
          label={hasFolded ? "Unfold all groups" : "Fold all groups"}
          icon={hasFolded ? UnfoldVertical : FoldVertical}
          size="sm"
          onClick={() => url.set({ folded: hasFolded ? [] : [ALL_FOLDED] })}
        />
      )}
    </>
  );
}
