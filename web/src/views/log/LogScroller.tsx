// The lines of a log.

import type { CSSProperties, MouseEvent } from "react";
import { type LogWindow, lineNumber } from "../../lib/log/window";
import { Button, Spinner } from "../../parts/Button";
import { LogRow } from "./LogRow";
import { type ScrollerOptions, useScroller } from "./useScroller";

/** Chosen lines: the beginnings of the first and the last. */
export interface Chosen {
  from: number;
  to: number;
  /** After the last one */
  end: number;
  /** Of the first line, when it is known */
  line: number | null;
}

/** Chooses one line of those on the page. */
export function oneLine(window: LogWindow, place: number): Chosen | null {
  const line = window.lines[place];
  return line ? { from: line.at, to: line.at, end: line.end, line: lineNumber(window, place) } : null;
}

interface Props extends Omit<ScrollerOptions, "shape"> {
  wrap: boolean;
  /** Null = times are hidden */
  zone: string | null;
  mark: RegExp | null;
  chosen: Chosen | null;
  onChoose: (chosen: Chosen) => void;
}

export function LogScroller(props: Props) {
  const { wrap, zone, mark, chosen, onChoose } = props;
  const { scroller, spacer, content, window, isLooking, hasStopped, lookOn, onScroll } = useScroller({
    ...props,
    shape: `${wrap} ${zone} ${chosen ? "chosen" : ""}`,
  });
  const choose = (event: MouseEvent) => {
    const gutter = event.target instanceof Element && event.target.closest("[data-gutter]");
    if (!gutter || event.metaKey || event.ctrlKey) return;
    event.preventDefault();
    const at = Number(gutter.closest("[data-at]")?.getAttribute("data-at"));
    const place = window.lines.findIndex((line) => line.at === at);
    const one = oneLine(window, place);
    if (!one) return;
    if (!event.shiftKey || !chosen) return onChoose(one);
    onChoose(at < chosen.from ? { ...one, to: chosen.to, end: chosen.end } : { ...chosen, to: at, end: one.end });
  };
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the gutter's links are clicked; the key l chooses a line
    <section
      ref={scroller}
      aria-label="Log"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
      tabIndex={0}
      data-log
      className="relative min-h-0 flex-1 overflow-auto bg-sunken [overflow-anchor:none] focus-visible:-outline-offset-2"
      onScroll={onScroll}
      onClick={choose}
    >
      {isLooking && (
        <p role="status" className="sticky top-2 z-10 mx-auto h-0 w-fit overflow-visible">
          <span className="surface flex animate-late items-center gap-2 px-3 py-1">
            <Spinner /> Looking for such lines
          </span>
        </p>
      )}
      {hasStopped && (
        <p role="status" className="sticky top-2 z-10 mx-auto h-0 w-fit overflow-visible">
          <span className="surface flex items-center gap-2 px-3 py-1">
            No such line in 256 MB.{" "}
            <Button size="sm" onClick={lookOn}>
              Look on
            </Button>
          </span>
        </p>
      )}
      <div ref={spacer} className="relative">
        <div
          ref={content}
          className="absolute left-0 w-full min-w-max py-0 font-mono text-xs data-[wrap=true]:min-w-0"
          data-wrap={wrap}
          style={{ "--gutter": `${gutterWidth(window)}ch` } as CSSProperties}
        >
          {window.lines.map((line, place) => (
            <LogRow
              key={line.at}
              line={line}
              number={lineNumber(window, place)}
              wrap={wrap}
              zone={zone}
              mark={mark}
              isChosen={chosen !== null && line.at >= chosen.from && line.at <= chosen.to}
            />
          ))}
        </div>
      </div>
    </section>
  );
}

/** In characters: numbers of one window differ little, so it seldom changes. */
function gutterWidth(window: LogWindow): number {
  const last = lineNumber(window, window.lines.length - 1);
  return Math.max(4, String(last ?? "").length + 1);
}
