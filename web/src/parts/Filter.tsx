// Filters as chips: what is chosen stands on the chip, a cross takes it away. The page keeps it in the URL (useUrl).

import { type ReactNode, useId, useState } from "react";
import { bestMatches } from "../lib/match";
import { RUN_TYPES, runTypeWord } from "../lib/runType";
import { RUN_STATES, STATES, stateWord } from "../lib/state";
import { Checkbox } from "./Field";
import { FilterChip } from "./FilterChip";
import { StateDot } from "./StateBadge";

export interface FilterOption {
  value: string;
  /** What is shown and searched */
  label: string;
  icon?: ReactNode;
  count?: number;
}

interface Props {
  label: string;
  options: readonly FilterOption[];
  values: readonly string[];
  onChange: (values: string[]) => void;
  /** At most one */
  single?: boolean;
}

/** From so many options on there is a search box. */
const SEARCHABLE = 9;

export function Filter({ label, options, values, onChange, single }: Props) {
  const [open, setOpen] = useState(false);
  const [text, setText] = useState("");
  const id = useId();
  const shown = bestMatches(text, options, (option) => option.label, 200);
  const chosen = values.map((value) => options.find((option) => option.value === value)?.label ?? value);
  const words = chosen.length > 2 ? `${chosen.slice(0, 2).join(", ")} +${chosen.length - 2}` : chosen.join(", ");
  const toggle = (value: string) => {
    const isOn = values.includes(value);
    if (single) {
      onChange(isOn ? [] : [value]);
      setOpen(false);
    } else onChange(isOn ? values.filter((other) => other !== value) : [...values, value]);
  };
  return (
    <FilterChip
      label={label}
      words={words}
      onClear={() => onChange([])}
      open={open}
      onOpenChange={(next) => {
        setOpen(next);
        setText("");
      }}
      className="flex max-h-[min(420px,var(--radix-popover-content-available-height))] w-60 flex-col p-1"
    >
      {options.length >= SEARCHABLE && (
        <input
          aria-label={`Search ${label}`}
          placeholder="Search"
          className="input mb-1 h-7 shrink-0"
          value={text}
          onChange={(event) => setText(event.target.value)}
          onKeyDown={(event) => {
            if (event.key === "Enter" && shown[0]) toggle(shown[0].value);
          }}
        />
      )}
      <div className="min-h-0 overflow-auto">
        {shown.map((option) => (
          <label
            key={option.value}
            htmlFor={`${id}-${option.value}`}
            className="flex min-h-7 cursor-pointer items-center gap-2 rounded-md px-2 py-1 hover:bg-hover"
          >
            <Checkbox
              id={`${id}-${option.value}`}
              checked={values.includes(option.value)}
              onCheckedChange={() => toggle(option.value)}
            />
            {option.icon}
            <span className="min-w-0 flex-1 truncate">{option.label}</span>
            {option.count !== undefined && (
              <span className="text-xs text-muted">{option.count.toLocaleString("en")}</span>
            )}
          </label>
        ))}
        {shown.length === 0 && (
          <p className="px-2 py-3 text-center text-muted">
            {options.length === 0 ? "There are none." : "Nothing matches."}
          </p>
        )}
      </div>
    </FilterChip>
  );
}

const stateOption = (state: string): FilterOption => ({
  value: state,
  label: stateWord(state),
  icon: <StateDot state={state} silent />,
});

export const TASK_STATE_OPTIONS = STATES.filter((state) => state !== "none").map(stateOption);
export const RUN_STATE_OPTIONS = RUN_STATES.map(stateOption);
export const RUN_TYPE_OPTIONS = RUN_TYPES.map((value) => ({ value, label: runTypeWord(value) }));

/** The line above a list: search box and filters on the left, the rest on the right. */
export function Toolbar({ children, end }: { children?: ReactNode; end?: ReactNode }) {
  return (
    <div className="flex flex-wrap items-center gap-2 px-4 py-2.5">
      {children}
      {end && <div className="ml-auto flex flex-wrap items-center gap-2">{end}</div>}
    </div>
  );
}
