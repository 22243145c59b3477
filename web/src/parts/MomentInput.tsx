// A moment that is typed or picked, in the zone that times are shown in.

import { useState } from "react";
import { formatExact, fromCivil, toMillis } from "../lib/time";
import { useZone } from "./Time";
import { Tooltip } from "./Tooltip";

interface Props {
  label: string;
  /** RFC 3339 */
  value: string | null;
  /** What it says while it is empty, such as "until now" */
  empty: string;
  /** Null when it was emptied */
  onChange: (value: string | null) => void;
  className?: string;
}

export function MomentInput({ label, value, empty, onChange, className = "!w-48 max-sm:!w-40" }: Props) {
  const zone = useZone();
  const [isEdited, setEdited] = useState(false);
  // While it is typed it may be no moment yet: half a year is not a year.
  const [typed, setTyped] = useState<string | null>(null);
  const millis = toMillis(value);
  // Browsers show an empty moment as "mm/dd/yyyy"; words are better until someone is about to fill it in.
  const isBlank = millis === null && !isEdited;
  return (
    <Tooltip text={`${label}, in ${zone}`}>
      <input
        type={isBlank ? "text" : "datetime-local"}
        aria-label={`${label}, in ${zone}`}
        placeholder={empty}
        className={`input ${className}`}
        // Without seconds, which no one types; what the URL has stays exact until it is changed.
        value={typed ?? (millis === null ? "" : formatExact(millis, zone).slice(0, 16).replace(" ", "T"))}
        onFocus={() => setEdited(true)}
        onBlur={() => {
          setEdited(false);
          setTyped(null);
        }}
        onChange={(event) => {
          setTyped(event.target.value);
          const at = fromCivil(event.target.value, zone);
          if (at !== null || event.target.value === "") onChange(at === null ? null : new Date(at).toISOString());
        }}
      />
    </Tooltip>
  );
}
