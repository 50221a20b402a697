import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useNavigate, useParams, useSearch, type LinkProps } from "@tanstack/react-router";
import { useCallback, useState } from "react";
import { useLive } from "../api/events";
import { count } from "../format/figures";
import { Chip, CopyButton } from "../kit/controls";
import { Menu } from "../kit/Popover";
import { Loading, Problem } from "../kit/states";
import { Description, Tags } from "../runs/AboutTab";
import { Page, type Tab } from "../shell/Page";
import { Approvals } from "./Approvals";
import {
  deleteModel,
  deleteModelTag,
  describeModel,
  eventsQuery,
  modelQuery,
  protect,
  protectionsQuery,
  renameModel,
  setModelTag,
  versionsQuery,
  type Model,
  type Version,
} from "./data";
import { EventsCard } from "./EventsCard";
import { LineageCard } from "./LineageCard";
import { UseItCard } from "./UseItCard";
import { VersionsCard } from "./VersionsCard";
import "./models.css";

const TABS = ["Versions", "Lineage", "Events", "About"] as const;

/** One registered model: its versions, what was decided about them, and how to use it. */
export default function ModelPage() {
  const { name = "" } = useParams({ strict: false });
  const { data: model, error, refetch } = useQuery(modelQuery(name));
  useLive([]);
  if (error)
    return (
      <main>
        <Problem what={`${name} could not be opened`} error={error} onRetry={() => void refetch()} />
      </main>
    );
  if (!model)
    return (
      <main>
        <Loading rows={16} />
      </main>
    );
  return <OneModel model={model} />;
}

function OneModel({ model }: { model: Model }) {
  const { name } = model;
  const { tab = "versions" } = useSearch({ strict: false }) as { tab?: string };
  const navigate = useNavigate();
  const versions = useInfiniteQuery(versionsQuery(name));
  const { data: protections = [] } = useQuery(protectionsQuery(name));
  const all = versions.data?.pages.flatMap((page) => page.model_versions ?? []) ?? [];
  const [chosen, setChosen] = useState<string | null>(null);
  const current = all.find(({ version }) => version === chosen) ?? all[0];
  const tabs = TABS.map((text): Tab => {
    const key = text.toLowerCase();
    return {
      text,
      count: text === "Versions" ? `${count(all.length)}${versions.hasNextPage ? "+" : ""}` : undefined,
      on: tab === key,
      link: { to: "/models/$name", params: { name }, search: key === "versions" ? {} : { tab: key } } as LinkProps,
    };
  });
  const { fetchNextPage } = versions;
  const more = useCallback(() => void fetchNextPage({ cancelRefetch: false }), [fetchNextPage]);
  const rename = async () => {
    const next = await renameModel(name);
    if (next) void navigate({ to: "/models/$name", params: { name: next } });
  };
  const remove = async () => {
    if (await deleteModel(name)) void navigate({ to: "/models" });
  };
  return (
    <Page
      crumbs={[{ text: "Models", link: { to: "/models" } }]}
      title={name}
      chips={(model.tags ?? []).slice(0, 3).map(({ key, value }) => (
        <Chip key={key}>
          {key} {value}
        </Chip>
      ))}
      actions={
        <>
          <CopyButton text={`stele.pyfunc.load_model("${uriOf(model, current)}")`} label="Load code" />
          <Menu
            label="More"
            items={[
              { text: "Rename", icon: "doc", onChoose: () => void rename() },
              { text: "Protect an alias", icon: "shield", onChoose: () => void protect(name) },
              null,
              { text: "Delete", icon: "trash", bad: true, onChoose: () => void remove() },
            ]}
          />
        </>
      }
      tabs={tabs}
    >
      {versions.error ? (
        <Problem what="The versions could not be read" error={versions.error} onRetry={() => void versions.refetch()} />
      ) : (
        <Content
          model={model}
          tab={tab}
          versions={all}
          current={current}
          protections={protections}
          onChoose={setChosen}
          more={versions.hasNextPage ? more : undefined}
        />
      )}
    </Page>
  );
}

/** The address under which a model is loaded: by its first alias, or by version. */
export function uriOf({ name, aliases }: Model, version: Version | undefined): string {
  const alias = aliases?.find((one) => one.version === version?.version)?.alias;
  return alias ? `models:/${name}@${alias}` : `models:/${name}/${version?.version ?? 1}`;
}

interface ContentProps {
  model: Model;
  tab: string;
  versions: Version[];
  current: Version | undefined;
  protections: { kind: string; subject: string }[];
  onChoose: (version: string) => void;
  more: (() => void) | undefined;
}

function Content({ model, tab, versions, current, protections, onChoose, more }: ContentProps) {
  const { name } = model;
  if (tab === "events")
    return (
      <div className="cards">
        <EventsCard query={eventsQuery(name)} />
      </div>
    );
  if (tab === "lineage")
    return <div className="cards">{current && <LineageCard name={name} version={current.version} />}</div>;
  if (tab === "about") {
    return (
      <div className="cards about">
        <Description text={model.description ?? ""} onSave={async (text) => void (await describeModel(name, text))} />
        <Tags
          tags={model.tags ?? []}
          onSet={async (key, value) => void (await setModelTag(name, key, value))}
          onDelete={async (key) => void (await deleteModelTag(name, key))}
        />
      </div>
    );
  }
  return (
    <div className="cards model">
      <div className="column">
        <Approvals name={name} />
        <VersionsCard
          model={model}
          versions={versions}
          current={current}
          protections={protections}
          onChoose={onChoose}
          more={more}
        />
        {current && <LineageCard name={name} version={current.version} />}
        {current && <UseItCard uri={uriOf(model, current)} />}
      </div>
      <EventsCard query={eventsQuery(name)} />
    </div>
  );
}
