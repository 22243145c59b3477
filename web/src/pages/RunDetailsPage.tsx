// Everything that is known of a run, and its note.

import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { patchRun, useAction } from "../api/actions";
import { type DagRun, runQuery, useMe } from "../api/queries";
import { CopyId } from "../parts/Copy";
import { Duration } from "../parts/Duration";
import { FactSheet, Json, Name } from "../parts/Known";
import { Loaded } from "../parts/Loaded";
import { NoteEditor } from "../parts/NoteEditor";
import { Facts, Section } from "../parts/Page";
import { StateBadge } from "../parts/StateBadge";
import { Time } from "../parts/Time";
import { usePlace } from "../parts/usePlace";

export function RunDetailsPage() {
  const { dagId, runId } = usePlace();
  const { may } = useMe();
  const run = useQuery(runQuery(dagId, runId));
  const patch = useAction(patchRun);
  return (
    <Loaded query={run} what="The details">
      {(run) => (
        <FactSheet>
          <div className="xl:col-span-2">
            <NoteEditor
              key={runId}
              note={run.note}
              mayEdit={may("User")}
              isPending={patch.isPending}
              onSave={(note) => patch.mutateAsync({ dagId, runId, note })}
            />
          </div>
          <About run={run} />
          <Times run={run} />
          <Section title="Conf">
            <Json of={run.conf} />
            {Object.keys(run.conf ?? {}).length === 0 && (
              <p className="py-1 text-muted">The run was started without any.</p>
            )}
          </Section>
        </FactSheet>
      )}
    </Loaded>
  );
}

function About({ run }: { run: DagRun }) {
  return (
    <Section title="Run">
      <Facts
        facts={[
          ["Id", <CopyId key="id" text={run.dag_run_id} />],
          [
            "DAG",
            <Link key="dag" to="/dags/$dagId" params={{ dagId: run.dag_id }} className="link">
              {run.dag_display_name}
            </Link>,
          ],
          ["State", <StateBadge key="state" state={run.state} />],
          ["Type", run.run_type.replaceAll("_", " ")],
          ["Triggered by", run.triggered_by?.replaceAll("_", " ")],
          run.triggering_user_name !== null && ["User", run.triggering_user_name],
          [
            run.dag_versions.length > 1 ? "Versions of the DAG" : "Version of the DAG",
            run.dag_versions.map((version) => version.version_number).join(", ") || null,
          ],
          ["Version's id", <Name key="version">{run.dag_versions.at(-1)?.id}</Name>],
        ]}
      />
    </Section>
  );
}

function Times({ run }: { run: DagRun }) {
  return (
    <Section title="Times">
      <Facts
        facts={[
          ["Run after", <Time key="after" at={run.run_after} show="exact" />],
          ["Logical date", <Time key="logical" at={run.logical_date} show="exact" none="none" />],
          ["Data interval from", <Time key="from" at={run.data_interval_start} show="exact" none="none" />],
          ["Data interval until", <Time key="until" at={run.data_interval_end} show="exact" none="none" />],
          ["Queued", <Time key="queued" at={run.queued_at} show="exact" />],
          ["Started", <Time key="started" at={run.start_date} show="exact" none="not yet" />],
          ["Ended", <Time key="ended" at={run.end_date} show="exact" none="not yet" />],
          ["Took", <Duration key="took" start={run.start_date} end={run.end_date} />],
          ["Last looked at by the scheduler", <Time key="looked" at={run.last_scheduling_decision} />],
        ]}
      />
    </Section>
  );
}
