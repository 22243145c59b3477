// What is known about the chosen task, beside the graph: how it stands, what it is, what comes before and after.

import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { FileText, X } from "lucide-react";
import { useMemo } from "react";
import { type TaskOfRun, taskQuery } from "../../api/queries";
import type { Graph } from "../../api/types";
import { boxKind, countTasks, neighbours } from "../../lib/graph";
import { stateRank, stateWord } from "../../lib/state";
import { ButtonLink, IconButton } from "../../parts/Button";
import { CopyButton } from "../../parts/Copy";
import { Duration } from "../../parts/Duration";
import { Facts } from "../../parts/Page";
import { StateBadge, StateCounts, StateDot } from "../../parts/StateBadge";
import { Time } from "../../parts/Time";
import { TaskActions } from "../task/TaskActions";

interface Props {
  dagId: string;
  /** "" without a run */
  runId: string;
  taskId: string;
  graph: Graph;
  /** Of the run; null = not known yet */
  tasks: readonly TaskOfRun[] | null;
  onSelect: (taskId: string | null) => void;
}

const SHOWN = 50;

export function TaskPanel({ dagId, runId, taskId, graph, tasks, onSelect }: Props) {
  const node = graph.nodes.find((node) => node.id === taskId);
  const instances = useMemo(
    () =>
      (tasks ?? []).filter((task) => task.task_id === taskId).sort((a, b) => stateRank(a.state) - stateRank(b.state)),
    [tasks, taskId],
  );
  const of = useMemo(() => neighbours(graph), [graph]);
  const only = instances.length === 1 ? instances[0] : undefined;
  return (
    <aside
      aria-label={`Task ${taskId}`}
      className="z-20 flex w-80 shrink-0 flex-col overflow-auto border-l bg-raised max-md:absolute max-md:inset-x-0 max-md:bottom-0 max-md:max-h-[58%] max-md:w-full max-md:border-t max-md:border-l-0 max-md:shadow-pop"
    >
      <div className="sticky top-0 flex items-start gap-1 bg-raised pt-3 pr-2 pb-1 pl-4">
        <h2 className="min-w-0 flex-1 pt-1 font-mono text-sm font-semibold break-words">{node?.label ?? taskId}</h2>
        <CopyButton text={taskId} label="Copy the task's id" />
        <IconButton label="Close" icon={X} size="sm" onClick={() => onSelect(null)} />
      </div>
      <div className="flex flex-col gap-3 px-4 pb-4">
        {only && <Instance dagId={dagId} runId={runId} task={only} />}
        {instances.length > 1 && <Mapped dagId={dagId} runId={runId} instances={instances} />}
        {runId !== "" && tasks && instances.length === 0 && (
          <p className="text-muted">This run has no such task instance.</p>
        )}
        <Facts
          facts={[
            node && ["Operator", boxKind(node)],
            node?.trigger_rule && ["Trigger rule", node.trigger_rule],
            node?.parent && ["Group", node.parent],
            only && ["Pool", only.pool],
            only && ["Queue", only.queue],
            only?.hostname && ["Host", only.hostname],
          ].map((fact) => (Array.isArray(fact) ? ([fact[0], fact[1]] as const) : null))}
        />
        <Others title="Upstream" ids={of.up.get(taskId)} onSelect={onSelect} />
        <Others title="Downstream" ids={of.down.get(taskId)} onSelect={onSelect} />
      </div>
    </aside>
  );
}

interface InstanceProps {
  dagId: string;
  runId: string;
  task: TaskOfRun;
}

function Instance({ dagId, runId, task }: InstanceProps) {
  const none = task.end_date ? "–" : "not yet";
  const full = useQuery(taskQuery({ dagId, runId, taskId: task.task_id, mapIndex: task.map_index }));
  return (
    <>
      <div className="flex flex-wrap items-center gap-2">
        <StateBadge state={task.state} />
        {task.try_number > 0 && (
          <span className="text-sm text-muted">
            try {task.try_number} of {Math.max(task.try_number, task.max_tries + 1)}
          </span>
        )}
      </div>
      <div className="flex flex-wrap items-center gap-2">
        <ButtonLink
          icon={FileText}
          to="/dags/$dagId/runs/$runId/tasks/$taskId"
          params={{ dagId, runId, taskId: task.task_id }}
          search={searchOf(task)}
        >
          {task.try_number > 0 ? "Log" : "Task instance"}
        </ButtonLink>
        {full.data && <TaskActions task={full.data} />}
      </div>
      <Facts
        facts={[
          ["Queued", <Time key="queued" at={task.queued_when} none={none} />],
          ["Started", <Time key="started" at={task.start_date} none={none} />],
          ["Ended", <Time key="ended" at={task.end_date} none={none} />],
          ["Took", <Duration key="took" start={task.start_date} end={task.end_date} />],
        ]}
      />
    </>
  );
}

function searchOf(task: TaskOfRun): Record<string, string> {
  return task.map_index < 0 ? {} : { map_index: String(task.map_index) };
}

function Mapped({ dagId, runId, instances }: { dagId: string; runId: string; instances: readonly TaskOfRun[] }) {
  return (
    <section aria-label="Mapped task instances" className="flex flex-col gap-2">
      <p className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <span className="font-medium">{instances.length} mapped</span>
        <StateCounts counts={countTasks(instances)} />
      </p>
      <ul>
        {instances.slice(0, SHOWN).map((task) => (
          <li key={task.map_index}>
            <Link
              to="/dags/$dagId/runs/$runId/tasks/$taskId"
              params={{ dagId, runId, taskId: task.task_id }}
              search={searchOf(task)}
              className="flex h-7 items-center gap-2 rounded-md px-1.5 hover:bg-hover"
            >
              <StateDot state={task.state} silent />
              <span className="font-mono text-xs">[{task.map_index}]</span>
              <span className="flex-1 text-muted">{stateWord(task.state)}</span>
              <Duration start={task.start_date} end={task.end_date} none="" className="text-xs text-muted" />
            </Link>
          </li>
        ))}
      </ul>
      <More count={instances.length} />
    </section>
  );
}

function More({ count }: { count: number }) {
  return count > SHOWN && <span className="text-xs leading-5 text-muted">and {count - SHOWN} more</span>;
}

interface OthersProps {
  title: string;
  ids: readonly string[] | undefined;
  onSelect: (taskId: string) => void;
}

function Others({ title, ids = [], onSelect }: OthersProps) {
  if (ids.length === 0) return null;
  return (
    <section>
      <h3 className="text-xs text-muted">{title}</h3>
      <div className="mt-1 flex flex-wrap gap-1">
        {ids.slice(0, SHOWN).map((id) => (
          <button
            key={id}
            type="button"
            className="max-w-full truncate rounded border border-line px-1.5 font-mono text-xs leading-5 hover:bg-hover"
            onClick={() => onSelect(id)}
          >
            {id}
          </button>
        ))}
        <More count={ids.length} />
      </div>
    </section>
  );
}
