// The log of one try: read by parts, followed while it is written, searched on the server.

import { clsx } from "clsx";
import {
  ArrowDownToLine,
  CircleAlert,
  Clock,
  Download,
  FileText,
  Link2,
  Maximize2,
  Minimize2,
  WrapText,
} from "lucide-react";
import { type ReactNode, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { plainText } from "../../lib/log/ansi";
import { acceptKinds, ERROR_LIKE, LOG_KINDS, type LogHash, logHash } from "../../lib/log/line";
import { changeLogPrefs, useLogPrefs } from "../../lib/log/prefs";
import { type LogMatch, type LogQuery, type LogSource, matcher } from "../../lib/log/source";
import { formatBytes } from "../../lib/size";
import { toast, toastProblem } from "../../lib/toast";
import { Button, IconButton } from "../../parts/Button";
import { copyText } from "../../parts/Copy";
import { Empty } from "../../parts/Empty";
import { Filter } from "../../parts/Filter";
import { Loading } from "../../parts/Loading";
import { Problem } from "../../parts/Problem";
import { Sentence } from "../../parts/Sentence";
import { useZone } from "../../parts/Time";
import { useHotkeys } from "../../parts/useHotkeys";
import { type Chosen, LogScroller, oneLine } from "./LogScroller";
import { LogSearchBox } from "./LogSearchBox";
import { LogSearchPanel } from "./LogSearchPanel";
import { type OpenLog, useLogFile } from "./useLogFile";
import { useLogSearch } from "./useLogSearch";
import type { ScrollerHandle } from "./useScroller";

interface Props {
  source: LogSource;
  /** Changes when it is worth another look at a log that is not there yet: the task's state */
  pulse: string;
  /** Where it opens when the URL names no place */
  opens: "start" | "end";
  /** The place that the URL names */
  place: LogHash | null;
  onPlace: (hash: string) => void;
  /** Names of `LOG_KINDS`; none = everything */
  kinds: readonly string[];
  onKinds: (kinds: string[]) => void;
  /** The tries, as tabs */
  tabs: ReactNode;
}

export function LogView(props: Props) {
  const { source, pulse, opens, place } = props;
  const [sticks, setSticks] = useState(opens === "end" && place === null);
  const state = useLogFile(source, place?.at ?? opens, pulse, sticks);
  const { log, error, retry } = state;
  const [isFull, setFull] = useState(false);
  return (
    <div className={clsx("flex flex-col bg-bg", isFull ? "fixed inset-0 z-30" : "absolute inset-0")}>
      {log && log.note === null ? (
        <OpenedLog
          {...props}
          key={source.fileUrl}
          log={log}
          revision={state.revision}
          sticks={sticks}
          onStick={setSticks}
          isFull={isFull}
          onFull={setFull}
        />
      ) : (
        <>
          {props.tabs && <div className="flex min-h-10 items-center px-2">{props.tabs}</div>}
          {error ? (
            <Problem error={error} title="The log could not be read." onRetry={retry} />
          ) : log ? (
            <Empty icon={FileText} title={<Sentence text={log.note ?? ""} />} />
          ) : (
            <Loading label="Loading the log" rows={14} />
          )}
        </>
      )}
    </div>
  );
}

interface OpenedProps extends Props {
  log: OpenLog;
  revision: number;
  sticks: boolean;
  onStick: (sticks: boolean) => void;
  isFull: boolean;
  onFull: (isFull: boolean) => void;
}

function OpenedLog(props: OpenedProps) {
  const { source, log, revision, sticks, onStick, place, onPlace, kinds, onKinds, isFull, onFull } = props;
  const { file } = log;
  const prefs = useLogPrefs();
  const zone = useZone();
  const handle = useRef<ScrollerHandle>(null);
  const [query, setQuery] = useState<LogQuery | null>(null);
  const [chosen, setChosen] = useChosen(log, place, onPlace, handle);
  const accept = useAccept(kinds);
  const mark = useMemo(() => (query ? matcher(query) : null), [query]);
  const goTo = useCallback(
    (match: LogMatch) => {
      file.learn(match.offset, match.line);
      onStick(false);
      setChosen({ from: match.offset, to: match.offset, end: match.offset, line: match.line }, false);
      handle.current?.goTo(match.offset);
    },
    [file, onStick, setChosen],
  );
  const search = useLogSearch(source, query, true, goTo);
  const errors = useLogSearch(source, ERRORS, false, goTo);
  const nextError = () =>
    void errors.step(1, 0).then((stepped) => {
      if (stepped === "none") toast("No line looks like an error.", { tone: "plain" });
      if (stepped === "failed") toastProblem("The log could not be searched. Try again.");
    });
  const step = (direction: 1 | -1) => void search.step(direction, handle.current?.top() ?? 0);
  const toEnd = () => {
    onStick(true);
    handle.current?.toEnd();
  };
  const chooseBeside = (by: 1 | -1) => {
    const found = handle.current?.step(chosen?.to ?? null, by);
    if (!found) return;
    onStick(false);
    setChosen(oneLine(found.window, found.place), true);
  };
  const box = useRef<HTMLInputElement>(null);
  useHotkeys("Log", [
    { keys: "/", does: "Search the log", run: () => box.current?.select() },
    { keys: "n", does: "Next match", run: () => step(1) },
    { keys: "N", does: "Previous match", run: () => step(-1) },
    { keys: "e", does: "Next error", run: nextError },
    { keys: "l", does: "Choose a line in view, then the next", run: () => chooseBeside(1) },
    { keys: "L", does: "Choose the line before", run: () => chooseBeside(-1) },
    { keys: "f", does: "Follow, or jump to the end", run: () => (sticks ? onStick(false) : toEnd()) },
    { keys: "w", does: "Wrap lines", run: () => changeLogPrefs({ wrap: !prefs.wrap }) },
    ...(isFull ? [{ keys: "Escape", run: () => onFull(false) }] : []),
  ]);
  return (
    <>
      <div className="flex min-h-10 shrink-0 flex-wrap items-center gap-x-2 gap-y-1 border-b px-2 py-1">
        <div className="min-w-0 flex-1 basis-60">{props.tabs}</div>
        <div className="flex flex-wrap items-center gap-1 max-sm:w-full">
          <LogSearchBox ref={box} query={query} onChange={setQuery} onStep={step} />
          <Filter label="Lines" options={KIND_OPTIONS} values={kinds} onChange={onKinds} />
          <IconButton label="Next error" keys="e" icon={CircleAlert} pending={errors.isBusy} onClick={nextError} />
          <IconButton
            label="Wrap lines"
            keys="w"
            icon={WrapText}
            pressed={prefs.wrap}
            onClick={() => changeLogPrefs({ wrap: !prefs.wrap })}
          />
          <IconButton
            label="Show times"
            icon={Clock}
            pressed={prefs.times}
            onClick={() => changeLogPrefs({ times: !prefs.times })}
          />
          <a
            href={source.fileUrl}
            download
            title="Download the whole log"
            aria-label="Download the whole log"
            className="inline-flex size-8 items-center justify-center rounded-md text-muted hover:bg-hover hover:text-fg"
          >
            <Download size={16} aria-hidden />
          </a>
          <IconButton
            label={isFull ? "Leave full screen" : "Full screen"}
            keys={isFull ? "Escape" : undefined}
            icon={isFull ? Minimize2 : Maximize2}
            onClick={() => onFull(!isFull)}
          />
        </div>
      </div>
      <div className="flex min-h-0 flex-1 max-lg:flex-col-reverse">
        <div className="relative flex min-h-0 min-w-0 flex-1 flex-col">
          {file.size === 0 ? (
            <Empty icon={FileText} title={file.hasEnded ? "Nothing was logged." : "Nothing was logged yet."} />
          ) : (
            <LogScroller
              file={file}
              revision={revision}
              accept={accept}
              start={place?.at ?? (sticks ? "end" : "start")}
              sticks={sticks}
              onStick={onStick}
              onProblem={toastProblem}
              handle={handle}
              wrap={prefs.wrap}
              zone={prefs.times ? zone : null}
              mark={mark}
              chosen={chosen}
              onChoose={(next) => setChosen(next, true)}
            />
          )}
          {!sticks && (
            <Button size="sm" icon={ArrowDownToLine} className="absolute right-5 bottom-3 shadow-pop" onClick={toEnd}>
              {file.hasEnded ? "Jump to the end" : "Follow"}
            </Button>
          )}
        </div>
        {query && query.text !== "" && (
          <LogSearchPanel
            query={query}
            search={search}
            onShow={search.show}
            onStep={step}
            onMore={() => void search.more()}
            onClose={() => setQuery(null)}
          />
        )}
      </div>
      <StatusLine log={log} sticks={sticks} chosen={chosen} onClear={() => setChosen(null, true)} />
    </>
  );
}

const ERRORS: LogQuery = { text: ERROR_LIKE, isRegex: true, isExact: false };

const KIND_OPTIONS = LOG_KINDS.map(({ key, label }) => ({ value: key, label }));

function useAccept(kinds: readonly string[]) {
  const key = kinds.join(" ");
  return useMemo(() => acceptKinds(key === "" ? [] : key.split(" ")), [key]);
}

/** The chosen lines: at first what the URL names. */
function useChosen(
  { file }: OpenLog,
  place: LogHash | null,
  onPlace: (hash: string) => void,
  handle: { current: ScrollerHandle | null },
) {
  const [chosen, setChosen] = useState<Chosen | null>(null);
  const isFirst = useRef(true);
  useEffect(() => {
    if (!isFirst.current) return;
    isFirst.current = false;
    const show = (at: number, line: number | null) => {
      if (line !== null) file.learn(at, line);
      setChosen({ from: at, to: at, end: at, line });
      handle.current?.goTo(at);
    };
    if (place?.at != null) show(place.at, place.line);
    else if (place?.line != null) {
      const { line } = place;
      file.findLine(line).then((at) => {
        if (at === null)
          toast(`The log has no line ${line}, or it is too far from the beginning.`, { tone: "problem" });
        else show(at, line);
      }, toastProblem);
    }
  }, [file, place, handle]);
  const choose = useCallback(
    (next: Chosen | null, isShared: boolean) => {
      setChosen(next);
      if (isShared) onPlace(next ? logHash(next.from, next.line) : "");
    },
    [onPlace],
  );
  return [chosen, choose] as const;
}

/** Most bytes that are copied at once. */
const COPY_MAX = 8 * 1024 * 1024;

function StatusLine({
  log,
  sticks,
  chosen,
  onClear,
}: {
  log: OpenLog;
  sticks: boolean;
  chosen: Chosen | null;
  onClear: () => void;
}) {
  const { file } = log;
  const copy = async (what: () => Promise<string>, done: string) => {
    try {
      await copyText(await what());
      toast(done);
    } catch (error) {
      toastProblem(error);
    }
  };
  const text = async () => {
    if (!chosen) return "";
    const end =
      chosen.end > chosen.to ? chosen.end : ((await file.linesFrom(chosen.to, 1, null)).lines[0]?.end ?? chosen.to);
    if (end - chosen.from > COPY_MAX) throw new Error("That is more than 8 MB. Download the log instead.");
    return plainText(new TextDecoder().decode(await file.bytes(chosen.from, end)));
  };
  return (
    <div className="flex min-h-8 shrink-0 flex-wrap items-center gap-x-3 border-t px-3 text-xs text-muted">
      <span>{formatBytes(file.size)}</span>
      <span role="status">
        {file.hasEnded ? "Complete" : sticks ? "Following" : "Still being written"}
        {!file.hasEnded && sticks && (
          <span className="ml-1.5 inline-block size-1.5 animate-breathe rounded-full bg-ok align-middle" />
        )}
      </span>
      {chosen && (
        <span className="flex flex-wrap items-center gap-1">
          <span className="text-fg">
            {chosen.from === chosen.to ? (chosen.line === null ? "A line" : `Line ${chosen.line}`) : "Several lines"}
          </span>
          <Button
            size="sm"
            variant="ghost"
            icon={Link2}
            onClick={() => void copy(async () => linkTo(chosen), "The link was copied.")}
          >
            Copy link
          </Button>
          <Button size="sm" variant="ghost" onClick={() => void copy(text, "The text was copied.")}>
            Copy text
          </Button>
          <Button size="sm" variant="ghost" onClick={onClear}>
            Clear
          </Button>
        </span>
      )}
      {!chosen && (
        <span className="max-md:hidden">
          Click a line number to link to it (or press l), with Shift to choose several.
        </span>
      )}
    </div>
  );
}

function linkTo(chosen: Chosen): string {
  const url = new URL(location.href);
  url.hash = logHash(chosen.from, chosen.line);
  return url.href;
}
