// The graph of a DAG: boxes, frames and arrows where the server put them, with the states of a run.
//
// Pull, pinch and wheel move it; arrow keys go from box to box along the edges. The drawing is a canvas (stage.ts); the
// boxes are also a list that screen readers and tests can read.

import { clsx } from "clsx";
import {
  type KeyboardEvent,
  type ReactNode,
  useCallback,
  useDeferredValue,
  useEffect,
  useId,
  useMemo,
  useRef,
  useState,
} from "react";
import type { Graph as GraphData, GraphNode } from "../../api/types";
import { CLOSEST } from "../../lib/camera";
import { download } from "../../lib/download";
import { type Arrow, type BoxState, isMeant, pathsThrough, stepFrom } from "../../lib/graph";
import { useInk } from "../../lib/ink";
import { useHotkeys } from "../../parts/useHotkeys";
import { GraphControls } from "./GraphControls";
import "./graph.css";
import { Minimap, type MinimapHandle } from "./Minimap";
import { NodeCard } from "./NodeCard";
import { itemId, NodeList } from "./NodeList";
import type { Look } from "./paint";
import { type Hit, Scene } from "./scene";
import { Stage } from "./stage";
import { toPng, toSvg } from "./svg";
import { useGestures } from "./useGestures";

interface Props {
  graph: GraphData;
  /** Of the chosen run, by task and group; without a run there are none. */
  states?: ReadonlyMap<string, BoxState>;
  selected?: string | null;
  /** `byKey`: with the arrows, on the way to another */
  onSelect?: (id: string | null, byKey?: boolean) => void;
  /** Enter, or a double click */
  onOpen?: (node: GraphNode) => void;
  /** A click on the title of a group, or on a folded one */
  onFold?: (groupId: string, isFolded: boolean) => void;
  /** What was typed in the search box */
  search?: string;
  /** Only tasks in one of these states are meant */
  only?: readonly string[];
  /** What it is: "Graph of daily_sales". Also the name of exported files. */
  label: string;
  /** Not up to date: paler */
  isStale?: boolean;
  /** More buttons beside zoom and fit */
  controls?: ReactNode;
  /** Its keys are on the key sheet; for the one graph of a page. */
  hasHotkeys?: boolean;
  className?: string;
}

const NO_STATES: ReadonlyMap<string, BoxState> = new Map();
/** What the keys do once the graph has the focus. */
const IN_GRAPH = [
  { keys: "ArrowLeft ArrowUp ArrowDown ArrowRight", does: "In the graph: to the next task" },
  { keys: "Enter", does: "In the graph: open the task" },
  { keys: "Space", does: "In the graph: fold the group" },
];
const ARROWS: readonly string[] = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"];
/** A path lights up when the pointer rests; one that only passes by changes nothing. */
const REST_MS = 110;

export function Graph(props: Props) {
  const { graph, states = NO_STATES, selected = null, onSelect, onOpen, onFold, label, isStale, controls } = props;
  const scene = useMemo(() => new Scene(graph), [graph]);
  const meant = useMeant(graph, states, props.search ?? "", props.only);
  const look = useLook(states, meant);
  const holder = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const minimap = useRef<MinimapHandle>(null);
  const stage = useStage(canvas, holder, scene, look, minimap);
  const prefix = useId();
  const { hovered, hover } = useHover(stage, scene, selected);
  // The list is long work for a large graph; the picture goes first.
  const listed = useDeferredValue({ scene, states, meant }, EMPTY_LIST);

  useEffect(() => {
    const node = selected === null ? undefined : scene.byId.get(selected);
    stage.current?.select(node ?? null);
    if (node) stage.current?.reveal(node);
  }, [stage, scene, selected]);

  const press = (hit: Hit | null, isDouble: boolean) => {
    if (hit?.kind === "title") {
      if (!isDouble) onFold?.(hit.group.id, true);
    } else if (hit?.node.kind === "group") {
      if (!isDouble) onFold?.(hit.node.id, false);
    } else if (isDouble) {
      if (hit) onOpen?.(hit.node);
    } else onSelect?.(hit?.node.id ?? null);
  };
  const gestures = useGestures(holder, stage, scene, {
    onClick: (hit) => press(hit, false),
    onDoubleClick: (hit) => press(hit, true),
    onHover: hover,
  });
  const pressItem = useRef<(id: string) => void>(() => {});
  pressItem.current = (id) => {
    const node = scene.byId.get(id);
    if (node) press({ kind: "node", node }, false);
  };
  // Always the same function: the list is drawn anew only when it changes.
  const selectItem = useCallback((id: string) => pressItem.current(id), []);
  const zoom = (factor: number) => stage.current?.zoom(factor);
  const fitAll = () => stage.current?.glideTo(stage.current.fitted());
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (ARROWS.includes(event.key)) {
      const next = stepFrom(graph, scene.neighbours, selected, event.key as Arrow);
      if (next) onSelect?.(next, true);
    } else if (event.key === "Enter" && selected !== null) {
      const node = scene.byId.get(selected);
      if (node?.kind === "group") onFold?.(node.id, false);
      else if (node) onOpen?.(node);
    } else if (event.key === " " && selected !== null && onFold) {
      const group = scene.byId.get(selected)?.parent;
      if (scene.byId.get(selected)?.kind === "group") onFold(selected, false);
      else if (group) onFold(group, true);
      else return;
    } else if (event.key === "Escape" && selected !== null) onSelect?.(null);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  useHotkeys(
    "Graph",
    [
      { keys: "+", does: "Zoom in", run: () => zoom(1.4) },
      { keys: "-", does: "Zoom out", run: () => zoom(1 / 1.4) },
      { keys: "0", does: "Show all", run: fitAll },
      ...IN_GRAPH,
    ],
    props.hasHotkeys ?? true,
  );
  const save = async (format: "svg" | "png") => {
    const name = label.replace(/[^\w.-]+/g, "_");
    if (format === "svg") download(`${name}.svg`, new Blob([toSvg(scene, look)], { type: "image/svg+xml" }));
    else {
      const picture = await toPng(scene, look);
      if (picture) download(`${name}.png`, picture);
    }
  };
  return (
    <div className={clsx("relative min-h-0 overflow-hidden bg-bg", props.className)}>
      <canvas
        ref={canvas}
        aria-hidden
        className={clsx("absolute inset-0 h-full w-full transition-opacity", isStale && "opacity-40")}
      />
      <div
        ref={holder}
        role="tree"
        tabIndex={0}
        aria-label={label}
        aria-activedescendant={selected !== null && scene.byId.has(selected) ? itemId(prefix, selected) : undefined}
        data-testid="graph"
        className="absolute inset-0 touch-none select-none focus-visible:-outline-offset-2"
        style={{ cursor: gestures.cursor }}
        onKeyDown={onKeyDown}
        {...gestures.handlers}
      >
        <NodeList
          scene={listed.scene}
          states={listed.states}
          meant={listed.meant}
          selected={selected}
          prefix={prefix}
          onSelect={selectItem}
        />
      </div>
      {hovered && stage.current && <NodeCard node={hovered} box={states.get(hovered.id)} view={stage.current.view()} />}
      <Minimap
        ref={minimap}
        scene={scene}
        look={look}
        onGo={(x, y) => {
          const view = stage.current?.view();
          if (!view) return;
          const { camera, size } = view;
          stage.current?.moveTo({ ...camera, x: x - size.width / camera.k / 2, y: y - size.height / camera.k / 2 });
        }}
      />
      <GraphControls onZoom={zoom} onFit={fitAll} onSave={(format) => void save(format)}>
        {controls}
      </GraphControls>
    </div>
  );
}

const NOTHING: GraphData = {
  version_number: 0,
  direction: "LR",
  width: 0,
  height: 0,
  nodes: [],
  groups: [],
  edges: [],
};
const EMPTY_LIST = { scene: new Scene(NOTHING), states: NO_STATES, meant: null };

/** What search and filters leave; null = everything. */
function useMeant(
  graph: GraphData,
  states: ReadonlyMap<string, BoxState>,
  search: string,
  only: readonly string[] = [],
): ReadonlySet<string> | null {
  const wanted = only.join(" ");
  return useMemo(() => {
    const words = wanted.split(" ").filter(Boolean);
    if (search.trim() === "" && words.length === 0) return null;
    const isIn = (id: string) => {
      const counts: Record<string, number> = states.get(id)?.counts ?? {};
      return words.length === 0 || words.some((word) => (counts[word] ?? 0) > 0);
    };
    return new Set(graph.nodes.filter((node) => isMeant(node, search) && isIn(node.id)).map((node) => node.id));
  }, [graph, states, search, wanted]);
}

function useLook(states: ReadonlyMap<string, BoxState>, meant: ReadonlySet<string> | null): Look {
  const ink = useInk();
  return useMemo(
    () => ({ ink, states, meant, font: getComputedStyle(document.documentElement).fontFamily || "sans-serif" }),
    [ink, states, meant],
  );
}

/** Makes the stage, and keeps it as large as its place. A graph of another shape is shown whole at first. */
function useStage(
  canvas: React.RefObject<HTMLCanvasElement | null>,
  holder: React.RefObject<HTMLDivElement | null>,
  scene: Scene,
  look: Look,
  minimap: React.RefObject<MinimapHandle | null>,
) {
  const stage = useRef<Stage | null>(null);
  const shape = useRef("");
  useEffect(() => {
    if (!canvas.current || !holder.current) return;
    const made = new Stage(canvas.current, (camera, size) => minimap.current?.track(camera, size));
    stage.current = made;
    const place = holder.current;
    const measure = () =>
      made.resize({ width: place.clientWidth, height: place.clientHeight }, Math.min(CLOSEST, devicePixelRatio));
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(place);
    return () => {
      observer.disconnect();
      made.destroy();
      stage.current = null;
      shape.current = "";
    };
  }, [canvas, holder, minimap]);
  useEffect(() => {
    stage.current?.show(scene, look);
  }, [scene, look]);
  useEffect(() => {
    const { direction, width, height } = scene.graph;
    const next = `${direction} ${width} ${height}`;
    if (shape.current === next || !stage.current) return;
    if (shape.current === "") stage.current.moveTo(stage.current.first());
    else stage.current.glideTo(stage.current.first());
    shape.current = next;
  }, [scene]);
  return stage;
}

/** What the pointer rests on, and the path through it. */
function useHover(stage: React.RefObject<Stage | null>, scene: Scene, selected: string | null) {
  const [hovered, setHovered] = useState<GraphNode | null>(null);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const pointed = useRef<string | null>(null);
  useEffect(() => () => clearTimeout(timer.current), []);
  useEffect(() => {
    const id = hovered?.id ?? null;
    const isThere = id !== null && scene.byId.has(id);
    stage.current?.highlight(isThere ? pathsThrough(scene.neighbours, id) : null);
  }, [stage, scene, hovered]);
  // What was chosen may cover what was pointed at.
  // biome-ignore lint/correctness/useExhaustiveDependencies: it is the change that counts
  useEffect(() => setHovered(null), [scene, selected]);
  const hover = (hit: Hit | null) => {
    const node = hit?.kind === "node" ? hit.node : null;
    if (pointed.current === (node?.id ?? null)) return;
    pointed.current = node?.id ?? null;
    clearTimeout(timer.current);
    timer.current = setTimeout(() => setHovered(node), node ? REST_MS : 0);
  };
  return { hovered, hover };
}
