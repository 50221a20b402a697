import { Page } from "../shell/Page";

export default function VersionPage() {
  return (
    <Page title="Version">
      <div className="tw" />
    </Page>
  );
}
