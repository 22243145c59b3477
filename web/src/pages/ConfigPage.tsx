import { Loading } from "../parts/Loading";
import { Page } from "../parts/Page";

export function ConfigPage() {
  return (
    <Page title="Configuration">
      <Loading />
    </Page>
  );
}
