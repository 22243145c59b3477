import { Loading } from "../parts/Loading";
import { Page } from "../parts/Page";

export function PoolsPage() {
  return (
    <Page title="Pools">
      <Loading />
    </Page>
  );
}
