import { Loading } from "../parts/Loading";
import { Page } from "../parts/Page";

export function ProcessesPage() {
  return (
    <Page title="Processes">
      <Loading />
    </Page>
  );
}
