// A moment that is typed or picked, in the zone that times are shown in.

import { formatExact, fromCivil, toMillis } from "../lib/time";
import { useZone } from "./Time";
import { Tooltip } from "./Tooltip";

interface Props {
  label: string;
  /** RFC 3339 */
  value: string | null;
  /** Null when it was emptied */
  onChange: (value: string | null) => void;
  className?: string;
}

export function MomentInput({ label, value, onChange, className = "w-48" }: Props) {
  const zone = useZone();
  const millis = toMillis(value);
  return (
    <Tooltip text={`${label}, in ${zone}`}>
      <input
        type="datetime-local"
        aria-label={`${label}, in ${zone}`}
        className={`input ${className}`}
        // Without seconds, which no one types; what the URL has stays exact until it is changed.
        value={millis === null ? "" : formatExact(millis, zone).slice(0, 16).replace(" ", "T")}
        onChange={(event) => {
          const at = fromCivil(event.target.value, zone);
          if (at !== null || event.target.value === "") onChange(at === null ? null : new Date(at).toISOString());
        }}
      />
    </Tooltip>
  );
}
