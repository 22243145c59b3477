// Short messages at the edge of the page. Kept here, so that everything may say something; drawn by parts/Toasts.

import { useSyncExternalStore } from "react";

export interface Toast {
  id: number;
  tone: "plain" | "ok" | "problem";
  text: string;
  action?: { label: string; run: () => void };
}

const SHOWN_MS = 6_000;
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
  if (!more.stays && tone !== "problem") setTimeout(() => closeToast(id), SHOWN_MS);
  return id;
}

/** Says what went wrong. The same twice is said once. */
export function toastProblem(error: unknown): void {
  const text = error instanceof Error ? error.message : String(error);
  if (!toasts.some((other) => other.text === text)) toast(text, { tone: "problem" });
}

export function closeToast(id: number): void {
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
