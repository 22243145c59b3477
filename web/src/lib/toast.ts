// Short messages at the edge of the page. Kept here, so that everything may say something; drawn by parts/Toasts.

import { useSyncExternalStore } from "react";

interface Clock {
  left: number;
  since: number;
  timer: ReturnType<typeof setTimeout>;
}

const clocks = new Map<number, Clock>();

export interface Toast {
  id: number;
  tone: "plain" | "ok" | "problem";
  text: string;
  action?: { label: string; run: () => void };
}

const SHOWN_MS = 6_000;
/** With a button it is the only way back. */
const ACTION_MS = 20_000;
const MOST = 4;

let toasts: readonly Toast[] = [];
let next = 1;
const listeners = new Set<() => void>();

function show(list: readonly Toast[]): void {
  toasts = list;
  for (const listener of listeners) listener();
}

/** Says something; with `action`, such as `{ label: "Undo", run }`, there is a button. Problems stay until closed. */
export function toast(
  text: string,
  more: { tone?: Toast["tone"]; action?: Toast["action"]; stays?: boolean } = {},
): number {
  const id = next++;
  const tone = more.tone ?? "ok";
  show([...toasts, { id, tone, text, action: more.action }].slice(-MOST));
  if (!more.stays && tone !== "problem") start(id, more.action ? ACTION_MS : SHOWN_MS);
  return id;
}

function start(id: number, left: number): void {
  clocks.set(id, { left, since: Date.now(), timer: setTimeout(() => closeToast(id), left) });
}

/** Its clock stands still while it is pointed at, or has the focus. */
export function holdToast(id: number, isHeld: boolean): void {
  const clock = clocks.get(id);
  if (!clock) return;
  clearTimeout(clock.timer);
  if (isHeld) clocks.set(id, { ...clock, left: Math.max(1_000, clock.left - (Date.now() - clock.since)) });
  else start(id, clock.left);
}

/** Says what went wrong. The same twice is said once. */
export function toastProblem(error: unknown): void {
  const text = error instanceof Error ? error.message : String(error);
  if (!toasts.some((other) => other.text === text)) toast(text, { tone: "problem" });
}

export function closeToast(id: number): void {
  clearTimeout(clocks.get(id)?.timer);
  clocks.delete(id);
  show(toasts.filter((toast) => toast.id !== id));
}

export function useToasts(): readonly Toast[] {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => toasts,
  );
}
