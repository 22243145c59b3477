import { Loading } from "../parts/Loading";
import { Page } from "../parts/Page";

export function BrowseEventsPage() {
  return (
    <Page title="Events">
      <Loading />
    </Page>
  );
}
