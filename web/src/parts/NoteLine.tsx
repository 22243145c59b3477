// The note on a run or a task instance, below its header.

import { StickyNote } from "lucide-react";

export function NoteLine({ note }: { note: string | null | undefined }) {
  if (!note) return null;
  return (
    <div className="flex gap-2.5 border-b px-4 py-2">
      <StickyNote size={15} className="mt-0.5 shrink-0 text-muted" aria-label="Note" />
      <p className="min-w-0 break-words whitespace-pre-wrap">{note}</p>
    </div>
  );
}
