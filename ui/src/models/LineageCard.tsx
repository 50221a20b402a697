import { useQuery } from "@tanstack/react-query";
import { Link, type LinkProps } from "@tanstack/react-router";
import { Loading, Problem } from "../kit/states";
import { toRun } from "../run/links";
import { lineageQuery } from "./data";
import { aboutDataset } from "../run/cards";

interface Box {
  id: string;
  title: string;
  note: string;
  link?: LinkProps;
  on?: boolean;
}

const [WIDTH, HEIGHT, GAP_X, GAP_Y] = [168, 44, 56, 20];

/** Datasets, run, version, and where the version is used, from left to right. */
export function LineageCard({ name, version }: { name: string; version: string }) {
  const { data, error, refetch } = useQuery(lineageQuery(name, version));
  return (
    <section className="card lineage" aria-label={`Lineage of version ${version}`}>
      <header>
        <h2>Lineage of version {version}</h2>
      </header>
      {error ? (
        <Problem what="The lineage could not be read" error={error} onRetry={() => void refetch()} />
      ) : !data ? (
        <Loading />
      ) : (
        <Graph columns={columnsOf(name, data)} />
      )}
    </section>
  );
}

type Lineage = NonNullable<Awaited<ReturnType<NonNullable<ReturnType<typeof lineageQuery>["queryFn"]>>>>;

function columnsOf(name: string, lineage: Lineage): Box[][] {
  const { version, run, datasets = [], input_models: inputs = [], siblings = [], model } = lineage;
  const commit = (lineage.code ?? []).find(({ key }) => key.endsWith("git.commit"))?.value;
  const sources: Box[] = [
    ...datasets.map(({ dataset }) => ({
      id: `d${dataset.name}${dataset.digest}`,
      title: dataset.name,
      note: aboutDataset(dataset) || "dataset",
    })),
    ...inputs.map((id) => ({ id: `m${id}`, title: id, note: "model that went in" })),
  ];
  const runs: Box[] = run
    ? [
        {
          id: "run",
          title: run.run_name || run.run_id.slice(0, 8),
          note: commit ? `run · ${commit.slice(0, 7)}` : "run",
          link: toRun(run.experiment_id, run.run_id),
        },
      ]
    : [];
  const own: Box = {
    id: "version",
    title: `v${version.version}`,
    note: model ? "version of a logged model" : "version",
    on: true,
  };
  const uses: Box[] = [
    ...(version.aliases ?? []).map((alias) => ({ id: `a${alias}`, title: alias, note: "alias" })),
    ...siblings.map((one) => ({
      id: `s${one.name}${one.version}`,
      title: `${one.name} v${one.version}`,
      note: "the same model",
      link: { to: "/models/$name/versions/$version", params: { name: one.name, version: one.version } } as LinkProps,
    })),
  ];
  return [sources, runs, [own], uses].filter((column) => column.length > 0 || name === "");
}

function Graph({ columns }: { columns: Box[][] }) {
  const height = Math.max(...columns.map((column) => column.length)) * (HEIGHT + GAP_Y) + GAP_Y;
  const width = columns.length * (WIDTH + GAP_X) - GAP_X + 24;
  const x = (column: number) => 12 + column * (WIDTH + GAP_X);
  const y = (column: number, at: number) =>
    (height - columns[column]!.length * (HEIGHT + GAP_Y) + GAP_Y) / 2 + at * (HEIGHT + GAP_Y);
  return (
    <div className="graph" style={{ height, minWidth: width }}>
      <svg width={width} height={height} aria-hidden="true">
        {columns.slice(1).flatMap((column, i) =>
          columns[i]!.flatMap((_, from) =>
            column.map((__, to) => {
              const [x1, y1, x2, y2] = [x(i) + WIDTH, y(i, from) + HEIGHT / 2, x(i + 1), y(i + 1, to) + HEIGHT / 2];
              const middle = (x1 + x2) / 2;
              return <path key={`${i}.${from}.${to}`} d={`M${x1} ${y1}C${middle} ${y1} ${middle} ${y2} ${x2} ${y2}`} />;
            }),
          ),
        )}
      </svg>
      {columns.map((column, i) =>
        column.map((box, at) => {
          const style = { left: x(i), top: y(i, at), width: WIDTH, height: HEIGHT };
          const inside = (
            <>
              <span className="ell" title={box.title}>
                {box.title}
              </span>
              <span className="dim ell">{box.note}</span>
            </>
          );
          return box.link ? (
            <Link key={box.id} {...box.link} className={`node ${box.on ? "on" : ""}`} style={style}>
              {inside}
            </Link>
          ) : (
            <div key={box.id} className={`node ${box.on ? "on" : ""}`} style={style}>
              {inside}
            </div>
          );
        }),
      )}
    </div>
  );
}
