import { useNavigate } from "@tanstack/react-router";
import { toRun } from "../run/links";
import { useShortcuts } from "../shell/shortcuts";
import type { Row } from "./selection";
import { locate, type Layout } from "./segments";
import type { Selected } from "./selected";
import { changeRuns } from "./actions";
import type { RunsView } from "./view";

interface Given {
  experimentId: string;
  layout: Layout;
  rowAt: (index: number) => Row | undefined;
  current: number;
  setCurrent: (index: number) => void;
  selected: Selected;
  view: RunsView;
  change: (part: Partial<RunsView>) => void;
  onFold: (runId: string) => void;
  onFoldGroup: (group: string) => void;
  onCompare: () => void;
  onFilter: () => void;
}

const without = (list: readonly string[], one: string): string[] => list.filter((held) => held !== one);
const toggled = (list: readonly string[], one: string): string[] =>
  list.includes(one) ? without(list, one) : [...list, one];

const PAGE = 20;

/** The keys of the table, as the guide's section 8 has them. */
export function useTableKeys(given: Given): void {
  const { layout, rowAt, current, setCurrent, selected, view, change } = given;
  const navigate = useNavigate();
  const row = rowAt(current);
  const targets = selected.ids.size > 0 ? [...selected.ids] : row ? [row.run_id] : [];
  const move = (step: number, extend: boolean) => {
    const next = Math.max(0, Math.min(layout.total - 1, current + step));
    if (extend)
      selected.set(
        [rowAt(current), rowAt(next)].flatMap((one) => (one ? [one.run_id] : [])),
        true,
      );
    setCurrent(next);
  };
  const fold = (open: boolean) => {
    const place = locate(layout, current);
    if (place?.segment.kind === "header") {
      if (place.segment.folded === open) given.onFoldGroup(place.segment.id);
    } else if (row && row.children > 0 && row.expanded !== open) given.onFold(row.run_id);
  };
  const open = () => {
    const place = locate(layout, current);
    if (place?.segment.kind === "header") given.onFoldGroup(place.segment.id);
    else if (row) void navigate(toRun(row.experiment_id, row.run_id) as never);
  };
  const step = (keys: string, steps: number, does: string, extend = false) => ({
    keys,
    does,
    run: () => move(steps, extend),
  });
  useShortcuts([
    step("j", 1, "Next row"),
    step("ArrowDown", 1, "Next row"),
    step("k", -1, "Previous row"),
    step("ArrowUp", -1, "Previous row"),
    step("PageDown", PAGE, "Rows down"),
    step("PageUp", -PAGE, "Rows up"),
    step("Home", -Infinity, "First row"),
    step("End", Infinity, "Last row"),
    step("Shift+ArrowDown", 1, "Extend the selection", true),
    step("Shift+ArrowUp", -1, "Extend the selection", true),
    { keys: "Space", does: "Select", run: () => row && selected.toggle(row.run_id) },
    { keys: "Enter", does: "Open", run: open },
    { keys: "o", does: "Open", run: open },
    { keys: "ArrowLeft", does: "Fold", run: () => fold(false) },
    { keys: "ArrowRight", does: "Unfold", run: () => fold(true) },
    { keys: "c", does: "Compare the selection", run: given.onCompare },
    {
      keys: "b",
      does: "Baseline",
      run: () => row && change({ baseline: view.baseline === row.run_id ? "" : row.run_id }),
    },
    { keys: "p", does: "Pin", run: () => row && change({ pinned: toggled(view.pinned, row.run_id) }) },
    {
      keys: "h",
      does: "Show or hide in charts",
      run: () => row && change({ hidden: toggled(view.hidden, row.run_id) }),
    },
    { keys: "d", does: "Only what differs", run: () => change({ onlyDiffering: !view.onlyDiffering }) },
    {
      keys: "e",
      does: "Archive",
      run: () => targets.length > 0 && void changeRuns(given.experimentId, targets, "archive").then(selected.clear),
    },
    {
      keys: "Delete",
      does: "Delete",
      run: () => targets.length > 0 && void changeRuns(given.experimentId, targets, "delete").then(selected.clear),
    },
    {
      keys: "Ctrl+A",
      does: "Select the rows in sight",
      run: () =>
        selected.set(
          Array.from({ length: layout.total }, (_, i) => rowAt(i)?.run_id).filter((id) => id !== undefined),
          true,
        ),
    },
    { keys: "/", does: "Filter", run: given.onFilter },
    { keys: "f", does: "Filter", run: given.onFilter },
    { keys: "Escape", does: "Clear the selection", run: selected.clear },
  ]);
}
