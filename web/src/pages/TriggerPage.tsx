// Starts a run by hand. `?conf={…}` fills the form, `?run_id=…` with the conf of an earlier run.

import { useQuery } from "@tanstack/react-query";
import { dagQuery, runQuery, useMe } from "../api/queries";
import { readConf } from "../lib/conf";
import { Loaded } from "../parts/Loaded";
import { Page } from "../parts/Page";
import { Problem } from "../parts/Problem";
import { DagZoneProvider } from "../parts/Time";
import { usePlace } from "../parts/usePlace";
import { useUrl } from "../parts/useUrl";
import { TriggerForm } from "./trigger/TriggerForm";

export function TriggerPage() {
  const { dagId } = usePlace();
  const { may } = useMe();
  const url = useUrl();
  const runId = url.text("run_id");
  const dag = useQuery(dagQuery(dagId));
  const run = useQuery({ ...runQuery(dagId, runId), enabled: runId !== "" });
  const given = readConf(url.text("conf"));
  if (!may("User")) {
    return (
      <Page title="Trigger">
        <Problem title="Your role may look, but not trigger runs." error="Ask an administrator for the role User." />
      </Page>
    );
  }
  return (
    <Page title={`Trigger ${dagId}`} about={runId ? `With the conf of ${runId}` : (dag.data?.description ?? undefined)}>
      {given.problem && <Problem title="The conf in the address is ignored." error={given.problem} />}
      <DagZoneProvider zone={dag.data?.timezone ?? null}>
        <Loaded query={dag} what="The DAG">
          {(dag) =>
            runId === "" ? (
              <TriggerForm key={dagId} dag={dag} conf={given.conf ?? {}} />
            ) : (
              <Loaded query={run} what="The earlier run">
                {(run) => <TriggerForm key={runId} dag={dag} conf={{ ...run.conf, ...given.conf }} />}
              </Loaded>
            )
          }
        </Loaded>
      </DagZoneProvider>
    </Page>
  );
}
