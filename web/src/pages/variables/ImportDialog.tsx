// Takes variables from a file: first what is in it, then all of them at once.

import { FileUp } from "lucide-react";
import { type DragEvent, useRef, useState } from "react";
import { useAction } from "../../api/actions";
import { importVariables, type OnExisting } from "../../api/admin";
import { toast } from "../../lib/toast";
import { type ReadFile, readVariables, type VariableEntry } from "../../lib/variables";
import { countOf } from "../../lib/words";
import { Button } from "../../parts/Button";
import { Field, Select } from "../../parts/Field";
import { FormDialog } from "../../parts/FormDialog";

/** What the server takes at once */
const MOST = 1_000;

const EXISTING = [
  { value: "overwrite", label: "Overwrite them" },
  { value: "skip", label: "Leave them as they are" },
  { value: "fail", label: "Take nothing" },
];

export function ImportDialog({ onClose }: { onClose: () => void }) {
  const [file, setFile] = useState<{ name: string; read: ReadFile } | null>(null);
  const [onExisting, setOnExisting] = useState<OnExisting>("overwrite");
  const take = useAction(importVariables, {
    quiet: true,
    done: (set, { entries }) => {
      const rest = entries.length - set.length;
      toast(`${countOf(set.length, "variable")} imported${rest > 0 ? `, ${rest} left as they were` : ""}.`);
      onClose();
    },
  });
  const read = file?.read;
  const entries = read?.problem === undefined ? (read?.entries ?? []) : [];
  const isTooMany = entries.length > MOST;
  const open = async (chosen: File | undefined) => {
    if (chosen) setFile({ name: chosen.name, read: readVariables(await chosen.text()) });
  };
  return (
    <FormDialog
      title="Import variables"
      description='A JSON file as Airflow and "flow variables export" write it.'
      submit={entries.length > 0 ? `Import ${countOf(entries.length, "variable")}` : "Import"}
      isDisabled={entries.length === 0 || isTooMany}
      isPending={take.isPending}
      error={take.error}
      names={[]}
      onSubmit={() => take.mutate({ entries, onExisting })}
      onClose={onClose}
    >
      {() => (
        <>
          <FilePicker name={file?.name} onFile={(chosen) => void open(chosen)} />
          {read?.problem !== undefined && (
            <p role="alert" className="text-danger">
              {read.problem}
            </p>
          )}
          {isTooMany && <p className="text-danger">At most {MOST.toLocaleString("en")} at once.</p>}
          {read?.problem === undefined && read && read.hidden.length > 0 && (
            <p className="text-warn">
              {countOf(read.hidden.length, "value")} with *** in place of a secret cannot be taken:{" "}
              {read.hidden.join(", ")}.
            </p>
          )}
          {entries.length > 0 && (
            <>
              <Entries entries={entries} />
              <Field label="Keys that are there already">
                <Select value={onExisting} options={EXISTING} onChange={(next) => setOnExisting(next as OnExisting)} />
              </Field>
            </>
          )}
          {read?.problem === undefined && read && entries.length === 0 && <p>There is no variable to take in it.</p>}
        </>
      )}
    </FormDialog>
  );
}

function FilePicker({ name, onFile }: { name?: string; onFile: (file: File | undefined) => void }) {
  const input = useRef<HTMLInputElement>(null);
  const drop = (event: DragEvent) => {
    event.preventDefault();
    onFile(event.dataTransfer.files[0]);
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: dropping is a second way; the button does the same
    <div
      className="flex flex-wrap items-center gap-3 rounded-lg border border-dashed px-4 py-5"
      onDragOver={(event) => event.preventDefault()}
      onDrop={drop}
    >
      <Button icon={FileUp} onClick={() => input.current?.click()}>
        Choose a file
      </Button>
      <span className="min-w-0 truncate text-muted">{name ?? "or drop it here"}</span>
      <input
        ref={input}
        type="file"
        accept=".json,application/json"
        aria-label="File of variables"
        className="hidden"
        onChange={(event) => onFile(event.target.files?.[0])}
      />
    </div>
  );
}

function Entries({ entries }: { entries: readonly VariableEntry[] }) {
  return (
    <ul aria-label="Variables in the file" className="max-h-56 divide-y overflow-auto rounded-lg border">
      {entries.slice(0, MOST).map(({ key, value }) => (
        <li key={key} className="flex gap-3 px-3 py-1.5 font-mono text-xs">
          <span className="w-2/5 truncate" title={key}>
            {key}
          </span>
          <span className="min-w-0 flex-1 truncate text-muted">
            {typeof value === "string" ? value : JSON.stringify(value)}
          </span>
        </li>
      ))}
    </ul>
  );
}
