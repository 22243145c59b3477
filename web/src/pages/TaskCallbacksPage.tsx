// What a task asked to be done.

import { usePlace } from "../parts/usePlace";
import { CallbacksList } from "./callbacks/CallbacksList";

export function TaskCallbacksPage() {
  return <CallbacksList of={usePlace()} />;
}
