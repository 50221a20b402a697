import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { runQuery } from "../api/queries";
import { Description, Tags } from "../runs/AboutTab";
import { deleteRunTag, setRunTag } from "./actions";
import { ArtifactBrowser } from "./artifacts/ArtifactBrowser";
import { DatasetsCard, EnvironmentCard, LineageCard } from "./cards";
import { MetricsCard } from "./MetricsCard";
import { ParamsCard } from "./ParamsCard";
import { runData, TAGS, type RunData } from "./runData";

/** Figures on the left, words on the right. */
export function Overview({ data, baseline }: { data: RunData; baseline: string }) {
  const [path, setPath] = useState<string | null>(null);
  const other = useQuery({ ...runQuery(baseline), enabled: baseline !== "" && baseline !== data.id });
  const base = other.data ? runData(other.data) : null;
  const tags = [...data.tags].filter(([key]) => !/^(mlflow|stele)\./.test(key)).map(([key, value]) => ({ key, value }));
  return (
    <div className="cards run-overview">
      <MetricsCard data={data} base={base} />
      <ParamsCard data={data} base={base} />
      <ArtifactBrowser owner={{ run_id: data.id }} path={path ?? ""} onPath={setPath} first={path === null} />
      <div className="side">
        <Description text={data.tags.get(TAGS.note) ?? ""} onSave={(text) => setRunTag(data, TAGS.note, text)} />
        <DatasetsCard data={data} />
        <LineageCard data={data} />
        <Tags
          tags={tags}
          onSet={(key, value) => setRunTag(data, key, value)}
          onDelete={(key) => deleteRunTag(data, key)}
        />
        <EnvironmentCard data={data} />
      </div>
    </div>
  );
}
