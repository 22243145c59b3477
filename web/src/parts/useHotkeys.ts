// Keys that do something while a part is on the page. They are silent while someone types, and behind dialogs.

import { useEffect, useRef, useSyncExternalStore } from "react";
import { pressName, stepSequence } from "../lib/keys";

export interface Hotkey {
  /** "t", "mod+k", "g d", "Escape" */
  keys: string;
  /** What it does, for the sheet; without it the key is not on the sheet. */
  does?: string;
  /** Without it the key is only told: what has the focus listens itself. */
  run?: (event: KeyboardEvent) => void;
  /** Also while someone types, and in dialogs */
  always?: boolean;
}

interface Scope {
  title: string;
  hotkeys: readonly Hotkey[];
}

/** Waited for the next key of a sequence, in milliseconds. */
const PATIENCE = 1_200;

let scopes: readonly Scope[] = [];
const listeners = new Set<() => void>();
let pending = "";
let pendingSince = 0;

function change(next: readonly Scope[]): void {
  if (scopes.length === 0 && next.length > 0) window.addEventListener("keydown", onKeyDown);
  if (scopes.length > 0 && next.length === 0) window.removeEventListener("keydown", onKeyDown);
  scopes = next;
  for (const listener of listeners) listener();
}

function onKeyDown(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.isComposing) return;
  const press = pressName(event);
  if (!press) return;
  // Enter belongs to the link or button that has the focus.
  if (press === "Enter" && event.target instanceof Element && event.target.closest("a, button, [role]")) return;
  const isQuiet = isTyping(event.target) || document.querySelector(OVER_THE_PAGE) !== null;
  // What came on the page last goes first: a list in a panel before the list below it.
  const active = scopes
    .flatMap((scope) => scope.hotkeys)
    .reverse()
    .filter((hotkey) => hotkey.run && (hotkey.always || !isQuiet));
  const before = event.timeStamp - pendingSince < PATIENCE ? pending : "";
  const step = stepSequence(
    before,
    press,
    active.map((hotkey) => hotkey.keys),
  );
  pending = step.kind === "wait" ? step.pending : "";
  pendingSince = event.timeStamp;
  if (step.kind !== "match") return;
  const hotkey = active.find((hotkey) => hotkey.keys === step.keys);
  if (!hotkey?.run) return;
  event.preventDefault();
  hotkey.run(event);
}

const OVER_THE_PAGE = '[role="dialog"][data-state="open"], [role="alertdialog"][data-state="open"], [role="menu"]';

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement) return !["checkbox", "radio", "button", "range"].includes(target.type);
  // An open list goes to what is typed.
  if (target.closest("[role=combobox], [role=listbox]")) return true;
  return target.isContentEditable || ["TEXTAREA", "SELECT"].includes(target.tagName);
}

/** `title` is the heading on the sheet ("DAG", "List", "Log"). With `enabled: false` the keys sleep. */
export function useHotkeys(title: string, hotkeys: readonly Hotkey[], enabled = true): void {
  const latest = useRef(hotkeys);
  latest.current = hotkeys;
  // The scope is made anew when its keys change, not whenever a handler does.
  const shape = hotkeys
    .map(({ keys, does = "", always = false, run }) => [keys, does, always, run !== undefined].join("\t"))
    .join("\n");
  useEffect(() => {
    if (!enabled) return;
    const scope: Scope = {
      title,
      hotkeys: shape
        .split("\n")
        .filter(Boolean)
        .map((line, place) => {
          const [keys = "", does, always, runs] = line.split("\t");
          return {
            keys,
            does: does || undefined,
            always: always === "true",
            run: runs === "true" ? (event) => latest.current[place]?.run?.(event) : undefined,
          };
        }),
    };
    change([...scopes, scope]);
    return () => change(scopes.filter((other) => other !== scope));
  }, [title, shape, enabled]);
}

/** What the keys do at the moment, for the sheet. */
export function useActiveHotkeys(): readonly Scope[] {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => scopes,
  );
}
