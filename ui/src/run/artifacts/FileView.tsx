import { useQuery } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { addressOf, send } from "../../api/http";
import { bytes } from "../../format/figures";
import { Button, CopyButton, Segments } from "../../kit/controls";
import { Markdown } from "../../kit/Markdown";
import { Empty, Loading, Problem } from "../../kit/states";
import { useShortcuts } from "../../shell/shortcuts";
import { announceProblem } from "../../shell/undo";
import { readText } from "../files";
import { CodeView } from "./CodeView";
import { kindOf, type FileKind } from "./kinds";
import { Media } from "./Media";
import { MLmodelView } from "./MLmodelView";
import { download, ownerKey, showAddress, type Entry, type Owner } from "./owner";
import { TableView } from "./TableView";

const TEXT_MOST = 1_000_000;
/** Text that has another form as well. */
const FORMS: Partial<Record<FileKind, readonly (readonly [string, string])[]>> = {
  markdown: [
    ["shown", "Read"],
    ["source", "Source"],
  ],
  json: [
    ["source", "Source"],
    ["table", "Table"],
  ],
  mlmodel: [
    ["source", "Source"],
    ["signature", "Signature"],
    ["load", "Load code"],
  ],
  html: [
    ["shown", "Page"],
    ["source", "Source"],
  ],
  table: [
    ["table", "Table"],
    ["source", "Source"],
  ],
};

/** One file, in the form that suits it. */
export function FileView({
  owner,
  entry,
  siblings,
  onPath,
}: {
  owner: Owner;
  entry: Entry;
  siblings: readonly Entry[];
  onPath: (path: string) => void;
}) {
  const { path } = entry;
  const kind = kindOf(path);
  const forms = FORMS[kind]?.filter(([form]) => form !== "source" || !path.endsWith(".parquet")) ?? [];
  const [form, setForm] = useState(forms[0]?.[0] ?? "source");
  const [version, setVersion] = useState<number | undefined>();
  const versions = useVersions(owner, entry);
  const size = versions.find((one) => one.version === version)?.file_size ?? entry.file_size;
  const address = showAddress(owner, path, version);
  const pictures =
    kind === "image" ? siblings.filter((one) => kindOf(one.path) === "image").map((one) => one.path) : [];
  const step = (by: number) => {
    const next = pictures[pictures.indexOf(path) + by];
    if (next) onPath(next);
  };
  useShortcuts(
    pictures.length > 1
      ? [
          { keys: "ArrowRight", does: "Next picture", run: () => step(1) },
          { keys: "ArrowLeft", does: "Previous picture", run: () => step(-1) },
        ]
      : [],
  );
  return (
    <div className="viewer">
      <header>
        <code className="ell" title={path}>
          {path}
        </code>
        <VersionMenu versions={versions} version={version} onVersion={setVersion} />
        <span className="n nw">{bytes(size)}</span>
        <span className="grow" />
        {forms.length > 1 && <Segments small label="Form" value={form} options={forms} onChange={setForm} />}
        <CopyButton text={path} label="Copy path" alone />
        <Button
          kind="ghost"
          small
          icon="download"
          title="Download"
          onClick={() => void download(address, owner, path, path.split("/").at(-1)!).catch(announceProblem)}
        />
      </header>
      <Body owner={owner} path={path} size={size} kind={kind} form={form} version={version} address={address} />
    </div>
  );
}

function Body({
  owner,
  path,
  size,
  kind,
  form,
  version,
  address,
}: {
  owner: Owner;
  path: string;
  size: number;
  kind: FileKind;
  form: string;
  version: number | undefined;
  address: string;
}) {
  if (form === "table") return <TableView owner={owner} path={path} version={version} />;
  if (kind === "image" || kind === "audio" || kind === "video" || kind === "pdf")
    return <Media kind={kind} owner={owner} path={path} version={version} />;
  if (kind === "html" && form === "shown") return <Media kind="html" owner={owner} path={path} version={version} />;
  if (kind === "other" && size > TEXT_MOST) return <NoPreview />;
  return (
    <Text owner={owner} path={path} version={version} address={address}>
      {(text) => {
        if (kind === "markdown" && form === "shown")
          return (
            <div className="scroll pad">
              <Markdown text={text} />
            </div>
          );
        if (kind === "mlmodel" && form !== "source")
          return <MLmodelView text={text} form={form} owner={owner} path={path} />;
        if (text.includes("\0")) return <NoPreview />;
        return <CodeView text={kind === "json" ? pretty(text) : text} path={path} />;
      }}
    </Text>
  );
}

const NoPreview = () => (
  <Empty title="There is no preview of this kind of file">
    <p>It can be downloaded as it is.</p>
  </Empty>
);

function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

function Text({
  owner,
  path,
  version,
  address,
  children,
}: {
  owner: Owner;
  path: string;
  version: number | undefined;
  address: string;
  children: (text: string) => ReactNode;
}) {
  const { data, error, refetch } = useQuery({
    queryKey: [...ownerKey(owner), "text", path, version],
    queryFn: ({ signal }) => readText(address, TEXT_MOST, signal),
  });
  if (error) return <Problem what="The file could not be read" error={error} onRetry={() => void refetch()} />;
  if (data === undefined) return <Loading />;
  if (data === null) return <Empty title="The file is gone" />;
  return (
    <>
      {children(data.text)}
      {data.cut && (
        <p className="more">
          The first {bytes(TEXT_MOST)} of {bytes(data.size)} are shown; the download has all.
        </p>
      )}
    </>
  );
}

interface Version {
  version: number;
  file_size: number;
}

/** Contents that the file has had; none for one that has only ever had one. */
function useVersions(owner: Owner, { path, versions = 1 }: Entry): readonly Version[] {
  const { data = [] } = useQuery({
    queryKey: [...ownerKey(owner), "versions", path],
    queryFn: async ({ signal }) => {
      const response = await send("GET", addressOf("/api/2.0/stele/artifacts/versions", { ...owner, path }), {
        signal,
      });
      return ((await response.json()) as { versions?: Version[] }).versions ?? [];
    },
    enabled: versions > 1,
  });
  return data;
}

function VersionMenu({
  versions,
  version,
  onVersion,
}: {
  versions: readonly Version[];
  version: number | undefined;
  onVersion: (version: number | undefined) => void;
}) {
  if (versions.length === 0) return null;
  const latest = Math.max(...versions.map((one) => one.version));
  return (
    <label className="field sm">
      <select
        aria-label="Version"
        value={version ?? latest}
        onChange={(event) => onVersion(Number(event.target.value) === latest ? undefined : Number(event.target.value))}
      >
        {versions.map((one) => (
          <option key={one.version} value={one.version}>
            v{one.version}
            {one.version === latest ? " (latest)" : ""}
          </option>
        ))}
      </select>
    </label>
  );
}
