import { Loading } from "../parts/Loading";
import { Page } from "../parts/Page";

export function TriggerPage() {
  return (
    <Page title="Trigger">
      <Loading />
    </Page>
  );
}
