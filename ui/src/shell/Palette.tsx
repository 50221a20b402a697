/** The command palette: go to anything by its name, or do what the page at hand offers. */

import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Fragment, useEffect, useId, useLayoutEffect, useMemo, useRef, useState } from "react";
import { get, type Schemas } from "../api/client";
import { createExperiment } from "../experiments/actions";
import { usePinned } from "../experiments/pinned";
import { moment } from "../format/times";
import { Icon } from "../kit/Icon";
import type { IconName } from "../kit/icons";
import { fieldName } from "../runs/view";
import { closePalette } from "./palette";
import { currentShortcuts } from "./shortcuts";
import { toggleTheme } from "./theme";
import "./palette.css";

interface Entry {
  group: string;
  icon: IconName;
  text: string;
  note?: string;
  keys?: string;
  run: () => void;
}

const MOST = 8;

export default function Palette() {
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const box = useRef<HTMLDialogElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const id = useId();
  const wanted = useSettled(text.trim());
  const { data } = useQuery({
    queryKey: ["find", wanted],
    queryFn: ({ signal }) => get("/api/2.0/stele/find", { text: wanted, max_results: MOST }, { signal }),
    enabled: wanted !== "",
    placeholderData: keepPreviousData,
    staleTime: 5000,
  });
  const found = useFound(wanted === "" ? undefined : data);
  const actions = useActions();
  const needle = text.trim().toLowerCase();
  const entries = [...found, ...actions.filter((action) => action.text.toLowerCase().includes(needle))];

  useLayoutEffect(() => {
    const dialog = box.current;
    dialog?.showModal();
    return () => dialog?.close();
  }, []);
  useEffect(() => {
    list.current?.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
  }, [at]);

  const choose = (entry: Entry | undefined) => {
    if (!entry) return;
    closePalette();
    entry.run();
  };
  const onKeyDown = (event: React.KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && entries.length > 0) setAt((at + step + entries.length) % entries.length);
    else if (event.key === "Enter") choose(entries[at]);
    else return;
    event.preventDefault();
  };
  return (
    <dialog
      ref={box}
      className="dialog palette"
      aria-label="Search"
      onCancel={(event) => {
        event.preventDefault();
        closePalette();
      }}
      onClick={(event) => event.target === box.current && closePalette()}
    >
      <label className="field">
        <Icon name="search" size={14} />
        <input
          autoFocus
          role="combobox"
          aria-label="Go to, or do"
          aria-expanded={entries.length > 0}
          aria-controls={id}
          aria-activedescendant={entries.length > 0 ? `${id}${at}` : undefined}
          placeholder="Go to a run, experiment, model or metric; or do something"
          spellCheck={false}
          value={text}
          onChange={(event) => {
            setText(event.target.value);
            setAt(0);
          }}
          onKeyDown={onKeyDown}
        />
      </label>
      <div ref={list} id={id} role="listbox" aria-label="Found" className="found">
        {entries.map((entry, i) => (
          <Fragment key={`${entry.group}${i}`}>
            {entry.group !== entries[i - 1]?.group && <h6 role="presentation">{entry.group}</h6>}
            <div
              id={`${id}${i}`}
              role="option"
              aria-selected={i === at}
              className={`o ${i === at ? "on" : ""}`}
              onMouseMove={() => setAt(i)}
              onClick={() => choose(entry)}
            >
              <Icon name={entry.icon} size={14} />
              <span className="ell grow">{entry.text}</span>
              {entry.note && <span className="dim nw">{entry.note}</span>}
              {entry.keys && <kbd>{entry.keys}</kbd>}
            </div>
          </Fragment>
        ))}
        {entries.length === 0 && <p className="dim hint">Nothing has “{text}” in its name.</p>}
      </div>
    </dialog>
  );
}

const PAUSE = 80;

/** A text once it has not changed for a moment. */
function useSettled(text: string): string {
  const [settled, setSettled] = useState(text);
  useEffect(() => {
    const timer = window.setTimeout(() => setSettled(text), PAUSE);
    return () => window.clearTimeout(timer);
  }, [text]);
  return settled;
}

function useFound(data: Schemas["FindByNameResponse"] | undefined): Entry[] {
  const navigate = useNavigate();
  return useMemo(() => {
    const { experiments = [], runs = [], models = [], keys = [] } = data ?? {};
    return [
      ...experiments.map(({ experiment_id: experimentId, name }): Entry => ({
        group: "Experiments",
        icon: "flask",
        text: name,
        run: () => void navigate({ to: "/experiments/$experimentId", params: { experimentId } }),
      })),
      ...models.map(({ name }): Entry => ({
        group: "Models",
        icon: "cube",
        text: name,
        run: () => void navigate({ to: "/models/$name", params: { name } }),
      })),
      ...runs.map(({ run_id: runId, run_name: name, experiment_id: experimentId, start_time: time }): Entry => ({
        group: "Runs",
        icon: "chart",
        text: name || runId,
        note: `${runId.slice(0, 8)} · ${moment(time)}`,
        run: () =>
          void navigate({
            to: "/experiments/$experimentId/runs/$runId/$",
            params: { experimentId, runId, _splat: "" },
          }),
      })),
      ...keys.map(({ kind, name, experiments: many, experiment_id: experimentId }): Entry => ({
        group: kind === "metric" ? "Metrics" : "Params",
        icon: kind === "metric" ? "num" : "abc",
        text: name,
        note: many > 1 ? `${many} experiments` : "",
        run: () =>
          kind === "metric"
            ? void navigate({
                to: "/experiments/$experimentId/$tab",
                params: { experimentId, tab: "charts" },
                search: { ch: { q: name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&") } } as never,
              })
            : void navigate({
                to: "/experiments/$experimentId",
                params: { experimentId },
                search: { q: `${fieldName({ kind: "param", key: name })} is not null` } as never,
              }),
      })),
    ];
  }, [data, navigate]);
}

/** What can be done: by the keys of the page at hand, and what is always there. */
function useActions(): Entry[] {
  const navigate = useNavigate();
  const pinned = usePinned();
  return useMemo(() => {
    const keyed = currentShortcuts()
      .filter(({ keys }) => !/Arrow|^[jk]$|Ctrl|Escape|Home|End|Page|^Space$|^Enter$/.test(keys))
      .map(({ keys, does, run }): Entry => ({
        group: "Do",
        icon: "key",
        text: does,
        keys,
        run: () => run(new KeyboardEvent("keydown")),
      }));
    const create = async () => {
      const experimentId = await createExperiment();
      if (experimentId) void navigate({ to: "/experiments/$experimentId", params: { experimentId } });
    };
    return [
      ...pinned.map(({ id, name }): Entry => ({
        group: "Pinned",
        icon: "pin",
        text: name,
        run: () => void navigate({ to: "/experiments/$experimentId", params: { experimentId: id } }),
      })),
      ...keyed,
      { group: "Do", icon: "plus", text: "New experiment", run: () => void create() },
      { group: "Do", icon: "half", text: "Light or dark", run: toggleTheme },
    ];
  }, [navigate, pinned]);
}
