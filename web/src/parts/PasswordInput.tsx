// A field for a secret that can be shown while it is typed. Browsers must not fill in the one they know.

import { Dices, Eye, EyeOff } from "lucide-react";
import { type ComponentProps, useState } from "react";
import { randomPassword } from "../lib/password";
import { IconButton } from "./Button";
import { TextInput } from "./Field";

interface Props extends Omit<ComponentProps<"input">, "type" | "onChange" | "value"> {
  value: string;
  onChange: (value: string) => void;
  /** Offers to make one */
  canMake?: boolean;
}

export function PasswordInput({ value, onChange, canMake, ...rest }: Props) {
  const [isShown, setShown] = useState(false);
  return (
    <div className="flex items-center gap-1">
      <TextInput
        autoComplete="new-password"
        {...rest}
        type={isShown ? "text" : "password"}
        className={isShown ? "font-mono" : undefined}
        value={value}
        onChange={(event) => onChange(event.target.value)}
      />
      <IconButton
        label={isShown ? "Hide the password" : "Show the password"}
        icon={isShown ? EyeOff : Eye}
        onClick={() => setShown(!isShown)}
      />
      {canMake && (
        <IconButton
          label="Make a password"
          icon={Dices}
          onClick={() => {
            onChange(randomPassword());
            setShown(true);
          }}
        />
      )}
    </div>
  );
}
