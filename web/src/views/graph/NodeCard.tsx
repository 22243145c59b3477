// What a box is, in words, beside the pointer.

import type { GraphNode } from "../../api/types";
import type { Camera, Size } from "../../lib/camera";
import { type BoxState, boxKind } from "../../lib/graph";
import { stateWord } from "../../lib/state";
import { StateCounts, StateDot } from "../../parts/StateBadge";

interface Props {
  node: GraphNode;
  box: BoxState | undefined;
  view: { camera: Camera; size: Size };
}

const WIDTH = 260;
/** About as high as it becomes. */
const HEIGHT = 96;

export function NodeCard({ node, box, view: { camera, size } }: Props) {
  const left = (node.x - camera.x) * camera.k;
  const below = (node.y + node.h - camera.y) * camera.k + 10;
  const isAbove = below + HEIGHT > size.height;
  return (
    <div
      aria-hidden
      className="surface pointer-events-none absolute z-10 w-max animate-pop px-3 py-2 text-xs"
      style={{
        maxWidth: Math.min(WIDTH, size.width - 16),
        left: Math.max(8, Math.min(left, size.width - WIDTH - 8)),
        ...(isAbove ? { bottom: size.height - (node.y - camera.y) * camera.k + 10 } : { top: below }),
      }}
    >
      <p className="text-sm font-medium break-words">{node.label}</p>
      {node.label !== node.id && <p className="font-mono break-all text-muted">{node.id}</p>}
      <p className="text-muted">
        {boxKind(node)}
        {node.trigger_rule && node.trigger_rule !== "all_success" && ` · starts when ${node.trigger_rule}`}
      </p>
      {box?.state && (
        <p className="mt-1 flex items-center gap-1.5">
          {box.total === 1 ? (
            <>
              <StateDot state={box.state} silent />
              {stateWord(box.state)}
            </>
          ) : (
            <StateCounts counts={box.counts} />
          )}
        </p>
      )}
    </div>
  );
}
