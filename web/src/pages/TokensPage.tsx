import { Loading } from "../parts/Loading";
import { Page } from "../parts/Page";

export function TokensPage() {
  return (
    <Page title="Tokens">
      <Loading />
    </Page>
  );
}
