// A filter by time: the last hours or days, or from one moment to another in the zone of the page.

import { clsx } from "clsx";
import { useState } from "react";
import { PRESETS, type Span } from "../lib/span";
import { formatMinute, fromCivil, toMillis } from "../lib/time";
import { Button } from "./Button";
import { Field } from "./Field";
import { FilterChip } from "./FilterChip";
import { useZone } from "./Time";

interface Props {
  label: string;
  span: Span;
  onChange: (span: Span) => void;
}

const NONE: Span = { within: "", from: "", to: "" };

export function SpanFilter({ label, span, onChange }: Props) {
  const zone = useZone();
  const [open, setOpen] = useState(false);
  const choose = (next: Span) => {
    onChange(next);
    setOpen(false);
  };
  return (
    <FilterChip
      label={label}
      words={spanWords(span, zone)}
      onClear={() => onChange(NONE)}
      open={open}
      onOpenChange={setOpen}
      className="w-72 p-2"
    >
      <div className="grid grid-cols-2 gap-1">
        {PRESETS.map((preset) => (
          <button
            key={preset.within}
            type="button"
            aria-pressed={span.within === preset.within}
            className={clsx(
              "h-8 rounded-md px-2 text-left text-sm hover:bg-hover",
              span.within === preset.within && "bg-selected font-medium",
            )}
            onClick={() => choose({ ...NONE, within: preset.within })}
          >
            {preset.label}
          </button>
        ))}
      </div>
      <FromTo key={`${zone} ${span.from} ${span.to}`} span={span} zone={zone} onChange={choose} />
    </FilterChip>
  );
}

function spanWords({ within, from, to }: Span, zone: string): string {
  if (within) return PRESETS.find((preset) => preset.within === within)?.label ?? `last ${within}`;
  const [first, last] = [toMillis(from || null), toMillis(to || null)];
  if (first !== null && last !== null) return `${formatMinute(first, zone)} – ${formatMinute(last, zone)}`;
  if (first !== null) return `since ${formatMinute(first, zone)}`;
  return last !== null ? `until ${formatMinute(last, zone)}` : "";
}

function FromTo({ span, zone, onChange }: { span: Span; zone: string; onChange: (span: Span) => void }) {
  const [from, setFrom] = useState(civil(span.from, zone));
  const [to, setTo] = useState(civil(span.to, zone));
  const [first, last] = [fromCivil(from, zone), fromCivil(to, zone)];
  const isBackwards = first !== null && last !== null && first > last;
  return (
    <form
      className="mt-2 flex flex-col gap-2 border-t pt-2"
      onSubmit={(event) => {
        event.preventDefault();
        if (!isBackwards) onChange({ within: "", from: instant(first), to: instant(last) });
      }}
    >
      <Field label="From">
        <input type="datetime-local" className="input" value={from} onChange={(event) => setFrom(event.target.value)} />
      </Field>
      <Field label="Until" error={isBackwards ? "This is before the beginning." : null} hint={`In ${zone}`}>
        <input type="datetime-local" className="input" value={to} onChange={(event) => setTo(event.target.value)} />
      </Field>
      <Button type="submit" disabled={isBackwards}>
        Apply
      </Button>
    </form>
  );
}

function civil(at: string, zone: string): string {
  const millis = toMillis(at || null);
  return millis === null ? "" : formatMinute(millis, zone).replace(" ", "T");
}

function instant(millis: number | null): string {
  return millis === null ? "" : new Date(millis).toISOString();
}
