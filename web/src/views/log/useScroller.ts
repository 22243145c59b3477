// Scrolls through a log of any size: a few hundred lines are on the page, and follow what one looks at.
//
// Small moves are the browser's own. When they come near the end of the lines on the page, more are read on that side
// and the line at the top stays where it is. A large move, such as a drag of the bar, opens the log at that proportion.

import { type RefObject, useCallback, useEffect, useImperativeHandle, useLayoutEffect, useRef, useState } from "react";
import { flushSync } from "react-dom";
import type { LogFile } from "../../lib/log/file";
import type { Accept } from "../../lib/log/line";
import { byteAt, placeContent } from "../../lib/log/place";
import { EMPTY, growDown, growUp, type LogWindow, openWindow } from "../../lib/log/window";
import type { LogStart } from "./useLogFile";

/** Further behind than this, a followed log is opened at its end anew. */
const CATCH_UP = 64 * 1024;

/** Bytes that are looked through for lines that pass a filter, before one is asked whether to look on. */
const LOOKED_MAX = 256 * 1024 * 1024;

/** What stays where it is when lines come and go: a line, by its distance from the top, or the end of the log. */
type Pin = { at: number; offset: number } | "end";

export interface ScrollerHandle {
  /** Brings the line that begins there into view. */
  goTo: (at: number) => void;
  toEnd: () => void;
  /** Where the first line in view begins */
  top: () => number;
  /**
   * Brings the line after (1) or before (-1) the one that begins there into view; without one that is in view, the first
   * line that is. Returns its place among those on the page; null without lines.
   */
  step: (from: number | null, by: 1 | -1) => { window: LogWindow; place: number } | null;
}

export interface ScrollerOptions {
  file: LogFile;
  /** Changes when the log has grown */
  revision: number;
  accept: Accept;
  start: LogStart;
  /** Stays at the end */
  sticks: boolean;
  onStick: (sticks: boolean) => void;
  onProblem: (error: unknown) => void;
  handle: RefObject<ScrollerHandle | null>;
  /** Changes with how tall lines are */
  shape: string;
}

interface State {
  window: LogWindow;
  pin: Pin;
  /** Of the spacer, and where the lines stand in it */
  height: number;
  top: number;
  scrollTop: number;
  isBusy: boolean;
  /** Counts large moves: a later one makes an earlier one void */
  move: number;
  /** Bytes that were looked through since a line passed the filter */
  looked: number;
}

export function useScroller(options: ScrollerOptions) {
  const { file, revision, accept, start, sticks, handle, shape } = options;
  const scroller = useRef<HTMLElement>(null);
  const spacer = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const [window, setWindow] = useState<LogWindow>(EMPTY);
  const [isLooking, setLooking] = useState(false);
  const [hasStopped, setStopped] = useState(false);
  const state = useRef<State>({
    window: EMPTY,
    pin: "end",
    height: 0,
    top: 0,
    scrollTop: 0,
    isBusy: false,
    move: 0,
    looked: 0,
  });
  const latest = useRef(options);
  latest.current = options;

  const place = useCallback(() => {
    const box = scroller.current;
    const lines = content.current;
    if (!box || !lines || !spacer.current) return;
    const now = state.current;
    const { from, to } = now.window;
    const { size } = latest.current.file;
    const tall = lines.offsetHeight;
    const viewport = box.clientHeight;
    const pin = measurePin(now.pin, lines, tall, viewport, size);
    const placing = placeContent({ size, from, to, content: tall, viewport, before: now.height, ...pin });
    now.height = placing.height;
    now.top = placing.top;
    spacer.current.style.height = `${placing.height}px`;
    lines.style.top = `${placing.top}px`;
    box.scrollTop = placing.scrollTop;
    now.scrollTop = box.scrollTop;
  }, []);

  /** Draws at once, so that nobody scrolls between measuring and drawing. */
  const show = useCallback((next: LogWindow, pin: Pin) => {
    state.current.window = next;
    state.current.pin = pin;
    flushSync(() => setWindow(next));
  }, []);

  const grow = useCallback(async () => {
    const now = state.current;
    const box = scroller.current;
    if (now.isBusy || !box || now.window === EMPTY) return;
    const { file, accept, onProblem } = latest.current;
    const tall = content.current?.offsetHeight ?? 0;
    const needsUp = box.scrollTop - now.top < box.clientHeight && now.window.from > 0;
    const needsDown = now.top + tall - box.scrollTop < 2 * box.clientHeight && now.window.to < file.size;
    if (!needsUp && !needsDown) {
      const { sticks, onStick } = latest.current;
      // All of it is in sight: there is no end to jump to.
      if (!sticks && file.hasEnded && now.window.from === 0 && tall <= box.clientHeight) onStick(true);
      return setLooking(false);
    }
    if (now.looked >= LOOKED_MAX) {
      setLooking(false);
      return setStopped(true);
    }
    // With a filter it may take long until there is something to show.
    setLooking(accept !== null);
    now.isBusy = true;
    const { move } = now;
    try {
      const next = await (needsDown ? growDown : growUp)(file, now.window, accept);
      if (move === now.move) {
        const isNew = next.from !== now.window.from || next.to !== now.window.to;
        const way = Math.abs(next.from - now.window.from) + Math.abs(next.to - now.window.to);
        const isSame = (side: number) => next.lines.at(side)?.at === now.window.lines.at(side)?.at;
        const hasFound = accept === null || !isSame(0) || !isSame(-1);
        now.looked = hasFound ? 0 : now.looked + way;
        show(next, now.pin === "end" ? "end" : firstVisible(box, content.current, now));
        if (isNew) requestAnimationFrame(() => void grow());
      }
    } catch (error) {
      onProblem(error);
    } finally {
      now.isBusy = false;
    }
  }, [show]);

  const lookOn = useCallback(() => {
    state.current.looked = 0;
    setStopped(false);
    void grow();
  }, [grow]);

  const openAt = useCallback(
    async (byte: number, offset = 0) => {
      const now = state.current;
      now.move += 1;
      now.looked = 0;
      setStopped(false);
      const { move } = now;
      const { file, accept, onProblem } = latest.current;
      try {
        const isEnd = byte >= file.size;
        const at = isEnd ? file.size : await file.lineStart(byte);
        const next = await openWindow(file, at, accept);
        if (move !== now.move) return;
        const line = next.lines.find((line) => line.at >= at) ?? next.lines.at(-1);
        show(next, isEnd || !line ? "end" : { at: line.at, offset });
        void grow();
      } catch (error) {
        if (move === now.move) onProblem(error);
      }
    },
    [show, grow],
  );

  const onScroll = useCallback(() => {
    const now = state.current;
    const box = scroller.current;
    const lines = content.current;
    if (!box || !lines || Math.abs(box.scrollTop - now.scrollTop) < 1) return;
    // Nothing passed the filter yet: there is no place to go from.
    if (now.window.lines.length === 0) return;
    const isUp = box.scrollTop < now.scrollTop;
    const { scrollTop, clientHeight } = box;
    const { file, onStick, sticks } = latest.current;
    now.scrollTop = scrollTop;
    const bottom = now.top + lines.offsetHeight;
    const isInside = scrollTop + clientHeight > now.top && scrollTop < bottom;
    const isAtStop =
      (scrollTop <= 0 && now.window.from > 0) ||
      (scrollTop >= now.height - clientHeight - 1 && now.window.to < file.size);
    const isAtEnd = now.window.to >= file.size && scrollTop + clientHeight >= bottom - 4;
    if (isAtEnd !== sticks && (isAtEnd || isUp || !isInside)) onStick(isAtEnd);
    if (!isInside || isAtStop) {
      now.pin = { at: -1, offset: 0 };
      void openAt(byteAt(scrollTop, now.height, clientHeight, file.size));
      return;
    }
    now.pin = isAtEnd ? "end" : firstVisible(box, lines, now);
    void grow();
  }, [grow, openAt]);

  // A log, or a filter, is new: open it where it was left, or where it begins.
  // biome-ignore lint/correctness/useExhaustiveDependencies: where it begins counts once
  useEffect(() => {
    const { window, pin } = state.current;
    const isFirst = window === EMPTY;
    const at = isFirst
      ? start === "start"
        ? 0
        : start === "end"
          ? file.size
          : start
      : pin === "end"
        ? file.size
        : pin.at;
    const room = scroller.current?.clientHeight ?? 0;
    void openAt(at, isFirst && typeof start === "number" ? room / 3 : 0);
  }, [file, accept, openAt]);

  // It has grown.
  useEffect(() => {
    const now = state.current;
    if (revision === 0) return;
    if (!sticks || now.window === EMPTY) {
      place();
      void grow();
    } else if (file.size - now.window.to > CATCH_UP) void openAt(file.size);
    else {
      now.pin = "end";
      void grow();
    }
  }, [revision, sticks, file, place, grow, openAt]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: what is drawn, and how, changes heights
  useLayoutEffect(place, [window, shape, place]);

  useEffect(() => {
    const box = scroller.current;
    if (!box) return;
    const observer = new ResizeObserver(() => {
      place();
      void grow();
    });
    observer.observe(box);
    return () => observer.disconnect();
  }, [place, grow]);

  const step = useCallback((from: number | null, by: 1 | -1) => {
    const box = scroller.current;
    const lines = content.current;
    const { window, top } = state.current;
    if (!box || !lines || window.lines.length === 0) return null;
    const rowAt = (place: number) => lines.children[place] as HTMLElement;
    const isWhole = (place: number) => {
      const start = top + rowAt(place).offsetTop - box.scrollTop;
      return start >= 0 && start + rowAt(place).offsetHeight <= box.clientHeight;
    };
    const before = from === null ? -1 : window.lines.findIndex((line) => line.at === from);
    const isSeen = before >= 0 && isWhole(before);
    const first = window.lines.findIndex((_, place) => isWhole(place));
    const place = isSeen ? Math.min(window.lines.length - 1, Math.max(0, before + by)) : Math.max(0, first);
    rowAt(place).scrollIntoView({ block: "nearest", inline: "nearest" });
    return { window, place };
  }, []);

  useImperativeHandle(
    handle,
    () => ({
      step,
      goTo: (at) => void openAt(at, (scroller.current?.clientHeight ?? 0) / 3),
      toEnd: () => void openAt(latest.current.file.size),
      top: () => (state.current.pin === "end" ? (state.current.window.lines.at(-1)?.at ?? 0) : state.current.pin.at),
    }),
    [openAt, step],
  );

  return { scroller, spacer, content, window, isLooking, hasStopped, lookOn, onScroll };
}

function firstVisible(box: HTMLElement, lines: HTMLElement | null, { top, window }: State): Pin {
  const rows = lines?.children ?? [];
  const edge = box.scrollTop - top;
  let low = 0;
  let high = rows.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    const row = rows[middle] as HTMLElement;
    if (row.offsetTop + row.offsetHeight > edge) high = middle;
    else low = middle + 1;
  }
  const row = rows[low];
  const at = window.lines[low]?.at;
  return row instanceof HTMLElement && at !== undefined ? { at, offset: row.offsetTop - edge } : "end";
}

function measurePin(pin: Pin, lines: HTMLElement, tall: number, viewport: number, size: number) {
  if (pin === "end") return { pin: tall, pinAt: size, offset: viewport };
  const row = lines.querySelector(`[data-at="${pin.at}"]`);
  return { pin: row instanceof HTMLElement ? row.offsetTop : 0, pinAt: Math.max(0, pin.at), offset: pin.offset };
}
