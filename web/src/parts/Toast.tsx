// Short messages in the corner: say something with `toast("Paused.")` of lib/toast.ts; this draws it.

import { CircleAlert, CircleCheck, Info, X } from "lucide-react";
import { closeToast, holdToast, type Toast, useToasts } from "../lib/toast";
import { Button, IconButton } from "./Button";
import { Sentence } from "./Sentence";

const ICONS = { plain: Info, ok: CircleCheck, problem: CircleAlert };
const INKS = { plain: "text-muted", ok: "text-ok", problem: "text-danger" };

export function Toasts() {
  const toasts = useToasts();
  return (
    <section
      aria-label="Messages"
      aria-live="polite"
      className="pointer-events-none fixed right-3 bottom-3 z-70 flex w-[min(400px,calc(100vw-24px))] flex-col gap-2"
    >
      {toasts.map((toast) => (
        <Row key={toast.id} toast={toast} />
      ))}
    </section>
  );
}

function Row({ toast }: { toast: Toast }) {
  const Icon = ICONS[toast.tone];
  const { action } = toast;
  const hold = () => holdToast(toast.id, true);
  const goOn = () => holdToast(toast.id, false);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: nothing is done with it, it only stays
    <div
      onPointerEnter={hold}
      onPointerLeave={goOn}
      onFocus={hold}
      onBlur={goOn}
      className="surface pointer-events-auto flex animate-slide items-start gap-2.5 py-2 pr-1.5 pl-3"
    >
      <Icon size={16} className={`mt-1.5 shrink-0 ${INKS[toast.tone]}`} aria-hidden />
      <p className="min-w-0 flex-1 py-1 break-words">
        <Sentence text={toast.text} />
      </p>
      {action && (
        <Button
          size="sm"
          onClick={() => {
            closeToast(toast.id);
            action.run();
          }}
        >
          {action.label}
        </Button>
      )}
      <IconButton label="Close message" icon={X} size="sm" onClick={() => closeToast(toast.id)} />
    </div>
  );
}
