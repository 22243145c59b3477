// Logs as bytes: parts of them, what is added to them, and what is found in them.

import { queryOptions } from "@tanstack/react-query";
import type { ReadLog } from "../lib/log/file";
import { splitLines } from "../lib/log/line";
import type { LogSource } from "../lib/log/source";
import { api, at, body, queryText, send } from "./client";
import { type TaskPlace, taskPath } from "./queries";

type Query = Parameters<typeof queryText>[0];

/** The log of one try. */
export function logSource(place: TaskPlace, tryNumber: number): LogSource {
  const { dagId, runId, taskId } = place;
  const path = at`/api/v2/dags/${dagId}/dagRuns/${runId}/taskInstances/${taskId}/logs/${tryNumber}`;
  const mapped = { map_index: place.mapIndex < 0 ? undefined : place.mapIndex };
  const get = (query: Query, signal?: AbortSignal) => request(path, { ...mapped, ...query }, signal);
  const read: ReadLog = async (from, to) => toPart(await get({ offset: from, limit: Math.max(0, to - from) }));
  return {
    read,
    readEnd: async (lines) => toPart(await get({ tail: lines })),
    async follow(from, onBytes, signal) {
      const response = await send(streamRequest(path, { ...mapped, offset: from, follow: true }, signal), null);
      let position = numberIn(response.headers, "Flow-Log-Offset");
      const reader = response.body?.getReader();
      for (let step = await reader?.read(); step && !step.done; step = await reader?.read()) {
        onBytes({ at: position, bytes: step.value });
        position += step.value.length;
      }
    },
    search: ({ text, isRegex, isExact }, token, signal) =>
      body(
        api.GET("/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/logs/{try_number}/search", {
          params: {
            path: { ...taskPath(place), try_number: tryNumber },
            query: {
              ...mapped,
              q: text,
              regex: isRegex,
              case_sensitive: isExact,
              limit: 200,
              token: token ?? undefined,
            },
          },
          signal,
        }),
      ),
    fileUrl: `${path}${queryText({ ...mapped, download: true })}`,
  };
}

function streamRequest(path: string, query: Query, signal?: AbortSignal): Request {
  return new Request(new URL(path + queryText(query), location.origin), { headers: { Accept: "text/plain" }, signal });
}

async function request(path: string, query: Query, signal?: AbortSignal): Promise<Response> {
  return send(streamRequest(path, query, signal));
}

async function toPart(response: Response) {
  const size = numberIn(response.headers, "Flow-Log-Size");
  return {
    at: numberIn(response.headers, "Flow-Log-Offset"),
    size,
    hasEnded: response.headers.get("Flow-Log-Ended") === "true",
    // Only of a file that there is can a range be asked for; compressed answers do not say so.
    exists: size > 0 || response.headers.get("Accept-Ranges") === "bytes",
    bytes: new Uint8Array(await response.arrayBuffer()),
  };
}

function numberIn(headers: Headers, name: string): number {
  return Number(headers.get(name) ?? 0) || 0;
}

/** Flow's own last words in the log of a try that ended then: why it did. They do not change any more. */
export const lastWordsQuery = (place: TaskPlace, tryNumber: number, endedAt: string | null) =>
  queryOptions({
    queryKey: ["last words", place, tryNumber, endedAt],
    queryFn: async () => {
      const { bytes, at, exists } = await logSource(place, tryNumber).readEnd(20);
      if (!exists) return null;
      const words = splitLines(bytes, at, true).lines.filter((line) => line.tag === "ERROR" || line.tag === "WARN");
      return words.at(-1)?.text ?? null;
    },
    staleTime: Number.POSITIVE_INFINITY,
  });
