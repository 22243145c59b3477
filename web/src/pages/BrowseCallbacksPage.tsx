// Mails and other things that DAGs asked for.

import { Page } from "../parts/Page";
import { CallbacksList } from "./callbacks/CallbacksList";

export function BrowseCallbacksPage() {
  return (
    <Page title="Callbacks" about="Mails and other things that DAGs ask for when something happens.">
      <CallbacksList of={{}} />
    </Page>
  );
}
