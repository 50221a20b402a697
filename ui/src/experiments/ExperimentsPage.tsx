import { Page } from "../shell/Page";

export default function ExperimentsPage() {
  return (
    <Page title="Experiments">
      <div className="tw" />
    </Page>
  );
}
