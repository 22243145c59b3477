// The buttons on a graph: nearer, farther, all of it, keep it as a picture.

import { Download, Maximize, ZoomIn, ZoomOut } from "lucide-react";
import type { ReactNode } from "react";
import { IconButton } from "../../parts/Button";
import { Menu, MenuItem } from "../../parts/Menu";

interface Props {
  onZoom: (factor: number) => void;
  onFit: () => void;
  onSave: (format: "svg" | "png") => void;
  children?: ReactNode;
}

export function GraphControls({ onZoom, onFit, onSave, children }: Props) {
  return (
    <div role="toolbar" aria-label="Graph" className="surface absolute bottom-3 left-3 flex p-0.5">
      <IconButton label="Zoom in" keys="+" icon={ZoomIn} size="sm" onClick={() => onZoom(1.4)} />
      <IconButton label="Zoom out" keys="-" icon={ZoomOut} size="sm" onClick={() => onZoom(1 / 1.4)} />
      <IconButton label="Show all" keys="0" icon={Maximize} size="sm" onClick={onFit} />
      {children}
      <Menu align="start" trigger={<IconButton label="Save as a picture" icon={Download} size="sm" />}>
        <MenuItem onSelect={() => onSave("svg")}>SVG</MenuItem>
        <MenuItem onSelect={() => onSave("png")}>PNG</MenuItem>
      </Menu>
    </div>
  );
}
