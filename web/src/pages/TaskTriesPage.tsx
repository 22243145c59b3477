// The tries of a task instance: when, where, and why each ended.

import { useQueries, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { RotateCcw } from "lucide-react";
import { lastWordsQuery } from "../api/log";
import { type TaskTry, triesQuery } from "../api/queries";
import { Duration } from "../parts/Duration";
import { Empty } from "../parts/Empty";
import { Loaded } from "../parts/Loaded";
import { StateBadge } from "../parts/StateBadge";
import { type Column, Table } from "../parts/Table";
import { Time } from "../parts/Time";
import { usePlace } from "../parts/usePlace";

/** Most tries whose log is asked why they ended. */
const ASKED = 20;

export function TaskTriesPage() {
  const tries = useQuery(triesQuery(usePlace()));
  return (
    <Loaded query={tries} what="The tries">
      {({ task_instances }) => <Tries tries={task_instances.filter((one) => one.try_number > 0).reverse()} />}
    </Loaded>
  );
}

function Tries({ tries }: { tries: readonly TaskTry[] }) {
  const place = usePlace();
  const asked = tries.filter((one) => one.end_date && one.state !== "success").slice(0, ASKED);
  const why = useQueries({
    queries: asked.map((one) => lastWordsQuery(place, one.try_number, one.end_date)),
    combine: (results) => new Map(asked.map((one, at) => [one.try_number, results[at]?.data])),
  });
  const columns: Column<TaskTry>[] = [
    {
      key: "try",
      header: "Try",
      className: "whitespace-nowrap",
      cell: (one) => (
        <Link
          to="/dags/$dagId/runs/$runId/tasks/$taskId"
          params={{ dagId: place.dagId, runId: place.runId, taskId: place.taskId }}
          search={{ try: String(one.try_number), map_index: place.mapIndex < 0 ? undefined : String(place.mapIndex) }}
          className="link"
        >
          Try {one.try_number}
        </Link>
      ),
    },
    { key: "state", header: "State", cell: (one) => <StateBadge state={one.state} /> },
    { key: "queued", header: "Queued", hideBelow: "lg", cell: (one) => <Time at={one.queued_when} /> },
    { key: "started", header: "Started", hideBelow: "sm", cell: (one) => <Time at={one.start_date} none="not yet" /> },
    {
      key: "took",
      header: "Took",
      align: "right",
      cell: (one) => <Duration start={one.start_date} end={one.end_date} />,
    },
    {
      key: "host",
      header: "Host",
      hideBelow: "md",
      cell: (one) => one.hostname ?? <span className="text-muted">–</span>,
    },
    {
      key: "why",
      header: "Why it ended",
      width: "w-full",
      cell: (one) => (
        <span className="break-words">{why.get(one.try_number) ?? <span className="text-muted">–</span>}</span>
      ),
    },
  ];
  return (
    <Table
      label="Tries"
      columns={columns}
      rows={tries}
      rowKey={(one) => String(one.try_number)}
      empty={<Empty icon={RotateCcw} title="This task has not been tried yet." />}
    />
  );
}
