// What this browser remembers: theme, zone, how times are shown, whether the side navigation is folded.

import { useSyncExternalStore } from "react";
import type { ZoneChoice } from "./time";

export type ThemeChoice = "system" | "light" | "dark";

export interface Settings {
  theme: ThemeChoice;
  zone: ZoneChoice;
  /** "relative" has the exact time in the tooltip, and the other way round. */
  clock: "relative" | "exact";
  nav: "wide" | "narrow";
}

const KEY = "flow.settings";
const CHOICES: { [K in keyof Settings]: readonly Settings[K][] } = {
  theme: ["system", "light", "dark"],
  zone: ["utc", "local", "dag"],
  clock: ["relative", "exact"],
  nav: ["wide", "narrow"],
};

/** Understands what was kept; anything unknown is the first choice. */
export function readSettings(text: string | null): Settings {
  let kept: Record<string, unknown> = {};
  try {
    const value: unknown = JSON.parse(text ?? "{}");
    if (typeof value === "object" && value !== null) kept = value as Record<string, unknown>;
  } catch {
    // Someone else's text, or half of one: begin anew.
  }
  const pick = <K extends keyof Settings>(name: K): Settings[K] =>
    CHOICES[name].find((choice) => choice === kept[name]) ?? (CHOICES[name][0] as Settings[K]);
  return { theme: pick("theme"), zone: pick("zone"), clock: pick("clock"), nav: pick("nav") };
}

function stored(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

let current = readSettings(stored());
const listeners = new Set<() => void>();

export function changeSettings(change: Partial<Settings>): void {
  current = { ...current, ...change };
  try {
    localStorage.setItem(KEY, JSON.stringify(current));
  } catch {
    // A browser that keeps nothing: it holds until the page is closed.
  }
  showTheme();
  for (const listener of listeners) listener();
}

export function useSettings(): Settings {
  return useSyncExternalStore(subscribe, () => current);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** "light" or "dark", whatever was chosen. */
export function useTheme(): "light" | "dark" {
  useSettings();
  return effectiveTheme();
}

function effectiveTheme(): "light" | "dark" {
  if (current.theme !== "system") return current.theme;
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

function showTheme(): void {
  document.documentElement.dataset.theme = effectiveTheme();
}

/** Called once, before anything is drawn. Follows the system, and other tabs. */
export function startSettings(): void {
  showTheme();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => changeSettings({}));
  addEventListener("storage", (event) => {
    if (event.key !== KEY) return;
    current = readSettings(event.newValue);
    showTheme();
    for (const listener of listeners) listener();
  });
}
