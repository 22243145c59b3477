// Where one looks at a drawing that is larger than its window, and how gestures move that.

/** `x`, `y`: what of the drawing is at the window's top left corner. `k`: pixels of the window for one of the drawing. */
export interface Camera {
  x: number;
  y: number;
  k: number;
}

export interface Size {
  width: number;
  height: number;
}

export interface Rect {
  x: number;
  y: number;
  w: number;
  h: number;
}

export const CLOSEST = 3;
const FARTHEST = 0.02;
/** Of the drawing, what stays in the window whatever one does; in pixels of the window. */
const IN_SIGHT = 64;

/** Zooms so that the point of the drawing below (`atX`, `atY`) of the window stays there. */
export function zoomAt(camera: Camera, factor: number, atX: number, atY: number): Camera {
  const k = Math.min(CLOSEST, Math.max(FARTHEST, camera.k * factor));
  return { x: camera.x + atX / camera.k - atX / k, y: camera.y + atY / camera.k - atY / k, k };
}

/** Moves by pixels of the window, as if the drawing were pulled by them. */
export function panBy(camera: Camera, dx: number, dy: number): Camera {
  return { ...camera, x: camera.x - dx / camera.k, y: camera.y - dy / camera.k };
}

/** Shows all of the drawing, in the middle, not larger than it is. */
export function fitTo(drawing: Size, view: Size, margin = 16): Camera {
  const k = Math.max(
    FARTHEST,
    Math.min(
      1,
      Math.max(1, view.width - 2 * margin) / Math.max(1, drawing.width),
      Math.max(1, view.height - 2 * margin) / Math.max(1, drawing.height),
    ),
  );
  return {
    x: (drawing.width - view.width / k) / 2,
    y: (drawing.height - view.height / k) / 2,
    k,
  };
}

/** Smaller than this, labels are hard to read. */
const READABLE = 0.6;
/** Of this, the least at which a little smaller is better than a little cut off. */
const NEARLY = 0.8;

/** Where to begin: all of it; but of a drawing that would be too small to read, its beginning. `isLong`: too much for that. */
export function firstLook(drawing: Size, view: Size, isLong: boolean, margin = 16): Camera {
  const whole = fitTo(drawing, view, margin);
  if (whole.k >= NEARLY * READABLE || isLong) return whole;
  const start = (length: number, window: number) =>
    length * READABLE <= window - 2 * margin ? (length - window / READABLE) / 2 : -margin / READABLE;
  return { x: start(drawing.width, view.width), y: start(drawing.height, view.height), k: READABLE };
}

/** Lets nobody lose the drawing: some of it stays in the window. */
export function keepInSight(camera: Camera, drawing: Size, view: Size): Camera {
  const rest = IN_SIGHT / camera.k;
  const clamp = (at: number, length: number, window: number) =>
    Math.min(Math.max(at, rest - window / camera.k), Math.max(0, length - rest));
  return {
    x: clamp(camera.x, drawing.width, view.width),
    y: clamp(camera.y, drawing.height, view.height),
    k: camera.k,
  };
}

/** Moves no farther than needed to have a rectangle in the window, with a margin in the window's pixels. */
export function reveal(camera: Camera, rect: Rect, view: Size, margin = 40): Camera {
  const edge = margin / camera.k;
  const move = (at: number, window: number, start: number, length: number) => {
    const shown = window / camera.k;
    if (length + 2 * edge > shown) return start + length / 2 - shown / 2;
    return Math.max(start + length + edge - shown, Math.min(at, start - edge));
  };
  return { ...camera, x: move(camera.x, view.width, rect.x, rect.w), y: move(camera.y, view.height, rect.y, rect.h) };
}

/** On the way from one place to another, `done` from 0 to 1. Zooming is even to the eye. */
export function between(from: Camera, to: Camera, done: number, view: Size): Camera {
  const k = from.k * (to.k / from.k) ** done;
  // Along the middle of the window, which is what one looks at.
  const middle = (camera: Camera) => ({
    x: camera.x + view.width / camera.k / 2,
    y: camera.y + view.height / camera.k / 2,
  });
  const [a, b] = [middle(from), middle(to)];
  return {
    x: a.x + (b.x - a.x) * done - view.width / k / 2,
    y: a.y + (b.y - a.y) * done - view.height / k / 2,
    k,
  };
}

/** Where two fingers are, in the window. */
export type Pinch = readonly [readonly [number, number], readonly [number, number]];

/** What two fingers held stays between them. */
export function pinch(camera: Camera, before: Pinch, after: Pinch): Camera {
  const middle = ([a, b]: Pinch) => [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2] as const;
  const apart = ([a, b]: Pinch) => Math.max(1, Math.hypot(a[0] - b[0], a[1] - b[1]));
  const [from, to] = [middle(before), middle(after)];
  return zoomAt(panBy(camera, to[0] - from[0], to[1] - from[1]), apart(after) / apart(before), to[0], to[1]);
}

export interface Wheel {
  deltaX: number;
  deltaY: number;
  deltaMode: number;
  ctrlKey: boolean;
  metaKey: boolean;
  shiftKey: boolean;
}

const LINE = 20;

/**
 * What a turn of the wheel means. A wheel zooms, two fingers on a touchpad move and their pinch (which browsers tell as
 * Ctrl) zooms. A wheel turns by whole notches along one axis; fingers do not.
 */
export function wheelMeaning(wheel: Wheel): { kind: "zoom"; factor: number } | { kind: "pan"; dx: number; dy: number } {
  const scale = wheel.deltaMode === 0 ? 1 : wheel.deltaMode === 1 ? LINE : 400;
  const [dx, dy] = [wheel.deltaX * scale, wheel.deltaY * scale];
  if (wheel.ctrlKey || wheel.metaKey) return { kind: "zoom", factor: Math.exp(-clampTo(dy, 60) * 0.01) };
  if (wheel.shiftKey) return { kind: "pan", dx: -(dx || dy), dy: 0 };
  const isNotch = wheel.deltaMode !== 0 || (wheel.deltaX === 0 && Math.abs(wheel.deltaY) >= 50);
  if (isNotch) return { kind: "zoom", factor: Math.exp(-clampTo(dy, 240) * 0.0016) };
  return { kind: "pan", dx: -dx, dy: -dy };
}

function clampTo(value: number, most: number): number {
  return Math.max(-most, Math.min(most, value));
}
