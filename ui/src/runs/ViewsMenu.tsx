/** Views that the team saved for an experiment: what the table and the charts show, under a name. */

import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { del, get, patch, post, type Schemas } from "../api/client";
import { keys, queryClient } from "../api/queries";
import { Button } from "../kit/controls";
import { Moment } from "../kit/marks";
import { Popover } from "../kit/Popover";
import { ask } from "../shell/ask";
import { announce, announceProblem } from "../shell/undo";
import { formatView, parseView } from "./view";

type View = Schemas["View"];

const listKey = (experimentId: string) => [...keys.experiment(experimentId), "views"];

const useViews = (experimentId: string) =>
  useQuery({
    queryKey: listKey(experimentId),
    queryFn: async ({ signal }) =>
      (await get("/api/2.0/stele/views", { experiment_id: experimentId }, { signal })).views ?? [],
  });

/** The view as text, the same for the same view. */
const stateOf = (search: Record<string, unknown>): string => JSON.stringify(formatView(parseView(search)));

/** What was saved, or nothing where it is no view. */
function parseState(state: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(state);
    return value !== null && typeof value === "object" ? formatView(parseView(value as Record<string, unknown>)) : {};
  } catch {
    return {};
  }
}

export function ViewsMenu({ experimentId }: { experimentId: string }) {
  const search = useSearch({ strict: false }) as Record<string, unknown> & { view?: string };
  const navigate = useNavigate();
  const { data: views = [] } = useViews(experimentId);
  const current = views.find(({ view_id }) => view_id === search.view);
  const edited = current !== undefined && stateOf(search) !== JSON.stringify(parseState(current.state));
  const plain = !current && stateOf(search) === "{}";

  const refresh = () => queryClient.invalidateQueries({ queryKey: listKey(experimentId) });
  const open = (view: View | null) =>
    void navigate({ to: ".", search: (view ? { ...parseState(view.state), view: view.view_id } : {}) as never });
  const saveAs = async () => {
    const name = await ask({
      title: "Save this view for the team",
      label: "Name",
      value: current?.name ?? "",
      action: "Save",
    });
    if (!name) return;
    try {
      const { view } = await post("/api/2.0/stele/views", {
        experiment_id: experimentId,
        name,
        state: stateOf(search),
      });
      await refresh();
      void navigate({ to: ".", replace: true, search: ((held: object) => ({ ...held, view: view.view_id })) as never });
      announce(`Saved the view ${name}`);
    } catch (error) {
      announceProblem(error);
    }
  };
  const write = async (view: View, change: { name?: string; state?: string }, text: string) => {
    const { name, state } = view;
    const send = (part: { name?: string; state?: string }) =>
      patch(
        "/api/2.0/stele/views/{view_id}",
        { view_id: view.view_id, ...part },
        { path: { view_id: view.view_id } },
      ).then(refresh);
    await send(change).then(() => announce(text, () => send({ name, state })), announceProblem);
  };
  const remove = async (view: View) => {
    await del("/api/2.0/stele/views/{view_id}", { view_id: view.view_id }, { path: { view_id: view.view_id } }).then(
      async () => {
        await refresh();
        announce(`Deleted the view ${view.name}`, () =>
          post("/api/2.0/stele/views", { experiment_id: experimentId, name: view.name, state: view.state }).then(
            refresh,
          ),
        );
      },
      announceProblem,
    );
  };
  const rename = async (view: View) => {
    const name = await ask({ title: `Rename ${view.name}`, label: "Name", value: view.name, action: "Rename" });
    if (name && name !== view.name) await write(view, { name }, `Renamed to ${name}`);
  };

  return (
    <span className="row">
      <span className="dim">View</span>
      <Popover
        label="Saved views"
        align="end"
        width={320}
        trigger={(props) => (
          <Button {...props} small>
            {current?.name ?? (plain ? "Standard" : "Unsaved")} {edited && <span className="dim">· edited</span>}
          </Button>
        )}
      >
        {(close) => (
          <div className="list-menu">
            <div className="o">
              <button
                type="button"
                className="plain"
                onClick={() => {
                  close();
                  open(null);
                }}
              >
                Standard
              </button>
            </div>
            {views.map((view) => (
              <div key={view.view_id} className={`o ${view === current ? "on" : ""}`}>
                <button
                  type="button"
                  className="plain ell"
                  title={view.name}
                  onClick={() => {
                    close();
                    open(view);
                  }}
                >
                  {view.name}
                </button>
                <span className="dim" title={`Saved by ${view.principal}`}>
                  {view.principal} <Moment time={view.last_update_time} />
                </span>
                <Button
                  small
                  kind="ghost"
                  icon="doc"
                  title={`Rename ${view.name}`}
                  onClick={() => {
                    close();
                    void rename(view);
                  }}
                />
                <Button
                  small
                  kind="ghost"
                  icon="trash"
                  title={`Delete ${view.name}`}
                  onClick={() => void remove(view)}
                />
              </div>
            ))}
            {views.length === 0 && (
              <p className="dim">No view is saved yet. Columns, filter, order, groups and charts make one.</p>
            )}
            <Button
              onClick={() => {
                close();
                void saveAs();
              }}
            >
              Save as new view
            </Button>
          </div>
        )}
      </Popover>
      {edited && current ? (
        <Button
          small
          kind="ghost"
          onClick={() => void write(current, { state: stateOf(search) }, `Saved the view ${current.name}`)}
        >
          Save
        </Button>
      ) : (
        !plain &&
        !current && (
          <Button small kind="ghost" onClick={() => void saveAs()}>
            Save
          </Button>
        )
      )}
    </span>
  );
}
