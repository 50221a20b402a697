/** All experiments: what they hold, what happens in them. */

import { useInfiniteQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import type { Schemas } from "../api/client";
import { useLive } from "../api/events";
import { count } from "../format/figures";
import { Button, Chip, Field, Segments } from "../kit/controls";
import { Moment, statusText } from "../kit/marks";
import { Menu } from "../kit/Popover";
import { Empty, Loading, Problem } from "../kit/states";
import { FirstRun } from "../runs/FirstRun";
import { Page } from "../shell/Page";
import { useShortcuts } from "../shell/shortcuts";
import { useSearchText } from "../shell/useSearchText";
import { createExperiment, experimentMenu } from "./actions";
import { Activity } from "./Activity";
import { overviewQuery, type Show } from "./overview";
import { togglePin, usePinned } from "./pinned";
import "./experiments.css";

type Overview = Schemas["ExperimentOverview"];

/** The server tells of runs in so many experiments at once. */
const LIVE = 50;

export default function ExperimentsPage() {
  const search = useSearch({ strict: false }) as { show?: Show };
  const navigate = useNavigate();
  const show = search.show ?? "active";
  const { text, setText, settled, field } = useSearchText("Search experiments");
  useShortcuts([{ keys: "n", does: "New experiment", run: () => void create() }]);

  const query = useInfiniteQuery(overviewQuery(settled, show));
  const pinned = usePinned();
  const pages = query.data?.pages ?? [];
  const all = useMemo(() => pages.flatMap((page) => page.experiments), [pages]);
  const rows = useMemo(
    () =>
      ordered(
        all,
        pinned.map(({ id }) => id),
        show,
      ),
    [all, pinned, show],
  );
  useLive(all.slice(0, LIVE).map(({ experiment }) => experiment.experiment_id));
  const archived = all.filter((one) => one.archived).length;
  const total = pages[0]?.total ?? 0;

  const create = async () => {
    const id = await createExperiment();
    if (id) void navigate({ to: "/experiments/$experimentId", params: { experimentId: id } });
  };
  const empty =
    pages.length > 0 &&
    show === "active" &&
    !settled &&
    all.every((one) => Object.keys(one.runs).length === 0) &&
    all.length <= 1;
  return (
    <Page
      title="Experiments"
      actions={
        <Button kind="pri" icon="plus" onClick={() => void create()}>
          New experiment
        </Button>
      }
    >
      <div className="qbar">
        <Field
          ref={field}
          icon="search"
          label="Search experiments"
          placeholder="Search by name, or tag = value"
          value={text}
          onChange={setText}
          className="grow"
        />
        <Segments<Show>
          label="Which experiments"
          value={show}
          options={[
            ["active", "Active"],
            ["archived", "Archived"],
            ["deleted", "Deleted"],
          ]}
          onChange={(next) =>
            void navigate({
              to: ".",
              search: ((held: object) => ({ ...held, show: next === "active" ? undefined : next })) as never,
            })
          }
        />
      </div>
      <div className="tw scrolls">
        {query.error && !query.data ? (
          <Problem what="The experiments could not be read" error={query.error} onRetry={() => void query.refetch()} />
        ) : query.isPending ? (
          <Loading rows={12} />
        ) : empty ? (
          <FirstRun />
        ) : rows.length === 0 ? (
          <Empty title={settled ? `No experiment matches “${settled}”` : `No ${show} experiments`}>
            {settled && (
              <Button small onClick={() => setText("")}>
                Show all
              </Button>
            )}
          </Empty>
        ) : (
          <ExperimentsTable rows={rows} pinned={new Set(pinned.map(({ id }) => id))} />
        )}
        {query.hasNextPage && (
          <div className="more">
            <Button small onClick={() => void query.fetchNextPage()}>
              Show more
            </Button>{" "}
            {count(all.length)} of {count(pages[0]!.matched)}
          </div>
        )}
      </div>
      <footer className="foot">
        <span>
          <b>{count(total)}</b> {total === 1 ? "experiment" : "experiments"}
        </span>
        {settled && (
          <span>
            <b>{count(pages[0]?.matched ?? 0)}</b> match
          </span>
        )}
        {archived > 0 && show === "active" && <span className="dim">{count(archived)} archived, not shown</span>}
        <span className="grow" />
        <span>
          <kbd>?</kbd> shortcuts
        </span>
      </footer>
    </Page>
  );
}

/** Pinned ones on top, then by last activity. */
function ordered(all: readonly Overview[], pinned: readonly string[], show: Show): Overview[] {
  const rank = (one: Overview) => (pinned.includes(one.experiment.experiment_id) ? 0 : 1);
  return all
    .filter((one) => show === "deleted" || one.archived === (show === "archived"))
    .sort(
      (a, b) =>
        rank(a) - rank(b) ||
        (b.last_activity ?? b.experiment.creation_time ?? 0) - (a.last_activity ?? a.experiment.creation_time ?? 0),
    );
}

function ExperimentsTable({ rows, pinned }: { rows: Overview[]; pinned: ReadonlySet<string> }) {
  const navigate = useNavigate();
  const [current, setCurrent] = useState(-1);
  const at = rows[current];
  const move = (step: number) => setCurrent((held) => Math.max(0, Math.min(rows.length - 1, held + step)));
  const open = () =>
    at && void navigate({ to: "/experiments/$experimentId", params: { experimentId: at.experiment.experiment_id } });
  useShortcuts([
    { keys: "j", does: "Next experiment", run: () => move(1) },
    { keys: "ArrowDown", does: "Next experiment", run: () => move(1) },
    { keys: "k", does: "Previous experiment", run: () => move(-1) },
    { keys: "ArrowUp", does: "Previous experiment", run: () => move(-1) },
    { keys: "Enter", does: "Open", run: open },
    {
      keys: "p",
      does: "Pin",
      run: () => at && togglePin({ id: at.experiment.experiment_id, name: at.experiment.name ?? "" }),
    },
  ]);
  return (
    <table className="t experiments">
      <thead>
        <tr>
          <th className="pin-h">
            <span className="sr">Pinned</span>
          </th>
          <th>Name</th>
          <th>Runs</th>
          <th className="r">Total</th>
          <th>Last 28 days</th>
          <th className="r">Last activity</th>
          <th>Owner</th>
          <th>Tags</th>
          <th className="menu-h">
            <span className="sr">Actions</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {rows.map((one, i) => (
          <ExperimentRow
            key={one.experiment.experiment_id}
            one={one}
            pinned={pinned.has(one.experiment.experiment_id)}
            current={i === current}
          />
        ))}
      </tbody>
    </table>
  );
}

function ExperimentRow({ one, pinned, current }: { one: Overview; pinned: boolean; current: boolean }) {
  const { experiment, runs } = one;
  const id = experiment.experiment_id;
  const name = experiment.name ?? id;
  const tags = (experiment.tags ?? []).filter(({ key }) => key && !/^(mlflow|stele)\./.test(key));
  const total = Object.values(runs).reduce((sum, some) => sum + some, 0);
  return (
    <tr className={current ? "cur" : ""}>
      <td>
        <Button
          kind="ghost"
          small
          icon={pinned ? "pin" : "star"}
          title={pinned ? `Unpin ${name}` : `Pin ${name}`}
          className={pinned ? "pinned" : "quiet"}
          onClick={() => togglePin({ id, name })}
        />
      </td>
      <td>
        <div className="name">
          <Link to="/experiments/$experimentId" params={{ experimentId: id }} className="b" title={name}>
            {name}
          </Link>
        </div>
      </td>
      <td>
        <Statuses runs={runs} />
      </td>
      <td className="num">{count(total)}</td>
      <td className="sp">
        <Activity counts={one.activity} />
      </td>
      <td className="num mut">
        <Moment time={one.last_activity} />
      </td>
      <td className="mut">{one.owner}</td>
      <td>
        {tags.slice(0, 3).map(({ key, value }) => (
          <Chip key={key} title={`${key} = ${value}`}>
            {key} {value}
          </Chip>
        ))}
        {tags.length > 3 && <span className="n">+{tags.length - 3}</span>}
      </td>
      <td>
        <Menu label={`Actions for ${name}`} items={experimentMenu(experiment)} />
      </td>
    </tr>
  );
}

/** Only what is not the normal case in words: running and failed. */
function Statuses({ runs }: { runs: Record<string, number> }) {
  const shown = (
    [
      ["RUNNING", "run"],
      ["FAILED", "fail"],
      ["KILLED", "kill"],
      ["FINISHED", "fin"],
    ] as const
  ).filter(([status]) => runs[status]);
  return (
    <span className="statuses">
      {shown.map(([status, kind]) => (
        <span
          key={status}
          className={`st ${kind}`}
          title={`${count(runs[status]!)} ${statusText(status).toLowerCase()}`}
        >
          <i />
          {count(runs[status]!)}
        </span>
      ))}
    </span>
  );
}
