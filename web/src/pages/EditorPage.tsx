import { Loading } from "../parts/Loading";
import { Page } from "../parts/Page";

export function EditorPage() {
  return (
    <Page title="Editor">
      <Loading />
    </Page>
  );
}
