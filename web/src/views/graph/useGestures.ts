// Mouse, touch and touchpad on a stage: pull, pinch, turn the wheel, click, point at.

import { type PointerEvent, type RefObject, useEffect, useRef, useState } from "react";
import { type Pinch, panBy, pinch, wheelMeaning, zoomAt } from "../../lib/camera";
import type { Hit, Point, Scene } from "./scene";
import type { Stage } from "./stage";

/** A hand that moved less, in pixels, wanted to click. */
const SLIP = 4;

interface Handlers {
  onClick: (hit: Hit | null) => void;
  onDoubleClick: (hit: Hit | null) => void;
  onHover: (hit: Hit | null) => void;
}

export function useGestures(
  element: RefObject<HTMLElement | null>,
  stage: RefObject<Stage | null>,
  scene: Scene,
  handlers: Handlers,
) {
  const fingers = useRef(new Map<number, Point>());
  const pressed = useRef<{ at: Point; hasMoved: boolean } | null>(null);
  const [isPulling, setPulling] = useState(false);
  const [isOver, setOver] = useState(false);

  const place = (event: { clientX: number; clientY: number }): Point => {
    const box = element.current?.getBoundingClientRect();
    return [event.clientX - (box?.left ?? 0), event.clientY - (box?.top ?? 0)];
  };
  const hitAt = ([x, y]: Point): Hit | null => {
    const camera = stage.current?.view().camera;
    return camera ? scene.at(camera.x + x / camera.k, camera.y + y / camera.k) : null;
  };

  // React's wheel listeners are passive, and the page must not scroll meanwhile.
  useEffect(() => {
    const target = element.current;
    if (!target) return;
    const onWheel = (event: WheelEvent) => {
      event.preventDefault();
      const on = stage.current;
      if (!on) return;
      const { camera } = on.view();
      const box = target.getBoundingClientRect();
      const meaning = wheelMeaning(event);
      on.moveTo(
        meaning.kind === "pan"
          ? panBy(camera, meaning.dx, meaning.dy)
          : zoomAt(camera, meaning.factor, event.clientX - box.left, event.clientY - box.top),
      );
    };
    target.addEventListener("wheel", onWheel, { passive: false });
    return () => target.removeEventListener("wheel", onWheel);
  }, [element, stage]);

  const onPointerDown = (event: PointerEvent) => {
    if (event.button !== 0 && event.button !== 1) return;
    element.current?.setPointerCapture(event.pointerId);
    fingers.current.set(event.pointerId, place(event));
    pressed.current = { at: place(event), hasMoved: fingers.current.size > 1 };
  };

  const onPointerMove = (event: PointerEvent) => {
    const here = place(event);
    const before = fingers.current.get(event.pointerId);
    if (!before) {
      const hit = hitAt(here);
      setOver(hit !== null);
      handlers.onHover(hit);
      return;
    }
    const start = pressed.current;
    if (!start || !stage.current) return;
    if (!start.hasMoved) {
      if (Math.hypot(here[0] - start.at[0], here[1] - start.at[1]) < SLIP) return;
      start.hasMoved = true;
      setPulling(true);
      handlers.onHover(null);
    }
    const { camera } = stage.current.view();
    const other = [...fingers.current].find(([id]) => id !== event.pointerId)?.[1];
    if (other) {
      const [was, is]: [Pinch, Pinch] = [
        [other, before],
        [other, here],
      ];
      stage.current.moveTo(pinch(camera, was, is));
    } else stage.current.moveTo(panBy(camera, here[0] - before[0], here[1] - before[1]));
    fingers.current.set(event.pointerId, here);
  };

  const onPointerUp = (event: PointerEvent) => {
    if (!fingers.current.delete(event.pointerId)) return;
    const start = pressed.current;
    if (fingers.current.size > 0) return;
    pressed.current = null;
    setPulling(false);
    if (start && !start.hasMoved && event.type === "pointerup") handlers.onClick(hitAt(place(event)));
  };

  return {
    cursor: isPulling ? "grabbing" : isOver ? "pointer" : "grab",
    handlers: {
      onPointerDown,
      onPointerMove,
      onPointerUp,
      onPointerCancel: onPointerUp,
      onPointerLeave: () => handlers.onHover(null),
      onDoubleClick: (event: { clientX: number; clientY: number }) => handlers.onDoubleClick(hitAt(place(event))),
    },
  };
}
