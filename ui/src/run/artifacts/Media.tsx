import { useEffect, useState } from "react";
import { send, token } from "../../api/http";
import { Empty, Loading, Problem } from "../../kit/states";

/** The address that an element can load: the file's own, or with a token a copy that the page fetched. */
function useSource(address: string): { source: string | null; error: unknown } {
  const [state, setState] = useState<{ source: string | null; error: unknown }>({
    source: token.get() ? null : address,
    error: null,
  });
  useEffect(() => {
    if (!token.get()) {
      setState({ source: address, error: null });
      return;
    }
    const stop = new AbortController();
    let source: string | null = null;
    setState({ source: null, error: null });
    send("GET", address, { signal: stop.signal })
      .then((response) => response.blob())
      .then((blob) => {
        source = URL.createObjectURL(blob);
        setState({ source, error: null });
      })
      .catch((error: unknown) => !stop.signal.aborted && setState({ source: null, error }));
    return () => {
      stop.abort();
      if (source) URL.revokeObjectURL(source);
    };
  }, [address]);
  return state;
}

/** What the browser itself shows. A page of HTML runs in a frame of its own that can reach nothing. */
export function Media({
  kind,
  address,
  name,
}: {
  kind: "image" | "audio" | "video" | "pdf" | "html";
  address: string;
  name: string;
}) {
  const { source, error } = useSource(address);
  const [broken, setBroken] = useState(false);
  if (error) return <Problem what="The file could not be read" error={error} />;
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
        <img src={source} alt={name} onError={fail} />
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
      title={name}
      sandbox={kind === "html" ? "allow-scripts" : undefined}
      referrerPolicy="no-referrer"
    />
  );
}
