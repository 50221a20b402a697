import { useMemo, useState } from "react";
import { serverAddress } from "../api/http";
import { CopyButton } from "../kit/controls";
import { Logo } from "../kit/Icon";
import { highlight } from "../run/artifacts/kinds";
import "../styles/code.css";
import "./first-run.css";

const TABS = ["stele", "mlflow client", "shell"] as const;

/** An empty server or experiment: the five lines that change that. */
export function FirstRun({ experimentName }: { experimentName?: string }) {
  const [tab, setTab] = useState<(typeof TABS)[number]>("stele");
  const code = useMemo(() => snippet(tab, experimentName), [tab, experimentName]);
  return (
    <div className="first-run">
      <div className="w">
        <Logo size={44} />
        <h1>Carve the first run</h1>
        <p>
          {experimentName ? "This experiment holds no runs yet." : "This server holds no runs yet."} Paste these lines
          into a Python prompt that can reach it.
        </p>
        <div className="snip">
          <header>
            {TABS.map((one) => (
              <button
                key={one}
                type="button"
                className={`tb ${one === tab ? "on" : ""}`}
                aria-pressed={one === tab}
                onClick={() => setTab(one)}
              >
                {one}
              </button>
            ))}
            <div className="grow" />
            <CopyButton text={code} />
          </header>
          <pre className="code">
            {code.split("\n").map((line, i) => (
              <span key={i} className="ctx">
                <span className="ln-n">{i + 1}</span>
                {highlight(line, tab === "shell" ? "plain" : "python").map(([mark, piece], at) => (
                  <span key={at} className={mark ? `c-${mark}` : undefined}>
                    {piece}
                  </span>
                ))}
                {"\n"}
              </span>
            ))}
          </pre>
        </div>
        <div className="wait" role="status">
          <i />
          <span>
            Listening on <code>{serverAddress()}</code>
          </span>
          <span className="grow" />
          <span className="dim">The run appears here when it arrives</span>
        </div>
        <div className="alt">
          <div>
            <b>Change nothing</b>
            <p>Scripts that use the MLflow client work as they are. Point them here.</p>
            <code>MLFLOW_TRACKING_URI</code>
          </div>
          <div>
            <b>Look around first</b>
            <p>The demo trains a sweep of 32 runs on data that ships with it.</p>
            <code>make demo</code>
          </div>
          <div>
            <b>From a terminal</b>
            <p>Everything on this page is a command as well.</p>
            <code>stele runs list</code>
          </div>
        </div>
      </div>
    </div>
  );
}

function snippet(tab: (typeof TABS)[number], experimentName?: string): string {
  const named = experimentName && experimentName !== "Default" ? JSON.stringify(experimentName) : "";
  const module = tab === "stele" ? "stele" : "mlflow";
  if (tab === "shell") return [`export MLFLOW_TRACKING_URI=${serverAddress()}`, "python train.py"].join("\n");
  return [
    `import ${module}`,
    `${module}.set_tracking_uri("${serverAddress()}")`,
    ...(named ? [`${module}.set_experiment(${named})`] : []),
    `with ${module}.start_run():`,
    `    ${module}.log_param("lr", 0.01)`,
    `    ${module}.log_metric("loss", 0.42, step=1)`,
  ].join("\n");
}
