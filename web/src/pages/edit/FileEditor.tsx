// A DAG file while it is written: checked as one types, with its graph beside it, and saved when that is allowed.

import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Save, Trash2, Undo2 } from "lucide-react";
import { type ReactNode, type RefObject, useCallback, useDeferredValue, useEffect, useRef, useState } from "react";
import { checkQuery, dagSchemaQuery } from "../../api/queries";
import type { DagCheck, DagFile, Diagnostic } from "../../api/types";
import { countDiagnostics, diagnosticSpan, hasErrors } from "../../lib/diagnostic";
import { placeOfTask } from "../../lib/yaml";
import { Button, IconButton } from "../../parts/Button";
import { useHotkeys } from "../../parts/useHotkeys";
import type { CodeEditorHandle } from "../../views/code/CodeEditor";
import { CodeEditor } from "../../views/code/lazy";
import { DeleteFile } from "./DeleteFile";
import { LeaveGuard } from "./LeaveGuard";
import { LiveGraph } from "./LiveGraph";
import { Problems } from "./Problems";
import { SaveDialog } from "./SaveDialog";

interface Props {
  file: DagFile;
  isNew: boolean;
  /** What it held when it was last read */
  dagIds: readonly string[];
  /** Saving is on, and the role allows it */
  maySave: boolean;
  /** The role may have a text checked */
  mayWrite: boolean;
  whyNot: ReactNode;
  /** Where to begin, from 1; 0 = at the top */
  line: number;
}

/** After the last key, in milliseconds. */
const PAUSE = 300;
/** A file may have many; their list is on another page. */
const DAGS_SHOWN = 3;
const NOTHING: readonly Diagnostic[] = [];

/** What the server has, as far as this page knows. */
export interface Saved {
  text: string;
  /** Null for a file that is not there yet */
  etag: string | null;
}

export function FileEditor({ file, isNew, dagIds, maySave, mayWrite, whyNot, line }: Props) {
  const { path } = file;
  const [saved, setSaved] = useState<Saved>(() =>
    isNew ? { text: "", etag: null } : { text: file.text, etag: file.etag },
  );
  const [text, setText] = useState(file.text);
  const [isSaving, setSaving] = useState(false);
  const editor = useRef<CodeEditorHandle>(null);
  const schema = useQuery({ ...dagSchemaQuery, enabled: mayWrite });
  const { check, checked, problem } = useCheck(path, text, mayWrite);
  const diagnostics = check?.diagnostics ?? NOTHING;
  const isChanged = text !== saved.text;
  const ask = () => {
    if (maySave && isChanged) setSaving(true);
  };
  useHotkeys("Editor", [
    // Without a right to save, the browser would offer to save the page, which nobody means here.
    { keys: "mod+s", does: maySave ? "Save" : undefined, always: true, run: ask },
    ...(maySave ? LEAVE_TEXT : []),
  ]);
  const jump = useCallback((offset: number) => editor.current?.jump(offset), []);
  return (
    <div className="flex min-w-0 flex-1 flex-col">
      <header className="flex min-h-11 flex-wrap items-center gap-x-3 gap-y-1 border-b px-4 py-1.5">
        <h2 className="min-w-0 truncate font-mono text-sm font-semibold">{path}</h2>
        <span className="text-xs text-muted" aria-live="polite">
          {isNew && saved.etag === null ? "new, not saved" : isChanged ? "changed" : "saved"}
        </span>
        {dagIds.slice(0, DAGS_SHOWN).map((dagId) => (
          <Link
            key={dagId}
            to="/dags/$dagId"
            params={{ dagId }}
            className="link max-w-60 truncate text-xs"
            title={dagId}
          >
            DAG {dagId}
          </Link>
        ))}
        {!maySave && <span className="basis-full text-xs text-muted md:basis-auto">{whyNot}</span>}
        {maySave && (
          <span className="ml-auto flex items-center gap-1.5">
            {isChanged && saved.etag !== null && (
              <IconButton
                label="Back to what was saved"
                icon={Undo2}
                onClick={() => editor.current?.replace(saved.text)}
              />
            )}
            {saved.etag !== null && <DeleteFile path={path} etag={saved.etag} icon={Trash2} />}
            <Button variant="primary" icon={Save} disabled={!isChanged} onClick={ask}>
              Save…
            </Button>
          </span>
        )}
      </header>
      <Workbench
        file={file}
        text={text}
        check={check}
        checked={checked}
        problem={problem}
        mayWrite={mayWrite}
        schema={schema.data ?? null}
        editor={editor}
        line={line}
        onChange={setText}
        onJump={jump}
      />
      <SaveDialog
        open={isSaving}
        onOpenChange={setSaving}
        path={path}
        saved={saved}
        text={text}
        problems={hasErrors(diagnostics) ? countDiagnostics(diagnostics) : ""}
        onSaved={setSaved}
        onTake={(theirs) => {
          setSaved(theirs);
          editor.current?.replace(theirs.text);
        }}
      />
      <LeaveGuard isActive={isChanged && maySave} path={path} />
    </div>
  );
}

// There Tab indents, but not after Escape.
const LEAVE_TEXT = [{ keys: "Escape Tab", does: "From the text to what follows it" }];

/** What the server says about the text, a moment after the last key. An older question is given up. */
function useCheck(path: string, text: string, isAllowed: boolean) {
  const [settled, setSettled] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), PAUSE);
    return () => clearTimeout(timer);
  }, [text]);
  const query = useQuery({ ...checkQuery(path, settled), enabled: isAllowed, retry: false });
  // While the next answer is on its way, the old one belongs to the old text.
  const last = useRef({ check: undefined as DagCheck | undefined, checked: "" });
  if (query.data && !query.isPlaceholderData) last.current = { check: query.data, checked: settled };
  return { ...last.current, problem: query.error };
}

interface WorkbenchProps {
  file: DagFile;
  text: string;
  check: DagCheck | undefined;
  checked: string;
  problem: unknown;
  mayWrite: boolean;
  schema: Record<string, unknown> | null;
  editor: RefObject<CodeEditorHandle | null>;
  line: number;
  onChange: (text: string) => void;
  onJump: (offset: number) => void;
}

function Workbench(props: WorkbenchProps) {
  const { file, text, check, checked, problem, mayWrite, schema, editor, line, onChange, onJump } = props;
  const diagnostics = check?.diagnostics ?? NOTHING;
  const shown = useDeferredValue(check);
  return (
    <div className="flex min-h-0 flex-1 max-lg:flex-col">
      <div className="flex min-w-0 flex-[1.15] flex-col max-lg:h-[62dvh] max-lg:flex-none">
        <CodeEditor
          ref={editor}
          className="relative flex-1"
          text={file.text}
          path={file.path}
          label={`Text of ${file.path}`}
          isReadOnly={!mayWrite}
          schema={schema}
          diagnostics={diagnostics}
          checked={checked}
          line={line}
          onChange={onChange}
        />
        {mayWrite && (
          <Problems
            diagnostics={diagnostics}
            isChecked={checked === text}
            problem={problem}
            onJump={(diagnostic) => onJump(diagnosticSpan(text, diagnostic).from)}
          />
        )}
      </div>
      {mayWrite && (
        <LiveGraph
          className="flex-1 border-l max-lg:h-[56dvh] max-lg:flex-none max-lg:border-t max-lg:border-l-0"
          check={shown}
          onTask={(taskId) => {
            const offset = placeOfTask(text, taskId);
            if (offset !== null) onJump(offset);
          }}
        />
      )}
    </div>
  );
}
