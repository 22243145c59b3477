// A new file: its name, and what it begins with.

import { clsx } from "clsx";
import { useState } from "react";
import { pathProblem } from "../../lib/files";
import { TEMPLATES } from "../../lib/templates";
import { Button } from "../../parts/Button";
import { Dialog } from "../../parts/Dialog";
import { Field, TextInput } from "../../parts/Field";

interface Props {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  taken: readonly string[];
  onMake: (path: string, template: string) => void;
}

export function NewFileDialog({ open, onOpenChange, taken, onMake }: Props) {
  const [path, setPath] = useState("");
  const [template, setTemplate] = useState(TEMPLATES[0]?.id ?? "");
  const [isTried, setTried] = useState(false);
  const named = path === "" || /\.ya?ml$/i.test(path) ? path : `${path}.yaml`;
  const problem = pathProblem(named, taken);
  const make = () => {
    setTried(true);
    if (problem) return;
    onMake(named, template);
    setPath("");
    setTried(false);
  };
  return (
    <Dialog
      open={open}
      onOpenChange={onOpenChange}
      title="New file"
      description="It is written to the DAG folder when you save it."
      onSubmit={make}
      footer={
        <>
          <Button onClick={() => onOpenChange(false)}>Cancel</Button>
          <Button type="submit" variant="primary">
            Begin
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-4">
        <Field
          label="Path"
          required
          hint="Relative to the DAG folder, such as team/daily_sales.yaml"
          error={isTried ? problem : null}
        >
          <TextInput className="font-mono" value={path} onChange={(event) => setPath(event.target.value)} />
        </Field>
        <fieldset>
          <legend className="mb-1 text-sm font-medium">Begin with</legend>
          {TEMPLATES.map(({ id, name, about }) => (
            <label
              key={id}
              className={clsx(
                "mt-1 flex cursor-pointer gap-2.5 rounded-md border px-3 py-2 hover:bg-hover",
                id === template && "border-accent bg-selected",
              )}
            >
              <input
                type="radio"
                name="template"
                className="mt-1 accent-(--accent)"
                checked={id === template}
                onChange={() => setTemplate(id)}
              />
              <span>
                <span className="block font-medium">{name}</span>
                <span className="block text-sm text-muted">{about}</span>
              </span>
            </label>
          ))}
        </fieldset>
      </div>
    </Dialog>
  );
}
