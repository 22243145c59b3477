// A row of the list of DAGs.

import { Link } from "@tanstack/react-router";
import { TriangleAlert } from "lucide-react";
import type { DagCard } from "../../api/types";
import { Tag } from "../../parts/Page";
import { RunBars } from "../../parts/RunBars";
import { StateCounts } from "../../parts/StateBadge";
import type { Column } from "../../parts/Table";
import { DagZoneProvider, Time } from "../../parts/Time";
import { Tooltip } from "../../parts/Tooltip";
import { FavoriteStar, Pause, RowMenu, TriggerButton } from "./actions";

/** On a phone: the switch, everything that is told in one column, and what can be done. */
export function columnsFor({ isNarrow, mayEdit }: { isNarrow: boolean; mayEdit: boolean }): Column<DagCard>[] {
  const pause: Column<DagCard> = {
    key: "paused",
    header: <span className="sr-only">Active</span>,
    width: "w-12",
    className: "pr-0",
    cell: (dag) => (
      <span className="flex">
        <Pause dag={dag} />
      </span>
    ),
  };
  const actions: Column<DagCard> = {
    key: "actions",
    header: <span className="sr-only">Actions</span>,
    align: "right",
    className: "pl-0 whitespace-nowrap",
    cell: (dag) => (
      <span className="inline-flex">
        {mayEdit && dag.can_edit && <TriggerButton dag={dag} />}
        {!isNarrow && <FavoriteStar dag={dag} />}
        <RowMenu dag={dag} />
      </span>
    ),
  };
  const name: Column<DagCard> = {
    key: "name",
    header: "DAG",
    sortKey: "dag_id",
    width: "w-full",
    className: "max-w-0",
    cell: (dag) => (isNarrow ? <NarrowCell dag={dag} /> : <Name dag={dag} />),
  };
  return isNarrow ? [pause, name, actions] : [pause, name, ...FACTS, actions];
}

const FACTS: readonly Column<DagCard>[] = [
  {
    key: "schedule",
    header: "Schedule, next run",
    sortKey: "next_dagrun_run_after",
    className: "max-w-56 min-w-36",
    cell: (dag) => (
      <span className="flex flex-col py-0.5 leading-4.5">
        <ScheduleWords dag={dag} />
        <span className="text-xs text-muted">
          <NextRun dag={dag} />
        </span>
      </span>
    ),
  },
  {
    key: "runs",
    header: "Last runs",
    sortKey: "last_run_start_date",
    align: "right",
    cell: (dag) => (
      <DagZoneProvider zone={dag.timezone}>
        <RunBars dagId={dag.dag_id} runs={dag.recent_runs} />
      </DagZoneProvider>
    ),
  },
  {
    key: "tasks",
    header: "Tasks of the newest",
    hideBelow: "lg",
    className: "min-w-40",
    cell: (dag) => <TaskStates dag={dag} />,
  },
];

function Name({ dag }: { dag: DagCard }) {
  return (
    <div className="flex min-w-0 flex-col py-1 leading-4.5">
      <span className="flex min-w-0 items-center gap-2">
        <NameLink dag={dag} />
        <Tags tags={dag.tags} />
      </span>
      {dag.description && (
        <span className="truncate text-xs text-muted" title={dag.description}>
          {dag.description}
        </span>
      )}
    </div>
  );
}

function NameLink({ dag }: { dag: DagCard }) {
  return (
    <>
      <Link
        to="/dags/$dagId"
        params={{ dagId: dag.dag_id }}
        className="truncate font-medium text-fg hover:text-accent hover:underline"
        title={dag.owners.length > 0 ? `${dag.dag_id}, of ${dag.owners.join(", ")}` : dag.dag_id}
        preload="intent"
        data-row-link
      >
        {dag.dag_display_name}
      </Link>
      {dag.has_import_errors && (
        <Tooltip text="Its file has errors: this is the version from before">
          <Link to="/browse/errors" search={{ q: dag.file }} aria-label={`${dag.dag_id}: its file has errors`}>
            <TriangleAlert size={14} className="text-danger" aria-hidden />
          </Link>
        </Tooltip>
      )}
    </>
  );
}

/** More are told by the number. */
const TAGS_SHOWN = 3;

function Tags({ tags }: { tags: readonly string[] }) {
  return (
    <span className="flex shrink-0 gap-1 max-lg:hidden">
      {tags.slice(0, TAGS_SHOWN).map((tag) => (
        <Link
          key={tag}
          to="/"
          search={{ tags: tag }}
          aria-label={`DAGs with the tag ${tag}`}
          className="hover:brightness-95"
        >
          <Tag>{tag}</Tag>
        </Link>
      ))}
      {tags.length > TAGS_SHOWN && <Tag title={tags.slice(TAGS_SHOWN).join(", ")}>+{tags.length - TAGS_SHOWN}</Tag>}
    </span>
  );
}

function ScheduleWords({ dag }: { dag: DagCard }) {
  return (
    <span className={`truncate ${dag.schedule ? "" : "text-muted"}`} title={dag.schedule ?? undefined}>
      {dag.schedule_words || "only by hand"}
    </span>
  );
}

function NextRun({ dag }: { dag: DagCard }) {
  if (dag.is_paused) return "paused";
  if (!dag.next_run) return dag.schedule ? "no more runs" : null;
  return (
    <DagZoneProvider zone={dag.timezone}>
      <Time at={dag.next_run} />
    </DagZoneProvider>
  );
}

function TaskStates({ dag }: { dag: DagCard }) {
  const newest = dag.recent_runs.at(-1);
  if (!newest || !dag.task_states) return null;
  return (
    <StateCounts
      counts={dag.task_states}
      link={(state) => ({
        to: "/dags/$dagId/runs/$runId",
        params: { dagId: dag.dag_id, runId: newest.run_id },
        search: { state: state === "none" ? undefined : state },
      })}
    />
  );
}

function NarrowCell({ dag }: { dag: DagCard }) {
  return (
    <div className="flex min-w-0 flex-col gap-1 py-1.5">
      <span className="flex min-w-0 items-center gap-2">
        <NameLink dag={dag} />
      </span>
      <span className="truncate text-xs text-muted">
        {dag.schedule_words || "only by hand"}
        {(dag.is_paused || dag.next_run) && " · "}
        <NextRun dag={dag} />
      </span>
      {dag.recent_runs.length > 0 && (
        <span className="flex flex-wrap items-center gap-x-4 gap-y-1">
          <RunBars
            dagId={dag.dag_id}
            runs={dag.recent_runs}
            places={Math.min(14, dag.recent_runs.length)}
            height={18}
          />
          <TaskStates dag={dag} />
        </span>
      )}
    </div>
  );
}
