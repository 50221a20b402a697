import { Page } from "../shell/Page";

export default function ExperimentPage() {
  return (
    <Page title="Experiment">
      <div className="tw" />
    </Page>
  );
}
