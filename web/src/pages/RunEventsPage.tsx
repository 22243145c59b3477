// What happened in a run.

import { usePlace } from "../parts/usePlace";
import { EventsList } from "./events/EventsList";

export function RunEventsPage() {
  const { dagId, runId } = usePlace();
  return <EventsList of={{ dagId, runId }} scope="all" />;
}
