// Keys as caps: <KeyHint keys="g d" />.

import { keyCaps } from "../lib/keys";

const IS_MAC = typeof navigator !== "undefined" && /Mac|iPhone|iPad/.test(navigator.userAgent);

export function KeyHint({ keys }: { keys: string }) {
  const caps = keyCaps(keys, IS_MAC);
  return (
    <span className="inline-flex gap-0.5">
      {caps.map((cap, place) => (
        <kbd
          // biome-ignore lint/suspicious/noArrayIndexKey: the caps of a key never move
          key={place}
          className="inline-flex h-4.5 min-w-4.5 items-center justify-center rounded border border-line bg-sunken px-1 font-sans text-[11px] leading-none text-muted"
        >
          {cap}
        </kbd>
      ))}
    </span>
  );
}
