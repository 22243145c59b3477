// A change of many things: first what exactly it touches, then what became of each.

import { Check, Minus, X } from "lucide-react";
import { type ReactNode, useId, useState } from "react";
import type { Ends } from "../lib/many";
import { toast } from "../lib/toast";
import { Button, Spinner } from "./Button";
import { Dialog } from "./Dialog";

interface Props<T> {
  title: string;
  /** What it means, and whether it can be undone */
  about: ReactNode;
  /** Choices that change what is touched */
  options?: ReactNode;
  items: readonly T[];
  itemKey: (item: T) => string;
  label: (item: T) => ReactNode;
  /** What will happen to it */
  detail?: (item: T) => ReactNode;
  /** Why nothing will happen to it: it is left out */
  skip?: (item: T) => string | null;
  /** In sum: "12 task instances in 3 runs" */
  summary?: ReactNode;
  /** It is not known yet what will be touched */
  isForeseeing?: boolean;
  confirm: string;
  danger?: boolean;
  /** Must be typed first, for what cannot be undone */
  typed?: string;
  run: (items: T[]) => Promise<Ends<T>>;
  /** Said when all went well: "3 runs deleted." Without it, `run` says it. */
  said?: (count: number) => string;
  onClose: (isDone: boolean) => void;
}

export function BulkDialog<T>(props: Props<T>) {
  const { title, about, options, items, itemKey, skip, summary, isForeseeing, confirm, danger, typed, said, onClose } =
    props;
  const [isRunning, setRunning] = useState(false);
  const [fates, setFates] = useState<ReadonlyMap<string, string | null>>(new Map());
  const [problem, setProblem] = useState<string | null>(null);
  const [text, setText] = useState("");
  const id = useId();
  const failed = items.filter((item) => fates.get(itemKey(item)));
  const isDone = fates.size > 0;
  const touched = items.filter((item) => !skip?.(item));
  const run = async (some: T[]) => {
    setRunning(true);
    setProblem(null);
    try {
      const ends = await props.run(some);
      const next = new Map(fates);
      for (const item of ends.done) next.set(itemKey(item), null);
      for (const { item, why } of ends.failed) next.set(itemKey(item), why);
      setFates(next);
      if (ends.failed.length === 0) {
        if (said) toast(said([...next.values()].filter((why) => why === null).length));
        onClose(true);
      }
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    } finally {
      setRunning(false);
    }
  };
  return (
    <Dialog
      open
      onOpenChange={(open) => {
        if (!open && !isRunning) onClose(isDone);
      }}
      size="lg"
      title={title}
      description={isDone ? undefined : about}
      footer={
        isDone ? (
          <>
            {failed.length > 0 && (
              <Button pending={isRunning} onClick={() => void run(failed)}>
                Try those again
              </Button>
            )}
            <Button variant="primary" disabled={isRunning} onClick={() => onClose(true)}>
              Close
            </Button>
          </>
        ) : (
          <>
            {summary && <span className="mr-auto self-center text-sm text-muted">{summary}</span>}
            <Button disabled={isRunning} onClick={() => onClose(false)}>
              Cancel
            </Button>
            <Button
              variant={danger ? "danger" : "primary"}
              pending={isRunning}
              disabled={isForeseeing || touched.length === 0 || (typed !== undefined && text.trim() !== typed)}
              onClick={() => void run(touched)}
            >
              {confirm}
            </Button>
          </>
        )
      }
    >
      {isDone && (
        <p role="status" className="mb-2 font-medium">
          {fates.size - failed.length} done, {failed.length} not.
        </p>
      )}
      {problem && (
        <p role="alert" className="mb-2 text-danger">
          {problem}
        </p>
      )}
      {!isDone && options && <div className="mb-3 flex flex-wrap gap-x-5 gap-y-2">{options}</div>}
      <ul aria-busy={isForeseeing} className="divide-y rounded-lg border">
        {items.map((item) => (
          <Item key={itemKey(item)} item={item} fate={fates.get(itemKey(item))} {...props} />
        ))}
      </ul>
      {!isDone && typed !== undefined && touched.length > 0 && (
        <label htmlFor={id} className="mt-3 block text-sm">
          Type <code className="rounded bg-sunken px-1 font-mono text-xs">{typed}</code> to go on
          <input id={id} className="input mt-1" value={text} onChange={(event) => setText(event.target.value)} />
        </label>
      )}
    </Dialog>
  );
}

function Item<T>({ item, fate, label, detail, skip, isForeseeing }: Props<T> & { item: T; fate?: string | null }) {
  const skipped = isForeseeing ? null : (skip?.(item) ?? null);
  return (
    <li className="flex items-start gap-2 px-3 py-1.5">
      <Fate fate={fate} isSkipped={skipped !== null} />
      <div className="min-w-0 flex-1">
        <div className="flex flex-wrap items-baseline gap-x-3">
          <span className="min-w-0 break-all">{label(item)}</span>
          {skipped !== null && fate === undefined && <span className="text-muted">{skipped}</span>}
        </div>
        {fate ? (
          <p className="text-danger">{fate}</p>
        ) : isForeseeing ? (
          <p className="flex h-5 items-center gap-1.5 text-muted">
            <Spinner size={12} /> looking
          </p>
        ) : (
          fate === undefined && skipped === null && detail?.(item)
        )}
      </div>
    </li>
  );
}

function Fate({ fate, isSkipped }: { fate: string | null | undefined; isSkipped: boolean }) {
  const at = "mt-0.5 shrink-0";
  if (fate === undefined) {
    return isSkipped ? <Minus size={15} aria-hidden className={`${at} text-muted`} /> : null;
  }
  return fate === null ? (
    <Check size={15} role="img" aria-label="done" className={`${at} text-ok`} />
  ) : (
    <X size={15} role="img" aria-label="not done" className={`${at} text-danger`} />
  );
}
