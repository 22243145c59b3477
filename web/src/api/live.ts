// Changes as they happen: one stream of events per page, which makes queries stale and carries no state.

import type { QueryClient, QueryKey } from "@tanstack/react-query";
import { useEffect, useSyncExternalStore } from "react";
import { queryText } from "./client";
import type { LiveEvent } from "./types";

/** Between two refreshes, in milliseconds; more when the server takes longer to answer. */
const PAUSE = 250;
/** First and longest wait before a closed stream is opened again. */
const BACK_OFF = [1_000, 30_000] as const;

export type LiveState = "connecting" | "connected" | "lost" | "paused";

/** Kinds of events that say nothing about the DAG itself, only about its runs. */
const OF_RUNS = new Set(["task_state", "run_state", "run_note", "run_deleted"]);

/** Lists that show runs and how far they are. Tags, files and errors are not among them: runs change all the time. */
const SHOWING_RUNS: QueryKey[] = [
  ["list", "dags"],
  ["list", "runs"],
  ["list", "tasks"],
  ["list", "events"],
  ["list", "pools"],
];

/** The beginnings of the keys that an event makes stale. */
export function staleKeys(event: Pick<LiveEvent, "kind" | "dag_id" | "run_id">): QueryKey[] {
  const { kind, dag_id: dagId, run_id: runId } = event;
  if (!dagId) return [["list"], ["admin"], ["me"]];
  if (!OF_RUNS.has(kind)) return [["list"], ["dag", dagId], ["run", dagId]];
  const keys: QueryKey[] = [...SHOWING_RUNS, ["dag", dagId, "runs"]];
  if (kind !== "task_state") keys.push(["dag", dagId, "count"]);
  // With a run, the next one is another.
  if (kind === "run_state") keys.push(["dag", dagId, "text", "details"]);
  if (runId) keys.push(["run", dagId, runId], ["run", "~"]);
  return keys;
}

/** Whether what is asked with this key changes when runs do. */
export function movesWithRuns([scope, , what]: QueryKey): boolean {
  return scope === "list" || scope === "run" || (scope === "dag" && (what === "runs" || what === "count"));
}

/** Whether events can make stale what is asked with this key, other than who is logged in. */
function isWatched([scope]: QueryKey): boolean {
  return ["list", "dag", "run", "admin"].includes(String(scope));
}

/** Collects keys, and makes them stale together: at most one refresh at a time, and a pause between two. */
export class Batch {
  private readonly waiting = new Map<string, QueryKey>();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private isBusy = false;

  constructor(
    private readonly refresh: (keys: QueryKey[]) => Promise<unknown>,
    private readonly pause = PAUSE,
  ) {}

  add(keys: QueryKey[]): void {
    for (const key of keys) this.waiting.set(JSON.stringify(key), key);
    this.plan();
  }

  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.waiting.clear();
  }

  private plan(wait = this.pause): void {
    if (this.isBusy || this.timer !== undefined || this.waiting.size === 0) return;
    this.timer = setTimeout(() => void this.flush(), wait);
  }

  private async flush(): Promise<void> {
    this.timer = undefined;
    const keys = [...this.waiting.values()];
    this.waiting.clear();
    this.isBusy = true;
    const began = performance.now();
    await this.refresh(keys).catch(() => {});
    this.isBusy = false;
    // A server that is slow is asked less often.
    this.plan(Math.max(this.pause, Math.min(5_000, performance.now() - began)));
  }
}

class Live {
  private source: EventSource | undefined;
  private batch: Batch | undefined;
  private client: QueryClient | undefined;
  private dagId: string | null = null;
  private lastId = "";
  private failures = 0;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private state: LiveState = "connecting";
  private readonly listeners = new Set<() => void>();

  /** Watches a DAG, or with null all of them, until what it returns is called. */
  watch(client: QueryClient, dagId: string | null): () => void {
    this.client = client;
    this.dagId = dagId;
    this.batch = new Batch((keys) => Promise.all(keys.map((queryKey) => client.invalidateQueries({ queryKey }))));
    const onVisibility = () => (document.hidden ? this.rest() : this.open());
    document.addEventListener("visibilitychange", onVisibility);
    onVisibility();
    // What was left stale by another scope and is still on the page, such as the count of import errors.
    void client.refetchQueries({ type: "active", stale: true }, { cancelRefetch: false });
    return () => {
      document.removeEventListener("visibilitychange", onVisibility);
      this.close();
      this.batch?.stop();
      // From here on nobody tells about what only this scope saw: pages that come back to it ask again.
      void client.invalidateQueries({ predicate: ({ queryKey }) => isWatched(queryKey), refetchType: "none" });
    };
  }

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  snapshot = (): LiveState => this.state;

  private show(state: LiveState): void {
    if (this.state === state) return;
    this.state = state;
    for (const listener of this.listeners) listener();
  }

  private rest(): void {
    this.close();
    this.show("paused");
  }

  private close(): void {
    clearTimeout(this.retry);
    this.source?.close();
    this.source = undefined;
  }

  private open(): void {
    this.close();
    // Without a number to resume from, what happened meanwhile is unknown.
    if (this.state === "paused" && !this.lastId) this.everything();
    if (this.state !== "lost") this.show("connecting");
    const source = new EventSource(`/api/v2/events${queryText({ dag_id: this.dagId, after: this.lastId || null })}`);
    this.source = source;
    source.onopen = () => {
      this.failures = 0;
      if (!this.lastId) this.recheck(Date.now());
      this.show("connected");
    };
    source.onmessage = (message) => {
      if (message.lastEventId) this.lastId = message.lastEventId;
      this.batch?.add(staleKeys(JSON.parse(message.data) as LiveEvent));
    };
    source.addEventListener("reload", () => this.everything());
    source.onerror = () => {
      this.failures += 1;
      this.show("lost");
      // The browser comes back by itself after a broken line, but not after a refusal.
      if (source.readyState === EventSource.CLOSED) this.later();
    };
  }

  private later(): void {
    this.close();
    const [first, most] = BACK_OFF;
    const wait = Math.min(most, first * 2 ** Math.min(this.failures, 10)) * (0.5 + Math.random() / 2);
    this.retry = setTimeout(() => this.open(), wait);
    // A refusal may mean that the session has ended; this finds out.
    this.batch?.add([["me"]]);
  }

  /** Without a number to begin after, what changed between the page's questions and this moment went unheard. */
  private recheck(openedAt: number): void {
    void this.client?.invalidateQueries({
      predicate: ({ queryKey, state }) => state.dataUpdatedAt < openedAt && movesWithRuns(queryKey),
    });
  }

  private everything(): void {
    void this.client?.invalidateQueries();
  }
}

const live = new Live();

/** Keeps the page's queries fresh: those of one DAG, or with null those of all. */
export function useLive(client: QueryClient, dagId: string | null): LiveState {
  useEffect(() => live.watch(client, dagId), [client, dagId]);
  return useSyncExternalStore(live.subscribe, live.snapshot);
}
