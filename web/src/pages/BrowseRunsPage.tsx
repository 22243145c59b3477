import { Loading } from "../parts/Loading";
import { Page } from "../parts/Page";

export function BrowseRunsPage() {
  return (
    <Page title="Runs">
      <Loading />
    </Page>
  );
}
