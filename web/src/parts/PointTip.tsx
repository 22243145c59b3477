// What a drawing says about the place that is pointed at. Screen readers get the same words from the drawing itself.

import { type ReactNode, useLayoutEffect, useRef } from "react";
import { createPortal } from "react-dom";

/** Between the place and the box, and between the box and the edge of the window. */
const GAP = 14;
const EDGE = 8;

/** `x` and `y` are of the window. */
export function PointTip({ x, y, children }: { x: number; y: number; children: ReactNode }) {
  const box = useRef<HTMLDivElement>(null);
  // No dependencies: what it says may grow while it is open.
  useLayoutEffect(() => {
    const tip = box.current;
    if (!tip) return;
    const { width, height } = tip.getBoundingClientRect();
    const right = x + GAP + width + EDGE > innerWidth ? x - GAP - width : x + GAP;
    const below = y + GAP + height + EDGE > innerHeight ? y - GAP - height : y + GAP;
    tip.style.left = `${Math.max(EDGE, Math.min(right, innerWidth - width - EDGE))}px`;
    tip.style.top = `${Math.max(EDGE, below)}px`;
  });
  return createPortal(
    <div
      ref={box}
      aria-hidden
      data-testid="tip"
      className="surface pointer-events-none fixed z-60 max-w-80 px-2.5 py-2 text-xs"
    >
      {children}
    </div>,
    document.body,
  );
}

/** Lines of a tip: a name and its value each. */
export function TipLines({ lines }: { lines: readonly (readonly [string, ReactNode] | null)[] }) {
  return (
    <dl className="grid grid-cols-[auto_1fr] gap-x-3">
      {lines.map((line) =>
        line === null ? null : (
          <div key={line[0]} className="contents">
            <dt className="text-muted">{line[0]}</dt>
            <dd className="min-w-0">{line[1]}</dd>
          </div>
        ),
      )}
    </dl>
  );
}
