import { useInfiniteQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useLive } from "../api/events";
import { count } from "../format/figures";
import { Button, Chip, Field } from "../kit/controls";
import { Moment } from "../kit/marks";
import { Empty, Loading, Problem } from "../kit/states";
import { Page } from "../shell/Page";
import { useSearchText } from "../shell/useSearchText";
import { createModel, modelsQuery, type Model } from "./data";
import "./models.css";

/** All registered models. */
export default function ModelsPage() {
  const navigate = useNavigate();
  const { text, setText, settled: q, field } = useSearchText("Search models");
  useLive([]);
  const query = useInfiniteQuery(modelsQuery(q));
  const models = query.data?.pages.flatMap((page) => page.registered_models ?? []) ?? [];
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
        <Field
          ref={field}
          icon="search"
          label="Search models"
          placeholder="Search by name"
          value={text}
          onChange={setText}
          className="grow"
        />
      </div>
      <div className="tw scrolls">
        {query.error ? (
          <Problem what="The models could not be read" error={query.error} onRetry={() => void query.refetch()} />
        ) : query.isPending ? (
          <Loading rows={10} />
        ) : models.length === 0 ? (
          <Empty title={q ? `No model matches “${q}”` : "No model is registered yet"}>
            {!q && (
              <p>
                A logged model gets a name with <code>stele.register_model("runs:/…/model", "my-model")</code>.
              </p>
            )}
          </Empty>
        ) : (
          <table className="t models">
            <thead>
              <tr>
                <th>Name</th>
                <th>Latest</th>
                <th>Aliases</th>
                <th>Tags</th>
                <th>Description</th>
                <th className="r">Changed</th>
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
      <td>
        {(model.aliases ?? []).map(({ alias, version }) => (
          <Chip key={alias} tone={alias === "champion" ? "ok" : "acc"}>
            {alias} <span className="dim">v{version}</span>
          </Chip>
        ))}
      </td>
      <td>
        {(model.tags ?? []).slice(0, 3).map(({ key, value }) => (
          <Chip key={key}>
            {key} {value}
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
