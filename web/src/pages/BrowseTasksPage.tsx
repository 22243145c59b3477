// Task instances of all DAGs and runs: filters, sorting, and changes of many at once.

import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Check, Eraser, ListChecks, X } from "lucide-react";
import { useState } from "react";
import { ALL, type TaskInstance, tasksQuery, useMe } from "../api/queries";
import { spanOf, TASK_FILTERS, tasksFilter } from "../lib/filters";
import { totalOf } from "../lib/paging";
import { runName } from "../lib/runName";
import { Button } from "../parts/Button";
import { Duration } from "../parts/Duration";
import { Empty } from "../parts/Empty";
import { Filter, TASK_STATE_OPTIONS, Toolbar } from "../parts/Filter";
import { Loaded } from "../parts/Loaded";
import { Page } from "../parts/Page";
import { Pager } from "../parts/Pager";
import { SearchBox } from "../parts/SearchBox";
import { SpanFilter } from "../parts/SpanFilter";
import { StateBadge } from "../parts/StateBadge";
import { type Column, SelectionBar, Table } from "../parts/Table";
import { TextFilter } from "../parts/TextFilter";
import { Time, useNow } from "../parts/Time";
import { type List, useList } from "../parts/useList";
import { useSelection } from "../parts/useSelection";
import { EditsDialog, type Verb } from "./bulk/EditsDialog";

const keyOf = (task: TaskInstance) => `${task.dag_id} ${task.dag_run_id} ${task.task_id} ${task.map_index}`;
const nameOf = (task: TaskInstance) => (task.map_index < 0 ? task.task_id : `${task.task_id} [${task.map_index}]`);

export function BrowseTasksPage() {
  // By the number of their runs: also what has not started yet is at its place.
  const list = useList({ sort: "-id", limit: 50 });
  const now = useNow(list.url.text("within") ? 60_000 : 0);
  const filter = tasksFilter(list.url.search, list, now);
  const tasks = useQuery(tasksQuery(ALL, ALL, filter));
  return (
    <Page title="Task instances">
      <TasksToolbar list={list} />
      <Loaded query={tasks} what="The task instances">
        {(data) => (
          <Tasks
            tasks={data.task_instances}
            total={totalOf(data.total_entries, { ...list, count: data.task_instances.length })}
            list={list}
            isStale={tasks.isPlaceholderData}
          />
        )}
      </Loaded>
    </Page>
  );
}

function TasksToolbar({ list }: { list: List }) {
  const { url, filter } = list;
  return (
    <Toolbar>
      <SearchBox label="Search task ids" value={url.text("q")} onChange={(q) => filter({ q })} />
      <Filter
        label="State"
        options={TASK_STATE_OPTIONS}
        values={url.list("state")}
        onChange={(state) => filter({ state })}
      />
      {(["dag", "run", "operator", "pool", "queue"] as const).map((name) => (
        <TextFilter
          key={name}
          label={name === "dag" ? "DAG" : name.charAt(0).toUpperCase() + name.slice(1)}
          value={url.text(name)}
          onChange={(text) => filter({ [name]: text })}
        />
      ))}
      <SpanFilter label="Started" span={spanOf(url.search)} onChange={(span) => filter({ ...span })} />
      {list.isFiltered(TASK_FILTERS) && (
        <Button variant="ghost" onClick={() => list.clear(TASK_FILTERS)}>
          Clear filters
        </Button>
      )}
    </Toolbar>
  );
}

interface TasksProps {
  tasks: readonly TaskInstance[];
  total: number;
  list: List;
  isStale: boolean;
}

function Tasks({ tasks, total, list, isStale }: TasksProps) {
  const { may } = useMe();
  const chosen = useSelection(tasks, keyOf);
  const [verb, setVerb] = useState<Verb | null>(null);
  return (
    <>
      <Table
        label="Task instances"
        columns={COLUMNS}
        rows={tasks}
        rowKey={keyOf}
        sort={list.sort}
        onSort={list.setSort}
        selection={may("User") ? chosen.selection : undefined}
        isStale={isStale}
        empty={<NoTasks list={list} />}
      />
      <Pager {...list} total={total} count={tasks.length} onChange={list.setOffset} />
      <SelectionBar selection={chosen.selection}>
        <Button size="sm" icon={Eraser} onClick={() => setVerb("clear")}>
          Clear
        </Button>
        <Button size="sm" icon={Check} onClick={() => setVerb("success")}>
          Mark success
        </Button>
        <Button size="sm" icon={X} onClick={() => setVerb("failed")}>
          Mark failed
        </Button>
      </SelectionBar>
      {verb && (
        <EditsDialog
          verb={verb}
          noun="task instance"
          targets={chosen.rows.map((task) => ({
            key: keyOf(task),
            label: <TaskName task={task} />,
            place: {
              dagId: task.dag_id,
              runId: task.dag_run_id,
              task_id: task.task_id,
              map_index: task.map_index < 0 ? undefined : task.map_index,
            },
          }))}
          onClose={(isDone) => {
            setVerb(null);
            if (isDone) chosen.clear();
          }}
        />
      )}
    </>
  );
}

function TaskName({ task }: { task: TaskInstance }) {
  return (
    <>
      <span className="font-medium">{nameOf(task)}</span>
      <span className="ml-2 text-muted">
        {task.dag_id} <code className="font-mono text-xs">{task.dag_run_id}</code>
      </span>
    </>
  );
}

const COLUMNS: readonly Column<TaskInstance>[] = [
  {
    key: "task",
    header: "Task",
    sortKey: "task_id",
    className: "max-w-60 min-w-28 truncate max-md:w-full max-md:max-w-0",
    cell: (task) => (
      <>
        <Link
          to="/dags/$dagId/runs/$runId/tasks/$taskId"
          params={{ dagId: task.dag_id, runId: task.dag_run_id, taskId: task.task_id }}
          search={task.map_index < 0 ? {} : { map_index: String(task.map_index) }}
          className="link font-medium"
          title={nameOf(task)}
          data-row-link
        >
          {nameOf(task)}
        </Link>
        {/* On a phone its place stands below. */}
        <span className="block truncate text-xs text-muted md:hidden">
          {task.dag_display_name} <code className="font-mono">{runName(task.dag_run_id)}</code>
        </span>
      </>
    ),
  },
  { key: "state", header: "State", sortKey: "state", cell: (task) => <StateBadge state={task.state} /> },
  {
    key: "dag",
    header: "DAG",
    hideBelow: "md",
    className: "max-w-44 truncate",
    cell: (task) => (
      <Link to="/dags/$dagId" params={{ dagId: task.dag_id }} className="hover:underline" title={task.dag_id}>
        {task.dag_display_name}
      </Link>
    ),
  },
  {
    key: "run",
    header: "Run",
    sortKey: "id",
    hideBelow: "md",
    width: "w-full",
    className: "max-w-0 min-w-24 truncate",
    cell: (task) => (
      <Link
        to="/dags/$dagId/runs/$runId"
        params={{ dagId: task.dag_id, runId: task.dag_run_id }}
        className="font-mono text-xs text-muted hover:underline"
        title={task.dag_run_id}
      >
        {runName(task.dag_run_id)}
      </Link>
    ),
  },
  {
    key: "try",
    header: "Try",
    sortKey: "try_number",
    align: "right",
    hideBelow: "lg",
    className: "whitespace-nowrap",
    cell: (task) =>
      task.try_number === 0 ? "–" : `${task.try_number} of ${Math.max(task.try_number, task.max_tries + 1)}`,
  },
  {
    key: "operator",
    header: "Operator",
    sortKey: "operator",
    hideBelow: "xl",
    cell: (task) => task.operator_name ?? task.operator ?? "–",
  },
  {
    key: "start",
    header: "Started",
    sortKey: "start_date",
    hideBelow: "md",
    cell: (task) => <Time at={task.start_date} none="not yet" />,
  },
  {
    key: "duration",
    header: "Took",
    sortKey: "duration",
    align: "right",
    hideBelow: "sm",
    cell: (task) => <Duration start={task.start_date} end={task.end_date} />,
  },
  {
    key: "queue",
    header: "Queue, pool",
    hideBelow: "2xl",
    className: "max-w-36 truncate text-muted",
    cell: queueAndPool,
  },
];

/** Nearly all are in the default ones: only others are named. */
function queueAndPool(task: TaskInstance) {
  const names = [
    task.queue !== null && task.queue !== "default" && task.queue,
    task.pool !== "default_pool" && task.pool,
  ].filter(Boolean);
  const all = `queue ${task.queue ?? "default"}, pool ${task.pool}`;
  return <span title={all}>{names.length > 0 ? names.join(", ") : "default"}</span>;
}

function NoTasks({ list }: { list: List }) {
  return list.isFiltered(TASK_FILTERS) ? (
    <Empty
      icon={ListChecks}
      title="No task instance matches."
      action={<Button onClick={() => list.clear(TASK_FILTERS)}>Clear filters</Button>}
    />
  ) : (
    <Empty icon={ListChecks} title="No task instances yet.">
      They show up here when a DAG has run.
    </Empty>
  );
}
