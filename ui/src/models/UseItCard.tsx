import { useState } from "react";
import { serverAddress } from "../api/http";
import { CopyButton, Segments } from "../kit/controls";
import { CodeView } from "../run/artifacts/CodeView";
import "../run/artifacts/artifacts.css";

type Way = "load" | "serve" | "docker" | "ask";

/** Lines to load the model, serve it, and ask it. */
export function UseItCard({ uri }: { uri: string }) {
  const [way, setWay] = useState<Way>("load");
  const code = codeFor(way, uri);
  return (
    <section className="card use-it" aria-label="Use it">
      <header>
        <h2>Use it</h2>
        <Segments<Way>
          small
          label="How"
          value={way}
          options={[
            ["load", "Load"],
            ["serve", "Serve"],
            ["ask", "Ask"],
            ["docker", "Docker"],
          ]}
          onChange={setWay}
        />
        <span className="grow" />
        <CopyButton text={code} />
      </header>
      <div className="viewer">
        <CodeView text={code} path={way === "load" ? "load.py" : "use.sh"} />
      </div>
    </section>
  );
}

function codeFor(way: Way, uri: string): string {
  const server = `export STELE_TRACKING_URI=${serverAddress()}`;
  switch (way) {
    case "load":
      return [
        "import stele",
        `stele.set_tracking_uri("${serverAddress()}")`,
        `model = stele.pyfunc.load_model("${uri}")`,
        "predictions = model.predict(data)",
      ].join("\n");
    case "serve":
      return [server, `stele models serve --model-uri "${uri}" --port 8080`].join("\n");
    case "ask":
      return `curl http://127.0.0.1:8080/invocations -H 'content-type: application/json' -d '{"inputs": [[0, 1, 2]]}'`;
    case "docker":
      return [server, `stele models generate-dockerfile --model-uri "${uri}" --output-directory image`].join("\n");
  }
}
