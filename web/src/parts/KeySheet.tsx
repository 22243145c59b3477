// The `?` sheet: what the keys do on this page, read from what is really listening.

import { Dialog } from "./Dialog";
import { KeyHint } from "./KeyHint";
import { useActiveHotkeys } from "./useHotkeys";

export function KeySheet({ open, onOpenChange }: { open: boolean; onOpenChange: (open: boolean) => void }) {
  const scopes = useActiveHotkeys();
  const groups = new Map<string, Map<string, string>>();
  for (const scope of scopes) {
    const group = groups.get(scope.title) ?? new Map<string, string>();
    for (const hotkey of scope.hotkeys) if (hotkey.does) group.set(hotkey.keys, hotkey.does);
    if (group.size > 0) groups.set(scope.title, group);
  }
  return (
    <Dialog open={open} onOpenChange={onOpenChange} title="Keys" size="lg">
      <div className="columns-1 gap-8 sm:columns-2">
        {[...groups].map(([title, hotkeys]) => (
          <section key={title} className="mb-4 break-inside-avoid">
            <h3 className="mb-1 text-xs text-muted">{title}</h3>
            <dl>
              {[...hotkeys].map(([keys, does]) => (
                <div key={keys} className="flex items-center justify-between gap-4 border-b py-1.5 last:border-b-0">
                  <dt>{does}</dt>
                  <dd>
                    <KeyHint keys={keys} />
                  </dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  );
}
