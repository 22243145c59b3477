// The header of a task instance, and its tabs.

import { useQuery } from "@tanstack/react-query";
import { Outlet } from "@tanstack/react-router";
import { Play } from "lucide-react";
import { useRef } from "react";
import { pauseDag, useAction } from "../api/actions";
import { dagQuery, explainQuery, type TaskInstance, taskQuery, useMe, type WaitReason } from "../api/queries";
import { Button } from "../parts/Button";
import { Duration } from "../parts/Duration";
import { Header, HeaderFact } from "../parts/Header";
import { Loaded } from "../parts/Loaded";
import { Loading } from "../parts/Loading";
import { NoteLine } from "../parts/NoteLine";
import { StateBadge } from "../parts/StateBadge";
import { Tabs } from "../parts/Tabs";
import { DagZoneProvider, Time } from "../parts/Time";
import { usePlace } from "../parts/usePlace";
import { isExplained, WhyBox } from "../parts/WhyBox";
import { TaskActions } from "./task/TaskActions";
import { TaskNeighbours } from "./task/TaskNeighbours";

const TABS = [
  { label: "Log", to: "/dags/$dagId/runs/$runId/tasks/$taskId" },
  { label: "Rendered", to: "/dags/$dagId/runs/$runId/tasks/$taskId/rendered" },
  { label: "XCom", to: "/dags/$dagId/runs/$runId/tasks/$taskId/xcom" },
  { label: "Tries", to: "/dags/$dagId/runs/$runId/tasks/$taskId/tries" },
  { label: "Details", to: "/dags/$dagId/runs/$runId/tasks/$taskId/details" },
  { label: "Callbacks", to: "/dags/$dagId/runs/$runId/tasks/$taskId/callbacks" },
  { label: "Events", to: "/dags/$dagId/runs/$runId/tasks/$taskId/events" },
] as const;

export function TaskLayout() {
  const place = usePlace();
  const { dagId, runId, taskId, mapIndex } = place;
  const dag = useQuery(dagQuery(dagId));
  const task = useQuery(taskQuery(place));
  const search = mapIndex < 0 ? undefined : { map_index: String(mapIndex) };
  return (
    <DagZoneProvider zone={dag.data?.timezone ?? null}>
      <Loaded query={task} what="The task instance">
        {(task) => (
          <div className="flex min-h-full flex-col">
            <Header
              title={mapIndex < 0 ? taskId : `${taskId} [${mapIndex}]`}
              tab={`${taskId} · ${dagId}`}
              before={<StateBadge state={task.state} />}
              facts={
                <>
                  <HeaderFact name="Operator">{task.operator_name ?? task.operator ?? "–"}</HeaderFact>
                  <HeaderFact name="Try">{tryWords(task)}</HeaderFact>
                  <HeaderFact name="Started">
                    <Time at={task.start_date} none="not yet" />
                  </HeaderFact>
                  <HeaderFact name="Took">
                    <Duration start={task.start_date} end={task.end_date} />
                  </HeaderFact>
                  <span className="contents max-sm:hidden">
                    <HeaderFact name="Pool">{task.pool}</HeaderFact>
                    <HeaderFact name="Queue">{task.queue ?? "–"}</HeaderFact>
                    {task.hostname && <HeaderFact name="Host">{task.hostname}</HeaderFact>}
                  </span>
                </>
              }
              actions={<TaskActions task={task} />}
              tabs={
                <Tabs
                  label="Views of the task instance"
                  tabs={TABS.map((tab) => ({ ...tab, params: { dagId, runId, taskId }, search }))}
                />
              }
            />
            <NoteLine note={task.note} />
            <Body task={task} />
          </div>
        )}
      </Loaded>
    </DagZoneProvider>
  );
}

/** What stands below why it waits comes with it, so that nothing is pushed down. Afterwards it stays, whatever is asked. */
function Body({ task }: { task: TaskInstance }) {
  const isWaiting = isExplained(task.state);
  const why = useQuery({ ...explainQuery(usePlace()), enabled: isWaiting });
  const wasThere = useRef(false);
  if (!isWaiting || !why.isPending) wasThere.current = true;
  if (!wasThere.current) return <Loading />;
  return (
    <>
      {isWaiting && <Why task={task} reasons={why.data} />}
      <TaskNeighbours task={task} />
      <div className="flex min-h-0 flex-1 flex-col">
        <Outlet />
      </div>
    </>
  );
}

/** "2 of 3"; a task that has not begun says how many tries it has. */
function tryWords({ try_number, max_tries }: TaskInstance): string {
  const most = Math.max(max_tries + 1, try_number);
  return try_number === 0 ? `none of ${most}` : `${try_number} of ${most}`;
}

function Why({ task, reasons }: { task: TaskInstance; reasons: readonly WaitReason[] | undefined }) {
  const { may } = useMe();
  const pause = useAction(pauseDag);
  const isPaused = reasons?.some((reason) => reason.kind === "paused") ?? false;
  const unpause = (
    <Button
      size="sm"
      icon={Play}
      className="self-center"
      pending={pause.isPending}
      onClick={() => pause.mutate({ dagId: task.dag_id, isPaused: false })}
    >
      Unpause the DAG
    </Button>
  );
  return <WhyBox state={task.state} reasons={reasons} action={isPaused && may("User") && unpause} />;
}
