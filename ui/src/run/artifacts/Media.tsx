import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Empty, Loading, Problem } from "../../kit/states";
import { openAddress, ownerKey, showAddress, type Owner } from "./owner";

/** What the browser itself shows. A page of HTML runs in a frame of its own that can reach nothing. */
export function Media({
  kind,
  owner,
  path,
  version,
}: {
  kind: "image" | "audio" | "video" | "pdf" | "html";
  owner: Owner;
  path: string;
  version: number | undefined;
}) {
  const [broken, setBroken] = useState(false);
  const { data: source, error } = useQuery({
    queryKey: [...ownerKey(owner), "address", path, version],
    queryFn: () => openAddress(showAddress(owner, path, version), owner, path),
    staleTime: 50 * 60_000,
  });
  if (error) return <Problem what="The file could not be opened" error={error} />;
  if (!source) return <Loading />;
  if (broken)
    return (
      <Empty title="The browser cannot show this file">
        <p>It can be downloaded as it is.</p>
      </Empty>
    );
  const fail = () => setBroken(true);
  if (kind === "image")
    return (
      <div className="media">
        <img src={source} alt={path} onError={fail} />
      </div>
    );
  if (kind === "audio")
    return (
      <div className="media">
        <audio src={source} controls onError={fail} />
      </div>
    );
  if (kind === "video")
    return (
      <div className="media">
        <video src={source} controls onError={fail} />
      </div>
    );
  return (
    <iframe
      className="frame"
      src={source}
      title={path}
      sandbox={kind === "html" ? "allow-scripts" : undefined}
      referrerPolicy="no-referrer"
    />
  );
}
