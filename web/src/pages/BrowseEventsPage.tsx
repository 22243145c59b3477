// The audit log, and all changes of states.

import { Page } from "../parts/Page";
import { EventsList } from "./events/EventsList";

export function BrowseEventsPage() {
  return (
    <Page title="Events">
      <EventsList of={{}} scope="changes" />
    </Page>
  );
}
