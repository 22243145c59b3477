// What DAGs asked to be done when something happened, and what has become of it.

import { useQuery } from "@tanstack/react-query";
import { BellRing, RefreshCw } from "lucide-react";
import { retryCallback, useAction } from "../../api/actions";
import { type Callback, callbacksQuery, useMe } from "../../api/queries";
import { callbackState } from "../../lib/callback";
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
import { type Place, TOP, Unfold, Where } from "../../parts/Unfold";
import { useUrl } from "../../parts/useUrl";

const STATES = [
  { value: "all", label: "All" },
  { value: "pending", label: "Pending" },
  { value: "failing", label: "Failing" },
  { value: "failed", label: "Given up" },
  { value: "delivered", label: "Delivered" },
] as const;

/** They are delivered without an event. In milliseconds. */
const LOOK_AGAIN = 5_000;

const LIMIT = 50;

export function CallbacksList({ of }: { of: Place }) {
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

function columnsFor(of: Place): Column<Callback>[] {
  const where: Column<Callback> = {
    key: "where",
    header: "Where",
    hideBelow: "md",
    className: `max-w-md ${TOP}`,
    cell: (callback) => <CallbackWhere callback={callback} of={of} />,
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

function CallbackWhere({ callback, of }: { callback: Callback; of: Place }) {
  const { dag_id: dagId, dag_run_id: runId, task_id: taskId, map_index: mapIndex } = callback;
  return <Where at={{ dagId, runId, taskId: taskId ?? undefined, mapIndex }} of={of} whole="the run" />;
}

function What({ callback, of }: { callback: Callback; of: Place }) {
  const { look, words } = callbackState(callback);
  const asked = `${callback.event} → ${callback.operator}`;
  return (
    <Unfold
      line={(isOpen) => (
        <>
          <StateDot state={look} silent />
          <span className="min-w-0 md:shrink-0">{words}</span>
          <span className="shrink-0 font-mono text-xs max-md:hidden">{asked}</span>
          {!isOpen && <span className="min-w-0 flex-1 truncate text-muted max-md:hidden">{callback.error}</span>}
        </>
      )}
      narrow={
        <>
          <span className="block font-mono text-xs">{asked}</span>
          {of.taskId === undefined && <CallbackWhere callback={callback} of={of} />}
        </>
      }
    >
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
          of.taskId === undefined && ["Where", <CallbackWhere key="where" callback={callback} of={{}} />],
          callback.task_id != null && ["Try of the task", callback.number],
          ["Number", callback.callback_id],
        ]}
      />
      {callback.log != null && <CodeBlock text={callback.log.trimEnd()} />}
    </Unfold>
  );
}

function Again({ callback_id: id, state }: Callback) {
  const { may } = useMe();
  const retry = useAction(retryCallback, { done: () => toast("It is tried again.") });
  if (state === "delivered" || !may("Op")) return null;
  return (
    <Button size="sm" icon={RefreshCw} pending={retry.isPending} onClick={() => retry.mutate({ id })}>
      <span className="max-md:sr-only">{state === "failed" ? "Try again" : "Try now"}</span>
    </Button>
  );
}
