// What a run and its tasks asked to be done.

import { usePlace } from "../parts/usePlace";
import { CallbacksList } from "./callbacks/CallbacksList";

export function RunCallbacksPage() {
  const { dagId, runId } = usePlace();
  return <CallbacksList of={{ dagId, runId }} />;
}
