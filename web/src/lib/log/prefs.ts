// How this browser shows logs.

import { useSyncExternalStore } from "react";

export interface LogPrefs {
  wrap: boolean;
  times: boolean;
}

const KEY = "flow.log";
const listeners = new Set<() => void>();

function stored(): LogPrefs {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? "{}") as Partial<LogPrefs>;
    return { wrap: kept.wrap !== false, times: kept.times !== false };
  } catch {
    return { wrap: true, times: true };
  }
}

let current: LogPrefs | undefined;

export function useLogPrefs(): LogPrefs {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => {
      current ??= stored();
      return current;
    },
  );
}

export function changeLogPrefs(change: Partial<LogPrefs>): void {
  current = { ...(current ?? stored()), ...change };
  try {
    localStorage.setItem(KEY, JSON.stringify(current));
  } catch {
    // A browser that keeps nothing: it holds until the page is closed.
  }
  for (const listener of listeners) listener();
}
