/** The filter: typed as text, coloured as it is understood, completed under the caret. */

import { memo, type Ref, useEffect, useId, useMemo, useRef, useState } from "react";
import { ApiError } from "../../api/http";
import { count } from "../../format/figures";
import { Icon } from "../../kit/Icon";
import type { RunKey } from "../columns";
import {
  columnOf,
  accept,
  nearest,
  proposeJoins,
  proposeKeys,
  proposeOperators,
  proposeValues,
  type Proposal,
} from "./complete";
import { Completion } from "./Completion";
import { recentFilters, rememberFilter } from "./recent";
import { contextAt, tokenize, type Token } from "./tokens";
import { useDescribedValues } from "./useDescribedValues";
import { fieldName } from "../view";
import "../../styles/query.css";

interface Props {
  experimentId: string;
  filter: string;
  /** How many runs there are, for "in 12,480 runs". */
  total: number;
  keys: readonly RunKey[];
  /** What the server says of the filter at hand. */
  error: unknown;
  onFilter: (filter: string) => void;
  ref?: Ref<HTMLInputElement>;
}

const runs = (many: number): string => `${count(many)} ${many === 1 ? "run" : "runs"}`;
const TYPING_PAUSE = 250;

export const FilterBar = memo(function FilterBar({ experimentId, filter, total, keys, error, onFilter, ref }: Props) {
  const [text, setText] = useState(filter);
  const [caret, setCaret] = useState(filter.length);
  const [open, setOpen] = useState<"" | "completion" | "recent">("");
  const [at, setAt] = useState(0);
  const input = useRef<HTMLInputElement | null>(null);
  const mirror = useRef<HTMLSpanElement>(null);
  const list = useId();
  const sent = useRef(filter);

  useEffect(() => {
    if (filter === sent.current) return;
    sent.current = filter;
    setText(filter);
  }, [filter]);
  useEffect(() => {
    if (text === sent.current) return;
    const timer = window.setTimeout(() => submit(text), TYPING_PAUSE);
    return () => window.clearTimeout(timer);
  });

  const submit = (next: string) => {
    if (next.trim() === sent.current.trim()) return;
    sent.current = next;
    onFilter(next.trim());
  };
  const context = contextAt(text, caret);
  const described = useDescribedValues(
    experimentId,
    open && context.expects === "value" ? columnOf(context.key) : null,
  );
  const proposals = useMemo((): Proposal[] => {
    if (open === "recent")
      return recentFilters().map((one) => ({ text: one, group: "Recent filters", icon: "filter" }));
    if (open !== "completion") return [];
    switch (context.expects) {
      case "key":
        return proposeKeys(context.typed, keys, runs);
      case "operator":
        return proposeOperators(context, keys);
      case "value":
        return proposeValues(context, described?.common ?? [], runs);
      case "join":
        return proposeJoins(context);
    }
    // The context is new at each key stroke; these parts of it are what matters.
  }, [open, context.expects, context.typed, context.key, keys, described]);

  const take = (proposal: Proposal) => {
    if (open === "recent") {
      setText(proposal.text);
      setOpen("");
      submit(proposal.text);
      return;
    }
    const next = accept(text, context, proposal.text);
    setText(next.text);
    setAt(0);
    requestAnimationFrame(() => {
      input.current?.setSelectionRange(next.caret, next.caret);
      setCaret(next.caret);
    });
  };
  const onKeyDown = (event: React.KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === "h" && event.ctrlKey) {
      event.preventDefault();
      setOpen("recent");
    } else if (step && open && proposals.length > 0) {
      event.preventDefault();
      setAt((at + step + proposals.length) % proposals.length);
    } else if (event.key === "ArrowDown") setOpen("completion");
    else if (event.key === "Tab" && open && proposals[at] && !event.shiftKey) {
      event.preventDefault();
      take(proposals[at]);
    } else if (event.key === "Enter" && event.altKey && hint) {
      event.preventDefault();
      fix(hint);
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (open === "recent" && proposals[at]) take(proposals[at]);
      else {
        setOpen("");
        submit(text);
        rememberFilter(text.trim());
      }
    } else if (event.key === "Escape") {
      event.preventDefault();
      if (open) setOpen("");
      else input.current?.blur();
    }
  };

  const problem = useProblem(error, text);
  const hint = useMemo(() => (problem ? null : unknownKey(text, keys)), [text, keys, problem]);
  const fix = ({ token, meant }: Hint) => setText(text.slice(0, token.start) + meant + text.slice(token.end));
  const wrong = problem ? problem.at : (hint?.token.start ?? -1);

  return (
    <div className="query">
      <div className="field">
        <Icon name="filter" size={14} />
        <div className="q-text">
          <span ref={mirror} className="q-mirror" aria-hidden="true">
            {tokenize(text).map((token) => (
              <span key={token.start} className={tokenClass(token, wrong)}>
                {token.text}
              </span>
            ))}
          </span>
          <input
            ref={(element) => {
              input.current = element;
              if (typeof ref === "function") ref(element);
              else if (ref) ref.current = element;
            }}
            role="combobox"
            aria-label="Filter"
            aria-expanded={proposals.length > 0}
            aria-controls={list}
            aria-activedescendant={proposals.length > 0 ? `${list}${at}` : undefined}
            aria-invalid={problem !== null}
            spellCheck={false}
            autoComplete="off"
            placeholder="Filter: metrics.loss < 0.5 and params.optimizer = 'sgd'"
            value={text}
            onChange={(event) => {
              setText(event.target.value);
              setCaret(event.target.selectionStart ?? event.target.value.length);
              setOpen("completion");
              setAt(0);
            }}
            onSelect={(event) => setCaret(event.currentTarget.selectionStart ?? 0)}
            onScroll={(event) => {
              if (mirror.current) mirror.current.style.translate = `${-event.currentTarget.scrollLeft}px`;
            }}
            onFocus={() => setOpen("completion")}
            onBlur={() => {
              setOpen("");
              rememberFilter(sent.current.trim());
            }}
            onKeyDown={onKeyDown}
          />
        </div>
        {text && (
          <button
            type="button"
            className="q-clear"
            title="Clear the filter"
            onClick={() => {
              setText("");
              submit("");
            }}
          >
            <Icon name="x" size={13} />
          </button>
        )}
      </div>
      {problem && (
        <div className="qerr" role="alert">
          <span className="at mono">col {problem.at + 1}</span> {problem.text}{" "}
          <span className="at">Showing the last valid filter.</span>
        </div>
      )}
      {hint && (
        <div className="qerr" role="status">
          <span className="at mono">col {hint.token.start + 1}</span> No run of {count(total)} has{" "}
          <code>{hint.token.text}</code>. Did you mean{" "}
          <button
            type="button"
            className="lnk mono"
            onMouseDown={(event) => event.preventDefault()}
            onClick={() => fix(hint)}
          >
            {hint.meant}
          </button>
          ? <kbd>Alt ↵</kbd>
        </div>
      )}
      {open && proposals.length > 0 && (
        <Completion
          id={list}
          proposals={proposals}
          at={at}
          typed={open === "recent" ? "" : context.typed}
          experimentId={experimentId}
          left={caretLeft(context.start)}
          onChoose={take}
          onPoint={setAt}
        />
      )}
    </div>
  );
});

const CHARACTER = 7.22;
const caretLeft = (start: number): number => Math.min(30 + start * CHARACTER, Math.max(0, innerWidth - 900));

function tokenClass(token: Token, wrong: number): string {
  const kind = { key: "q-k", operator: "q-o", value: "q-v", join: "q-j", mark: "q-o", space: "" }[token.kind];
  return wrong >= token.start && wrong < token.end ? `${kind} q-e` : kind;
}

/** What the server has against the filter, without the picture that it draws for terminals. */
function useProblem(error: unknown, text: string): { at: number; text: string } | null {
  if (!(error instanceof ApiError) || error.status !== 400) return null;
  const first = error.message.split("\n")[0] ?? "";
  const at = /\(at character (\d+)\)/.exec(first);
  return {
    at: Math.min(at ? Number(at[1]) - 1 : 0, Math.max(0, text.length - 1)),
    text: first.replace(/ \(at character \d+\)/, ""),
  };
}

interface Hint {
  token: Token;
  meant: string;
}

/** A key of the filter that no run has, when another one is near. */
function unknownKey(text: string, keys: readonly RunKey[]): Hint | null {
  if (keys.length === 0) return null;
  for (const token of tokenize(text)) {
    const column = token.kind === "key" ? columnOf(token.text) : null;
    if (!column || column.kind === "attribute") continue;
    const names = keys.filter((key) => key.kind === column.kind).map(({ name }) => name);
    if (names.includes(column.key)) continue;
    const meant = nearest(column.key, names);
    if (meant) return { token, meant: fieldName({ kind: column.kind, key: meant }) };
  }
  return null;
}
