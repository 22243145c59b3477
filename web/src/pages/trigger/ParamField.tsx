// The field of a param: its schema chooses the control.

import { useId, useState } from "react";
import type { Param } from "../../lib/params";
import { readJson } from "../../lib/params";
import { fromCivil, toMillis, toRfc3339 } from "../../lib/time";
import { CodeBlock } from "../../parts/CodeBlock";
import { Checkbox, Field, Select, Switch, TextArea, TextInput } from "../../parts/Field";
import { Sentence } from "../../parts/Sentence";
import { useZone } from "../../parts/Time";

interface Props {
  param: Param;
  text: string;
  problem: string | null;
  onChange: (text: string) => void;
}

export function ParamField(props: Props) {
  const { param, problem } = props;
  const hint = hintOf(param);
  if (param.kind === "fixed") return <CodeBlock label={`${param.title} (fixed)`} text={JSON.stringify(param.value)} />;
  if (param.kind === "switch") return <SwitchField {...props} hint={hint} />;
  if (param.kind === "choices") return <ChoicesField {...props} hint={hint} />;
  return (
    <Field label={labelOf(param)} hint={hint && <Sentence text={hint} />} error={problem} required={param.isRequired}>
      <Control {...props} />
    </Field>
  );
}

/** Both the title and the name that templates know. */
function labelOf({ title, name }: Param) {
  if (title === name) return <span className="font-mono text-xs">{name}</span>;
  return (
    <>
      {title} <span className="font-mono text-xs font-normal text-muted">{name}</span>
    </>
  );
}

function hintOf({ kind, description, schema, isNullable }: Param): string {
  const parts = [
    description?.replace(/\.$/, ""),
    kind === "lines" ? "one on each line" : null,
    kind === "json" ? "JSON" : null,
    kind === "number" ? rangeWords(schema) : null,
    isNullable && kind !== "switch" ? "empty = null" : null,
  ];
  return parts.filter(Boolean).join(" · ");
}

function rangeWords({
  type,
  minimum,
  maximum,
  exclusiveMinimum: above,
  exclusiveMaximum: below,
}: Param["schema"]): string {
  const words = [
    type === "integer" ? "whole number" : "number",
    typeof minimum === "number" ? `from ${minimum}` : typeof above === "number" ? `above ${above}` : "",
    typeof maximum === "number" ? `to ${maximum}` : typeof below === "number" ? `below ${below}` : "",
  ];
  return words.filter(Boolean).join(" ");
}

/** A list of choices cannot have an empty one. */
const EMPTY = "\u0000";
const CHOICES: Record<string, string> = { null: "none", "": "empty" };

/** While it is typed it may be no moment yet: half a year is not a year. */
function MomentField({
  text,
  onChange,
  zone,
  ...field
}: {
  text: string;
  onChange: (text: string) => void;
  zone: string;
}) {
  const [typed, setTyped] = useState<string | null>(null);
  const millis = toMillis(text);
  const shown = millis === null ? "" : toRfc3339(millis, zone).slice(0, 19);
  return (
    <TextInput
      type="datetime-local"
      step={1}
      className="max-w-60"
      value={typed ?? shown}
      onBlur={() => setTyped(null)}
      onChange={(event) => {
        setTyped(event.target.value);
        const at = fromCivil(event.target.value, zone);
        onChange(at === null ? "" : toRfc3339(at, zone));
      }}
      {...field}
    />
  );
}

/** Gets `id` and its kin from <Field>. */
function Control({ param, text, problem: _, onChange, ...field }: Props) {
  const zone = useZone();
  const type = (event: { target: { value: string } }) => onChange(event.target.value);
  switch (param.kind) {
    case "choice":
      return (
        <Select
          value={text === "" && param.options.some(({ label }) => label === "") ? EMPTY : text}
          onChange={(value) => onChange(value === EMPTY ? "" : value)}
          placeholder="Choose"
          options={param.options.map(({ label }) => ({ value: label || EMPTY, label: CHOICES[label] ?? label }))}
          {...field}
        />
      );
    case "number":
      return <TextInput inputMode="decimal" className="max-w-48" value={text} onChange={type} {...field} />;
    case "date":
      return <TextInput type="date" value={text} onChange={type} className="max-w-48" {...field} />;
    case "date-time":
      return <MomentField text={text} onChange={onChange} zone={zone} {...field} />;
    case "multiline":
      return <TextArea value={text} onChange={type} {...field} />;
    case "lines":
      return (
        <TextArea rows={Math.min(8, Math.max(3, text.split("\n").length))} value={text} onChange={type} {...field} />
      );
    case "json":
      return (
        <TextArea
          mono
          rows={Math.min(14, Math.max(3, text.split("\n").length))}
          value={text}
          onChange={type}
          {...field}
        />
      );
    default:
      return <TextInput value={text} onChange={type} {...field} />;
  }
}

function SwitchField({ param, text, problem, hint, onChange }: Props & { hint: string }) {
  const id = useId();
  return (
    <div className="flex items-start gap-2.5">
      <Switch id={id} checked={text === "true"} onCheckedChange={(on) => onChange(String(on))} className="mt-0.5" />
      <label htmlFor={id} className="cursor-pointer">
        <span className="text-sm font-medium">{labelOf(param)}</span>
        {hint && <span className="block text-xs text-muted">{hint}</span>}
        {problem && <span className="block text-xs text-danger">{problem}</span>}
      </label>
    </div>
  );
}

function ChoicesField({ param, text, problem, hint, onChange }: Props & { hint: string }) {
  const id = useId();
  const read = readJson(text || "[]").value;
  const chosen = new Set((Array.isArray(read) ? read : []).map((value) => JSON.stringify(value)));
  const toggle = (key: string, on: boolean) => {
    const next = param.options.filter(({ value }) => {
      const mine = JSON.stringify(value);
      return mine === key ? on : chosen.has(mine);
    });
    onChange(JSON.stringify(next.map(({ value }) => value)));
  };
  return (
    <fieldset>
      <legend className="text-sm font-medium">{labelOf(param)}</legend>
      <div className="mt-1 flex flex-wrap gap-x-5 gap-y-1.5">
        {param.options.map(({ value, label }) => {
          const key = JSON.stringify(value);
          return (
            <label key={key} htmlFor={`${id}-${key}`} className="flex cursor-pointer items-center gap-2">
              <Checkbox id={`${id}-${key}`} checked={chosen.has(key)} onCheckedChange={(on) => toggle(key, on)} />
              {label}
            </label>
          );
        })}
      </div>
      {problem ? (
        <p className="mt-1 text-xs text-danger">{problem}</p>
      ) : (
        hint && <p className="mt-1 text-xs text-muted">{hint}</p>
      )}
    </fieldset>
  );
}
