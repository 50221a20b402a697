import { Page } from "../shell/Page";

export default function RunPage() {
  return (
    <Page title="Run">
      <div className="tw" />
    </Page>
  );
}
