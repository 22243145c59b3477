// Everything that is known of a task instance and of its task, and its note.

import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { patchTask, useAction } from "../api/actions";
import { type DagTask, dagTasksQuery, type TaskInstance, taskQuery, useMe } from "../api/queries";
import { deltaSeconds } from "../lib/interval";
import { CopyId } from "../parts/Copy";
import { Duration } from "../parts/Duration";
import { FactSheet, Json, Name, Seconds, YesNo } from "../parts/Known";
import { Loaded } from "../parts/Loaded";
import { NoteEditor } from "../parts/NoteEditor";
import { Facts, Section } from "../parts/Page";
import { StateBadge } from "../parts/StateBadge";
import { Time } from "../parts/Time";
import { usePlace } from "../parts/usePlace";

export function TaskDetailsPage() {
  const place = usePlace();
  const { may } = useMe();
  const task = useQuery(taskQuery(place));
  const tasks = useQuery(dagTasksQuery(place.dagId));
  const patch = useAction(patchTask);
  const definition = tasks.data?.tasks.find((other) => other.task_id === place.taskId);
  return (
    <Loaded query={task} what="The details">
      {(task) => (
        <FactSheet>
          <div className="xl:col-span-2">
            <NoteEditor
              key={task.id}
              note={task.note}
              mayEdit={may("User")}
              isPending={patch.isPending}
              onSave={(note) => patch.mutateAsync({ ...place, note })}
            />
          </div>
          <Instance task={task} />
          <Times task={task} />
          {definition && <Definition task={definition} />}
          {definition && Object.keys(definition.params ?? {}).length > 0 && (
            <Section title="Params">
              <Json of={definition.params} />
            </Section>
          )}
        </FactSheet>
      )}
    </Loaded>
  );
}

function Instance({ task }: { task: TaskInstance }) {
  return (
    <Section title="Task instance">
      <Facts
        facts={[
          ["Id", <CopyId key="id" text={task.id} />],
          ["State", <StateBadge key="state" state={task.state} />],
          [
            "Run",
            <Link
              key="run"
              to="/dags/$dagId/runs/$runId"
              params={{ dagId: task.dag_id, runId: task.dag_run_id }}
              className="link font-mono text-xs break-all"
            >
              {task.dag_run_id}
            </Link>,
          ],
          task.map_index >= 0 && ["Map index", task.map_index],
          task.rendered_map_index !== null && ["Its label", task.rendered_map_index],
          ["Try", `${task.try_number} of ${Math.max(task.try_number, task.max_tries + 1)}`],
          ["Pool", `${task.pool}, ${task.pool_slots} ${task.pool_slots === 1 ? "slot" : "slots"}`],
          ["Queue", task.queue],
          ["Priority", task.priority_weight],
          ["Host", <Name key="host">{task.hostname}</Name>],
          task.pid !== null && ["Process", task.pid],
          ["Version of the DAG", task.dag_version?.version_number],
        ]}
      />
    </Section>
  );
}

function Times({ task }: { task: TaskInstance }) {
  return (
    <Section title="Times">
      <Facts
        facts={[
          ["Logical date", <Time key="logical" at={task.logical_date} show="exact" none="none" />],
          ["Run after", <Time key="after" at={task.run_after} show="exact" />],
          ["Scheduled", <Time key="scheduled" at={task.scheduled_when} show="exact" none="not yet" />],
          ["Queued", <Time key="queued" at={task.queued_when} show="exact" none="not yet" />],
          ["Started", <Time key="started" at={task.start_date} show="exact" none="not yet" />],
          ["Ended", <Time key="ended" at={task.end_date} show="exact" none="not yet" />],
          ["Took", <Duration key="took" start={task.start_date} end={task.end_date} />],
        ]}
      />
    </Section>
  );
}

/** As the newest version of the DAG has it. */
function Definition({ task }: { task: DagTask }) {
  return (
    <Section title="Task, in the newest version">
      <Facts
        facts={[
          ["Operator", task.operator_name],
          ["Owner", task.owner],
          ["Trigger rule", <Name key="rule">{task.trigger_rule}</Name>],
          ["Comes before", <Name key="down">{task.downstream_task_ids?.join(", ")}</Name>],
          ["Retries", task.retries],
          (task.retries ?? 0) > 0 && [
            "Delay between tries",
            <Seconds key="delay" of={deltaSeconds(task.retry_delay)} none="none" />,
          ],
          task.retry_exponential_backoff > 0 && ["The delay grows by", `× ${task.retry_exponential_backoff}`],
          ["May take", <Seconds key="timeout" of={deltaSeconds(task.execution_timeout)} none="as long as it needs" />],
          ["Depends on past", <YesNo key="past" is={task.depends_on_past} />],
          ["Waits for downstream", <YesNo key="wait" is={task.wait_for_downstream} />],
          ["Mapped", <YesNo key="mapped" is={task.is_mapped} />],
          ["Templated fields", <Name key="fields">{task.template_fields?.join(", ")}</Name>],
          task.doc_md !== null && [
            "About",
            <span key="doc" className="whitespace-pre-wrap">
              {task.doc_md}
            </span>,
          ],
        ]}
      />
    </Section>
  );
}
