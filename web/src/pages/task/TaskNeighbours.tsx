// What is around a task instance: the tasks before and after it, and the same task in the runs before and after.

import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { ChevronLeft, ChevronRight } from "lucide-react";
import {
  type DagTask,
  dagTasksQuery,
  runsQuery,
  runTasksQuery,
  type TaskInstance,
  type TaskOfRun,
} from "../../api/queries";
import { stateWord, worstState } from "../../lib/state";
import { StateDot } from "../../parts/StateBadge";
import { Tooltip } from "../../parts/Tooltip";

/** Most tasks that are named on each side. */
const SHOWN = 6;

export function TaskNeighbours({ task }: { task: TaskInstance }) {
  const dagId = task.dag_id;
  const tasks = useQuery(dagTasksQuery(dagId)).data?.tasks ?? [];
  const instances = useQuery(runTasksQuery(dagId, task.dag_run_id)).data ?? [];
  const upstream = tasks.filter((one) => one.downstream_task_ids?.includes(task.task_id)).map(idOf);
  const downstream = tasks.find((one) => one.task_id === task.task_id)?.downstream_task_ids ?? [];
  return (
    <div className="flex min-h-9 flex-wrap items-center gap-x-5 gap-y-1 border-b px-4 py-1 text-sm">
      <Side name="Upstream" ids={upstream} instances={instances} task={task} />
      <Side name="Downstream" ids={downstream} instances={instances} task={task} />
      <span className="flex-1" />
      <OtherRuns task={task} />
    </div>
  );
}

function idOf(task: DagTask): string {
  return task.task_id ?? "";
}

interface SideProps {
  name: string;
  ids: readonly string[];
  instances: readonly TaskOfRun[];
  task: TaskInstance;
}

function Side({ name, ids, instances, task }: SideProps) {
  return (
    <span className="flex min-w-0 flex-wrap items-center gap-x-2.5 gap-y-1">
      <span className="text-muted">{name}</span>
      {ids.length === 0 && <span className="text-muted">none</span>}
      {ids.slice(0, SHOWN).map((id) => {
        const states = instances.filter((one) => one.task_id === id).map((one) => one.state ?? null);
        return (
          <Link
            key={id}
            to="/dags/$dagId/runs/$runId/tasks/$taskId"
            params={{ dagId: task.dag_id, runId: task.dag_run_id, taskId: id }}
            className="link inline-flex items-center gap-1.5"
          >
            <StateDot state={worstState(states)} size={9} />
            {id}
          </Link>
        );
      })}
      {ids.length > SHOWN && (
        <Tooltip text={ids.slice(SHOWN).join(", ")}>
          <span className="text-muted">+{ids.length - SHOWN}</span>
        </Tooltip>
      )}
    </span>
  );
}

function OtherRuns({ task }: { task: TaskInstance }) {
  const { run_after } = task;
  const before = useQuery(runsQuery(task.dag_id, { run_after_lt: run_after, order_by: ["-run_after"], limit: 1 }));
  const after = useQuery(runsQuery(task.dag_id, { run_after_gt: run_after, order_by: ["run_after"], limit: 1 }));
  const [previous] = before.data?.dag_runs ?? [];
  const [next] = after.data?.dag_runs ?? [];
  return (
    <span className="flex items-center gap-3">
      {previous && <RunLink task={task} run={previous} isNext={false} />}
      {next && <RunLink task={task} run={next} isNext />}
    </span>
  );
}

function RunLink({
  task,
  run,
  isNext,
}: {
  task: TaskInstance;
  run: { dag_run_id: string; state: string };
  isNext: boolean;
}) {
  return (
    <Link
      to="/dags/$dagId/runs/$runId/tasks/$taskId"
      params={{ dagId: task.dag_id, runId: run.dag_run_id, taskId: task.task_id }}
      search={task.map_index < 0 ? {} : { map_index: String(task.map_index) }}
      title={`${run.dag_run_id}: the run is ${stateWord(run.state)}`}
      className="link inline-flex items-center gap-1"
    >
      {!isNext && <ChevronLeft size={14} aria-hidden />}
      {isNext ? "Next run" : "Previous run"}
      {isNext && <ChevronRight size={14} aria-hidden />}
    </Link>
  );
}
