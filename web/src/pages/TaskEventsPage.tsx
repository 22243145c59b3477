// What happened to a task instance.

import { usePlace } from "../parts/usePlace";
import { EventsList } from "./events/EventsList";

export function TaskEventsPage() {
  return <EventsList of={usePlace()} scope="all" />;
}
