import { useState } from "react";
import { post } from "../api/client";
import { keys, queryClient, type Experiment } from "../api/queries";
import { Button, CopyButton, Field } from "../kit/controls";
import { Markdown } from "../kit/Markdown";
import { Moment } from "../kit/marks";
import { announceProblem } from "../shell/undo";

const NOTE = "mlflow.note.content";

/** What an experiment is: description, tags, where its files go. */
export default function AboutTab({ experiment }: { experiment: Experiment }) {
  const tags = (experiment.tags ?? []).filter(({ key }) => key !== NOTE);
  const note = experiment.tags?.find(({ key }) => key === NOTE)?.value ?? "";
  return (
    <div className="cards about">
      <Description text={note} onSave={(value) => setTag(experiment, NOTE, value)} />
      <section className="card">
        <header>
          <h2>Experiment</h2>
        </header>
        <dl className="kv body">
          <dt>Id</dt>
          <dd className="mono">
            {experiment.experiment_id} <CopyButton text={experiment.experiment_id} label="Copy id" alone />
          </dd>
          <dt>Files</dt>
          <dd className="mono" title={experiment.artifact_location}>
            {experiment.artifact_location}
          </dd>
          <dt>Created</dt>
          <dd>
            <Moment time={experiment.creation_time} />
          </dd>
          <dt>Changed</dt>
          <dd>
            <Moment time={experiment.last_update_time} />
          </dd>
        </dl>
      </section>
      <Tags
        tags={tags.map(({ key, value }) => ({ key: key ?? "", value: value ?? "" }))}
        onSet={(key, value) => setTag(experiment, key, value)}
        onDelete={(key) => deleteTag(experiment, key)}
      />
    </div>
  );
}

const refresh = () => queryClient.invalidateQueries({ queryKey: keys.experiments });

async function setTag({ experiment_id }: Experiment, key: string, value: string): Promise<void> {
  await post("/api/2.0/mlflow/experiments/set-experiment-tag", { experiment_id, key, value }).then(
    refresh,
    announceProblem,
  );
}

async function deleteTag({ experiment_id }: Experiment, key: string): Promise<void> {
  await post("/api/2.0/mlflow/experiments/delete-experiment-tag", { experiment_id, key }).then(
    refresh,
    announceProblem,
  );
}

/** A text in Markdown that can be edited in place. */
export function Description({ text, onSave }: { text: string; onSave: (text: string) => Promise<void> }) {
  const [draft, setDraft] = useState<string | null>(null);
  const save = async () => {
    await onSave(draft ?? "");
    setDraft(null);
  };
  return (
    <section className="card">
      <header>
        <h2>Description</h2>
        <span className="grow" />
        {draft === null ? (
          <Button kind="ghost" small onClick={() => setDraft(text)}>
            Edit
          </Button>
        ) : (
          <>
            <Button kind="ghost" small onClick={() => setDraft(null)}>
              Cancel
            </Button>
            <Button small kind="pri" onClick={() => void save()}>
              Save
            </Button>
          </>
        )}
      </header>
      <div className="body">
        {draft !== null ? (
          <textarea
            className="editor"
            aria-label="Description in Markdown"
            value={draft}
            autoFocus
            onChange={(event) => setDraft(event.target.value)}
            onKeyDown={(event) => {
              if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) void save();
              if (event.key === "Escape") setDraft(null);
            }}
          />
        ) : text ? (
          <Markdown text={text} />
        ) : (
          <p className="dim">Nothing is written here yet.</p>
        )}
      </div>
    </section>
  );
}

/** Tags as chips; a key with a value can be added, each can be removed. */
export function Tags({
  tags,
  onSet,
  onDelete,
}: {
  tags: { key: string; value?: string }[];
  onSet: (key: string, value: string) => Promise<void>;
  onDelete: (key: string) => Promise<void>;
}) {
  const [adding, setAdding] = useState(false);
  const [text, setText] = useState("");
  const add = async () => {
    const [key = "", ...value] = text.split("=");
    if (key.trim()) await onSet(key.trim(), value.join("=").trim());
    setText("");
    setAdding(false);
  };
  return (
    <section className="card">
      <header>
        <h2>Tags</h2>
        <span className="grow" />
        <Button
          kind="ghost"
          small
          icon={adding ? "x" : "plus"}
          title={adding ? "Close" : "Add a tag"}
          onClick={() => setAdding(!adding)}
        />
      </header>
      <div className="body tags">
        {adding && (
          <form
            onSubmit={(event) => {
              event.preventDefault();
              void add();
            }}
          >
            <Field label="Key = value" placeholder="key = value" value={text} onChange={setText} autoFocus small />
          </form>
        )}
        {tags.length === 0 && !adding && <p className="dim">No tags.</p>}
        {tags.map(({ key, value }) => (
          <span key={key} className="chip" title={`${key} = ${value}`}>
            {key} <b className="ell">{value}</b>
            <button
              type="button"
              title={`Remove ${key}`}
              aria-label={`Remove ${key}`}
              onClick={() => void onDelete(key)}
            >
              ×
            </button>
          </span>
        ))}
      </div>
    </section>
  );
}
