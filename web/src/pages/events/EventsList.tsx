// What happened: changes that people asked for, and states. Of everything, a DAG, a run or a task instance.

import { useQuery } from "@tanstack/react-query";
import { ScrollText } from "lucide-react";
import { type AuditEvent, type EventsFilter, eventsQuery } from "../../api/queries";
import { eventDetail, eventWords, STATE_EVENTS, TOLD_TWICE } from "../../lib/event";
import { EVENT_FILTERS, type EventScope, eventsFilter, spanOf } from "../../lib/filters";
import { totalOf } from "../../lib/paging";
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
import { type Place, TOP, Unfold, Where } from "../../parts/Unfold";
import { type List, useList } from "../../parts/useList";

const SCOPES = [
  { value: "changes", label: "Changes" },
  { value: "states", label: "States" },
  { value: "all", label: "Both" },
] as const;

interface Props {
  of: Place;
  /** What is shown first */
  scope: EventScope;
}

export function EventsList({ of, scope: first }: Props) {
  const list = useList({ sort: "-event_log_id", limit: 100 });
  const { url } = list;
  const now = useNow(url.text("within") ? 60_000 : 0);
  const scope = SCOPES.find(({ value }) => value === url.text("show"))?.value ?? first;
  const filter: EventsFilter = {
    ...eventsFilter(url.search, list, now, scope, STATE_EVENTS, TOLD_TWICE),
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
function placeFilters(of: Place): { name: string; label: string }[] {
  return [
    { name: "who", label: "Who" },
    ...(of.dagId === undefined ? [{ name: "dag", label: "DAG" }] : []),
    ...(of.runId === undefined ? [{ name: "run", label: "Run" }] : []),
    ...(of.taskId === undefined ? [{ name: "task", label: "Task" }] : []),
  ];
}

function columnsFor(of: Place): Column<AuditEvent>[] {
  const where: Column<AuditEvent> = {
    key: "where",
    header: "Where",
    sortKey: of.dagId === undefined ? "dag_id" : undefined,
    hideBelow: "md",
    className: `max-w-md ${TOP}`,
    cell: (event) => <EventWhere event={event} of={of} />,
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

function EventWhere({ event, of }: { event: AuditEvent; of: Place }) {
  const at = {
    dagId: event.dag_id ?? undefined,
    runId: event.run_id ?? undefined,
    taskId: event.task_id ?? undefined,
    mapIndex: event.map_index ?? undefined,
  };
  const whole = !event.run_id && of.dagId !== undefined ? "the DAG" : undefined;
  return <Where at={at} of={of} dagName={event.dag_display_name} whole={whole} />;
}

function What({ event, of }: { event: AuditEvent; of: Place }) {
  const { state, said, text, request, address } = eventDetail(event.event, event.extra);
  const where = of.taskId === undefined && event.dag_id !== null;
  return (
    <Unfold
      line={(isOpen) => (
        <>
          <span className={`truncate ${state ? "w-8 shrink-0" : "min-w-12"}`}>
            {eventWords(event.event, said, request)}
          </span>
          {state && <StateBadge state={state} />}
          {!isOpen && <span className="min-w-0 flex-1 truncate text-muted">{text}</span>}
        </>
      )}
      narrow={where && <EventWhere event={event} of={of} />}
    >
      <Facts
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
          where && ["Where", <EventWhere key="where" event={event} of={{}} />],
          [
            "Kind",
            <code key="kind" className="font-mono text-xs">
              {event.event}
            </code>,
          ],
          ["Number", event.event_log_id],
        ]}
      />
    </Unfold>
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
