import { describe, expect, it } from "vitest";
import {
  between,
  type Camera,
  firstLook,
  fitTo,
  keepInSight,
  panBy,
  pinch,
  reveal,
  wheelMeaning,
  zoomAt,
} from "./camera";

const view = { width: 800, height: 600 };
const see = (camera: Camera, x: number, y: number) => [(x - camera.x) * camera.k, (y - camera.y) * camera.k];

describe("zoomAt", () => {
  it("keeps the point below the pointer where it is", () => {
    const before = { x: 10, y: 20, k: 1 };
    const point = [10 + 300, 20 + 200] as const;
    const after = zoomAt(before, 1.7, 300, 200);
    expect(after.k).toBeCloseTo(1.7);
    expect(see(after, ...point)[0]).toBeCloseTo(300);
    expect(see(after, ...point)[1]).toBeCloseTo(200);
  });

  it("ends somewhere", () => {
    expect(zoomAt({ x: 0, y: 0, k: 1 }, 1_000, 0, 0).k).toBe(3);
    expect(zoomAt({ x: 0, y: 0, k: 1 }, 0, 0, 0).k).toBe(0.02);
  });
});

describe("fitTo", () => {
  it("shows a large drawing whole, in the middle", () => {
    const camera = fitTo({ width: 4_000, height: 600 }, view);
    const [left, top] = see(camera, 0, 0);
    const [right, bottom] = see(camera, 4_000, 600);
    expect(left).toBeCloseTo(16);
    expect(right).toBeCloseTo(784);
    expect(top).toBeCloseTo(600 - (bottom ?? 0));
  });

  it("does not blow up a small one", () => {
    expect(fitTo({ width: 100, height: 50 }, view).k).toBe(1);
  });

  it("survives a window without room", () => {
    expect(Number.isFinite(fitTo({ width: 100, height: 50 }, { width: 0, height: 0 }).x)).toBe(true);
  });
});

describe("firstLook", () => {
  it("shows all of what can be read", () => {
    const drawing = { width: 1_000, height: 600 };
    expect(firstLook(drawing, view, false)).toEqual(fitTo(drawing, view));
  });
  it("shows all of what would hardly be cut off", () => {
    const drawing = { width: 1_500, height: 600 };
    expect(firstLook(drawing, view, false)).toEqual(fitTo(drawing, view));
  });
  it("begins at the beginning of what cannot, in the middle across", () => {
    const camera = firstLook({ width: 4_000, height: 400 }, view, false);
    expect(camera.k).toBe(0.6);
    expect(see(camera, 0, 200)[0]).toBeCloseTo(16);
    expect(see(camera, 0, 200)[1]).toBeCloseTo(300);
  });
  it("gives an overview of what is long", () => {
    const drawing = { width: 40_000, height: 9_000 };
    expect(firstLook(drawing, view, true)).toEqual(fitTo(drawing, view));
  });
});

it("panBy pulls the drawing along", () => {
  expect(panBy({ x: 0, y: 0, k: 2 }, 10, -20)).toEqual({ x: -5, y: 10, k: 2 });
});

it("keepInSight brings a lost drawing back", () => {
  const size = { width: 500, height: 400 };
  expect(keepInSight({ x: 9_000, y: -9_000, k: 1 }, size, view)).toEqual({ x: 436, y: -536, k: 1 });
  expect(keepInSight({ x: 30, y: 40, k: 1 }, size, view)).toEqual({ x: 30, y: 40, k: 1 });
});

describe("reveal", () => {
  const camera = { x: 0, y: 0, k: 1 };
  it("stays when all is there", () => {
    expect(reveal(camera, { x: 100, y: 100, w: 50, h: 50 }, view)).toEqual(camera);
  });
  it("moves as little as needed", () => {
    expect(reveal(camera, { x: 900, y: 100, w: 50, h: 50 }, view)).toEqual({ x: 190, y: 0, k: 1 });
    expect(reveal({ ...camera, x: 500 }, { x: 100, y: 100, w: 50, h: 50 }, view).x).toBe(60);
  });
});

it("between begins and ends where it should", () => {
  const [from, to] = [
    { x: 0, y: 0, k: 1 },
    { x: 500, y: 100, k: 0.5 },
  ];
  expect(between(from, to, 0, view)).toEqual(from);
  expect(between(from, to, 1, view)).toEqual(to);
});

it("pinch zooms by how far the fingers went apart", () => {
  const after = pinch(
    { x: 0, y: 0, k: 1 },
    [
      [100, 100],
      [200, 100],
    ],
    [
      [50, 100],
      [250, 100],
    ],
  );
  expect(after.k).toBeCloseTo(2);
  expect(see(after, 150, 100)[0]).toBeCloseTo(150);
});

describe("wheelMeaning", () => {
  const still = { deltaX: 0, deltaY: 0, deltaMode: 0, ctrlKey: false, metaKey: false, shiftKey: false };
  it("zooms with a wheel and with a pinch", () => {
    expect(wheelMeaning({ ...still, deltaY: -120 })).toMatchObject({ kind: "zoom" });
    expect(wheelMeaning({ ...still, deltaY: 3, deltaMode: 1 })).toMatchObject({ kind: "zoom" });
    const near = wheelMeaning({ ...still, deltaY: -4, ctrlKey: true });
    expect(near.kind === "zoom" && near.factor > 1).toBe(true);
  });
  it("moves with two fingers, and with shift", () => {
    expect(wheelMeaning({ ...still, deltaX: 3, deltaY: -7 })).toEqual({ kind: "pan", dx: -3, dy: 7 });
    expect(wheelMeaning({ ...still, deltaY: 120, shiftKey: true })).toEqual({ kind: "pan", dx: -120, dy: 0 });
  });
});
