import { useRef, useState, type ReactNode } from "react";
import { count } from "../../format/figures";
import { Button, Field, Segments } from "../../kit/controls";
import { useShortcuts } from "../../shell/shortcuts";
import { matcher } from "../math/keys";
import { useStage } from "./stage";

/** Search and settings of all charts of a page. */
export function ToolBar({ charts, children }: { charts: number; children?: ReactNode }) {
  const { settings, change } = useStage();
  const search = useRef<HTMLInputElement>(null);
  useShortcuts([{ keys: "/", does: "Search charts", run: () => search.current?.focus() }]);
  return (
    <div className="chart-bar">
      <Search charts={charts} input={search} />
      <span className="lab">Smooth</span>
      <Segments
        label="Smoothing"
        value={settings.smooth}
        options={SMOOTHINGS}
        onChange={(smooth) => change({ smooth })}
      />
      <Slider />
      <Segments
        label="Horizontal axis"
        value={settings.x}
        options={AXES}
        onChange={(x) => change({ x, range: null })}
      />
      <div className="seg" role="group" aria-label="Logarithmic axes">
        <Toggle on={settings.logX} onToggle={(logX) => change({ logX })}>
          log x
        </Toggle>
        <Toggle on={settings.logY} onToggle={(logY) => change({ logY })}>
          log y
        </Toggle>
      </div>
      <Button on={settings.clip} onClick={() => change({ clip: !settings.clip })}>
        Clip outliers
      </Button>
      {settings.range && (
        <Button icon="x" onClick={() => change({ range: null })}>
          Reset zoom
        </Button>
      )}
      {children}
    </div>
  );
}

const SMOOTHINGS = [
  ["ema", "EMA"],
  ["gauss", "Gauss"],
  ["off", "Off"],
] as const;

const AXES = [
  ["step", "Step"],
  ["time", "Time"],
  ["relative", "Relative"],
] as const;

function Toggle({ on, onToggle, children }: { on: boolean; onToggle: (on: boolean) => void; children: ReactNode }) {
  return (
    <button type="button" className={on ? "on" : ""} aria-pressed={on} onClick={() => onToggle(!on)}>
      {children}
    </button>
  );
}

function Slider() {
  const { settings, change } = useStage();
  const off = settings.smooth === "off";
  return (
    <>
      <input
        type="range"
        className="slider"
        aria-label="Strength of smoothing"
        title={off ? "Choose EMA or Gauss to smooth" : undefined}
        disabled={off}
        min={0}
        max={0.99}
        step={0.01}
        value={settings.weight}
        style={{ "--at": `${(settings.weight / 0.99) * 100}%` } as React.CSSProperties}
        onChange={(event) => change({ weight: Number(event.target.value) }, { replace: true })}
      />
      <span className={`strength ${off ? "dim" : ""}`}>{settings.weight.toFixed(2)}</span>
    </>
  );
}

function Search({ charts, input }: { charts: number; input: React.RefObject<HTMLInputElement | null> }) {
  const { settings, change } = useStage();
  const [text, setText] = useState(settings.search);
  const [held, setHeld] = useState(settings.search);
  if (held !== settings.search) {
    // Came from elsewhere: the back button, a saved view.
    setHeld(settings.search);
    setText(settings.search);
  }
  const { error } = matcher(text);
  return (
    <div className="search grow">
      <Field
        ref={input}
        icon="search"
        label="Search charts by regular expression"
        placeholder={`Search ${count(charts)} ${charts === 1 ? "chart" : "charts"} by regex`}
        value={text}
        aria-invalid={error !== ""}
        title={error || undefined}
        onChange={(value) => {
          setText(value);
          setHeld(value);
          change({ search: value }, { replace: true });
        }}
        onKeyDown={(event) => {
          if (event.key !== "Escape") return;
          setText("");
          setHeld("");
          change({ search: "" }, { replace: true });
          event.currentTarget.blur();
        }}
      />
      {text === "" ? <kbd>/</kbd> : null}
      {error && (
        <p role="status" className="why">
          {error}
        </p>
      )}
    </div>
  );
}
