import { Page } from "../shell/Page";

export default function ModelPage() {
  return (
    <Page title="Model">
      <div className="tw" />
    </Page>
  );
}
