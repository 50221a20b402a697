import { useNavigate } from "@tanstack/react-router";
import { toRun } from "../links";
import type { RunData } from "../runData";
import { ArtifactBrowser } from "./ArtifactBrowser";

/** The files of a run; which one is open stands in the address. */
export default function ArtifactsTab({ data, path }: { data: RunData; path: string }) {
  const navigate = useNavigate();
  return (
    <div className="cards whole">
      <ArtifactBrowser
        owner={{ run_id: data.id }}
        path={path}
        onPath={(next) =>
          void navigate({ ...toRun(data.experimentId, data.id, `artifacts/${next}`), search: true } as never)
        }
      />
    </div>
  );
}
