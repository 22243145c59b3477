import { Loading } from "../parts/Loading";
import { Page } from "../parts/Page";

export function VariablesPage() {
  return (
    <Page title="Variables">
      <Loading />
    </Page>
  );
}
