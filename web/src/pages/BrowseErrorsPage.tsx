import { Loading } from "../parts/Loading";
import { Page } from "../parts/Page";

export function BrowseErrorsPage() {
  return (
    <Page title="Import errors">
      <Loading />
    </Page>
  );
}
