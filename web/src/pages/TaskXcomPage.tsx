// What a task instance left for others: its XComs.

import { useQuery } from "@tanstack/react-query";
import { PackageOpen } from "lucide-react";
import { taskQuery, xcomQuery, xcomsQuery } from "../api/queries";
import { formatBytes } from "../lib/size";
import { isFinished } from "../lib/state";
import { CodeBlock } from "../parts/CodeBlock";
import { Empty } from "../parts/Empty";
import { Loaded } from "../parts/Loaded";
import { Time } from "../parts/Time";
import { usePlace } from "../parts/usePlace";

export function TaskXcomPage() {
  const place = usePlace();
  const xcoms = useQuery(xcomsQuery(place));
  const task = useQuery(taskQuery(place)).data;
  return (
    <Loaded query={xcoms} what="The XComs">
      {({ xcom_entries, total_entries }) =>
        xcom_entries.length === 0 ? (
          <Empty
            icon={PackageOpen}
            title={isFinished(task?.state) ? "This task left no XCom." : "This task has left no XCom yet."}
          >
            The result of a task is its XCom <code>return_value</code>; of a <code>bash</code> task, the last line it
            writes.
          </Empty>
        ) : (
          <div className="flex max-w-5xl flex-col gap-4 p-4">
            {xcom_entries.map((entry) => (
              <Entry key={entry.key} name={entry.key} at={entry.timestamp} />
            ))}
            {total_entries > xcom_entries.length && (
              <p className="text-muted">
                {xcom_entries.length.toLocaleString("en")} of {total_entries.toLocaleString("en")} are shown.
              </p>
            )}
          </div>
        )
      }
    </Loaded>
  );
}

function Entry({ name, at }: { name: string; at: string }) {
  const xcom = useQuery(xcomQuery(usePlace(), name, at));
  return (
    <section>
      <h2 className="mb-1 flex flex-wrap items-baseline gap-x-3 font-mono text-sm font-medium">
        {name}
        <span className="font-sans text-xs font-normal text-muted">
          {xcom.data && "value" in xcom.data && <>{describe(xcom.data.value)} · </>}
          <Time at={at} />
        </span>
      </h2>
      <Loaded query={xcom} what={`The value of ${name}`}>
        {(xcom) => <CodeBlock text={pretty("value" in xcom ? xcom.value : null)} wrap />}
      </Loaded>
    </section>
  );
}

/** Texts that are JSON are shown as such. */
function pretty(value: unknown): string {
  if (typeof value !== "string") return JSON.stringify(value, null, 2) ?? "null";
  if (!/^\s*[[{]/.test(value)) return value;
  try {
    return JSON.stringify(JSON.parse(value), null, 2);
  } catch {
    return value;
  }
}

/** "a list of 3, 24 B" */
function describe(value: unknown): string {
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? "");
  return `${kindOf(value)}, ${formatBytes(new TextEncoder().encode(text).length)}`;
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return "null";
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === "object") return "an object";
  return { string: "text", number: "a number", boolean: "true or false" }[typeof value as "string"] ?? typeof value;
}
