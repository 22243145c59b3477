// Whether the screen is of a kind, for what styles alone cannot do.

import { useSyncExternalStore } from "react";

/** Follows a media query: `useMedia("(max-width: 639px)")`. */
export function useMedia(query: string): boolean {
  return useSyncExternalStore(
    (listener) => {
      const media = matchMedia(query);
      media.addEventListener("change", listener);
      return () => media.removeEventListener("change", listener);
    },
    () => matchMedia(query).matches,
  );
}

/** A phone: lists put into one column what stands in several elsewhere. */
export const NARROW = "(max-width: 767px)";
