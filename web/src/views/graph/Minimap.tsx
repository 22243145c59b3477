// The whole graph in a corner, with a frame around what the window shows. It can be pulled.

import { type PointerEvent, type Ref, useEffect, useImperativeHandle, useRef } from "react";
import type { Camera, Size } from "../../lib/camera";
import { type Look, paint } from "./paint";
import type { Scene } from "./scene";

const MOST = { width: 184, height: 116 };

export interface MinimapHandle {
  /** Shows where the window is. */
  track: (camera: Camera, view: Size) => void;
}

interface Props {
  scene: Scene;
  look: Look;
  /** The middle of the window should be there, in the graph's coordinates. */
  onGo: (x: number, y: number) => void;
  ref: Ref<MinimapHandle>;
}

export function Minimap({ scene, look, onGo, ref }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const frame = useRef<HTMLDivElement>(null);
  const box = useRef<HTMLDivElement>(null);
  const { width, height } = scene.graph;
  const k = Math.min(MOST.width / Math.max(1, width), MOST.height / Math.max(1, height), 0.15);
  const size = { width: Math.max(24, width * k), height: Math.max(16, height * k) };

  useEffect(() => {
    const ctx = canvas.current?.getContext("2d");
    if (!ctx) return;
    const dpr = Math.min(2, devicePixelRatio);
    ctx.canvas.width = Math.round(size.width * dpr);
    ctx.canvas.height = Math.round(size.height * dpr);
    ctx.setTransform(k * dpr, 0, 0, k * dpr, 0, 0);
    paint(ctx, scene, look, { x: 0, y: 0, w: width, h: height }, k);
  }, [scene, look, k, width, height, size.width, size.height]);

  useImperativeHandle(ref, () => ({
    track: (camera, view) => {
      if (!frame.current || !box.current) return;
      const style = frame.current.style;
      const w = view.width / camera.k;
      const h = view.height / camera.k;
      // All in sight: nothing to find here.
      const isWhole = camera.x <= 1 && camera.y <= 1 && camera.x + w >= width - 1 && camera.y + h >= height - 1;
      box.current.style.visibility = isWhole ? "hidden" : "visible";
      style.transform = `translate(${camera.x * k}px, ${camera.y * k}px)`;
      style.width = `${w * k}px`;
      style.height = `${h * k}px`;
    },
  }));

  const go = (event: PointerEvent) => {
    if (event.buttons === 0) return;
    const bounds = event.currentTarget.getBoundingClientRect();
    onGo((event.clientX - bounds.left) / k, (event.clientY - bounds.top) / k);
  };
  return (
    <div
      ref={box}
      aria-hidden
      data-testid="minimap"
      className="surface absolute right-3 bottom-3 overflow-hidden p-1 max-sm:hidden"
      style={{ visibility: "hidden" }}
    >
      <div
        className="relative cursor-crosshair touch-none overflow-hidden"
        style={size}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          go(event);
        }}
        onPointerMove={go}
      >
        <canvas ref={canvas} className="block h-full w-full" />
        <div ref={frame} className="absolute top-0 left-0 rounded-sm border-2 border-accent bg-accent/10" />
      </div>
    </div>
  );
}
