// The form that starts a run: params, conf as JSON, and what the run is called.

import { useNavigate } from "@tanstack/react-router";
import { clsx } from "clsx";
import { Play } from "lucide-react";
import { useMemo, useState } from "react";
import { pauseDag, triggerDag, useAction } from "../../api/actions";
import { ApiProblem } from "../../api/client";
import type { DagDetails } from "../../api/queries";
import { type Conf, confProblems, fromForm, readConf, toForm } from "../../lib/conf";
import { groupBy } from "../../lib/groupBy";
import { type Param, readParams } from "../../lib/params";
import { formatExact, fromCivil, toRfc3339 } from "../../lib/time";
import { toast, toastProblem } from "../../lib/toast";
import { Button, ButtonLink } from "../../parts/Button";
import { Field, TextArea, TextInput } from "../../parts/Field";
import { Problem } from "../../parts/Problem";
import { useZone } from "../../parts/Time";
import { Backlog, useUnpause } from "./Backlog";
import { ParamField } from "./ParamField";

interface Props {
  dag: DagDetails;
  /** What the form begins with */
  conf: Conf;
}

type DateChoice = "now" | "none" | "chosen";

export function TriggerForm({ dag, conf: given }: Props) {
  const zone = useZone();
  const params = useMemo(() => readParams(dag.params), [dag.params]);
  const conf = useConf(params, given);
  const [runId, setRunId] = useState("");
  const [dated, setDated] = useState<DateChoice>("now");
  const [typed, setTyped] = useState({ date: "", zone });
  // Another zone says the same moment in other words.
  const moment = fromCivil(typed.date, typed.zone);
  const isOther = typed.zone !== zone && moment !== null;
  const date = isOther ? formatExact(moment, zone).replace(" ", "T") : typed.date;
  const [note, setNote] = useState("");
  const [dateProblem, setDateProblem] = useState<string | null>(null);
  const unpause = useUnpause(dag);
  const start = useStart(dag);
  const server = start.error instanceof ApiProblem ? start.error : null;
  const atParams = confProblems(
    server?.message ?? "",
    params.map(({ name }) => name),
  );
  const submit = () => {
    const read = conf.read();
    const at = dated === "chosen" ? fromCivil(date, zone) : Date.now();
    setDateProblem(at === null ? "Choose a date and a time." : null);
    if (!read || at === null) return;
    start.mutate({
      unpause: unpause.isOn,
      run: {
        dagId: dag.dag_id,
        dag_run_id: runId.trim() || null,
        logical_date: dated === "none" ? null : new Date(at).toISOString(),
        // The description says of an object only that it is one.
        conf: read as Record<string, never>,
        note: note.trim() || null,
      },
    });
  };
  const isAtFields = Object.keys(atParams).length > 0;
  return (
    <form
      noValidate
      className="flex max-w-3xl flex-col gap-5 px-4 pt-2 pb-6"
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <ConfFields params={params} conf={conf} server={atParams} />
      <fieldset className="card p-4">
        <legend className="sr-only">The run</legend>
        <div className="grid gap-4 sm:grid-cols-2">
          <Field label="Run id" hint="Empty: made from the time" error={server?.fields.dag_run_id}>
            <TextInput value={runId} onChange={(event) => setRunId(event.target.value)} />
          </Field>
          <LogicalDate
            choice={dated}
            onChoice={setDated}
            date={date}
            onDate={(text) => setTyped({ date: text, zone })}
            zone={zone}
            problem={dateProblem ?? server?.fields.logical_date ?? null}
          />
          <Field label="Note" className="sm:col-span-2" error={server?.fields.note}>
            <TextArea rows={2} value={note} maxLength={1_000} onChange={(event) => setNote(event.target.value)} />
          </Field>
        </div>
      </fieldset>
      {dag.is_paused && <Backlog unpause={unpause} />}
      {start.error && (
        <div className="-m-4">
          <Problem
            error={isAtFields ? "Some values do not fit: see the fields above." : start.error}
            title="The run was not started."
          />
        </div>
      )}
      <div className="flex gap-2">
        <Button type="submit" variant="primary" icon={Play} pending={start.isPending}>
          {unpause.isOn && dag.is_paused ? "Unpause and trigger" : "Trigger"}
        </Button>
        <ButtonLink to="/dags/$dagId" params={{ dagId: dag.dag_id }}>
          Cancel
        </ButtonLink>
      </div>
    </form>
  );
}

/** Starts the run, and shows it. Only then it unpauses: a run that was refused leaves the DAG as it was. */
function useStart(dag: DagDetails) {
  const navigate = useNavigate();
  const unpauseIf = async (isWanted: boolean): Promise<boolean> => {
    if (!isWanted) return false;
    return pauseDag.run({ dagId: dag.dag_id, isPaused: false }).then(
      () => false,
      () => true,
    );
  };
  type Start = { unpause: boolean; run: Parameters<typeof triggerDag.run>[0] };
  return useAction(
    {
      run: async ({ unpause, run }: Start) => {
        const started = await triggerDag.run(run);
        const isPaused = await unpauseIf(unpause && dag.is_paused);
        return { ...started, isPaused };
      },
      touches: ({ run }: Start) => triggerDag.touches(run),
    },
    {
      quiet: true,
      done: (run) => {
        if (run.isPaused) toastProblem("The run was triggered, but it waits: the DAG could not be unpaused.");
        else toast("The run was triggered.");
        void navigate({ to: "/dags/$dagId/runs/$runId", params: { dagId: run.dag_id, runId: run.dag_run_id } });
      },
    },
  );
}

interface ConfState {
  mode: "form" | "json";
  setMode: (mode: "form" | "json") => void;
  texts: Record<string, string>;
  setText: (name: string, text: string) => void;
  json: string;
  setJson: (json: string) => void;
  problems: Record<string, string>;
  jsonProblem: string | null;
  /** The conf, or null when something is wrong with it */
  read: () => Conf | null;
}

/** One conf, as fields or as JSON: whoever changes over takes along what was typed. */
function useConf(params: readonly Param[], given: Conf): ConfState {
  const [mode, setMode] = useState<"form" | "json">(params.length > 0 ? "form" : "json");
  const [form, setForm] = useState(() => toForm(params, given));
  const [json, setJson] = useState(() => JSON.stringify(params.length > 0 ? {} : given, null, 2));
  const [problems, setProblems] = useState<Record<string, string>>({});
  const [jsonProblem, setJsonProblem] = useState<string | null>(null);
  const readForm = () => {
    const read = fromForm(params, form);
    setProblems(read.problems);
    return Object.keys(read.problems).length === 0 ? read.conf : null;
  };
  const readText = () => {
    const read = readConf(json);
    setJsonProblem(read.problem ?? null);
    return read.conf ?? null;
  };
  return {
    mode,
    setMode: (next) => {
      if (next === mode) return;
      const conf = mode === "form" ? readForm() : readText();
      if (!conf) return;
      if (next === "json") setJson(JSON.stringify(conf, null, 2));
      else setForm(toForm(params, conf));
      setMode(next);
    },
    texts: form.texts,
    setText: (name, text) => {
      setForm({ ...form, texts: { ...form.texts, [name]: text } });
      const { [name]: _, ...rest } = problems;
      setProblems(rest);
    },
    json,
    setJson: (text) => {
      setJson(text);
      setJsonProblem(null);
    },
    problems,
    jsonProblem,
    read: () => (mode === "form" ? readForm() : readText()),
  };
}

function ConfFields({
  params,
  conf,
  server,
}: {
  params: readonly Param[];
  conf: ConfState;
  server: Record<string, string>;
}) {
  const atServer = Object.entries(server).map(([name, problem]) => `${name}: ${problem}`);
  return (
    <section aria-label="Conf" className="card p-4">
      {params.length > 0 && (
        <div className="mb-4 flex gap-1">
          <ModeButton conf={conf} mode="form" label="Form" />
          <ModeButton conf={conf} mode="json" label="JSON" />
        </div>
      )}
      {conf.mode === "json" ? (
        <Field
          label="Conf"
          hint={
            params.length > 0
              ? "Params that it does not name keep their defaults."
              : "What templates see as `params` and `dag_run.conf`. JSON."
          }
          error={conf.jsonProblem ?? (atServer.length > 0 ? atServer.join(" ") : null)}
        >
          <TextArea
            mono
            rows={Math.min(20, Math.max(6, conf.json.split("\n").length + 1))}
            value={conf.json}
            onChange={(event) => conf.setJson(event.target.value)}
          />
        </Field>
      ) : (
        [...groupBy(params, ({ section }) => section)].map(([section, members]) => (
          <fieldset key={section ?? ""} className="flex flex-col gap-4 not-last:mb-6">
            <legend className={clsx("font-semibold", section ? "mb-2" : "sr-only")}>{section ?? "Params"}</legend>
            {members.map((param) => (
              <ParamField
                key={param.name}
                param={param}
                text={conf.texts[param.name] ?? ""}
                problem={conf.problems[param.name] ?? server[param.name] ?? null}
                onChange={(text) => conf.setText(param.name, text)}
              />
            ))}
          </fieldset>
        ))
      )}
    </section>
  );
}

function ModeButton({ conf, mode, label }: { conf: ConfState; mode: "form" | "json"; label: string }) {
  const isOn = conf.mode === mode;
  return (
    <button
      type="button"
      aria-pressed={isOn}
      className={clsx("h-7 rounded-md px-3 text-sm", isOn ? "bg-selected font-medium" : "text-muted hover:bg-hover")}
      onClick={() => conf.setMode(mode)}
    >
      {label}
    </button>
  );
}

interface DateProps {
  choice: DateChoice;
  onChoice: (choice: DateChoice) => void;
  date: string;
  onDate: (date: string) => void;
  zone: string;
  problem: string | null;
}

const DATES: { value: DateChoice; label: string }[] = [
  { value: "now", label: "Now" },
  { value: "chosen", label: "Chosen" },
  { value: "none", label: "None" },
];

function LogicalDate({ choice, onChoice, date, onDate, zone, problem }: DateProps) {
  return (
    <fieldset>
      <legend className="mb-1 text-sm font-medium">Logical date</legend>
      <div className="flex h-8 flex-wrap items-center gap-4">
        {DATES.map(({ value, label }) => (
          <label key={value} className="flex cursor-pointer items-center gap-1.5">
            <input
              type="radio"
              name="logical-date"
              className="accent-(--accent)"
              checked={choice === value}
              onChange={() => onChoice(value)}
            />
            {label}
          </label>
        ))}
      </div>
      {choice === "chosen" ? (
        <Field label={<span className="font-normal text-muted">In {zone}</span>} error={problem} className="mt-1">
          <TextInput type="datetime-local" step={1} value={date} onChange={(event) => onDate(event.target.value)} />
        </Field>
      ) : (
        <p className={clsx("text-xs", problem ? "text-danger" : "text-muted")}>
          {problem ??
            (choice === "none"
              ? "Templates such as ds have no value then."
              : `About ${toRfc3339(Math.floor(Date.now() / 60_000) * 60_000, zone)
                  .slice(0, 16)
                  .replace("T", " ")}`)}
        </p>
      )}
    </fieldset>
  );
}
