// What happened to a DAG and its runs.

import { usePlace } from "../parts/usePlace";
import { EventsList } from "./events/EventsList";

export function DagEventsPage() {
  const { dagId } = usePlace();
  return <EventsList of={{ dagId }} scope="changes" />;
}
