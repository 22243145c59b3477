// What is around a task instance: the tasks before and after it, and the same task in the runs before and after.

import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { ChevronLeft, ChevronRight } from "lucide-react";
import { type NeighbourRun, type NeighbourTasks, neighboursQuery, type TaskInstance } from "../../api/queries";
import { stateWord, worstState } from "../../lib/state";
import { StateDot } from "../../parts/StateBadge";
import { Tooltip } from "../../parts/Tooltip";

/** Most tasks that are named on each side; the tooltip names more. */
const SHOWN = 6;

export function TaskNeighbours({ task }: { task: TaskInstance }) {
  const around = useQuery(neighboursQuery(task.dag_id, task.dag_run_id, task.task_id)).data;
  return (
    <div className="flex min-h-9 flex-wrap items-center gap-x-5 gap-y-1 border-b px-4 py-1 text-sm max-md:h-9 max-md:flex-nowrap max-md:overflow-x-auto max-md:[scrollbar-width:none]">
      {around && (
        <>
          <Side name="Upstream" of={around.upstream} task={task} />
          <Side name="Downstream" of={around.downstream} task={task} />
          <span className="ml-auto flex shrink-0 items-center gap-3 bg-bg max-md:sticky max-md:right-0 max-md:pl-3">
            {around.previous_run && <RunLink task={task} run={around.previous_run} isNext={false} />}
            {around.next_run && <RunLink task={task} run={around.next_run} isNext />}
          </span>
        </>
      )}
    </div>
  );
}

interface SideProps {
  name: string;
  of: NeighbourTasks;
  task: TaskInstance;
}

function Side({ name, of: { tasks, total }, task }: SideProps) {
  const more = tasks.slice(SHOWN).map((one) => one.task_id);
  const unnamed = total - tasks.length;
  return (
    <span className="flex min-w-0 flex-wrap items-center gap-x-2.5 gap-y-1 max-md:shrink-0 max-md:flex-nowrap">
      <span className="text-muted">{name}</span>
      {total === 0 && <span className="text-muted">none</span>}
      {tasks.slice(0, SHOWN).map(({ task_id, states }) => (
        <Link
          key={task_id}
          to="/dags/$dagId/runs/$runId/tasks/$taskId"
          params={{ dagId: task.dag_id, runId: task.dag_run_id, taskId: task_id }}
          className="link inline-flex min-w-0 items-center gap-1.5"
        >
          <StateDot state={worstState(states)} size={9} />
          <span className="truncate">{task_id}</span>
        </Link>
      ))}
      {more.length > 0 && (
        <Tooltip text={`${more.join(", ")}${unnamed > 0 ? ` and ${unnamed} more` : ""}`}>
          <span className="text-muted">+{total - SHOWN}</span>
        </Tooltip>
      )}
    </span>
  );
}

function RunLink({ task, run, isNext }: { task: TaskInstance; run: NeighbourRun; isNext: boolean }) {
  return (
    <Link
      to="/dags/$dagId/runs/$runId/tasks/$taskId"
      params={{ dagId: task.dag_id, runId: run.dag_run_id, taskId: task.task_id }}
      search={task.map_index < 0 ? {} : { map_index: String(task.map_index) }}
      title={`${run.dag_run_id}: the run is ${stateWord(run.state)}`}
      className="link inline-flex items-center gap-1"
    >
      {!isNext && <ChevronLeft size={14} aria-hidden />}
      <span>
        {isNext ? "Next" : "Previous"}
        <span className="max-md:sr-only"> run</span>
      </span>
      {isNext && <ChevronRight size={14} aria-hidden />}
    </Link>
  );
}
