// The log of a task instance: a try at a time.

import { useQuery } from "@tanstack/react-query";
import { useLocation, useNavigate } from "@tanstack/react-router";
import { useMemo } from "react";
import { logSource } from "../api/log";
import { type TaskInstance, taskQuery, triesQuery } from "../api/queries";
import { LOG_KINDS, readLogHash } from "../lib/log/line";
import { isFinished } from "../lib/state";
import { Loaded } from "../parts/Loaded";
import { usePlace } from "../parts/usePlace";
import { useUrl } from "../parts/useUrl";
import { LogView } from "../views/log/LogView";
import { TryTabs } from "./task/TryTabs";

export function TaskLogPage() {
  const task = useQuery(taskQuery(usePlace()));
  return (
    <div className="relative min-h-[max(420px,70dvh)] flex-1 sm:min-h-96">
      <Loaded query={task} what="The task instance">
        {(task) => <TaskLog task={task} />}
      </Loaded>
    </div>
  );
}

function TaskLog({ task }: { task: TaskInstance }) {
  const { dagId, runId, taskId, mapIndex } = usePlace();
  const place = useMemo(() => ({ dagId, runId, taskId, mapIndex }), [dagId, runId, taskId, mapIndex]);
  const url = useUrl();
  const navigate = useNavigate();
  const hash = useLocation({ select: (location) => location.hash });
  const found = useQuery(triesQuery(place));
  const tries = found.data?.task_instances ?? [];
  const latest = Math.max(1, task.try_number, ...tries.map((one) => one.try_number));
  const chosen = url.number("try", latest);
  const source = useMemo(() => logSource(place, chosen), [place, chosen]);
  const state = chosen === latest ? task.state : tries.find((one) => one.try_number === chosen)?.state;
  return (
    <LogView
      key={source.fileUrl}
      source={source}
      pulse={`${task.state} ${task.try_number}`}
      // Of what went well one reads from the top; why something failed stands at the end.
      opens={isFinished(state) && state !== "failed" ? "start" : "end"}
      place={readLogHash(hash)}
      onPlace={(next) =>
        void navigate({
          to: ".",
          // The line is one of this try, whatever becomes the newest.
          search: (before) => ({ ...before, try: String(chosen) }),
          hash: next,
          replace: true,
          resetScroll: false,
          hashScrollIntoView: false,
        })
      }
      kinds={url.list("lines").filter((kind) => LOG_KINDS.some(({ key }) => key === kind))}
      onKinds={(lines) => url.set({ lines })}
      tabs={
        found.isPending && task.try_number > 0 ? (
          <div className="h-8" />
        ) : (
          <TryTabs tries={tries} latest={latest} chosen={chosen} />
        )
      }
    />
  );
}
