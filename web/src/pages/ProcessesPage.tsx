// The processes that share the database, how busy they are, and whether all is well.

import { useQuery } from "@tanstack/react-query";
import { CircleAlert, CircleCheck, Cpu } from "lucide-react";
import type { ReactNode } from "react";
import { freshHealthQuery, processesQuery } from "../api/queries";
import type { Process } from "../api/types";
import { loadOf } from "../lib/processes";
import { stateColor } from "../lib/state";
import { countOf } from "../lib/words";
import { Empty } from "../parts/Empty";
import { Loaded } from "../parts/Loaded";
import { Meter } from "../parts/Meter";
import { Page, Tag } from "../parts/Page";
import { type Column, Table } from "../parts/Table";
import { Time } from "../parts/Time";

export function ProcessesPage() {
  const processes = useQuery(processesQuery);
  return (
    <Page title="Processes" about="Schedulers and workers that share the database. Web servers have no heartbeat.">
      <Loaded query={processes} what="The processes">
        {({ processes }) => (
          <>
            <Health processes={processes} />
            <Table
              label="Processes"
              columns={COLUMNS}
              rows={processes}
              rowKey={(process) => process.id}
              rowClassName={(process) => (process.is_alive ? undefined : "text-muted")}
              empty={
                <Empty icon={Cpu} title="No scheduler and no worker is there." command="flow standalone">
                  Nothing runs until one is started. This does everything; for several machines there are flow scheduler
                  and flow worker.
                </Empty>
              }
            />
          </>
        )}
      </Loaded>
    </Page>
  );
}

function Health({ processes }: { processes: readonly Process[] }) {
  const health = useQuery(freshHealthQuery).data;
  const load = loadOf(processes);
  return (
    <div className="grid gap-3 px-4 py-3 sm:grid-cols-2 lg:grid-cols-3">
      <Part name="Database" isWell={health && health.metadatabase.status === "healthy"}>
        {health && (health.metadatabase.status === "healthy" ? "answers" : "does not answer")}
      </Part>
      <Part name="Scheduler" isWell={health && health.scheduler.status === "healthy"}>
        {health && <SchedulerWords heartbeat={health.scheduler.latest_scheduler_heartbeat} />}
      </Part>
      <Part name="Workers" isWell={load.workers > 0}>
        {load.workers === 0 ? (
          "none is there: no task starts"
        ) : (
          <Load running={load.running} slots={load.slots} more={`, ${countOf(load.workers, "worker")}`} />
        )}
      </Part>
    </div>
  );
}

function SchedulerWords({ heartbeat }: { heartbeat: string | null }) {
  if (!heartbeat) return "none was ever there";
  return (
    <>
      last heard of <Time at={heartbeat} show="relative" />
    </>
  );
}

/** Until it is known how it is, its room is kept. */
function Part({ name, isWell, children }: { name: string; isWell: boolean | undefined; children: ReactNode }) {
  const Icon = isWell === false ? CircleAlert : CircleCheck;
  return (
    <section className="card flex min-h-16 items-start gap-2.5 px-3 py-2.5">
      <Icon
        size={16}
        role="img"
        aria-label={isWell === undefined ? "not known yet" : isWell ? "well" : "not well"}
        className={`mt-0.5 shrink-0 ${isWell === undefined ? "invisible" : isWell ? "text-ok" : "text-danger"}`}
      />
      <div className="min-w-0 flex-1">
        <h2 className="font-semibold">{name}</h2>
        <div className="text-muted">{children}</div>
      </div>
    </section>
  );
}

interface LoadProps {
  running: number;
  slots: number;
  more?: string;
  /** No room for a bar on a small screen */
  isNarrow?: boolean;
}

function Load({ running, slots, more, isNarrow }: LoadProps) {
  return (
    <Meter
      className={isNarrow ? "max-sm:[&>[role=img]]:hidden" : undefined}
      total={slots}
      parts={[{ label: "running", value: running, color: stateColor("running") }]}
    >
      {running.toLocaleString("en")}
      <span className="text-muted">
        {" "}
        of {slots.toLocaleString("en")}
        {more}
      </span>
    </Meter>
  );
}

const COLUMNS: readonly Column<Process>[] = [
  {
    key: "alive",
    header: "State",
    className: "whitespace-nowrap",
    cell: (process) => (
      <span className="flex items-center gap-1.5">
        {process.is_alive ? (
          <CircleCheck size={15} aria-hidden className="text-ok" />
        ) : (
          <CircleAlert size={15} aria-hidden className="text-danger" />
        )}
        {process.is_alive ? "alive" : "silent"}
      </span>
    ),
  },
  { key: "kind", header: "Kind", cell: (process) => process.kind },
  {
    key: "host",
    header: "Host",
    hideBelow: "sm",
    className: "max-w-48 truncate",
    cell: (process) => (
      <span title={`${process.hostname}, process ${process.pid}`}>
        {process.hostname} <span className="text-muted">{process.pid}</span>
      </span>
    ),
  },
  {
    key: "load",
    header: "Load",
    width: "w-full",
    className: "sm:min-w-32",
    cell: (process) =>
      process.slots === null ? (
        <span className="text-muted">runs no tasks</span>
      ) : (
        <Load running={process.running ?? 0} slots={process.slots} isNarrow />
      ),
  },
  {
    key: "queues",
    header: "Queues",
    hideBelow: "md",
    cell: (process) => (
      <span className="flex max-w-60 flex-wrap gap-1">
        {process.queues?.map((queue) => (
          <Tag key={queue}>{queue}</Tag>
        ))}
      </span>
    ),
  },
  { key: "version", header: "Version", hideBelow: "md", cell: (process) => process.version },
  { key: "started", header: "Started", hideBelow: "lg", cell: (process) => <Time at={process.started_at} /> },
  {
    key: "heartbeat",
    header: "Last heard of",
    className: "whitespace-nowrap",
    cell: (process) => <Time at={process.heartbeat_at} show="relative" />,
  },
];
