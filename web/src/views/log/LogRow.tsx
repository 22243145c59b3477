// One line of a log.

import { clsx } from "clsx";
import { memo, useState } from "react";
import type { Ink } from "../../lib/log/ansi";
import { type LogLine, type LogTag, logHash } from "../../lib/log/line";
import { segmentsOf } from "../../lib/log/segments";
import { formatExact, formatFull } from "../../lib/time";

/** A terminal's 16 colours, for each theme. */
const PALETTE = [
  "light-dark(#171a21, #6b7280)",
  "light-dark(#c8262c, #ff7a7d)",
  "light-dark(#12753a, #4cc27c)",
  "light-dark(#8a5a00, #e6b450)",
  "light-dark(#2453c9, #7aa2ff)",
  "light-dark(#9a2fa3, #d68bdd)",
  "light-dark(#0a6f78, #4cc9d4)",
  "light-dark(#596172, #c9ced8)",
  "light-dark(#6c7482, #8d95a4)",
  "light-dark(#d92a2f, #ff9c9e)",
  "light-dark(#0a8537, #6fdc9b)",
  "light-dark(#9a6700, #ffd166)",
  "light-dark(#3d5bf0, #a3bffa)",
  "light-dark(#b043ba, #eab0ef)",
  "light-dark(#0c838c, #7fe3ec)",
  "light-dark(#171a21, #ffffff)",
];

const LONG = 6_000;

const WORDS: Record<LogTag, string> = { OUT: "", ERR: "stderr", INFO: "info", WARN: "warning", ERROR: "error" };

const LOOKS: Record<LogTag, string> = {
  OUT: "border-transparent",
  ERR: "border-warn/60",
  INFO: "border-transparent text-muted",
  WARN: "border-warn text-warn",
  ERROR: "border-danger text-danger font-medium",
};

interface Props {
  line: LogLine;
  number: number | null;
  wrap: boolean;
  /** Null = times are hidden */
  zone: string | null;
  mark: RegExp | null;
  isChosen: boolean;
}

export const LogRow = memo(function LogRow({ line, number, wrap, zone, mark, isChosen }: Props) {
  const tag = line.tag ?? "OUT";
  const millis = zone && line.stamp ? Date.parse(line.stamp) : Number.NaN;
  return (
    <div
      data-at={line.at}
      aria-current={isChosen || undefined}
      className={clsx(
        "flex gap-x-[1.5ch] border-l-2 pr-3 leading-[18px] hover:bg-hover",
        LOOKS[tag],
        isChosen && "bg-selected",
        wrap ? "whitespace-pre-wrap [overflow-wrap:anywhere]" : "whitespace-pre",
      )}
    >
      <a
        data-gutter
        href={`#${logHash(line.at, number)}`}
        tabIndex={-1}
        aria-label={number === null ? "Link to this line" : `Link to line ${number}`}
        className="w-(--gutter) shrink-0 text-right font-normal whitespace-nowrap text-muted select-none hover:text-accent"
      >
        {number ?? "·"}
      </a>
      {zone && (
        <span
          className="w-[12ch] shrink-0 font-normal text-muted select-none max-sm:w-[8ch]"
          title={Number.isNaN(millis) ? undefined : formatFull(millis, zone)}
        >
          {Number.isNaN(millis) ? "" : <ClockTime millis={millis} zone={zone} stamp={line.stamp} />}
        </span>
      )}
      <span className="w-[7ch] shrink-0 font-normal text-muted select-none max-sm:hidden">{WORDS[tag]}</span>
      <Text text={line.text} mark={mark} />
    </div>
  );
});

function ClockTime({ millis, zone, stamp }: { millis: number; zone: string; stamp: string }) {
  return (
    <>
      {formatExact(millis, zone).slice(11)}
      <span className="max-sm:hidden">{stamp.slice(19, 23)}</span>
    </>
  );
}

function Text({ text, mark }: { text: string; mark: RegExp | null }) {
  const [isWhole, setWhole] = useState(false);
  const shown = isWhole || text.length <= LONG ? text : text.slice(0, LONG);
  return (
    <span className="min-w-0 flex-1">
      {segmentsOf(shown, mark).map((segment, place) => {
        const style = inkStyle(segment.ink);
        // biome-ignore-start lint/suspicious/noArrayIndexKey: the pieces of a line never move
        if (segment.href) {
          return (
            <a
              key={place}
              href={segment.href}
              target="_blank"
              rel="noreferrer noopener"
              className="underline underline-offset-2"
              style={style}
            >
              {segment.isMark ? <Marked text={segment.text} /> : segment.text}
            </a>
          );
        }
        if (segment.isMark) return <Marked key={place} text={segment.text} />;
        return style ? (
          <span key={place} style={style}>
            {segment.text}
          </span>
        ) : (
          segment.text
        );
        // biome-ignore-end lint/suspicious/noArrayIndexKey: the pieces of a line never move
      })}
      {shown.length < text.length && (
        <button type="button" className="link ml-1 font-sans text-xs select-none" onClick={() => setWhole(true)}>
          … {(text.length - shown.length).toLocaleString("en")} more characters
        </button>
      )}
    </span>
  );
}

function Marked({ text }: { text: string }) {
  return <mark className="rounded-[2px] bg-[light-dark(#ffe38a,#6b5300)] text-fg">{text}</mark>;
}

/** A colour of 16 as the theme has it; any other as dark, or as light, as it must be to be read. */
function paint(value: number | string | undefined): string | undefined {
  if (typeof value !== "string") return value === undefined ? undefined : PALETTE[value];
  return `light-dark(oklch(from ${value} min(l, 0.48) c h), oklch(from ${value} max(l, 0.72) c h))`;
}

function inkStyle(ink: Ink): React.CSSProperties | undefined {
  const { color, background, bold, dim, italic, underline, strike } = ink;
  if (color === undefined && background === undefined && !bold && !dim && !italic && !underline && !strike)
    return undefined;
  return {
    color: paint(color),
    background: background === undefined ? undefined : `color-mix(in srgb, ${paint(background)} 30%, transparent)`,
    fontWeight: bold ? 600 : undefined,
    opacity: dim ? 0.7 : undefined,
    fontStyle: italic ? "italic" : undefined,
    textDecoration: [underline && "underline", strike && "line-through"].filter(Boolean).join(" ") || undefined,
  };
}
