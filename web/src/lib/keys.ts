// What a key press is called, and which sequence of them means what.

/** What a hotkey looks at in an event. */
export interface Press {
  key: string;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
}

/** "mod+k", "Escape", "?", "j": `mod` is Ctrl, or ⌘. Null for what is no hotkey, such as Shift alone. */
export function pressName(press: Press): string | null {
  if (press.altKey || ["Shift", "Control", "Alt", "Meta", "Dead"].includes(press.key)) return null;
  const mod = press.ctrlKey || press.metaKey;
  const key = mod && press.key.length === 1 ? press.key.toLowerCase() : press.key;
  return mod ? `mod+${key}` : key;
}

export type Step = { kind: "match"; keys: string } | { kind: "wait"; pending: string } | { kind: "none" };

/** Goes on in a sequence such as "g d". A press that does not go on begins anew. */
export function stepSequence(pending: string, press: string, known: Iterable<string>): Step {
  const all = [...known];
  for (const keys of pending ? [`${pending} ${press}`, press] : [press]) {
    if (all.includes(keys)) return { kind: "match", keys };
    if (all.some((other) => other.startsWith(`${keys} `))) return { kind: "wait", pending: keys };
  }
  return { kind: "none" };
}

const NAMES = { Escape: "Esc", ArrowUp: "↑", ArrowDown: "↓", ArrowLeft: "←", ArrowRight: "→" };

/** The caps to draw: "mod+k" → ["Ctrl", "K"], "g d" → ["g", "d"]. */
export function keyCaps(keys: string, isMac: boolean): string[] {
  const names: Record<string, string> = { ...NAMES, mod: isMac ? "⌘" : "Ctrl" };
  return keys
    .split(" ")
    .flatMap((press) =>
      press
        .split(/\+(?=.)/)
        .map((cap, place, caps) => names[cap] ?? (caps.length > 1 && place > 0 ? cap.toUpperCase() : cap)),
    );
}
