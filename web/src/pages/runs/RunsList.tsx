// Runs of a DAG, or of all: filters, sorting, and changes of many at once.

import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Check, Eraser, OctagonX, Rows3, Trash2, X } from "lucide-react";
import { useState } from "react";
import { deleteRuns, useAction } from "../../api/actions";
import { ALL, type DagRun, runsQuery, useMe } from "../../api/queries";
import { RUN_FILTERS, runsFilter, spanOf } from "../../lib/filters";
import { endsOf } from "../../lib/many";
import { totalOf } from "../../lib/paging";
import { runName } from "../../lib/runName";
import { stateWord } from "../../lib/state";
import { countOf } from "../../lib/words";
import { BulkDialog } from "../../parts/BulkDialog";
import { Button } from "../../parts/Button";
import { Duration } from "../../parts/Duration";
import { Empty } from "../../parts/Empty";
import { Filter, RUN_STATE_OPTIONS, RUN_TYPE_OPTIONS, Toolbar } from "../../parts/Filter";
import { Loaded } from "../../parts/Loaded";
import { Pager } from "../../parts/Pager";
import { SearchBox } from "../../parts/SearchBox";
import { SpanFilter } from "../../parts/SpanFilter";
import { StateBadge } from "../../parts/StateBadge";
import { type Column, SelectionBar, Table } from "../../parts/Table";
import { TextFilter } from "../../parts/TextFilter";
import { Time, useNow } from "../../parts/Time";
import { type List, useList } from "../../parts/useList";
import { useSelection } from "../../parts/useSelection";
import { EditsDialog, type Verb } from "../bulk/EditsDialog";

const keyOf = (run: DagRun) => `${run.dag_id} ${run.dag_run_id}`;

/** Without `dagId` the runs of all DAGs. */
export function RunsList({ dagId }: { dagId?: string }) {
  const list = useList({ sort: "-run_after", limit: 50 });
  const now = useNow(list.url.text("within") ? 60_000 : 0);
  const filter = runsFilter(list.url.search, list, now);
  const runs = useQuery(runsQuery(dagId ?? ALL, filter as Parameters<typeof runsQuery>[1]));
  return (
    <>
      <RunsToolbar list={list} isOfAll={dagId === undefined} />
      <Loaded query={runs} what="The runs">
        {(data) => (
          <Runs
            runs={data.dag_runs}
            total={totalOf(data.total_entries, { ...list, count: data.dag_runs.length })}
            list={list}
            dagId={dagId}
            isStale={runs.isPlaceholderData}
          />
        )}
      </Loaded>
    </>
  );
}

function RunsToolbar({ list, isOfAll }: { list: List; isOfAll: boolean }) {
  const { url, filter } = list;
  return (
    <Toolbar>
      <SearchBox label="Search run ids" value={url.text("q")} onChange={(q) => filter({ q })} />
      {isOfAll && <TextFilter label="DAG" value={url.text("dag")} onChange={(dag) => filter({ dag })} />}
      <Filter
        label="State"
        options={RUN_STATE_OPTIONS}
        values={url.list("state")}
        onChange={(state) => filter({ state })}
      />
      <Filter label="Type" options={RUN_TYPE_OPTIONS} values={url.list("type")} onChange={(type) => filter({ type })} />
      <SpanFilter label="Run after" span={spanOf(url.search)} onChange={(span) => filter({ ...span })} />
      {list.isFiltered(RUN_FILTERS) && (
        <Button variant="ghost" onClick={() => list.clear(RUN_FILTERS)}>
          Clear filters
        </Button>
      )}
    </Toolbar>
  );
}

interface RunsProps {
  runs: readonly DagRun[];
  total: number;
  list: List;
  dagId?: string;
  isStale: boolean;
}

function Runs({ runs, total, list, dagId, isStale }: RunsProps) {
  const { may } = useMe();
  const chosen = useSelection(runs, keyOf);
  const [doing, setDoing] = useState<Verb | "delete" | null>(null);
  const close = (isDone: boolean) => {
    setDoing(null);
    if (isDone) chosen.clear();
  };
  return (
    <>
      <Table
        label="Runs"
        columns={dagId ? [RUN, ...COLUMNS] : [DAG_COLUMN, RUN_OF_ALL, ...COLUMNS.map(besideDag)]}
        rows={runs}
        rowKey={keyOf}
        sort={list.sort}
        onSort={list.setSort}
        selection={may("User") ? chosen.selection : undefined}
        isStale={isStale}
        empty={<NoRuns list={list} dagId={dagId} mayTrigger={may("User")} />}
      />
      <Pager {...list} total={total} count={runs.length} onChange={list.setOffset} />
      <SelectionBar selection={chosen.selection}>
        <Button size="sm" icon={Eraser} onClick={() => setDoing("clear")}>
          Clear
        </Button>
        <Button size="sm" icon={Check} onClick={() => setDoing("success")}>
          Mark success
        </Button>
        <Button size="sm" icon={X} onClick={() => setDoing("failed")}>
          Mark failed
        </Button>
        <Button size="sm" icon={OctagonX} onClick={() => setDoing("cancel")}>
          Cancel runs
        </Button>
        <Button size="sm" icon={Trash2} onClick={() => setDoing("delete")}>
          Delete
        </Button>
      </SelectionBar>
      {doing === "delete" && <DeleteDialog runs={chosen.rows} isOfAll={!dagId} onClose={close} />}
      {doing !== null && doing !== "delete" && (
        <EditsDialog
          verb={doing}
          noun="run"
          targets={chosen.rows.map((run) => ({
            key: keyOf(run),
            label: <RunName run={run} isOfAll={!dagId} />,
            place: { dagId: run.dag_id, runId: run.dag_run_id },
          }))}
          onClose={close}
        />
      )}
    </>
  );
}

const DAG_COLUMN: Column<DagRun> = {
  key: "dag",
  header: "DAG",
  sortKey: "dag_id",
  hideBelow: "md",
  className: "max-w-48 truncate",
  cell: (run) => <DagLink run={run} />,
};

function DagLink({ run }: { run: DagRun }) {
  return (
    <Link to="/dags/$dagId" params={{ dagId: run.dag_id }} className="font-medium hover:underline" title={run.dag_id}>
      {run.dag_display_name}
    </Link>
  );
}

/** On a phone the DAG stands above its run. */
const RUN_OF_ALL: Column<DagRun> = {
  key: "run",
  header: "Run",
  sortKey: "run_id",
  width: "w-full",
  className: "max-w-0 min-w-32 truncate",
  cell: (run) => (
    <>
      <span className="block truncate md:hidden">
        <DagLink run={run} />
      </span>
      <RunLink run={run} />
    </>
  ),
};

const RUN: Column<DagRun> = { ...RUN_OF_ALL, cell: (run) => <RunLink run={run} /> };

function RunLink({ run }: { run: DagRun }) {
  return (
    <Link
      to="/dags/$dagId/runs/$runId"
      params={{ dagId: run.dag_id, runId: run.dag_run_id }}
      className="link font-mono text-xs"
      title={run.dag_run_id}
      data-row-link
    >
      {runName(run.dag_run_id)}
    </Link>
  );
}

/** Beside the DAG there is less room; what a run is called comes first. */
function besideDag(column: Column<DagRun>): Column<DagRun> {
  return column.key === "version" ? { ...column, hideBelow: "2xl" } : column;
}

const COLUMNS: readonly Column<DagRun>[] = [
  { key: "state", header: "State", sortKey: "state", cell: (run) => <StateBadge state={run.state} /> },
  {
    key: "type",
    header: "Type, by",
    sortKey: "run_type",
    hideBelow: "lg",
    className: "max-w-40 truncate",
    cell: (run) => <TypeAndBy run={run} />,
  },
  {
    key: "run_after",
    header: "Run after",
    sortKey: "run_after",
    hideBelow: "sm",
    cell: (run) => <Time at={run.run_after} />,
  },
  {
    key: "start",
    header: "Started",
    sortKey: "start_date",
    hideBelow: "lg",
    cell: (run) => <Time at={run.start_date} none="not yet" />,
  },
  {
    key: "duration",
    header: "Took",
    sortKey: "duration",
    align: "right",
    hideBelow: "sm",
    cell: (run) => <Duration start={run.start_date} end={run.end_date} />,
  },
  {
    key: "version",
    header: "Version",
    align: "right",
    hideBelow: "xl",
    cell: (run) => run.dag_versions.at(-1)?.version_number ?? "–",
  },
  {
    key: "said",
    header: "Conf, note",
    hideBelow: "xl",
    className: "max-w-44 min-w-24 truncate",
    cell: (run) => (
      <>
        <Conf conf={run.conf} /> {run.note && <span title={run.note}>{run.note}</span>}
      </>
    ),
  },
];

/** What made it, and who asked for it. */
function TypeAndBy({ run }: { run: DagRun }) {
  const type = run.run_type.replaceAll("_", " ");
  const by = run.triggering_user_name;
  return (
    <span title={run.triggered_by ? `by ${run.triggered_by.replaceAll("_", " ")}` : undefined}>
      {type}
      {by && <span className="text-muted"> by {by}</span>}
    </span>
  );
}

function Conf({ conf }: { conf: DagRun["conf"] }) {
  if (!conf || Object.keys(conf).length === 0) return null;
  const text = JSON.stringify(conf);
  return (
    <code className="font-mono text-xs text-muted" title={text}>
      {text}
    </code>
  );
}

function RunName({ run, isOfAll }: { run: DagRun; isOfAll: boolean }) {
  return (
    <>
      {isOfAll && <span className="mr-2 font-medium">{run.dag_id}</span>}
      <code className="font-mono text-xs">{run.dag_run_id}</code>
    </>
  );
}

function NoRuns({ list, dagId, mayTrigger }: { list: List; dagId?: string; mayTrigger: boolean }) {
  if (list.isFiltered(RUN_FILTERS)) {
    return (
      <Empty
        icon={Rows3}
        title="No run matches."
        action={<Button onClick={() => list.clear(RUN_FILTERS)}>Clear filters</Button>}
      />
    );
  }
  return (
    <Empty icon={Rows3} title="No runs yet." command={dagId && mayTrigger ? `flow trigger ${dagId}` : undefined}>
      {dagId
        ? "The schedule makes them, or you do: with Trigger above, or on the command line."
        : "They show up here when a DAG has run."}
    </Empty>
  );
}

interface DeleteProps {
  runs: readonly DagRun[];
  isOfAll: boolean;
  onClose: (isDone: boolean) => void;
}

function DeleteDialog({ runs, isOfAll, onClose }: DeleteProps) {
  const remove = useAction(deleteRuns, { quiet: true });
  const words = countOf(runs.length, "run");
  return (
    <BulkDialog
      title={`Delete ${words}?`}
      about="Their task instances, logs and XComs go with them. This cannot be undone."
      items={runs}
      itemKey={keyOf}
      label={(run) => <RunName run={run} isOfAll={isOfAll} />}
      detail={(run) => (
        <p className="text-muted">
          {stateWord(run.state)}, {run.run_type}, <Time at={run.run_after} show="minute" />
        </p>
      )}
      confirm={`Delete ${words}`}
      danger
      run={(some) =>
        endsOf(
          some,
          (run) => ({ dagId: run.dag_id, runId: run.dag_run_id }),
          (places) => remove.mutateAsync({ runs: places }),
        )
      }
      said={(count) => `${countOf(count, "run")} deleted.`}
      onClose={onClose}
    />
  );
}
