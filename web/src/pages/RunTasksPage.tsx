// The task instances of a run: a tree in the order of the DAG, with states, tries and when each ran.

import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { clsx } from "clsx";
import { ChevronDown, ChevronRight, CircleCheck, Eraser, SearchX } from "lucide-react";
import { useMemo, useState } from "react";
import { gridQuery, runQuery, runTasksQuery, type TaskOfRun, useMe } from "../api/queries";
import { type EditAction, markOf } from "../lib/edit";
import { barOf, instanceKey, type RunRow, runRows, spanOf } from "../lib/runRows";
import { isFinished, isMoving, sortedCounts, stateColor, stateWord, toState, worstState } from "../lib/state";
import { Button } from "../parts/Button";
import { Duration } from "../parts/Duration";
import { Empty } from "../parts/Empty";
import { Switch } from "../parts/Field";
import { Loaded } from "../parts/Loaded";
import { SearchBox } from "../parts/SearchBox";
import { StateBadge, StateCounts, StateDot } from "../parts/StateBadge";
import { type Column, SelectionBar, Table } from "../parts/Table";
import { Time, useNow } from "../parts/Time";
import { usePlace } from "../parts/usePlace";
import { useUrl } from "../parts/useUrl";
import { EditDialog } from "./edit/EditDialog";

type Row = RunRow<TaskOfRun>;

export function RunTasksPage() {
  const { dagId, runId } = usePlace();
  const tasks = useQuery(runTasksQuery(dagId, runId));
  return (
    <Loaded query={tasks} what="The task instances">
      {(tasks) => <Tasks tasks={tasks} />}
    </Loaded>
  );
}

function Tasks({ tasks }: { tasks: readonly TaskOfRun[] }) {
  const { dagId, runId } = usePlace();
  const url = useUrl();
  const { may } = useMe();
  const [folded, setFolded] = useState<ReadonlySet<string>>(new Set());
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const tree = useQuery(gridQuery(dagId, { limit: 1 })).data?.tasks;
  const states = url.list("state");
  const text = url.text("q");
  const failedFirst = url.flag("failed_first");
  const stateKey = states.join(" ");
  const rows = useMemo(
    () => runRows(tree ?? [], tasks, { states: stateKey === "" ? [] : stateKey.split(" "), text, failedFirst, folded }),
    [tree, tasks, stateKey, text, failedFirst, folded],
  );
  const toggle = (id: string) => {
    const next = new Set(folded);
    if (!next.delete(id)) next.add(id);
    setFolded(next);
  };
  const columns = useColumns(tasks, toggle);
  return (
    <>
      <div className="flex flex-wrap items-center gap-x-3 gap-y-2 px-4 py-2">
        <SearchBox label="Search tasks" value={text} onChange={(q) => url.set({ q })} className="w-56" />
        <StateChips tasks={tasks} chosen={states} onChange={(state) => url.set({ state })} />
        <span className="flex-1" />
        {/* biome-ignore lint/a11y/noLabelWithoutControl: the switch is the control */}
        <label className="flex cursor-pointer items-center gap-2">
          <Switch
            aria-label="Failed first"
            checked={failedFirst}
            onCheckedChange={(on) => url.set({ failed_first: on })}
          />
          Failed first
        </label>
      </div>
      <Table
        label="Task instances"
        columns={columns}
        rows={rows}
        rowKey={(row) => row.key}
        virtual={rows.length > 200}
        selection={may("User") ? { selected, onChange: setSelected } : undefined}
        empty={
          tasks.length === 0 ? (
            <Empty icon={SearchX} title="This run has no task instances yet." />
          ) : (
            <Empty
              icon={SearchX}
              title="No task instance is like that."
              action={<Button onClick={() => url.set({ q: "", state: [] })}>Show all</Button>}
            />
          )
        }
      />
      {may("User") && (
        <BulkActions
          place={{ dagId, runId }}
          tasks={selectedTasks(selected, rows, tasks)}
          selected={selected}
          onChange={setSelected}
        />
      )}
    </>
  );
}

/** A selected group stands for what is in it. */
function selectedTasks(selected: ReadonlySet<string>, rows: readonly Row[], tasks: readonly TaskOfRun[]): TaskOfRun[] {
  const inGroups = rows.flatMap((row) => (row.kind === "group" && selected.has(row.key) ? row.members : []));
  const keys = new Set(inGroups.map(instanceKey));
  return tasks.filter((task) => selected.has(instanceKey(task)) || keys.has(instanceKey(task)));
}

interface BulkProps {
  place: { dagId: string; runId: string };
  tasks: readonly TaskOfRun[];
  selected: ReadonlySet<string>;
  onChange: (selected: ReadonlySet<string>) => void;
}

function BulkActions({ place, tasks, selected, onChange }: BulkProps) {
  const [action, setAction] = useState<EditAction | null>(null);
  const target = { tasks: tasks.map((task) => ({ ...place, taskId: task.task_id, mapIndex: task.map_index })) };
  return (
    <>
      <SelectionBar selection={{ selected, onChange }}>
        <Button icon={Eraser} onClick={() => setAction("clear")}>
          Clear
        </Button>
        <Button
          icon={CircleCheck}
          onClick={() => setAction(markOf(worstState(tasks.map((task) => task.state ?? null))))}
        >
          Mark
        </Button>
      </SelectionBar>
      {action && (
        <EditDialog
          target={target}
          action={action}
          options={{ downstream: action === "clear" }}
          onClose={() => setAction(null)}
          onDone={() => onChange(new Set())}
        />
      )}
    </>
  );
}

interface ChipsProps {
  tasks: readonly TaskOfRun[];
  chosen: readonly string[];
  onChange: (states: string[]) => void;
}

/** How many are in which state; a press shows only those. */
function StateChips({ tasks, chosen, onChange }: ChipsProps) {
  const counts: Record<string, number> = {};
  for (const task of tasks) counts[toState(task.state)] = (counts[toState(task.state)] ?? 0) + 1;
  return (
    <div className="flex flex-wrap items-center gap-1">
      {sortedCounts(counts).map(({ state, count }) => {
        const isOn = chosen.includes(state);
        return (
          <button
            key={state}
            type="button"
            aria-pressed={isOn}
            className={clsx(
              "inline-flex h-7 items-center gap-1.5 rounded-full border px-2.5 text-xs",
              isOn ? "border-accent bg-selected font-medium" : "hover:border-line-strong",
            )}
            onClick={() => onChange(isOn ? chosen.filter((other) => other !== state) : [...chosen, state])}
          >
            <StateDot state={state} size={9} silent />
            {stateWord(state)}
            <span className="text-muted">{count.toLocaleString("en")}</span>
          </button>
        );
      })}
    </div>
  );
}

function useColumns(tasks: readonly TaskOfRun[], onFold: (id: string) => void): Column<Row>[] {
  const { dagId, runId } = usePlace();
  const run = useQuery(runQuery(dagId, runId)).data;
  const isGoing = run !== undefined && !isFinished(run.state);
  const now = useNow(isGoing ? 1_000 : 0);
  const span = spanOf(tasks, now || Date.now());
  return [
    { key: "task", header: "Task", width: "sm:min-w-52", cell: (row) => <TaskCell row={row} onFold={onFold} /> },
    {
      key: "state",
      header: "State",
      width: "w-36",
      cell: (row) =>
        row.kind === "task" ? (
          <StateBadge state={row.instance.state} />
        ) : (
          <StateCounts counts={countStates(row.members)} />
        ),
    },
    { key: "try", header: "Try", align: "right", width: "w-16", hideBelow: "sm", cell: (row) => <TryCell row={row} /> },
    {
      key: "operator",
      header: "Operator",
      width: "w-32",
      hideBelow: "lg",
      cell: (row) => row.kind === "task" && row.instance.operator,
    },
    {
      key: "started",
      header: "Started",
      width: "w-40",
      hideBelow: "md",
      cell: (row) => row.kind === "task" && <Time at={row.instance.start_date} />,
    },
    {
      key: "took",
      header: "Took",
      align: "right",
      width: "w-24",
      hideBelow: "sm",
      cell: (row) => row.kind === "task" && <Duration start={row.instance.start_date} end={row.instance.end_date} />,
    },
    {
      key: "when",
      header: "When it ran",
      width: "w-[30%]",
      hideBelow: "md",
      cell: (row) => span && <RunBar row={row} span={span} />,
    },
  ];
}

function countStates(members: readonly TaskOfRun[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { state } of members) counts[toState(state)] = (counts[toState(state)] ?? 0) + 1;
  return counts;
}

function TaskCell({ row, onFold }: { row: Row; onFold: (id: string) => void }) {
  const { dagId, runId } = usePlace();
  const indent = { paddingLeft: row.depth * 18 };
  if (row.kind === "group") {
    const Arrow = row.isFolded ? ChevronRight : ChevronDown;
    return (
      <span style={indent} className="block">
        <button
          type="button"
          aria-expanded={!row.isFolded}
          className="-ml-1 inline-flex items-center gap-1 rounded px-1 font-medium hover:bg-hover"
          onClick={() => onFold(row.id)}
        >
          <Arrow size={14} aria-hidden className="text-muted" />
          {row.label}
        </button>
      </span>
    );
  }
  const { task_id, map_index } = row.instance;
  return (
    <span style={indent} className="block truncate">
      <Link
        to="/dags/$dagId/runs/$runId/tasks/$taskId"
        params={{ dagId, runId, taskId: task_id }}
        search={map_index < 0 ? {} : { map_index: String(map_index) }}
        preload="intent"
        className="link"
      >
        {row.label}
      </Link>
    </span>
  );
}

function TryCell({ row }: { row: Row }) {
  if (row.kind === "group" || row.instance.try_number === 0) return null;
  const { try_number, max_tries } = row.instance;
  return (
    <span
      title={`Try ${try_number} of ${Math.max(max_tries + 1, try_number)}`}
      className={try_number > 1 ? "" : "text-muted"}
    >
      {try_number}
    </span>
  );
}

function RunBar({ row, span }: { row: Row; span: { from: number; to: number } }) {
  const isTask = row.kind === "task";
  const own = isTask ? { from: row.instance.start_date, to: row.instance.end_date } : groupTimes(row.members);
  const bar = barOf(own.from, own.to, span);
  const state = isTask ? row.instance.state : null;
  return (
    <span aria-hidden className="relative block h-4 w-full min-w-24 rounded bg-sunken">
      {bar && (
        <span
          className={clsx(
            "absolute top-0.5 rounded-[3px]",
            isTask ? "h-3" : "mt-1 h-1",
            isMoving(state) && "animate-breathe",
          )}
          style={{
            left: `min(${bar.left}%, calc(100% - 3px))`,
            width: `max(3px, ${bar.width}%)`,
            background: isTask ? stateColor(state) : "var(--border-strong)",
          }}
        />
      )}
    </span>
  );
}

function groupTimes(members: readonly TaskOfRun[]): { from: string | null; to: string | null } {
  const starts = members.flatMap((one) => one.start_date ?? []).sort();
  const ends = members.flatMap((one) => one.end_date ?? []).sort();
  const isOver = members.every((one) => one.end_date || !one.start_date);
  return { from: starts[0] ?? null, to: isOver ? (ends.at(-1) ?? null) : null };
}
