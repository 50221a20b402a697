import { useId, useMemo, useState } from "react";
import { Button, Field } from "../../kit/controls";
import { Dialog } from "../../kit/Dialog";
import type { ColumnRef } from "../../runs/view";
import { useRunKeys } from "../../runs/useTable";
import { titleOf, type Chart, type Section } from "./layout";
import { KINDS, type AddedChart, type ChartKind } from "./settings";
import { columnText, KIND_TEXT, problemWith, readColumn, SLOTS } from "./slots";
import { useStage, type Source } from "./stage";

const OFFERED = 200;

/** Asks what a chart shows, and where it goes. */
export default function ChartDialog({
  chart,
  sections,
  source,
  onSave,
  onClose,
}: {
  chart: Chart | null;
  sections: readonly Section[];
  source: Source;
  onSave: (chart: AddedChart) => void;
  onClose: () => void;
}) {
  const { settings } = useStage();
  const { data } = useRunKeys(source.experimentId);
  const known = useMemo(() => (data ?? []).map(({ kind, name }): ColumnRef => ({ kind, key: name })), [data]);
  const held = settings.added.find(({ id }) => id === chart?.id);
  const [kind, setKind] = useState<ChartKind>(chart?.kind ?? "scatter");
  const [texts, setTexts] = useState<readonly string[]>(chart?.columns.map(columnText) ?? []);
  const [title, setTitle] = useState(held?.title ?? "");
  const [section, setSection] = useState(held?.section ?? "");
  const slots = SLOTS[kind];
  const many = slots[slots.length - 1]!.many === true;
  const rows = many ? Math.max(2, texts.filter((text) => text !== "").length + 1) : slots.length;
  const used = texts.slice(0, many ? texts.length : slots.length);
  const columns = used.map((text) => readColumn(text, known));
  const problem = problemWith(kind, used, columns);
  const given = columns.filter((column) => column !== null);
  const list = useId();

  return (
    <Dialog
      title={chart ? "Edit chart" : "Add a chart"}
      action={chart ? "Save" : "Add"}
      disabled={problem !== ""}
      onClose={onClose}
      onSubmit={() => onSave({ id: chart?.id ?? newId(settings.added), kind, columns: given, section, title })}
    >
      <div className="kinds" role="radiogroup" aria-label="Kind">
        {KINDS.map((one) => (
          <Button
            key={one}
            small
            role="radio"
            aria-checked={one === kind}
            on={one === kind}
            onClick={() => setKind(one)}
          >
            {KIND_TEXT[one]}
          </Button>
        ))}
      </div>
      {Array.from({ length: rows }, (_, i) => {
        const slot = slots[Math.min(i, slots.length - 1)]!;
        const label = many ? `${slot.label} ${i + 1}` : slot.label;
        return (
          <ColumnField
            key={i}
            id={`${list}-${i}`}
            label={label}
            caption={many && i > 0 ? "" : slot.label + (slot.optional ? " (optional)" : "")}
            text={texts[i] ?? ""}
            known={kind === "line" || kind === "importance" ? known.filter((one) => one.kind === "metric") : known}
            onChange={(text) => setTexts(Array.from({ length: rows }, (_, k) => (k === i ? text : (texts[k] ?? ""))))}
          />
        );
      })}
      <span className="n">Title and section</span>
      <Field label="Title" value={title} placeholder={titleOf({ kind, columns: given })} onChange={setTitle} />
      <Field label="Section" value={section} placeholder="Charts" list={`${list}-s`} onChange={setSection} />
      <datalist id={`${list}-s`}>
        {sections.map(({ name, pinned }) => (pinned ? null : <option key={name} value={name} />))}
      </datalist>
      {problem && used.some((text) => text !== "") && <span className="n">{problem}</span>}
    </Dialog>
  );
}

function ColumnField({
  id,
  label,
  caption,
  text,
  known,
  onChange,
}: {
  id: string;
  label: string;
  caption: string;
  text: string;
  known: readonly ColumnRef[];
  onChange: (text: string) => void;
}) {
  const wanted = text.toLowerCase();
  const offered = known.filter((column) => columnText(column).toLowerCase().includes(wanted)).slice(0, OFFERED);
  return (
    <>
      {caption && <span className="n">{caption}</span>}
      <Field
        label={label}
        className="mono"
        list={id}
        value={text}
        autoComplete="off"
        spellCheck={false}
        placeholder="a metric or a param"
        onChange={onChange}
      />
      <datalist id={id}>
        {offered.map((column) => (
          <option key={columnText(column)} value={columnText(column)} />
        ))}
      </datalist>
    </>
  );
}

function newId(added: readonly AddedChart[]): string {
  const taken = new Set(added.map(({ id }) => id));
  let number = added.length + 1;
  while (taken.has(`c${number}`)) number++;
  return `c${number}`;
}
