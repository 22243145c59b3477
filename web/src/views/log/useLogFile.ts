// Opens a log, and keeps up with it while it is written.

import { useEffect, useMemo, useRef, useState } from "react";
import { CHUNK, LogFile, type LogPart } from "../../lib/log/file";
import type { LogSource } from "../../lib/log/source";

/** Between two looks at the length of a log that nobody follows, in milliseconds. */
const LOOK = 2_000;
/** Before a stream that broke off is opened again. */
const PAUSE = 1_000;
/** After failures it is longer every time, up to this. */
const PAUSE_MAX = 60_000;
const LAST_LINES = 400;

export interface OpenLog {
  file: LogFile;
  /** Why there is no log, in the server's words */
  note: string | null;
}

export interface LogState {
  log: OpenLog | null;
  error: unknown;
  /** Changes whenever the log has grown, or ended */
  revision: number;
  retry: () => void;
}

export type LogStart = "start" | "end" | number;

/** `pulse` changes when it is worth another look at a log that was not there. */
export function useLogFile(source: LogSource, start: LogStart, pulse: string, isFollowed: boolean): LogState {
  const [log, setLog] = useState<OpenLog | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [revision, setRevision] = useState(0);
  const [attempt, setAttempt] = useState(0);
  const opened = useRef<{ source: LogSource; attempt: number } | null>(null);

  // biome-ignore lint/correctness/useExhaustiveDependencies: where it begins counts once
  useEffect(() => {
    // A log that is there stays open, whatever becomes of the task.
    if (opened.current?.source === source && opened.current.attempt === attempt) return;
    let isStale = false;
    setError(null);
    open(source, start).then(
      (found) => {
        if (isStale) return;
        opened.current = found.note === null ? { source, attempt } : null;
        setLog(found);
      },
      (problem) => {
        if (!isStale) setError(problem);
      },
    );
    return () => {
      isStale = true;
    };
  }, [source, attempt, pulse]);

  useEffect(() => {
    if (!log || log.file.hasEnded) return;
    return keepUp(
      source,
      log,
      isFollowed,
      () => setRevision((before) => before + 1),
      () => setAttempt((before) => before + 1),
    );
  }, [source, log, isFollowed]);

  return useMemo(
    () => ({ log, error, revision, retry: () => setAttempt((before) => before + 1) }),
    [log, error, revision],
  );
}

async function open(source: LogSource, start: LogStart): Promise<OpenLog> {
  const at = typeof start === "number" ? Math.floor(start / CHUNK) * CHUNK : 0;
  const part = start === "end" ? await source.readEnd(LAST_LINES) : await source.read(at, at + CHUNK);
  const file = new LogFile(source.read);
  file.hasEnded = part.hasEnded;
  if (!part.exists) return { file, note: new TextDecoder().decode(part.bytes).trim() };
  file.size = part.size;
  file.add(part);
  return { file, note: null };
}

/** Follows the stream, or now and then asks how long the log is. Returns how to stop. */
function keepUp(
  source: LogSource,
  { file, note }: OpenLog,
  isFollowed: boolean,
  tell: () => void,
  appeared: () => void,
): () => void {
  const stop = new AbortController();
  let frame = 0;
  const tellSoon = () => {
    if (note !== null) return appeared();
    frame ||= requestAnimationFrame(() => {
      frame = 0;
      tell();
    });
  };
  const look = async () => {
    const part: LogPart = await source.read(file.size, file.size);
    const isNews = part.size > file.size || part.hasEnded !== file.hasEnded;
    file.size = Math.max(file.size, part.size);
    file.hasEnded = part.hasEnded;
    if (isNews && !stop.signal.aborted) tellSoon();
  };
  const follow = async () => {
    const turn = turnOf(stop.signal);
    await source.follow(
      file.size,
      (part) => {
        file.add(part);
        tellSoon();
      },
      turn,
    );
  };
  const run = async () => {
    let failures = 0;
    while (!stop.signal.aborted && !file.hasEnded) {
      await inSight(stop.signal);
      try {
        if (isFollowed) await follow();
        await look();
        failures = 0;
      } catch {
        // The connection is lost: the bar above says so. It is tried again.
        if (!document.hidden) failures += 1;
      }
      await sleep(Math.min(PAUSE_MAX, (isFollowed ? PAUSE : LOOK) * 2 ** Math.min(failures, 10)), stop.signal);
    }
  };
  void run();
  return () => {
    stop.abort();
    cancelAnimationFrame(frame);
  };
}

/** Ends with `stop`, or when the page is hidden: a browser has few connections for all of its tabs. */
function turnOf(stop: AbortSignal): AbortSignal {
  const turn = new AbortController();
  const end = () => {
    document.removeEventListener("visibilitychange", rest);
    stop.removeEventListener("abort", end);
    turn.abort();
  };
  const rest = () => document.hidden && end();
  document.addEventListener("visibilitychange", rest);
  stop.addEventListener("abort", end);
  if (stop.aborted || document.hidden) end();
  return turn.signal;
}

/** Waits until the page is shown. */
function inSight(stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const look = () => {
      if (document.hidden && !stop.aborted) return;
      document.removeEventListener("visibilitychange", look);
      stop.removeEventListener("abort", look);
      resolve();
    };
    document.addEventListener("visibilitychange", look);
    stop.addEventListener("abort", look);
    look();
  });
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
