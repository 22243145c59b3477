// A few ways to look at a list, of which one is chosen: buttons in a row.

import { clsx } from "clsx";
import type { ReactNode } from "react";

export interface Segment<T extends string> {
  value: T;
  label: ReactNode;
  count?: number;
}

interface Props<T extends string> {
  label: string;
  value: T;
  segments: readonly Segment<T>[];
  onChange: (value: T) => void;
}

export function Segments<T extends string>({ label, value, segments, onChange }: Props<T>) {
  return (
    <fieldset className="inline-flex h-8 max-w-full rounded-md border bg-sunken p-0.5">
      <legend className="sr-only">{label}</legend>
      {segments.map((segment) => (
        <button
          key={segment.value}
          type="button"
          aria-pressed={segment.value === value}
          className={clsx(
            "inline-flex items-center gap-1.5 rounded-[5px] px-2.5 text-sm whitespace-nowrap",
            segment.value === value ? "bg-raised font-medium text-fg shadow-low" : "text-muted hover:text-fg",
          )}
          onClick={() => onChange(segment.value)}
        >
          {segment.label}
          {segment.count !== undefined && (
            <span className="text-xs text-muted">{segment.count.toLocaleString("en")}</span>
          )}
        </button>
      ))}
    </fieldset>
  );
}
