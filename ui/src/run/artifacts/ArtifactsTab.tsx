import type { RunData } from "../runData";

export default function ArtifactsTab(_: { data: RunData; path: string }) {
  return null;
}
