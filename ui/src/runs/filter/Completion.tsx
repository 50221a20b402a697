import { Fragment, useEffect, useRef, type ReactNode } from "react";
import { count, tick, toNumber } from "../../format/figures";
import { Icon } from "../../kit/Icon";
import { columnLabel } from "../columns";
import type { ColumnRef } from "../view";
import type { Proposal } from "./complete";
import { useDescribedValues } from "./useDescribedValues";

/** Proposals under the caret; beside them what is known of the one at hand. */
export function Completion({
  id,
  proposals,
  at,
  typed,
  about,
  left,
  onChoose,
  onPoint,
}: {
  id: string;
  proposals: readonly Proposal[];
  at: number;
  typed: string;
  /** What stands beside the proposal at hand; undefined where nothing ever does. */
  about?: ReactNode;
  left: number;
  onChoose: (proposal: Proposal) => void;
  onPoint: (at: number) => void;
}) {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    box.current?.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
  }, [at]);
  return (
    <div
      className={`pop qpop ${about === undefined ? "narrow" : ""}`}
      style={{ left }}
      onMouseDown={(event) => event.preventDefault()}
    >
      <div className="options" ref={box} role="listbox" id={id} aria-label="Proposals">
        {proposals.map((proposal, i) => (
          <Fragment key={proposal.group + proposal.text}>
            {proposal.group !== proposals[i - 1]?.group && <h6 role="presentation">{proposal.group}</h6>}
            <div
              id={`${id}${i}`}
              role="option"
              aria-selected={i === at}
              className={`o ${i === at ? "on" : ""}`}
              onMouseMove={() => onPoint(i)}
              onClick={() => onChoose(proposal)}
            >
              <Icon name={proposal.icon} size={14} />
              <code>
                <Marked text={proposal.text} part={typed} />
              </code>
              <span>{proposal.note}</span>
            </div>
          </Fragment>
        ))}
      </div>
      {about !== undefined && <aside>{about}</aside>}
      <footer>
        <span>
          <kbd>↑</kbd> <kbd>↓</kbd> choose
        </span>
        <span>
          <kbd>Tab</kbd> accept
        </span>
        <span>
          <kbd>Esc</kbd> close
        </span>
        <span className="grow" />
        <span>
          Recent filters <kbd>Ctrl H</kbd>
        </span>
      </footer>
    </div>
  );
}

function Marked({ text, part }: { text: string; part: string }) {
  const at = part ? text.toLowerCase().indexOf(part.toLowerCase()) : -1;
  if (at < 0) return text;
  return (
    <>
      {text.slice(0, at)}
      <b>{text.slice(at, at + part.length)}</b>
      {text.slice(at + part.length)}
    </>
  );
}

/** The range, spread and common values of a column. */
export function AboutColumn({ experimentId, column }: { experimentId: string; column: ColumnRef }) {
  const about = useDescribedValues(experimentId, column);
  if (!about) return <b className="b mono">{columnLabel(column)}</b>;
  const { histogram, distinct, common } = about;
  const most = common[0];
  const high = Math.max(1, ...(histogram?.counts ?? []));
  return (
    <>
      <div className="row">
        <b className="b mono ell">{columnLabel(column)}</b>
        <span className="grow" />
        <span className="dim">{about.numeric ? "number" : "text"}</span>
      </div>
      {histogram && histogram.counts.length > 0 && (
        <>
          <div className="hist" aria-hidden="true">
            {histogram.counts.map((bin, i) => (
              <i key={i} style={{ height: `${(bin / high) * 100}%` }} />
            ))}
          </div>
          <div className="row dim">
            <span>{tick(toNumber(about.min) ?? NaN)}</span>
            <span className="grow" />
            <span>{tick(toNumber(about.max) ?? NaN)}</span>
          </div>
        </>
      )}
      <p>
        {count(distinct)} {distinct === 1 ? "value" : "values"} in {count(about.runs)}{" "}
        {about.runs === 1 ? "run" : "runs"}
        {most && (
          <>
            {" "}
            · most often <code>{String(most.value)}</code>
          </>
        )}
      </p>
    </>
  );
}
