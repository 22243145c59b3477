import { Loading } from "../parts/Loading";
import { Page } from "../parts/Page";

export function DagsPage() {
  return (
    <Page title="DAGs">
      <Loading />
    </Page>
  );
}
