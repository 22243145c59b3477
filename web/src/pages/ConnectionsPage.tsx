import { Loading } from "../parts/Loading";
import { Page } from "../parts/Page";

export function ConnectionsPage() {
  return (
    <Page title="Connections">
      <Loading />
    </Page>
  );
}
