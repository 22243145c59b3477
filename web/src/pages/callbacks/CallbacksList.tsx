// What DAGs asked to be done when something happened, and what has become of it.

import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { BellRing, ChevronRight, RefreshCw } from "lucide-react";
import { useState } from "react";
import { retryCallback, useAction } from "../../api/actions";
import { type Callback, callbacksQuery, useMe } from "../../api/queries";
import { runName } from "../../lib/runName";
import { toast } from "../../lib/toast";
import { Button } from "../../parts/Button";
import { CodeBlock } from "../../parts/CodeBlock";
import { Empty } from "../../parts/Empty";
import { Toolbar } from "../../parts/Filter";
import { Loaded } from "../../parts/Loaded";
import { Facts } from "../../parts/Page";
import { Segments } from "../../parts/Segments";
import { StateDot } from "../../parts/StateBadge";
import { type Column, Table } from "../../parts/Table";
import { Time } from "../../parts/Time";
import { useUrl } from "../../parts/useUrl";

/** What the callbacks are about: nothing = everything. */
export interface CallbackPlace {
  dagId?: string;
  runId?: string;
  taskId?: string;
  mapIndex?: number;
}

const STATES = [
  { value: "all", label: "All" },
  { value: "pending", label: "Pending" },
  { value: "failed", label: "Failed" },
  { value: "delivered", label: "Delivered" },
] as const;

/** The states of task instances that look like these. */
const LOOKS: Record<string, string> = { pending: "queued", failed: "failed", delivered: "success" };

/** They are delivered without an event. In milliseconds. */
const LOOK_AGAIN = 5_000;

const LIMIT = 50;

export function CallbacksList({ of }: { of: CallbackPlace }) {
  const url = useUrl();
  const state = STATES.find(({ value }) => value === url.text("state"))?.value ?? "all";
  const before = url.number("before");
  const callbacks = useQuery({
    ...callbacksQuery({
      ...(of.dagId !== undefined && { dag_id: of.dagId }),
      ...(of.runId !== undefined && { dag_run_id: of.runId }),
      ...(of.taskId !== undefined && { task_id: of.taskId, map_index: of.mapIndex }),
      ...(state !== "all" && { state }),
      ...(before > 0 && { before }),
      limit: LIMIT,
    }),
    refetchInterval: LOOK_AGAIN,
  });
  return (
    <>
      <Toolbar>
        <Segments
          label="State"
          value={state}
          segments={STATES}
          onChange={(next) => url.set({ state: next === "all" ? undefined : next, before: undefined })}
        />
      </Toolbar>
      <Loaded query={callbacks} what="The callbacks">
        {(data) => (
          <>
            <Table
              label="Callbacks"
              columns={columnsFor(of)}
              rows={data.callbacks}
              rowKey={(callback) => String(callback.callback_id)}
              isStale={callbacks.isPlaceholderData}
              empty={
                <Empty
                  icon={BellRing}
                  title={state === "all" && before === 0 ? "Nothing was asked for." : "No callback matches."}
                  command={state === "all" ? "on_failure_callback: [{uses: email, with: {to: …}}]" : undefined}
                >
                  {state === "all" ? "A DAG or task asks for a mail, a request or a command in its file:" : undefined}
                </Empty>
              }
            />
            <nav aria-label="Pages" className="flex items-center justify-end gap-2 px-3 py-2 text-sm text-muted">
              {before > 0 && (
                <Button size="sm" variant="ghost" onClick={() => url.set({ before: undefined }, true)}>
                  Latest
                </Button>
              )}
              {data.next != null && (
                <Button size="sm" variant="ghost" onClick={() => url.set({ before: data.next }, true)}>
                  Older
                </Button>
              )}
            </nav>
          </>
        )}
      </Loaded>
    </>
  );
}

const TOP = "align-top pt-2";

function columnsFor(of: CallbackPlace): Column<Callback>[] {
  const where: Column<Callback> = {
    key: "where",
    header: "Where",
    hideBelow: "md",
    className: `max-w-md ${TOP}`,
    cell: (callback) => <Where callback={callback} of={of} />,
  };
  return [
    {
      key: "when",
      header: "When",
      className: `whitespace-nowrap ${TOP}`,
      cell: (callback) => <Time at={callback.created_at} />,
    },
    ...(of.taskId === undefined ? [where] : []),
    {
      key: "what",
      header: "What",
      width: "w-full",
      className: "max-w-0",
      cell: (callback) => <What callback={callback} of={of} />,
    },
    { key: "actions", header: "", className: "text-right align-top pt-1", cell: (callback) => <Again {...callback} /> },
  ];
}

function Where({ callback, of }: { callback: Callback; of: CallbackPlace }) {
  const { dag_id: dagId, dag_run_id: runId, task_id: taskId, map_index: mapIndex } = callback;
  const look = "max-w-40 shrink-0 truncate hover:underline";
  return (
    <span className="flex min-w-0 items-baseline gap-x-2">
      {of.dagId === undefined && (
        <Link to="/dags/$dagId" params={{ dagId }} className={`${look} font-medium`} title={dagId}>
          {dagId}
        </Link>
      )}
      {taskId ? (
        <Link
          to="/dags/$dagId/runs/$runId/tasks/$taskId"
          params={{ dagId, runId, taskId }}
          search={mapIndex < 0 ? {} : { map_index: String(mapIndex) }}
          className={look}
          title={taskId}
        >
          {mapIndex < 0 ? taskId : `${taskId} [${mapIndex}]`}
        </Link>
      ) : (
        <span className="text-muted">the run</span>
      )}
      {of.runId === undefined && (
        <Link
          to="/dags/$dagId/runs/$runId"
          params={{ dagId, runId }}
          className="min-w-0 truncate font-mono text-xs text-muted hover:underline"
          title={runId}
        >
          {runName(runId)}
        </Link>
      )}
    </span>
  );
}

function What({ callback, of }: { callback: Callback; of: CallbackPlace }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <div className="min-w-0">
      <button
        type="button"
        aria-expanded={isOpen}
        className="flex min-h-7 w-full min-w-0 items-center gap-2 overflow-hidden text-left"
        onClick={() => setOpen(!isOpen)}
      >
        <ChevronRight
          size={14}
          aria-hidden
          className={`shrink-0 text-muted transition-transform ${isOpen ? "rotate-90" : ""}`}
        />
        <StateDot state={LOOKS[callback.state] ?? null} silent />
        <span className="shrink-0">{callback.state}</span>
        <span className="shrink-0 font-mono text-xs">
          {callback.event} → {callback.operator}
        </span>
        {!isOpen && <span className="min-w-0 flex-1 truncate text-muted">{callback.error}</span>}
      </button>
      {isOpen && (
        <div className="my-1 ml-5.5">
          <Facts
            facts={[
              callback.error != null && [
                "Error",
                <span key="error" className="whitespace-pre-wrap break-words">
                  {callback.error}
                </span>,
              ],
              ["Tries", callback.tries === 0 ? "none yet" : callback.tries],
              callback.next_try_at != null && ["Next try", <Time key="next" at={callback.next_try_at} />],
              callback.ended_at != null && ["Ended", <Time key="end" at={callback.ended_at} />],
              of.taskId === undefined && ["Where", <Where key="where" callback={callback} of={{}} />],
              callback.task_id != null && ["Try of the task", callback.number],
              ["Number", callback.callback_id],
            ]}
          />
          {callback.log != null && <CodeBlock text={callback.log.trimEnd()} />}
        </div>
      )}
    </div>
  );
}

function Again({ callback_id: id, state }: Callback) {
  const { may } = useMe();
  const retry = useAction(retryCallback, { done: () => toast("It is tried again.") });
  if (state === "delivered" || !may("Op")) return null;
  return (
    <Button size="sm" icon={RefreshCw} pending={retry.isPending} onClick={() => retry.mutate({ id })}>
      {state === "failed" ? "Try again" : "Try now"}
    </Button>
  );
}
