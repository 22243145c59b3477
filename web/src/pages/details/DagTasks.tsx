// The tasks of a DAG with what their definitions say.

import type { DagTask } from "../../api/queries";
import { deltaSeconds } from "../../lib/interval";
import { Seconds } from "../../parts/Known";
import { type Column, Table } from "../../parts/Table";

export function DagTasks({ tasks }: { tasks: readonly DagTask[] }) {
  return (
    <div className="-mx-4 -my-2">
      <Table
        label="Tasks of the DAG"
        columns={COLUMNS}
        rows={tasks}
        rowKey={(task) => task.task_id ?? ""}
        virtual={tasks.length > 200}
      />
    </div>
  );
}

const COLUMNS: readonly Column<DagTask>[] = [
  {
    key: "task",
    header: "Task",
    className: "max-w-64 truncate font-medium",
    cell: (task) => <span title={task.task_id ?? ""}>{task.task_display_name ?? task.task_id}</span>,
  },
  { key: "operator", header: "Operator", cell: (task) => task.operator_name },
  { key: "rule", header: "Trigger rule", hideBelow: "md", cell: (task) => task.trigger_rule?.replaceAll("_", " ") },
  {
    key: "retries",
    header: "Retries",
    align: "right",
    hideBelow: "sm",
    className: "whitespace-nowrap",
    cell: (task) => (
      <>
        {task.retries}
        {(task.retries ?? 0) > 0 && (
          <span className="text-muted">
            {" every "}
            <Seconds of={deltaSeconds(task.retry_delay)} none="0 s" />
          </span>
        )}
      </>
    ),
  },
  {
    key: "timeout",
    header: "Timeout",
    align: "right",
    hideBelow: "lg",
    cell: (task) => (
      <Seconds of={deltaSeconds(task.execution_timeout)} none={<span className="text-muted">none</span>} />
    ),
  },
  {
    key: "pool",
    header: "Pool",
    hideBelow: "lg",
    cell: (task) => `${task.pool}${(task.pool_slots ?? 1) > 1 ? ` × ${task.pool_slots}` : ""}`,
  },
  { key: "queue", header: "Queue", hideBelow: "xl", cell: (task) => task.queue },
  { key: "priority", header: "Priority", align: "right", hideBelow: "xl", cell: (task) => task.priority_weight },
  {
    key: "after",
    header: "Before",
    hideBelow: "xl",
    width: "w-full",
    className: "max-w-0 truncate text-muted",
    cell: (task) => {
      const after = task.downstream_task_ids?.join(", ") ?? "";
      return <span title={after}>{after}</span>;
    },
  },
];
