/** A filter as it is typed: coloured as it is understood, completed under the caret, with what is wrong below. */

import { type ReactNode, type Ref, useEffect, useId, useRef, useState } from "react";
import { flushSync } from "react-dom";
import { ApiError } from "../../api/http";
import { Icon } from "../../kit/Icon";
import type { IconName } from "../../kit/icons";
import { accept, type Proposal } from "./complete";
import { Completion } from "./Completion";
import { rememberFilter } from "./recent";
import { contextAt, tokenize, type Token } from "./tokens";
import "../../styles/query.css";

const TYPING_PAUSE = 250;

/** What a field of a filter holds: its text, which is sent after a moment, its caret, and whether proposals are wanted. */
export function useFilterText(filter: string, onFilter: (filter: string) => void) {
  const [text, setText] = useState(filter);
  const [caret, setCaret] = useState(filter.length);
  const [open, setOpen] = useState<"" | "completion" | "recent">("");
  const sent = useRef(filter);
  // What was sent comes back as the filter, perhaps after more was typed; only what comes from elsewhere is shown.
  const awaited = useRef<string[]>([]);
  useEffect(() => {
    const at = awaited.current.indexOf(filter);
    awaited.current = awaited.current.slice(at + 1);
    if (at >= 0 || filter === sent.current) return;
    awaited.current = [];
    sent.current = filter;
    setText(filter);
  }, [filter]);
  useEffect(() => {
    if (text.trim() === sent.current) return;
    const timer = window.setTimeout(() => submit(text), TYPING_PAUSE);
    return () => window.clearTimeout(timer);
  });
  const submit = (typed: string) => {
    const next = typed.trim();
    if (next === sent.current) return;
    sent.current = next;
    awaited.current.push(next);
    onFilter(next);
  };
  return { text, setText, caret, setCaret, open, setOpen, submit, sent, context: contextAt(text, caret) };
}

/** A better word for one of the filter. */
export interface Hint {
  token: Token;
  meant: string;
  /** What is wrong with the one that is there. */
  says: ReactNode;
}

interface Props {
  field: ReturnType<typeof useFilterText>;
  label: string;
  placeholder: string;
  icon: IconName;
  /** Where filters of this kind are remembered. */
  recent: string;
  proposals: readonly Proposal[];
  /** What stands beside the proposal at hand. */
  about?: (proposal: Proposal | undefined) => ReactNode;
  /** What the server says of the filter at hand. */
  error: unknown;
  hint?: Hint | null;
  ref?: Ref<HTMLInputElement>;
}

export function FilterField({ field, proposals, about, error, hint: found = null, recent, ref, ...shown }: Props) {
  const { text, setText, setCaret, open, setOpen, submit, sent, context } = field;
  const [at, setAt] = useState(0);
  const input = useRef<HTMLInputElement | null>(null);
  const mirror = useRef<HTMLSpanElement>(null);
  const list = useId();
  const take = (proposal: Proposal) => {
    if (open === "recent") {
      setText(proposal.text);
      setOpen("");
      submit(proposal.text);
      return;
    }
    const next = accept(text, context, proposal.text);
    // Drawn before the next key comes: a caret that is set later would jump back over what was typed meanwhile.
    flushSync(() => {
      setText(next.text);
      setCaret(next.caret);
      setAt(0);
    });
    input.current?.setSelectionRange(next.caret, next.caret);
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
        rememberFilter(text.trim(), recent);
      }
    } else if (event.key === "Escape") {
      event.preventDefault();
      if (open) setOpen("");
      else input.current?.blur();
    }
  };

  const problem = problemOf(error, text);
  const hint = problem ? null : found;
  const fix = ({ token, meant }: Hint) => setText(text.slice(0, token.start) + meant + text.slice(token.end));
  const wrong = problem ? problem.at : (hint?.token.start ?? -1);

  return (
    <div className="query">
      <div className="field">
        <Icon name={shown.icon} size={14} />
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
            aria-label={shown.label}
            aria-expanded={proposals.length > 0}
            aria-controls={list}
            aria-activedescendant={proposals.length > 0 ? `${list}${at}` : undefined}
            aria-invalid={problem !== null}
            spellCheck={false}
            autoComplete="off"
            placeholder={shown.placeholder}
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
              rememberFilter(sent.current.trim(), recent);
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
          <span className="at mono">col {hint.token.start + 1}</span> {hint.says} Did you mean{" "}
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
          about={about?.(proposals[at])}
          left={caretLeft(context.start)}
          onChoose={take}
          onPoint={setAt}
        />
      )}
    </div>
  );
}

const CHARACTER = 7.22;
const caretLeft = (start: number): number => Math.min(30 + start * CHARACTER, Math.max(0, innerWidth - 900));

function tokenClass(token: Token, wrong: number): string {
  const kind = { key: "q-k", operator: "q-o", value: "q-v", join: "q-j", mark: "q-o", space: "" }[token.kind];
  return wrong >= token.start && wrong < token.end ? `${kind} q-e` : kind;
}

/** What the server has against the filter, without the picture that it draws for terminals. */
function problemOf(error: unknown, text: string): { at: number; text: string } | null {
  if (!(error instanceof ApiError) || error.status !== 400) return null;
  const first = error.message.split("\n")[0] ?? "";
  const at = /\(at character (\d+)\)/.exec(first);
  return {
    at: Math.min(at ? Number(at[1]) - 1 : 0, Math.max(0, text.length - 1)),
    text: first.replace(/ \(at character \d+\)/, ""),
  };
}
