// Values in lists of facts.

import type { ReactNode } from "react";
import { formatDuration } from "../lib/duration";
import { CodeBlock } from "./CodeBlock";
import { Tag } from "./Page";

/** A span of seconds in words, or nothing. */
export function Seconds({ of, none = null }: { of: number | null; none?: ReactNode }) {
  return of === null ? none : formatDuration(of);
}

export function YesNo({ is }: { is: boolean | null | undefined }) {
  return is == null ? null : is ? "yes" : "no";
}

/** A name out of code or configuration. */
export function Name({ children }: { children: ReactNode }) {
  return children == null || children === "" ? null : <code className="font-mono text-xs break-all">{children}</code>;
}

/** JSON as people write it; an empty one is nothing. */
export function Json({ of }: { of: unknown }) {
  if (of == null || (typeof of === "object" && Object.keys(of).length === 0)) return null;
  return <CodeBlock text={JSON.stringify(of, null, 2)} />;
}

export function Tags({ of }: { of: readonly string[] }) {
  return of.length === 0 ? null : (
    <span className="flex flex-wrap gap-1">
      {of.map((tag) => (
        <Tag key={tag}>{tag}</Tag>
      ))}
    </span>
  );
}

/** Boxes of facts side by side, where there is room. */
export function FactSheet({ children }: { children: ReactNode }) {
  return <div className="grid items-start gap-4 p-4 xl:grid-cols-2 [&>*]:min-w-0">{children}</div>;
}
