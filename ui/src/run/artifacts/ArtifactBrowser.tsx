import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useMemo, useRef, useState } from "react";
import { bytes, count } from "../../format/figures";
import { Button } from "../../kit/controls";
import { Icon } from "../../kit/Icon";
import type { IconName } from "../../kit/icons";
import { Empty, Loading, Problem } from "../../kit/states";
import { announceProblem } from "../../shell/undo";
import { FileView } from "./FileView";
import { kindOf } from "./kinds";
import { download, useTree, zipAddress, type Owner } from "./owner";
import { buildTree, foldersOf, openLines, telling, type Line } from "./tree";
import "./artifacts.css";

const ROW = 26;

/** A tree of files beside the one that is open. */
export function ArtifactBrowser({
  owner,
  path,
  onPath,
  first,
}: {
  owner: Owner;
  path: string;
  onPath: (path: string) => void;
  /** Opens the file that tells most, until one is chosen. */
  first?: boolean;
}) {
  const tree = useTree(owner);
  const root = useMemo(() => buildTree(tree.files), [tree.files]);
  const [open, setOpen] = useState<ReadonlySet<string>>(() => new Set([...foldersOf(path), path]));
  useEffect(() => setOpen((held) => new Set([...held, ...foldersOf(path), path])), [path]);
  const lines = useMemo(() => openLines(root, open), [root, open]);
  const file = tree.files.find((one) => one.path === path) ?? (first ? telling(tree.files) : undefined);
  const zip = (folder: string) =>
    void download(zipAddress(owner, folder), owner, folder, `${folder.split("/").at(-1) || "artifacts"}.zip`).catch(
      announceProblem,
    );
  if (tree.error)
    return (
      <section className="card artifacts-empty">
        <Problem what="The files could not be listed" error={tree.error} onRetry={() => void tree.refetch()} />
      </section>
    );
  if (tree.isPending)
    return (
      <section className="card artifacts-empty">
        <Loading rows={10} />
      </section>
    );
  if (tree.files.length === 0) {
    return (
      <section className="card artifacts-empty">
        <Empty title="No files yet">
          <p>
            Figures, tables, models and folders come here: <code>stele.log_artifact("report.txt")</code>
          </p>
        </Empty>
      </section>
    );
  }
  const toggle = (folder: string) =>
    setOpen((held) => {
      const next = new Set(held);
      if (!next.delete(folder)) next.add(folder);
      return next;
    });
  return (
    <section className="card artifacts" aria-label="Artifacts">
      <header>
        <h2>Artifacts</h2>
        <span className="n">
          {count(tree.first?.total_files ?? 0)} {tree.first?.total_files === 1 ? "file" : "files"} ·{" "}
          {bytes(tree.first?.total_bytes ?? 0)}
          {tree.first?.complete === false && " and more"}
        </span>
        <span className="grow" />
        {tree.hasNextPage && (
          <Button small onClick={() => void tree.fetchNextPage()}>
            List more
          </Button>
        )}
        <Button kind="ghost" small icon="download" onClick={() => zip(open.has(path) && !file ? path : "")}>
          Download {path && !file ? "folder" : "all"}
        </Button>
      </header>
      <div className="split">
        <Tree lines={lines} open={open} path={path} onToggle={toggle} onPath={onPath} onZip={zip} />
        {file ? (
          <FileView key={file.path} owner={owner} entry={file} siblings={tree.files} onPath={onPath} />
        ) : (
          <Empty title={path ? "This is a folder" : "Choose a file"} />
        )}
      </div>
    </section>
  );
}

const ICONS: Partial<Record<ReturnType<typeof kindOf>, IconName>> = {
  image: "image",
  table: "table",
  mlmodel: "cube",
  markdown: "doc",
  html: "globe",
};

function Tree({
  lines,
  open,
  path,
  onToggle,
  onPath,
  onZip,
}: {
  lines: Line[];
  open: ReadonlySet<string>;
  path: string;
  onToggle: (folder: string) => void;
  onPath: (path: string) => void;
  onZip: (folder: string) => void;
}) {
  const scroller = useRef<HTMLDivElement>(null);
  const [at, setAt] = useState(() =>
    Math.max(
      0,
      lines.findIndex(({ node }) => node.path === path),
    ),
  );
  const rows = useVirtualizer({
    count: lines.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW,
    overscan: 10,
  });
  const choose = ({ node }: Line) => (node.entry ? onPath(node.path) : onToggle(node.path));
  const onKeyDown = (event: React.KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const line = lines[at];
    if (step) {
      const next = Math.max(0, Math.min(lines.length - 1, at + step));
      setAt(next);
      rows.scrollToIndex(next);
    } else if (event.key === "Enter" && line) choose(line);
    else if (event.key === "ArrowRight" && line && !line.node.entry && !open.has(line.node.path))
      onToggle(line.node.path);
    else if (event.key === "ArrowLeft" && line && open.has(line.node.path) && !line.node.entry)
      onToggle(line.node.path);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div
      className="tree"
      ref={scroller}
      role="tree"
      aria-label="Files"
      tabIndex={0}
      onKeyDown={onKeyDown}
      aria-activedescendant={`file${at}`}
    >
      <div className="sizer" style={{ height: rows.getTotalSize() }}>
        {rows.getVirtualItems().map(({ index, start }) => {
          const line = lines[index]!;
          const { node, depth } = line;
          const unfolded = open.has(node.path);
          return (
            <div
              key={node.path}
              id={`file${index}`}
              role="treeitem"
              aria-level={depth + 1}
              aria-selected={node.path === path}
              aria-expanded={node.entry ? undefined : unfolded}
              className={`file ${node.path === path ? "on" : ""} ${index === at ? "cur" : ""}`}
              style={{ top: start, paddingLeft: 8 + depth * 14 }}
              onClick={() => {
                setAt(index);
                choose(line);
              }}
            >
              {node.entry ? <span className="noicon" /> : <Icon name={unfolded ? "down" : "right"} size={12} />}
              <Icon name={node.entry ? (ICONS[kindOf(node.path)] ?? "file") : "folder"} size={14} />
              <span className="ell grow" title={node.path}>
                {node.name}
              </span>
              {(node.entry?.versions ?? 1) > 1 && <span className="chip">v{node.entry!.versions}</span>}
              {!node.entry && (
                <Button
                  small
                  kind="ghost"
                  icon="download"
                  title={`Download ${node.path} as zip`}
                  tabIndex={-1}
                  onClick={(event) => {
                    event.stopPropagation();
                    onZip(node.path);
                  }}
                />
              )}
              <span className="dim nw">{bytes(node.size)}</span>
            </div>
          );
        })}
      </div>
    </div>
  );
}
