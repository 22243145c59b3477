// Everything that is known of a DAG but its runs.

import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type DagDetails, dagQuery, dagTasksQuery, dagWarningsQuery, documentQuery, useMe } from "../api/queries";
import { isoSeconds } from "../lib/interval";
import { fieldText, readParams } from "../lib/params";
import { countOf } from "../lib/words";
import { CopyId } from "../parts/Copy";
import { FactSheet, Name, Seconds, Tags, YesNo } from "../parts/Known";
import { Loaded } from "../parts/Loaded";
import { Markdown } from "../parts/Markdown";
import { Facts, Section } from "../parts/Page";
import { Time } from "../parts/Time";
import { usePlace } from "../parts/usePlace";
import { DagTasks } from "./details/DagTasks";

export function DagDetailsPage() {
  const { dagId } = usePlace();
  const dag = useQuery(dagQuery(dagId));
  const tasks = useQuery(dagTasksQuery(dagId));
  return (
    <Loaded query={dag} what="The details">
      {(dag) => (
        <FactSheet>
          <Warnings dagId={dagId} />
          {(dag.description || dag.doc_md) && (
            <Section title="About" className="xl:col-span-2">
              {dag.description && <p className="py-1">{dag.description}</p>}
              {dag.doc_md && <Markdown text={dag.doc_md} />}
            </Section>
          )}
          <Identity dag={dag} />
          <Schedule dag={dag} />
          <Limits dag={dag} />
          <Versions dag={dag} />
          <Params dag={dag} />
          <Section title={tasks.data ? countOf(tasks.data.tasks.length, "task") : "Tasks"} className="xl:col-span-2">
            <Loaded query={tasks} what="The tasks">
              {(data) => <DagTasks tasks={data.tasks} />}
            </Loaded>
          </Section>
        </FactSheet>
      )}
    </Loaded>
  );
}

type Of = { dag: DagDetails };

function Warnings({ dagId }: { dagId: string }) {
  const warnings = useQuery(dagWarningsQuery(dagId)).data?.dag_warnings ?? [];
  if (warnings.length === 0) return null;
  return (
    <Section title="Warnings" className="xl:col-span-2">
      <ul className="list-disc pl-5 text-warn">
        {warnings.map((warning) => (
          <li key={warning.message}>{warning.message}</li>
        ))}
      </ul>
    </Section>
  );
}

function Params({ dag }: Of) {
  const params = readParams(dag.params);
  if (params.length === 0) return null;
  return (
    <Section title="Params" className="xl:col-span-2">
      <Facts
        facts={params.map((param) => [
          <Name key="name">{param.name}</Name>,
          <span key="value" className="flex flex-wrap items-baseline gap-x-4">
            <Name>{fieldText(param) || "–"}</Name>
            {param.description && <span className="text-muted">{param.description}</span>}
          </span>,
        ])}
      />
    </Section>
  );
}

function Identity({ dag }: Of) {
  const links = dag.owner_links ?? {};
  return (
    <Section title="DAG">
      <Facts
        facts={[
          ["Id", <CopyId key="id" text={dag.dag_id} />],
          dag.dag_display_name !== dag.dag_id && ["Name", dag.dag_display_name],
          [
            "Owners",
            dag.owners.length === 0 ? null : (
              <span key="owners" className="flex flex-wrap gap-x-3">
                {dag.owners.map((owner) => (
                  <Owner key={owner} name={owner} link={links[owner]} />
                ))}
              </span>
            ),
          ],
          ["Tags", <Tags key="tags" of={dag.tags.map((tag) => tag.name)} />],
          ["State", dag.is_stale ? "its file is gone" : dag.is_paused ? "paused" : "active"],
          ["Runs under way", dag.active_runs_count.toLocaleString("en")],
          ["Errors in its file", <YesNo key="errors" is={dag.has_import_errors} />],
        ]}
      />
    </Section>
  );
}

function Owner({ name, link }: { name: string; link: string | undefined }) {
  // The file is not to be trusted: no `javascript:`.
  return link && /^(https?:|mailto:)/i.test(link) ? (
    <a href={link} target="_blank" rel="noreferrer" className="link">
      {name}
    </a>
  ) : (
    name
  );
}

function Schedule({ dag }: Of) {
  return (
    <Section title="Schedule">
      <Facts
        facts={[
          ["In words", dag.timetable_description || "only by hand"],
          ["Written as", <Name key="written">{dag.timetable_summary}</Name>],
          ["Time zone", dag.timezone],
          ["From", <Time key="from" at={dag.start_date} show="exact" none="the beginning" />],
          ["Until", <Time key="until" at={dag.end_date} show="exact" none="no end" />],
          [
            "Next run",
            dag.is_paused ? "none while it is paused" : <Time key="next" at={dag.next_dagrun_run_after} none="none" />,
          ],
          dag.next_dagrun_logical_date !== null && [
            "Its logical date",
            <Time key="logical" at={dag.next_dagrun_logical_date} show="exact" />,
          ],
          ["Catches up", <YesNo key="catchup" is={dag.catchup} />],
        ]}
      />
    </Section>
  );
}

function Limits({ dag }: Of) {
  return (
    <Section title="Limits">
      <Facts
        facts={[
          ["Runs at once", dag.max_active_runs ?? "no limit"],
          ["Task instances at once", dag.max_active_tasks],
          [
            "A run may take",
            <Seconds
              key="timeout"
              of={isoSeconds(dag.dag_run_timeout)}
              none={dag.dag_run_timeout ?? "as long as it needs"}
            />,
          ],
          [
            "Paused after",
            dag.max_consecutive_failed_dag_runs > 0
              ? `${countOf(dag.max_consecutive_failed_dag_runs, "failed run")} in a row`
              : "never by itself",
          ],
          ["Limits of single tasks", <YesNo key="tasks" is={dag.has_task_concurrency_limits} />],
          ["Native objects from templates", <YesNo key="native" is={dag.render_template_as_native_obj} />],
        ]}
      />
    </Section>
  );
}

function Versions({ dag }: Of) {
  const { may } = useMe();
  const document = useQuery(documentQuery(dag.dag_id));
  const file = dag.relative_fileloc ?? dag.fileloc;
  const version = dag.latest_dag_version;
  const others = Object.keys(document.data?.files ?? {});
  return (
    <Section title="File and versions">
      <Facts
        facts={[
          [
            "File",
            may("User") ? (
              <Link key="file" to="/edit/$" params={{ _splat: file }} className="link font-mono text-xs break-all">
                {file}
              </Link>
            ) : (
              <Name key="file">{file}</Name>
            ),
          ],
          ["On disk", <CopyId key="disk" text={dag.fileloc} />],
          others.length > 0 && ["Files it takes in", <Name key="others">{others.join(", ")}</Name>],
          (document.data?.document ?? 0) > 0 && ["Document of the file", (document.data?.document ?? 0) + 1],
          ["Read", <Time key="read" at={dag.last_parsed_time} />],
          [
            "Newest version",
            version && (
              <Link key="version" to="/dags/$dagId/code" params={{ dagId: dag.dag_id }} className="link">
                {version.version_number}
              </Link>
            ),
          ],
          ["Made", <Time key="made" at={version?.created_at} />],
          ["Version's id", version && <CopyId key="id" text={version.id} />],
        ]}
      />
    </Section>
  );
}
