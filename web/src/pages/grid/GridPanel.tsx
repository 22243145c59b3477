// Beside the grid: what is known of the selected cell, and where to go from there.

import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { ChartNoAxesGantt, ScrollText, SquareArrowOutUpRight, Workflow, X } from "lucide-react";
import type { ReactNode } from "react";
import { runQuery, taskQuery } from "../../api/queries";
import type { GridRun, GridTask } from "../../api/types";
import { runTypeWord } from "../../lib/runType";
import { stateOfLetter, stateWord } from "../../lib/state";
import { foldTree, groupCounts, rowLetter, type TreeRow } from "../../lib/tree";
import { ButtonLink, ButtonRow, IconButton } from "../../parts/Button";
import { CopyId } from "../../parts/Copy";
import { Duration } from "../../parts/Duration";
import { StateBadge, StateCounts } from "../../parts/StateBadge";
import { TaskId } from "../../parts/TaskId";
import { Time } from "../../parts/Time";
import type { GridCell } from "../../views/grid/Grid";
import { StateCell } from "../../views/grid/Legend";
import { RunActions } from "../run/RunActions";
import { TaskActions } from "../task/TaskActions";
import type { GridUrl } from "./useGridUrl";

interface Props {
  dagId: string;
  cell: GridCell<GridRun>;
  tasks: readonly GridTask[];
  url: GridUrl;
}

export function GridPanel({ dagId, cell, tasks, url }: Props) {
  const { run, row } = cell;
  const title = row ? row.task.label : "Run";
  const state = row ? stateOfLetter(rowLetter(row, run.states)) : run.state;
  return (
    <aside
      aria-label="What is selected"
      data-testid="grid-panel"
      className="flex w-80 shrink-0 flex-col gap-3 overflow-auto border-l bg-raised p-4 max-md:fixed max-md:inset-x-0 max-md:bottom-0 max-md:z-30 max-md:max-h-[55dvh] max-md:w-auto max-md:border-t max-md:border-l-0 max-md:shadow-pop"
    >
      <div className="flex items-start gap-2">
        <div className="min-w-0 flex-1">
          <h2 className="text-base font-semibold break-words">{title}</h2>
          <div className="mt-1">
            {state ? <StateBadge state={state} /> : <span className="text-muted">not in this run</span>}
          </div>
        </div>
        <IconButton label="Close" icon={X} size="sm" onClick={() => url.select(null)} />
      </div>
      {!row ? (
        <RunFacts dagId={dagId} run={run} tasks={tasks} />
      ) : row.task.kind === "group" ? (
        <GroupFacts cell={cell} tasks={tasks} url={url} />
      ) : (
        state && <TaskFacts dagId={dagId} cell={cell} />
      )}
    </aside>
  );
}

function RunFacts({ dagId, run, tasks }: { dagId: string; run: GridRun; tasks: readonly GridTask[] }) {
  const params = { dagId, runId: run.run_id };
  const details = useQuery(runQuery(dagId, run.run_id)).data;
  const all = tasks.filter((task) => task.kind === "task").map((_, place) => place);
  return (
    <>
      <ButtonRow>
        <ButtonLink
          variant="primary"
          size="sm"
          icon={SquareArrowOutUpRight}
          to="/dags/$dagId/runs/$runId"
          params={params}
        >
          Open the run
        </ButtonLink>
        <ButtonLink size="sm" icon={Workflow} to="/dags/$dagId/runs/$runId/graph" params={params}>
          Graph
        </ButtonLink>
        <ButtonLink size="sm" icon={ChartNoAxesGantt} to="/dags/$dagId/runs/$runId/gantt" params={params}>
          Gantt
        </ButtonLink>
      </ButtonRow>
      {details && <RunActions run={details} />}
      <Facts
        facts={[
          ["Run", <CopyId key="id" text={run.run_id} />],
          ["Tasks", <StateCounts key="counts" counts={groupCounts(run.states, all)} />],
          ["Type", runTypeWord(run.run_type)],
          ["Run after", <Time key="after" at={run.run_after} />],
          ["Logical date", <Time key="logical" at={run.logical_date} show="exact" />],
          ["Queued", <Time key="queued" at={run.queued_at} />],
          ["Start", <Time key="start" at={run.start_date} />],
          ["End", <Time key="end" at={run.end_date} />],
          ["Duration", <Duration key="duration" start={run.start_date} end={run.end_date} />],
          ["Version", String(run.version_number)],
          details?.note ? ["Note", <Note key="note" text={details.note} />] : null,
        ]}
      />
    </>
  );
}

function TaskFacts({ dagId, cell: { run, row } }: { dagId: string; cell: GridCell<GridRun> }) {
  const taskId = row?.task.id ?? "";
  const params = { dagId, runId: run.run_id, taskId };
  const isMapped = row?.task.is_mapped ?? false;
  const task = useQuery({ ...taskQuery({ ...params, mapIndex: -1 }), enabled: !isMapped }).data;
  const to = "/dags/$dagId/runs/$runId/tasks/$taskId";
  return (
    <>
      <ButtonRow>
        <ButtonLink variant="primary" size="sm" icon={ScrollText} to={to} params={params}>
          Log
        </ButtonLink>
        <ButtonLink size="sm" icon={SquareArrowOutUpRight} to={`${to}/details`} params={params}>
          Details
        </ButtonLink>
      </ButtonRow>
      {task && <TaskActions task={task} />}
      <Facts
        facts={[
          ["Task", <CopyId key="id" text={taskId} />],
          ["Run", <RunLink key="run" dagId={dagId} runId={run.run_id} />],
          ["Operator", row?.task.operator ?? "–"],
          ["Try", task ? `${task.try_number} of ${task.max_tries + 1}` : String(run.tries[row?.place ?? -1] ?? 0)],
          ["Queued", <Time key="queued" at={task?.queued_when} />],
          ["Start", <Time key="start" at={task?.start_date} />],
          ["End", <Time key="end" at={task?.end_date} />],
          ["Duration", <Duration key="duration" start={task?.start_date} end={task?.end_date} />],
          ["Pool", task?.pool ?? "–"],
          task?.note ? ["Note", <Note key="note" text={task.note} />] : null,
        ]}
      />
    </>
  );
}

function GroupFacts({ cell: { run, row }, tasks, url }: Omit<Props, "dagId">) {
  const inside = membersOf(tasks, row);
  return (
    <>
      <StateCounts counts={groupCounts(run.states, row?.members ?? [])} />
      <ul aria-label="Tasks of the group" className="-mx-2">
        {inside.map((member) => {
          const state = stateOfLetter(rowLetter(member, run.states));
          return (
            <li key={member.task.id}>
              <button
                type="button"
                className="flex h-8 w-full items-center gap-2 rounded-md px-2 text-left hover:bg-hover"
                onClick={() => url.select({ runId: run.run_id, taskId: member.task.id })}
              >
                {state ? <StateCell state={state} /> : <span className="w-4" />}
                <span className="min-w-0 flex-1">
                  <TaskId id={member.task.id} />
                </span>
                <span className="shrink-0 text-xs text-muted">{state ? stateWord(state) : "not in this run"}</span>
              </button>
            </li>
          );
        })}
      </ul>
    </>
  );
}

function membersOf(tasks: readonly GridTask[], row: TreeRow | null): TreeRow<GridTask>[] {
  const members = new Set(row?.members);
  return foldTree(tasks, new Set()).filter((other) => members.has(other.place));
}

function Note({ text }: { text: string }) {
  return <span className="whitespace-pre-wrap">{text}</span>;
}

function RunLink({ dagId, runId }: { dagId: string; runId: string }) {
  return (
    <Link to="/dags/$dagId/runs/$runId" params={{ dagId, runId }} className="link font-mono text-xs break-all">
      {runId}
    </Link>
  );
}

function Facts({ facts }: { facts: readonly (readonly [string, ReactNode] | null)[] }) {
  return (
    <dl className="grid grid-cols-[auto_minmax(0,1fr)] items-baseline gap-x-4 gap-y-1.5">
      {facts.map((fact) =>
        fact === null ? null : (
          <div key={fact[0]} className="contents">
            <dt className="text-muted">{fact[0]}</dt>
            <dd className="min-w-0 break-words">{fact[1]}</dd>
          </div>
        ),
      )}
    </dl>
  );
}
