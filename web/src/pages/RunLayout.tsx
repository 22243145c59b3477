// The header of a run, and its tabs.

import { useQuery } from "@tanstack/react-query";
import { Outlet } from "@tanstack/react-router";
import { dagQuery, runQuery } from "../api/queries";
import { CopyButton } from "../parts/Copy";
import { Duration } from "../parts/Duration";
import { Header, HeaderFact } from "../parts/Header";
import { Loaded } from "../parts/Loaded";
import { NoteLine } from "../parts/NoteLine";
import { StateBadge } from "../parts/StateBadge";
import { Tabs } from "../parts/Tabs";
import { DagZoneProvider, Time } from "../parts/Time";
import { usePlace } from "../parts/usePlace";
import { RunActions } from "./run/RunActions";

const TABS = [
  { label: "Task instances", to: "/dags/$dagId/runs/$runId" },
  { label: "Graph", to: "/dags/$dagId/runs/$runId/graph" },
  { label: "Gantt", to: "/dags/$dagId/runs/$runId/gantt" },
  { label: "Details", to: "/dags/$dagId/runs/$runId/details" },
  { label: "Callbacks", to: "/dags/$dagId/runs/$runId/callbacks" },
  { label: "Events", to: "/dags/$dagId/runs/$runId/events" },
] as const;

export function RunLayout() {
  const { dagId, runId } = usePlace();
  const dag = useQuery(dagQuery(dagId));
  const run = useQuery(runQuery(dagId, runId));
  return (
    <DagZoneProvider zone={dag.data?.timezone ?? null}>
      <Loaded query={run} what="The run">
        {(run) => (
          <div className="flex min-h-full flex-col">
            <Header
              title={<span className="font-mono text-base">{runId}</span>}
              tab={`${dagId} ${runId}`}
              before={<StateBadge state={run.state} />}
              after={<CopyButton text={runId} label="Copy the run's id" />}
              facts={
                <>
                  <HeaderFact name="Type">{run.run_type}</HeaderFact>
                  <HeaderFact name="Run after">
                    <Time at={run.run_after} />
                  </HeaderFact>
                  <HeaderFact name="Started">
                    <Time at={run.start_date} none="not yet" />
                  </HeaderFact>
                  <HeaderFact name="Took">
                    <Duration start={run.start_date} end={run.end_date} />
                  </HeaderFact>
                </>
              }
              actions={<RunActions run={run} />}
              tabs={<Tabs label="Views of the run" tabs={TABS.map((tab) => ({ ...tab, params: { dagId, runId } }))} />}
            />
            <NoteLine note={run.note} />
            <div className="flex min-h-0 flex-1 flex-col">
              <Outlet />
            </div>
          </div>
        )}
      </Loaded>
    </DagZoneProvider>
  );
}
