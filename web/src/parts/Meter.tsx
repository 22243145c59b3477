// How much of something is in use: parts of a bar, with the numbers beside it.

import { clsx } from "clsx";
import type { ReactNode } from "react";

interface Props {
  parts: readonly { label: string; value: number; color: string }[];
  /** Null = there is no limit */
  total: number | null;
  /** Beside the bar */
  children?: ReactNode;
  className?: string;
}

export function Meter({ parts, total, children, className }: Props) {
  const used = parts.reduce((sum, part) => sum + part.value, 0);
  const whole = total === null ? used : Math.max(total, used);
  const words = parts.map(({ label, value }) => `${value.toLocaleString("en")} ${label}`).join(", ");
  return (
    <div className={clsx("flex items-center gap-2", className)}>
      <div
        role="img"
        aria-label={`${words}, ${total === null ? "no limit" : `of ${total.toLocaleString("en")}`}`}
        className={clsx(
          "flex h-2.5 min-w-16 flex-1 overflow-hidden rounded-full",
          total === null ? "border border-dashed border-line-strong" : "bg-(--border)",
        )}
      >
        {parts.map(({ label, value, color }) => (
          <div
            key={label}
            title={`${value.toLocaleString("en")} ${label}`}
            className="transition-[width] duration-300"
            style={{ width: whole > 0 ? `${(value / whole) * 100}%` : 0, background: color }}
          />
        ))}
      </div>
      {children && <span className="shrink-0 text-right">{children}</span>}
    </div>
  );
}
