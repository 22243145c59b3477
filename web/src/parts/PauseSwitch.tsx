// Whether a DAG runs by its schedule: on, or paused.

import { Switch } from "./Field";
import { Tooltip } from "./Tooltip";

interface Props {
  isPaused: boolean;
  name: string;
  disabled?: boolean;
  onChange: (isPaused: boolean) => void;
}

export function PauseSwitch({ isPaused, name, disabled, onChange }: Props) {
  return (
    <Tooltip text={isPaused ? "Paused: no new runs by the schedule" : "Runs by its schedule"}>
      <span className="inline-flex">
        <Switch
          aria-label={isPaused ? `${name} is paused` : `${name} is active`}
          checked={!isPaused}
          disabled={disabled}
          onCheckedChange={(isOn) => onChange(!isOn)}
        />
      </span>
    </Tooltip>
  );
}
