import { useQuery } from "@tanstack/react-query";
import { type DagDetails, dagQuery, dagTasksQuery, dagWarningsQuery } from "../api/queries";
import { fieldText, readParams } from "../lib/params";
import { CopyId } from "../parts/Copy";
import { Loaded } from "../parts/Loaded";
import { Markdown } from "../parts/Markdown";
import { Facts, Section, Tag } from "../parts/Page";
import { type Column, Table } from "../parts/Table";
import { Time } from "../parts/Time";
import { usePlace } from "../parts/usePlace";

export function DagDetailsPage() {
  const { dagId } = usePlace();
  const dag = useQuery(dagQuery(dagId));
  const tasks = useQuery(dagTasksQuery(dagId));
  const warnings = useQuery(dagWarningsQuery(dagId));
  return (
    <Loaded query={dag} what="The DAG">
      {(dag) => (
        <div className="grid items-start gap-4 p-4 xl:grid-cols-2">
          {(warnings.data?.dag_warnings.length ?? 0) > 0 && (
            <Section title="Warnings" className="xl:col-span-2">
              <ul className="list-disc pl-5 text-warn">
                {warnings.data?.dag_warnings.map((warning) => (
                  <li key={warning.message}>{warning.message}</li>
                ))}
              </ul>
            </Section>
          )}
          {(dag.doc_md || dag.description) && (
            <Section title="About" className="xl:col-span-2">
              {dag.description && <p className="py-1">{dag.description}</p>}
              {dag.doc_md && <Markdown text={dag.doc_md} />}
            </Section>
          )}
          <Section title="DAG">
            <Facts facts={identity(dag)} />
          </Section>
          <Section title="Schedule and limits">
            <Facts facts={limits(dag)} />
          </Section>
          <Params dag={dag} />
          <Section title="Tasks" className="xl:col-span-2">
            <div className="-mx-4 -my-2">
              <Loaded query={tasks} what="The tasks">
                {({ tasks }) => (
                  <Table
                    label="Tasks"
                    columns={TASK_COLUMNS}
                    rows={tasks.map(toTaskRow)}
                    rowKey={(task) => task.id}
                    virtual={tasks.length > 200}
                  />
                )}
              </Loaded>
            </div>
          </Section>
        </div>
      )}
    </Loaded>
  );
}

type FactList = Parameters<typeof Facts>[0]["facts"];

function identity(dag: DagDetails): FactList {
  return [
    ["Id", <CopyId key="id" text={dag.dag_id} />],
    ["File", <CopyId key="file" text={dag.relative_fileloc ?? dag.fileloc} />],
    ["Version", dag.latest_dag_version?.version_number ?? null],
    ["Read", <Time key="read" at={dag.last_parsed_time} />],
    ["Owners", <Owners key="owners" dag={dag} />],
    [
      "Tags",
      dag.tags.length === 0 ? null : (
        <span key="tags" className="flex flex-wrap gap-1">
          {dag.tags.map((tag) => (
            <Tag key={tag.name}>{tag.name}</Tag>
          ))}
        </span>
      ),
    ],
  ];
}

function Owners({ dag }: { dag: DagDetails }) {
  return (
    <span className="flex flex-wrap gap-x-3">
      {dag.owners.map((owner) => {
        const link = dag.owner_links?.[owner];
        return link ? (
          <a key={owner} href={link} className="link" rel="noreferrer">
            {owner}
          </a>
        ) : (
          <span key={owner}>{owner}</span>
        );
      })}
    </span>
  );
}

function limits(dag: DagDetails): FactList {
  const yesNo = (value: boolean | null | undefined) => (value ? "yes" : "no");
  return [
    ["Schedule", dag.timetable_description || "only by hand"],
    ["Expression", dag.timetable_summary ? <CopyId key="expression" text={dag.timetable_summary} /> : null],
    ["Time zone", dag.timezone ?? "UTC"],
    ["First", <Time key="first" at={dag.start_date} show="exact" />],
    dag.end_date ? ["Last", <Time key="last" at={dag.end_date} show="exact" />] : null,
    ["Next run", dag.is_paused ? "none while paused" : <Time key="next" at={dag.next_dagrun_run_after} none="none" />],
    ["Makes up for the past", yesNo(dag.catchup)],
    ["Runs at a time", dag.max_active_runs ?? "no limit"],
    ["Tasks at a time", dag.max_active_tasks],
    ["Runs active now", dag.active_runs_count],
    dag.max_consecutive_failed_dag_runs > 0 ? ["Paused after failed runs", dag.max_consecutive_failed_dag_runs] : null,
    dag.dag_run_timeout ? ["Longest run", dag.dag_run_timeout] : null,
  ];
}

function Params({ dag }: { dag: DagDetails }) {
  const params = readParams(dag.params);
  if (params.length === 0) return null;
  return (
    <Section title="Params" className="xl:col-span-2">
      <Facts
        facts={params.map((param) => [
          <code key="name" className="font-mono text-xs">
            {param.name}
          </code>,
          <span key="value" className="flex flex-wrap items-baseline gap-x-4">
            <code className="font-mono text-xs">{fieldText(param) || "–"}</code>
            {param.description && <span className="text-muted">{param.description}</span>}
          </span>,
        ])}
      />
    </Section>
  );
}

interface TaskRow {
  id: string;
  operator: string;
  rule: string;
  pool: string;
  retries: number;
  after: number;
}

/** Airflow's description allows every field to be missing; Flow sends them all. */
function toTaskRow(task: {
  task_id?: string | null;
  operator_name?: string | null;
  trigger_rule?: string | null;
  pool?: string | null;
  retries?: number | null;
  downstream_task_ids?: string[] | null;
}): TaskRow {
  return {
    id: task.task_id ?? "",
    operator: task.operator_name ?? "",
    rule: task.trigger_rule ?? "",
    pool: task.pool ?? "",
    retries: task.retries ?? 0,
    after: task.downstream_task_ids?.length ?? 0,
  };
}

const TASK_COLUMNS: Column<TaskRow>[] = [
  { key: "id", header: "Task", cell: (task) => <span className="font-mono text-xs">{task.id}</span> },
  { key: "operator", header: "Operator", cell: (task) => task.operator },
  { key: "rule", header: "Trigger rule", cell: (task) => task.rule, hideBelow: "md" },
  { key: "pool", header: "Pool", cell: (task) => task.pool, hideBelow: "lg" },
  { key: "retries", header: "Retries", cell: (task) => task.retries, align: "right", hideBelow: "sm" },
  { key: "after", header: "Followed by", cell: (task) => task.after || "–", align: "right", hideBelow: "sm" },
];
