// The boxes as a list, for screen readers and for tests: what a canvas cannot say.

import { memo } from "react";
import type { GraphNode } from "../../api/types";
import { type BoxState, boxKind } from "../../lib/graph";
import { sortedCounts, stateWord } from "../../lib/state";
import type { Scene } from "./scene";

interface Props {
  scene: Scene;
  states: ReadonlyMap<string, BoxState>;
  meant: ReadonlySet<string> | null;
  selected: string | null;
  prefix: string;
  onSelect: (id: string) => void;
}

export const NodeList = memo(function NodeList({ scene, states, meant, selected, prefix, onSelect }: Props) {
  return scene.graph.nodes.map((node) => (
    <Item
      key={node.id}
      node={node}
      words={words(node, states.get(node.id), scene.neighbours.up.get(node.id))}
      state={states.get(node.id)?.state ?? null}
      isDimmed={meant !== null && !meant.has(node.id)}
      isSelected={node.id === selected}
      id={itemId(prefix, node.id)}
      onSelect={onSelect}
    />
  ));
});

export function itemId(prefix: string, nodeId: string): string {
  return `${prefix}-${nodeId}`;
}

const UPSTREAM_SAID = 5;

function words(node: GraphNode, box: BoxState | undefined, up: readonly string[] = []): string {
  const parts = [node.label, boxKind(node)];
  if (box?.state) parts.push(box.total === 1 ? stateWord(box.state) : countWords(box));
  if (up.length > 0) {
    const rest = up.length - UPSTREAM_SAID;
    parts.push(`after ${up.slice(0, UPSTREAM_SAID).join(", ")}${rest > 0 ? ` and ${rest} more` : ""}`);
  }
  return parts.join(", ");
}

/** "2 failed, 10 success" */
export function countWords({ counts }: BoxState): string {
  return sortedCounts(counts)
    .map(({ state, count }) => `${count} ${stateWord(state)}`)
    .join(", ");
}

interface ItemProps {
  node: GraphNode;
  words: string;
  state: string | null;
  isDimmed: boolean;
  isSelected: boolean;
  id: string;
  onSelect: (id: string) => void;
}

const Item = memo(function Item({ node, words, state, isDimmed, isSelected, id, onSelect }: ItemProps) {
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: keys go to the tree, which says which item is active
    // biome-ignore lint/a11y/useFocusableInteractive: the same
    <div
      role="treeitem"
      id={id}
      aria-selected={isSelected}
      aria-label={words}
      {...(node.kind === "group" ? { "aria-expanded": false } : {})}
      data-testid={`node-${node.id}`}
      data-state={state ?? ""}
      data-dimmed={isDimmed || undefined}
      className="sr-only"
      onClick={(event) => {
        event.stopPropagation();
        onSelect(node.id);
      }}
    />
  );
});
