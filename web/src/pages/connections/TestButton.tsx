// Connects and logs in, from the web server, with what stands in the form; says what failed.

import { CircleCheck, CircleX, Unplug } from "lucide-react";
import { useEffect, useRef } from "react";
import { testConnection, useAction } from "../../api/actions";
import { type ConnectionFields, fieldProblem, toBody } from "../../lib/connection";
import { Button } from "../../parts/Button";
import { Sentence } from "../../parts/Sentence";

interface Props {
  id: string;
  fields: ConnectionFields;
  /** What was tried did not work */
  onFailed: (failed: boolean) => void;
}

/** Stands for an id that was not typed yet. */
const UNNAMED = "unnamed";

export function TestButton({ id, fields, onFailed }: Props) {
  const test = useAction(testConnection, { quiet: true, done: ({ status }) => onFailed(!status) });
  const { reset } = test;
  // An answer about another connection is none about this one.
  const asked = JSON.stringify({ ...fields, description: null });
  const last = useRef(asked);
  useEffect(() => {
    if (last.current !== asked) {
      reset();
      onFailed(false);
    }
    last.current = asked;
  }, [asked, reset, onFailed]);
  const isReady = fields.conn_type !== "" && !fieldProblem("port", fields.port) && !fieldProblem("extra", fields.extra);
  const told = test.data;
  return (
    <div className="flex basis-full items-center gap-3 pb-1">
      <Button
        icon={Unplug}
        disabled={!isReady}
        pending={test.isPending}
        onClick={() => test.mutate({ connection_id: id.trim() || UNNAMED, ...toBody(fields) })}
      >
        Test
      </Button>
      <p role="status" className="flex min-w-0 flex-1 items-start gap-2">
        {test.error ? (
          <span className="text-danger">{test.error.message}</span>
        ) : told ? (
          <>
            {told.status ? (
              <CircleCheck size={16} aria-hidden className="mt-0.5 shrink-0 text-ok" />
            ) : (
              <CircleX size={16} aria-hidden className="mt-0.5 shrink-0 text-danger" />
            )}
            <span className="min-w-0 break-words">
              <Sentence text={wordsOf(told.message)} />
            </span>
          </>
        ) : (
          <span className="text-muted">Connects and logs in, from the web server.</span>
        )}
      </p>
    </div>
  );
}

/** Which connection it is stands above, and it may have no id yet. */
function wordsOf(message: string): string {
  const words = message.replace(/^connection `[^`]*`: /, "");
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}.`;
}
