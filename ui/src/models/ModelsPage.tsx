import { useInfiniteQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useRef, useState } from "react";
import { useLive } from "../api/events";
import { ApiError } from "../api/http";
import { count } from "../format/figures";
import { Button, Chip } from "../kit/controls";
import { Moment } from "../kit/marks";
import { Empty, Loading, Problem } from "../kit/states";
import { FilterField, useFilterText } from "../runs/filter/FilterField";
import { MODEL_FILTERS, recentFilters } from "../runs/filter/recent";
import { Page } from "../shell/Page";
import { useShortcuts } from "../shell/shortcuts";
import { createModel, modelsQuery, type Model } from "./data";
import { isFilter, nextOrder, orderOf, proposeForModels, type Order } from "./search";
import "./models.css";

/** All registered models. */
export default function ModelsPage() {
  const { text, order, change } = useListed();
  const navigate = useNavigate();
  const field = useFilterText(text, (q) => change({ q: q || undefined }));
  const input = useRef<HTMLInputElement>(null);
  useShortcuts([{ keys: "/", does: "Search models", run: () => input.current?.focus() }]);
  useLive([]);
  const query = useInfiniteQuery(modelsQuery(text, order));
  const misunderstood = query.error instanceof ApiError && query.error.status === 400 && isFilter(text);
  // For proposals, and what is shown before any filter was understood.
  const all = useInfiniteQuery({ ...modelsQuery(""), enabled: misunderstood || field.open !== "" });
  const data = useLastGood(query.data) ?? (misunderstood ? all.data : undefined);
  const models = data?.pages.flatMap((page) => page.registered_models ?? []) ?? [];
  const proposals =
    field.open === "recent"
      ? recentFilters(MODEL_FILTERS).map((one) => ({
          text: one,
          group: "Recent filters",
          icon: "filter" as const,
        }))
      : field.open
        ? proposeForModels(field.context, all.data?.pages.flatMap((page) => page.registered_models ?? []) ?? [])
        : [];
  const create = async () => {
    const name = await createModel();
    if (name) void navigate({ to: "/models/$name", params: { name } });
  };
  return (
    <Page
      title="Models"
      actions={
        <Button kind="pri" icon="plus" onClick={() => void create()}>
          New model
        </Button>
      }
    >
      <div className="qbar">
        <FilterField
          field={field}
          label="Search models"
          placeholder="A part of a name, or a filter: tags.team = 'vision'"
          icon="search"
          recent={MODEL_FILTERS}
          proposals={proposals}
          error={misunderstood ? query.error : null}
          ref={input}
        />
      </div>
      <div className="tw scrolls">
        {query.error && !misunderstood ? (
          <Problem what="The models could not be read" error={query.error} onRetry={() => void query.refetch()} />
        ) : !data ? (
          <Loading rows={10} />
        ) : models.length === 0 ? (
          <NoModels search={text} />
        ) : (
          <table className="t models">
            <thead>
              <tr>
                <Head text="Name" head="name" order={order} onOrder={change} />
                <th>Latest</th>
                <th>Aliases</th>
                <th>Tags</th>
                <th>Description</th>
                <Head text="Changed" head="changed" order={order} onOrder={change} />
              </tr>
            </thead>
            <tbody>
              {models.map((model) => (
                <ModelRow key={model.name} model={model} />
              ))}
            </tbody>
          </table>
        )}
        {query.hasNextPage && (
          <div className="more">
            <Button small onClick={() => void query.fetchNextPage()}>
              Show more
            </Button>
          </div>
        )}
      </div>
      <footer className="foot">
        <span>
          <b>{count(models.length)}</b> {query.hasNextPage ? "models so far" : models.length === 1 ? "model" : "models"}
        </span>
        <span className="grow" />
        <span>
          <kbd>?</kbd> shortcuts
        </span>
      </footer>
    </Page>
  );
}

interface Change {
  q?: string;
  order?: Order;
}

/** What the list shows, as the address says. */
function useListed() {
  const { q, order } = useSearch({ strict: false }) as { q?: unknown; order?: unknown };
  const navigate = useNavigate();
  return {
    text: q === undefined ? "" : String(q),
    order: orderOf(order),
    change: (next: Change) =>
      void navigate({ to: ".", replace: true, search: ((held: object) => ({ ...held, ...next })) as never }),
  };
}

/** The latest answer there was; a filter that is not understood leaves it. */
function useLastGood<T>(data: T | undefined): T | undefined {
  const [last, setLast] = useState(data);
  if (data !== undefined && data !== last) setLast(data);
  return data ?? last;
}

function Head({
  text,
  head,
  order,
  onOrder,
}: {
  text: string;
  head: "name" | "changed";
  order: Order;
  onOrder: (change: Change) => void;
}) {
  const sorted = order.endsWith(head);
  const descending = order.startsWith("-");
  return (
    <th
      className={`${sorted ? "sorted" : ""} ${head === "changed" ? "r" : ""}`}
      aria-sort={sorted ? (descending ? "descending" : "ascending") : "none"}
    >
      <button
        type="button"
        className="sorts"
        onClick={() => {
          const next = nextOrder(order, head);
          onOrder({ order: next === "name" ? undefined : next });
        }}
      >
        {text} {sorted && <span aria-hidden="true">{descending ? "↓" : "↑"}</span>}
      </button>
    </th>
  );
}

function NoModels({ search }: { search: string }) {
  if (search)
    return <Empty title={isFilter(search) ? "No model matches the filter" : `No model matches “${search}”`} />;
  return (
    <Empty title="No model is registered yet">
      <p>
        A logged model gets a name with <code>stele.register_model("runs:/…/model", "my-model")</code>.
      </p>
    </Empty>
  );
}

function ModelRow({ model }: { model: Model }) {
  const latest = Math.max(0, ...(model.latest_versions ?? []).map(({ version }) => Number(version)));
  return (
    <tr>
      <td>
        <Link to="/models/$name" params={{ name: model.name }} className="b" title={model.name}>
          {model.name}
        </Link>
      </td>
      <td>
        {latest > 0 ? (
          <Link
            to="/models/$name/versions/$version"
            params={{ name: model.name, version: String(latest) }}
            className="lnk"
          >
            v{latest}
          </Link>
        ) : (
          <span className="dim">—</span>
        )}
      </td>
      <td className="chips">
        {(model.aliases ?? []).map(({ alias, version }) => (
          <Chip key={alias} tone={alias === "champion" ? "ok" : "acc"} title={`${alias} v${version}`}>
            <span className="ell">{alias}</span> <span className="dim">v{version}</span>
          </Chip>
        ))}
      </td>
      <td className="chips">
        {(model.tags ?? []).slice(0, 3).map(({ key, value }) => (
          <Chip key={key} title={`${key} ${value}`}>
            <span className="ell">
              {key} {value}
            </span>
          </Chip>
        ))}
      </td>
      <td className="mut" title={model.description ?? ""}>
        {model.description?.split("\n")[0]}
      </td>
      <td className="num mut">
        <Moment time={model.last_updated_timestamp} />
      </td>
    </tr>
  );
}
