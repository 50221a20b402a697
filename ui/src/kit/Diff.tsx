/** A difference as git writes it, file by file. */

import { useMemo, useState } from "react";
import { count } from "../format/figures";
import { Icon } from "./Icon";
import { parseDiff, type FileDiff } from "./diffText";
import "../styles/code.css";

export function Diff({ text }: { text: string }) {
  const files = useMemo(() => parseDiff(text), [text]);
  return (
    <div className="diff">
      {files.map((file, i) => (
        <OneFile key={i} file={file} open={i < 5} />
      ))}
    </div>
  );
}

export function OneFile({ file, open: initially }: { file: FileDiff; open: boolean }) {
  const [open, setOpen] = useState(initially);
  return (
    <section aria-label={file.name}>
      <button type="button" className="diff-head" aria-expanded={open} onClick={() => setOpen(!open)}>
        <Icon name={open ? "down" : "right"} size={12} />
        <code>{file.name}</code>
        <span className="added">+{count(file.added)}</span>
        <span className="removed">−{count(file.removed)}</span>
      </button>
      {open && (
        <pre className="code">
          {file.lines.map((line, i) => (
            <span key={i} className={{ add: "add", del: "del", same: "ctx", hunk: "hunk" }[line.kind]}>
              <span className="ln-n">{line.before ?? ""}</span>
              <span className="ln-n">{line.after ?? ""}</span>
              {line.kind === "hunk" ? line.text : `${{ add: "+", del: "-", same: " " }[line.kind]} ${line.text}`}
              {"\n"}
            </span>
          ))}
        </pre>
      )}
    </section>
  );
}
