import { useState } from "react";
import { count } from "../format/figures";
import { Button, Field } from "../kit/controls";
import { Dialog } from "../kit/Dialog";
import { changeRuns, runsText, tagRuns } from "./actions";
import type { Selected } from "./selected";
import type { RunsView } from "./view";

interface Props {
  experimentId: string;
  selected: Selected;
  matched: number;
  view: RunsView;
  change: (part: Partial<RunsView>) => void;
  onCompare: () => void;
  onChart: () => void;
  onCsv: () => void;
}

/** What can be done with the ticked runs. */
export function SelectionBar({ experimentId, selected, matched, view, change, onCompare, onChart, onCsv }: Props) {
  const [tagging, setTagging] = useState(false);
  if (selected.ids.size === 0) return null;
  const ids = [...selected.ids];
  const act = (action: "delete" | "restore" | "archive" | "unarchive") =>
    void changeRuns(experimentId, ids, action).then(selected.clear);
  return (
    <>
      <div className="selbar" role="toolbar" aria-label="Selection">
        <b className="b">{count(ids.length)} selected</b>
        <span className="of">of {count(matched)}</span>
        <Button
          kind="pri"
          icon="compare"
          onClick={onCompare}
          disabled={ids.length < 2}
          title={ids.length < 2 ? "Select two runs or more" : undefined}
        >
          Compare <kbd>C</kbd>
        </Button>
        <Button icon="chart" onClick={onChart}>
          Chart
        </Button>
        <Button icon="tag" onClick={() => setTagging(true)}>
          Tag
        </Button>
        <Button icon="pin" onClick={() => change({ pinned: [...new Set([...view.pinned, ...ids])] })}>
          Pin
        </Button>
        <Button icon="download" onClick={onCsv}>
          CSV
        </Button>
        <span className="sep" />
        {view.deleted ? (
          <Button icon="undo" onClick={() => act("restore")}>
            Restore
          </Button>
        ) : (
          <>
            <Button icon="archive" onClick={() => act(view.archived === "only" ? "unarchive" : "archive")}>
              {view.archived === "only" ? "Unarchive" : "Archive"}
            </Button>
            <Button icon="trash" onClick={() => act("delete")}>
              Delete
            </Button>
          </>
        )}
        <span className="sep" />
        <Button icon="x" title="Clear selection" onClick={selected.clear} />
      </div>
      {tagging && <TagDialog experimentId={experimentId} ids={ids} onClose={() => setTagging(false)} />}
    </>
  );
}

function TagDialog({ experimentId, ids, onClose }: { experimentId: string; ids: string[]; onClose: () => void }) {
  const [key, setKey] = useState("");
  const [value, setValue] = useState("");
  const submit = async () => {
    onClose();
    await tagRuns(experimentId, ids, key.trim(), value);
  };
  return (
    <Dialog
      title={`Tag ${runsText(ids.length)}`}
      action="Tag"
      disabled={!key.trim()}
      onSubmit={submit}
      onClose={onClose}
    >
      <Field label="Key" placeholder="Key" value={key} onChange={setKey} autoFocus />
      <Field label="Value" placeholder="Value" value={value} onChange={setValue} />
    </Dialog>
  );
}
