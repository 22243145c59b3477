// A graph in a window: keeps what was drawn, and draws anew only what came into sight.
//
// What is drawn stays on a canvas of the window's size. When the drawing is pulled, that canvas is shifted by whole pixels
// and only the strips that came free are drawn; while it is zoomed, the canvas is stretched, and drawn anew when there is
// time. So the cost of a frame hardly depends on how large the graph is.

import {
  between,
  type Camera,
  firstLook,
  fitTo,
  keepInSight,
  type Rect,
  reveal,
  type Size,
  zoomAt,
} from "../../lib/camera";
import { type Look, paint, paintPath, paintRing } from "./paint";
import type { Scene } from "./scene";

/** A drawing that took longer, in milliseconds, is not made in each frame of a zoom. */
const SLOW = 7;
/** After the last change of a zoom, in milliseconds. */
const SETTLE = 90;
/** What sticks out of boxes and lines: badges, heads, rings. */
const STICKS_OUT = 24;
const GLIDE_MS = 180;
/** Beside a path that is pointed at, the rest is still there. */
const FADED = 0.28;

/** Of so many boxes an overview comes first. */
const MANY = 200;

/** Where the drawing has the whole width, in pixels, the buttons below it would cover some of it. */
const NARROW = 640;
const BUTTONS = 48;

interface Layer {
  canvas: HTMLCanvasElement;
  ctx: CanvasRenderingContext2D;
}

function layer(): Layer | null {
  const canvas = document.createElement("canvas");
  const ctx = canvas.getContext("2d");
  return ctx && { canvas, ctx };
}

export class Stage {
  private camera: Camera = { x: 0, y: 0, k: 1 };
  private size: Size = { width: 0, height: 0 };
  private dpr = 1;
  private scene: Scene | null = null;
  private look: Look | null = null;
  private path: ReadonlySet<string> | null = null;
  private selected: Rect | null = null;
  private front = layer();
  private back = layer();
  /** What the front layer shows; null = it must be drawn */
  private drawn: Camera | null = null;
  private cost = 0;
  private frame = 0;
  private settle: ReturnType<typeof setTimeout> | undefined;
  private readonly screen: CanvasRenderingContext2D | null;

  /** `onMove` is told after each frame in which the window moved. */
  constructor(
    private readonly canvas: HTMLCanvasElement,
    private readonly onMove: (camera: Camera, size: Size) => void,
  ) {
    this.screen = canvas.getContext("2d");
  }

  destroy(): void {
    cancelAnimationFrame(this.frame);
    clearTimeout(this.settle);
  }

  view(): { camera: Camera; size: Size } {
    return { camera: this.camera, size: this.size };
  }

  resize(size: Size, dpr: number): void {
    if (size.width === this.size.width && size.height === this.size.height && dpr === this.dpr) return;
    this.size = size;
    this.dpr = dpr;
    for (const canvas of [this.canvas, this.front?.canvas, this.back?.canvas]) {
      if (!canvas) continue;
      canvas.width = Math.max(1, Math.round(size.width * dpr));
      canvas.height = Math.max(1, Math.round(size.height * dpr));
    }
    this.drawn = null;
    // A canvas that changed its size is empty until the next frame: draw at once.
    this.draw();
  }

  show(scene: Scene, look: Look): void {
    if (scene === this.scene && look === this.look) return;
    this.scene = scene;
    this.look = look;
    this.drawn = null;
    this.ask();
  }

  /** Brings a path forward; null = none. */
  highlight(path: ReadonlySet<string> | null): void {
    if (path === this.path) return;
    this.path = path;
    this.ask();
  }

  select(rect: Rect | null): void {
    if (rect === this.selected) return;
    this.selected = rect;
    this.ask();
  }

  /** Goes somewhere at once, as a hand does. */
  moveTo(camera: Camera): void {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    this.place(camera);
    this.ask();
  }

  /** Goes somewhere so that the eye can follow. */
  glideTo(camera: Camera): void {
    const from = this.camera;
    const isQuick = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const began = performance.now();
    const step = (now: number) => {
      const done = isQuick ? 1 : Math.min(1, Math.max(0, now - began) / GLIDE_MS);
      this.place(done === 1 ? camera : between(from, camera, 1 - (1 - done) ** 3, this.size));
      this.draw();
      this.frame = done < 1 ? requestAnimationFrame(step) : 0;
    };
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(step);
  }

  fitted(): Camera {
    return fitTo(this.scene?.graph ?? { width: 1, height: 1 }, this.room());
  }

  first(): Camera {
    const graph = this.scene?.graph;
    return graph ? firstLook(graph, this.room(), graph.nodes.length > MANY) : this.camera;
  }

  /** What nothing covers. */
  private room(): Size {
    const { width, height } = this.size;
    return width < NARROW ? { width, height: height - BUTTONS } : this.size;
  }

  zoom(factor: number): void {
    this.glideTo(zoomAt(this.camera, factor, this.size.width / 2, this.size.height / 2));
  }

  reveal(rect: Rect): void {
    const camera = reveal(this.camera, rect, this.size);
    if (camera.x !== this.camera.x || camera.y !== this.camera.y) this.glideTo(camera);
  }

  private place(camera: Camera): void {
    const kept = keepInSight(camera, this.scene?.graph ?? { width: 1, height: 1 }, this.size);
    // Whole pixels, so that what was drawn can be shifted.
    const step = camera.k * this.dpr;
    this.camera = { x: Math.round(kept.x * step) / step, y: Math.round(kept.y * step) / step, k: camera.k };
  }

  private ask(): void {
    if (this.frame !== 0) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      this.draw();
    });
  }

  private draw(): void {
    const { screen, front, look, scene, camera } = this;
    if (!screen || !front || !look || !scene || this.size.width === 0) return;
    const isSharp = this.refresh(look, scene);
    screen.setTransform(1, 0, 0, 1, 0, 0);
    screen.clearRect(0, 0, this.canvas.width, this.canvas.height);
    screen.globalAlpha = this.path ? FADED : 1;
    if (isSharp) screen.drawImage(front.canvas, 0, 0);
    else this.stretch(screen, front.canvas);
    screen.globalAlpha = 1;
    this.toGraph(screen);
    if (this.path) paintPath(screen, scene, look, this.area(), camera.k, this.path);
    if (this.selected) paintRing(screen, this.selected, look, camera.k);
    this.onMove(camera, this.size);
  }

  /** Brings the front layer up to date; false when there is no time for it now. */
  private refresh(look: Look, scene: Scene): boolean {
    const { drawn, camera } = this;
    if (drawn && drawn.k === camera.k) {
      if (drawn.x === camera.x && drawn.y === camera.y) return true;
      this.shift(look, scene, drawn);
      return true;
    }
    if (drawn && this.cost > SLOW) {
      clearTimeout(this.settle);
      this.settle = setTimeout(() => {
        this.drawn = null;
        this.ask();
      }, SETTLE);
      return false;
    }
    this.redraw(look, scene);
    return true;
  }

  private redraw(look: Look, scene: Scene): void {
    const { front } = this;
    if (!front) return;
    const began = performance.now();
    this.wipe(front);
    this.toGraph(front.ctx);
    paint(front.ctx, scene, look, this.area(STICKS_OUT), this.camera.k);
    this.cost = performance.now() - began;
    this.drawn = this.camera;
  }

  private shift(look: Look, scene: Scene, drawn: Camera): void {
    const { front, back, dpr, camera } = this;
    if (!front || !back) return;
    const dx = Math.round((drawn.x - camera.x) * camera.k * dpr);
    const dy = Math.round((drawn.y - camera.y) * camera.k * dpr);
    const { width, height } = front.canvas;
    if (Math.abs(dx) >= width || Math.abs(dy) >= height) {
      this.redraw(look, scene);
      return;
    }
    this.wipe(back);
    back.ctx.drawImage(front.canvas, dx, dy);
    this.front = back;
    this.back = front;
    this.drawn = camera;
    if (dx !== 0) this.strip(back.ctx, look, scene, dx > 0 ? 0 : width + dx, 0, Math.abs(dx), height);
    if (dy !== 0) this.strip(back.ctx, look, scene, 0, dy > 0 ? 0 : height + dy, width, Math.abs(dy));
  }

  /** Draws a rectangle of the layer, given in its pixels. */
  private strip(
    ctx: CanvasRenderingContext2D,
    look: Look,
    scene: Scene,
    x: number,
    y: number,
    w: number,
    h: number,
  ): void {
    const { camera, dpr } = this;
    const k = camera.k * dpr;
    ctx.save();
    ctx.setTransform(1, 0, 0, 1, 0, 0);
    ctx.beginPath();
    ctx.rect(x, y, w, h);
    ctx.clip();
    ctx.clearRect(x, y, w, h);
    this.toGraph(ctx);
    const area = { x: camera.x + x / k, y: camera.y + y / k, w: w / k, h: h / k };
    paint(ctx, scene, look, grown(area, STICKS_OUT), camera.k);
    ctx.restore();
  }

  private stretch(screen: CanvasRenderingContext2D, image: HTMLCanvasElement): void {
    const { drawn, camera, dpr } = this;
    if (!drawn) return;
    const scale = camera.k / drawn.k;
    screen.drawImage(
      image,
      (drawn.x - camera.x) * camera.k * dpr,
      (drawn.y - camera.y) * camera.k * dpr,
      image.width * scale,
      image.height * scale,
    );
  }

  private wipe({ canvas, ctx }: Layer): void {
    ctx.setTransform(1, 0, 0, 1, 0, 0);
    ctx.clearRect(0, 0, canvas.width, canvas.height);
  }

  private toGraph(ctx: CanvasRenderingContext2D): void {
    const { camera, dpr } = this;
    const k = camera.k * dpr;
    ctx.setTransform(k, 0, 0, k, -camera.x * k, -camera.y * k);
  }

  private area(more = 0): Rect {
    const { camera, size } = this;
    return grown({ x: camera.x, y: camera.y, w: size.width / camera.k, h: size.height / camera.k }, more);
  }
}

function grown(rect: Rect, by: number): Rect {
  return { x: rect.x - by, y: rect.y - by, w: rect.w + 2 * by, h: rect.h + 2 * by };
}
