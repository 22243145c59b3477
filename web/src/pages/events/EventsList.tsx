// What happened: changes that people asked for, and states. Of everything, a DAG, a run or a task instance.

import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { ChevronRight, ScrollText } from "lucide-react";
import { useState } from "react";
import { type AuditEvent, type EventsFilter, eventsQuery } from "../../api/queries";
import { eventDetail, eventWords, STATE_EVENTS } from "../../lib/event";
import { EVENT_FILTERS, type EventScope, eventsFilter, spanOf } from "../../lib/filters";
import { totalOf } from "../../lib/paging";
import { runName } from "../../lib/runName";
import { Button } from "../../parts/Button";
import { Empty } from "../../parts/Empty";
import { Toolbar } from "../../parts/Filter";
import { Loaded } from "../../parts/Loaded";
import { Facts } from "../../parts/Page";
import { Pager } from "../../parts/Pager";
import { SearchBox } from "../../parts/SearchBox";
import { Segments } from "../../parts/Segments";
import { SpanFilter } from "../../parts/SpanFilter";
import { StateBadge } from "../../parts/StateBadge";
import { type Column, Table } from "../../parts/Table";
import { TextFilter } from "../../parts/TextFilter";
import { Time, useNow } from "../../parts/Time";
import { type List, useList } from "../../parts/useList";

/** What the events are about: nothing = everything. */
export interface EventPlace {
  dagId?: string;
  runId?: string;
  taskId?: string;
  mapIndex?: number;
}

const SCOPES = [
  { value: "changes", label: "Changes" },
  { value: "states", label: "States" },
  { value: "all", label: "Both" },
] as const;

interface Props {
  of: EventPlace;
  /** What is shown first */
  scope: EventScope;
}

export function EventsList({ of, scope: first }: Props) {
  const list = useList({ sort: "-event_log_id", limit: 100 });
  const { url } = list;
  const now = useNow(url.text("within") ? 60_000 : 0);
  const scope = SCOPES.find(({ value }) => value === url.text("show"))?.value ?? first;
  const filter: EventsFilter = {
    ...eventsFilter(url.search, list, now, scope, STATE_EVENTS),
    ...(of.dagId !== undefined && { dag_id: of.dagId }),
    ...(of.runId !== undefined && { run_id: of.runId }),
    ...(of.taskId !== undefined && { task_id: of.taskId, map_index: of.mapIndex }),
  };
  const events = useQuery(eventsQuery(filter));
  return (
    <>
      <Toolbar>
        <Segments
          label="What is shown"
          value={scope}
          segments={SCOPES}
          onChange={(show) => list.filter({ show: show === first ? undefined : show })}
        />
        <SearchBox label="Search kinds of events" value={url.text("q")} onChange={(q) => list.filter({ q })} />
        {placeFilters(of).map(({ name, label }) => (
          <TextFilter
            key={name}
            label={label}
            value={url.text(name)}
            onChange={(text) => list.filter({ [name]: text })}
          />
        ))}
        <SpanFilter label="When" span={spanOf(url.search)} onChange={(span) => list.filter({ ...span })} />
        {list.isFiltered(EVENT_FILTERS) && (
          <Button variant="ghost" onClick={() => list.clear(EVENT_FILTERS)}>
            Clear filters
          </Button>
        )}
      </Toolbar>
      <Loaded query={events} what="The events">
        {(data) => (
          <>
            <Table
              label="Events"
              columns={columnsFor(of)}
              rows={data.event_logs}
              rowKey={(event) => String(event.event_log_id)}
              sort={list.sort}
              onSort={list.setSort}
              isStale={events.isPlaceholderData}
              empty={<NoEvents list={list} scope={scope} />}
            />
            <Pager
              {...list}
              total={totalOf(data.total_entries, { ...list, count: data.event_logs.length })}
              count={data.event_logs.length}
              onChange={list.setOffset}
            />
          </>
        )}
      </Loaded>
    </>
  );
}

/** What the page is about needs no filter. */
function placeFilters(of: EventPlace): { name: string; label: string }[] {
  return [
    { name: "who", label: "Who" },
    ...(of.dagId === undefined ? [{ name: "dag", label: "DAG" }] : []),
    ...(of.runId === undefined ? [{ name: "run", label: "Run" }] : []),
    ...(of.taskId === undefined ? [{ name: "task", label: "Task" }] : []),
  ];
}

/** Rows are opened: what stands beside stays at the top. */
const TOP = "align-top pt-2";

function columnsFor(of: EventPlace): Column<AuditEvent>[] {
  const where: Column<AuditEvent> = {
    key: "where",
    header: "Where",
    sortKey: of.dagId === undefined ? "dag_id" : undefined,
    hideBelow: "md",
    className: `max-w-md ${TOP}`,
    cell: (event) => <Where event={event} of={of} />,
  };
  return [
    {
      key: "when",
      header: "When",
      sortKey: "event_log_id",
      className: `whitespace-nowrap ${TOP}`,
      cell: (event) => <Time at={event.when} />,
    },
    { key: "who", header: "Who", sortKey: "owner", className: `max-w-32 truncate ${TOP}`, cell: Who },
    ...(of.taskId === undefined ? [where] : []),
    {
      key: "what",
      header: "What",
      width: "w-full",
      className: "max-w-0",
      cell: (event) => <What event={event} of={of} />,
    },
  ];
}

function Who({ owner }: AuditEvent) {
  return owner ? <span className="font-medium">{owner}</span> : <span className="text-muted">Flow</span>;
}

function Where({ event, of }: { event: AuditEvent; of: EventPlace }) {
  const { dag_id: dagId, run_id: runId, task_id: taskId } = event;
  if (!dagId) return <span className="text-muted">–</span>;
  const mapIndex = event.map_index ?? -1;
  const look = "max-w-40 shrink-0 truncate hover:underline";
  return (
    <span className="flex min-w-0 items-baseline gap-x-2 max-md:flex-wrap">
      {of.dagId === undefined && (
        <Link to="/dags/$dagId" params={{ dagId }} className={`${look} font-medium`} title={dagId}>
          {event.dag_display_name ?? dagId}
        </Link>
      )}
      {runId && taskId && (
        <Link
          to="/dags/$dagId/runs/$runId/tasks/$taskId"
          params={{ dagId, runId, taskId }}
          search={mapIndex < 0 ? {} : { map_index: String(mapIndex) }}
          className={look}
          title={taskId}
        >
          {mapIndex < 0 ? taskId : `${taskId} [${mapIndex}]`}
        </Link>
      )}
      {runId && of.runId === undefined && (
        <Link
          to="/dags/$dagId/runs/$runId"
          params={{ dagId, runId }}
          className="min-w-0 truncate font-mono text-xs text-muted hover:underline"
          title={runId}
        >
          {runName(runId)}
        </Link>
      )}
      {!runId && of.dagId !== undefined && <span className="whitespace-nowrap text-muted">the DAG</span>}
    </span>
  );
}

function What({ event, of }: { event: AuditEvent; of: EventPlace }) {
  const [isOpen, setOpen] = useState(false);
  const { state, text, request, address } = eventDetail(event.event, event.extra);
  const details = [text, request].filter(Boolean).join(" · ");
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
        <span className={`truncate ${state ? "w-8 shrink-0" : "min-w-12"}`}>{eventWords(event.event)}</span>
        {state && <StateBadge state={state} />}
        {!isOpen && <span className="min-w-0 flex-1 truncate text-muted">{details}</span>}
      </button>
      {of.taskId === undefined && event.dag_id !== null && !isOpen && (
        <span className="block pb-0.5 pl-5.5 md:hidden">
          <Where event={event} of={of} />
        </span>
      )}
      {isOpen && (
        <Facts
          className="my-1 ml-5.5"
          facts={[
            text !== null && [
              "Details",
              <span key="text" className="whitespace-pre-wrap">
                {text}
              </span>,
            ],
            request !== null && [
              "Request",
              <code key="request" className="font-mono text-xs break-all">
                {request}
              </code>,
            ],
            address !== null && ["From", address],
            ["When", <Time key="when" at={event.when} show="exact" />],
            event.logical_date !== null && ["Logical date", <Time key="date" at={event.logical_date} show="exact" />],
            event.try_number !== null && ["Try", event.try_number],
            of.taskId === undefined && event.dag_id !== null && ["Where", <Where key="where" event={event} of={{}} />],
            [
              "Kind",
              <code key="kind" className="font-mono text-xs">
                {event.event}
              </code>,
            ],
            ["Number", event.event_log_id],
          ]}
        />
      )}
    </div>
  );
}

function NoEvents({ list, scope }: { list: List; scope: EventScope }) {
  if (list.isFiltered(EVENT_FILTERS)) {
    return (
      <Empty
        icon={ScrollText}
        title="No event matches."
        action={<Button onClick={() => list.clear(EVENT_FILTERS)}>Clear filters</Button>}
      />
    );
  }
  return (
    <Empty
      icon={ScrollText}
      title={
        scope === "states"
          ? "No state has changed yet."
          : scope === "changes"
            ? "Nobody has changed anything yet."
            : "Nothing has happened yet."
      }
      action={scope !== "all" && <Button onClick={() => list.filter({ show: "all" })}>Show everything</Button>}
    />
  );
}
