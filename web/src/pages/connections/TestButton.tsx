// Connects and logs in, from the web server, with what stands in the form; says what failed.

import { CircleCheck, CircleX, Unplug } from "lucide-react";
import { useEffect, useRef } from "react";
import { testConnection, useAction } from "../../api/actions";
import { type ConnectionFields, fieldProblem, toBody } from "../../lib/connection";
import { Button } from "../../parts/Button";
import { Sentence } from "../../parts/Sentence";

interface Props {
  /** Null while there is none: what is hidden cannot be put back then */
  id: string | null;
  fields: ConnectionFields;
}

export function TestButton({ id, fields }: Props) {
  const test = useAction(testConnection, { quiet: true });
  const { reset } = test;
  // An answer about another connection is none about this one.
  const asked = JSON.stringify({ ...fields, description: null });
  const last = useRef(asked);
  useEffect(() => {
    if (last.current !== asked) reset();
    last.current = asked;
  }, [asked, reset]);
  const isReady = fields.conn_type !== "" && !fieldProblem("port", fields.port) && !fieldProblem("extra", fields.extra);
  const told = test.data;
  return (
    <div className="flex basis-full items-center gap-3 pb-1">
      <Button
        icon={Unplug}
        disabled={!isReady}
        pending={test.isPending}
        onClick={() => test.mutate({ connection_id: id ?? "new", ...toBody(fields) })}
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
              <Sentence text={`${told.message.charAt(0).toUpperCase()}${told.message.slice(1)}.`} />
            </span>
          </>
        ) : (
          <span className="text-muted">Connects and logs in, from the web server.</span>
        )}
      </p>
    </div>
  );
}
