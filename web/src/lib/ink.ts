// Colours for canvases, which know no CSS variables.

import { useMemo } from "react";
import { useTheme } from "./settings";

/** Returns a function from a token's name ("--state-failed") to a colour such as "rgb(217, 42, 47)". New per theme. */
export function useInk(): (token: string) => string {
  const theme = useTheme();
  return useMemo(() => inks(theme), [theme]);
}

function inks(_theme: string): (token: string) => string {
  const known = new Map<string, string>();
  return (token) => {
    let ink = known.get(token);
    if (ink === undefined) {
      // A variable's own value is the text `light-dark(…)`; only where it is used does it become a colour.
      const probe = document.createElement("span");
      probe.style.color = `var(${token})`;
      probe.style.display = "none";
      document.body.append(probe);
      ink = getComputedStyle(probe).color;
      probe.remove();
      known.set(token, ink);
    }
    return ink;
  };
}
