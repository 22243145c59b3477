// A task's arguments as they were for this run.

import { useQuery } from "@tanstack/react-query";
import { FileCode2 } from "lucide-react";
import { renderedQuery, taskQuery } from "../api/queries";
import { CodeBlock } from "../parts/CodeBlock";
import { Empty } from "../parts/Empty";
import { Loaded } from "../parts/Loaded";
import { usePlace } from "../parts/usePlace";

export function TaskRenderedPage() {
  const place = usePlace();
  const rendered = useQuery(renderedQuery(place));
  const task = useQuery(taskQuery(place)).data;
  return (
    <Loaded query={rendered} what="The rendered fields">
      {(rendered) => {
        const fields = Object.entries(rendered);
        if (fields.length === 0) {
          return <Empty icon={FileCode2} title="This task has no arguments, so there is nothing to render." />;
        }
        return (
          <div className="flex max-w-5xl flex-col gap-3 p-4">
            <p className="text-muted">
              {(task?.try_number ?? 0) > 0
                ? "As the last try saw them. Secrets are masked."
                : "As the first try will see them, if nothing changes until then. Secrets are masked."}
            </p>
            {fields.map(([name, value]) => (
              <CodeBlock key={name} label={name} text={fieldText(value)} wrap />
            ))}
          </div>
        );
      }}
    </Loaded>
  );
}

function fieldText(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value, null, 2);
}
