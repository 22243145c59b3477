import { Loading } from "../parts/Loading";
import { Page } from "../parts/Page";

export function BrowseTasksPage() {
  return (
    <Page title="Task instances">
      <Loading />
    </Page>
  );
}
