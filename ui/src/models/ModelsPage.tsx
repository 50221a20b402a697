import { Page } from "../shell/Page";

export default function ModelsPage() {
  return (
    <Page title="Models">
      <div className="tw" />
    </Page>
  );
}
