// The runs of all DAGs.

import { Page } from "../parts/Page";
import { RunsList } from "./runs/RunsList";

export function BrowseRunsPage() {
  return (
    <Page title="Runs">
      <RunsList />
    </Page>
  );
}
