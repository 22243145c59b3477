// A search in a log, on the server: a page of matches at a time, gone through one after the other.

import { useCallback, useEffect, useRef, useState } from "react";
import type { LogMatch, LogQuery, LogSource } from "../../lib/log/source";

/** Most matches that are kept and listed. */
const MOST = 2_000;

export interface LogSearch {
  matches: readonly LogMatch[];
  /** Which one was gone to; -1 = none yet */
  current: number;
  isBusy: boolean;
  /** There may be more than these */
  hasMore: boolean;
  /** So much was found that the rest was not looked for */
  isCut: boolean;
  /** How much of the log was searched, 0 to 1 */
  progress: number;
  error: unknown;
}

const NOTHING: LogSearch = {
  matches: [],
  current: -1,
  isBusy: false,
  hasMore: false,
  isCut: false,
  progress: 0,
  error: null,
};

function begin() {
  return {
    search: NOTHING,
    token: null as string | null,
    searchedTo: -1,
    hasBegun: false,
    stop: new AbortController(),
  };
}

/** What became of going to the next match; "busy": an earlier search is still under way */
export type Stepped = "found" | "none" | "busy" | "failed";

/** `query: null` searches for nothing. `isEager: false` waits until someone goes to a match. */
export function useLogSearch(
  source: LogSource,
  query: LogQuery | null,
  isEager: boolean,
  onGo: (match: LogMatch) => void,
) {
  const [search, setSearch] = useState(NOTHING);
  const state = useRef(begin());
  const go = useRef(onGo);
  go.current = onGo;
  const { text = "", isRegex = false, isExact = false } = query ?? {};

  const change = useCallback((next: Partial<LogSearch>) => {
    state.current.search = { ...state.current.search, ...next };
    setSearch(state.current.search);
  }, []);

  /** Looks on until something more is found, or the log ends. */
  const more = useCallback(async () => {
    const now = state.current;
    if (text === "" || now.search.isBusy || now.search.isCut || (now.hasBegun && now.token === null)) return;
    const { stop } = now;
    change({ isBusy: true, error: null });
    try {
      for (;;) {
        const found = await source.search({ text, isRegex, isExact }, now.token, stop.signal);
        if (stop.signal.aborted) return;
        now.hasBegun = true;
        const isDone = !found.continuation_token || found.searched_to >= found.size;
        // The last line of a log that is being written may be unfinished for long: it is searched once it is whole.
        const isStuck = found.searched_to <= now.searchedTo;
        now.searchedTo = found.searched_to;
        now.token = found.continuation_token ?? null;
        const matches = [...now.search.matches, ...found.matches];
        change({
          matches,
          hasMore: !isDone && !isStuck && matches.length < MOST,
          isCut: !isDone && matches.length >= MOST,
          progress: found.size > 0 ? found.searched_to / found.size : 1,
        });
        if (found.matches.length > 0 || isDone || isStuck) break;
      }
    } catch (error) {
      if (!stop.signal.aborted) change({ error });
    } finally {
      if (!stop.signal.aborted) change({ isBusy: false });
    }
  }, [source, text, isRegex, isExact, change]);

  useEffect(() => {
    const stop = new AbortController();
    state.current = { ...begin(), stop };
    setSearch(NOTHING);
    const timer = isEager && text !== "" ? setTimeout(() => void more(), 0) : undefined;
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [more, isEager, text]);

  const show = useCallback(
    (current: number) => {
      const match = state.current.search.matches[current];
      if (!match) return;
      change({ current });
      go.current(match);
    },
    [change],
  );

  /** To the next one, or with -1 to the one before; from the top of the page when none was gone to yet. */
  const step = useCallback(
    async (direction: 1 | -1, from: number): Promise<Stepped> => {
      const isNew = state.current.search.current < 0;
      const next = () => {
        const { matches, current } = state.current.search;
        if (!isNew) return current + direction;
        const at = matches.findIndex((match) => match.offset >= from);
        return direction > 0 ? (at < 0 ? matches.length : at) : (at < 0 ? matches.length : at) - 1;
      };
      while (next() >= state.current.search.matches.length) {
        if (state.current.search.isBusy) return "busy";
        const before = state.current.search.matches.length;
        await more();
        if (state.current.search.error) return "failed";
        if (state.current.search.matches.length === before) break;
      }
      const { matches, isCut } = state.current.search;
      if (matches.length === 0) return "none";
      // After the last comes the first, unless there are more that are not known.
      const place = isCut ? Math.min(Math.max(0, next()), matches.length - 1) : next();
      show((place + matches.length) % matches.length);
      return "found";
    },
    [more, show],
  );

  return { ...search, more, step, show };
}
