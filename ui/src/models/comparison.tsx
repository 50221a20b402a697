/** A version beside another one of its model: which one stands in the address. */

import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch, type LinkProps } from "@tanstack/react-router";
import { Menu, type MenuItem } from "../kit/Popover";
import { ask } from "../shell/ask";
import { newestVersionsQuery, versionQuery, type Model, type Version } from "./data";

/** The address of a version, beside another one where that is given. */
export const toVersion = (name: string, version: string, vs?: string, tab?: string): LinkProps =>
  ({
    to: "/models/$name/versions/$version",
    params: { name, version },
    search: { ...(tab && { tab }), ...(vs && { vs: Number(vs) }) },
  }) as LinkProps;

export interface Compared {
  /** The number in the address; empty where nothing is compared. */
  vs: string;
  other: Version | null;
  error: unknown;
}

/** The version that the one at hand is compared with. */
export function useCompared({ name, version }: Version): Compared {
  const { vs } = useSearch({ strict: false }) as { vs?: unknown };
  const wanted = vs === undefined || String(vs) === version ? "" : String(vs);
  const { data, error } = useQuery({ ...versionQuery(name, wanted), enabled: wanted !== "" });
  return { vs: wanted, other: wanted && data ? data : null, error };
}

interface Props {
  model: Model;
  version: Version;
  tab: string;
  compared: Compared;
}

/** Says what is compared, and leads out of it. */
export function ComparedMark({ model, version, tab, compared: { vs, error } }: Props) {
  if (!vs) return null;
  return (
    <span
      className={`chip compared ${error ? "warn" : "line"}`}
      title={error instanceof Error ? error.message : undefined}
    >
      {error ? (
        `version ${vs} could not be read`
      ) : (
        <>
          compared with <Link {...toVersion(model.name, vs)}>version {vs}</Link>
        </>
      )}
      <Link
        {...toVersion(model.name, version.version, "", tab)}
        replace
        aria-label="Leave the comparison"
        title="Leave the comparison"
      >
        ×
      </Link>
    </span>
  );
}

/** What to compare with: versions with aliases first, then the newest ones, then any by its number. */
export function CompareWith({ model, version, tab, compared: { vs } }: Props) {
  const { data: newest = [] } = useQuery(newestVersionsQuery(model.name));
  const navigate = useNavigate();
  const compare = (number: string) => void navigate(toVersion(model.name, version.version, number, tab) as never);
  const item = (number: string, text: string): MenuItem => ({
    text,
    icon: number === vs ? "check" : undefined,
    onChoose: () => compare(number),
  });
  const others = (model.aliases ?? []).filter((one) => one.version !== version.version);
  const named = others
    .map(({ alias, version: number }) => [alias, number] as const)
    .sort(([a], [b]) => Number(b === "champion") - Number(a === "champion") || a.localeCompare(b));
  const rest = newest.filter((one) => one.version !== version.version && !named.some(([, n]) => n === one.version));
  const byNumber = async () => {
    const number = await ask({ title: "Compare with", label: "Version", value: vs, action: "Compare" });
    if (number) compare(number.replace(/^v/i, ""));
  };
  return (
    <Menu
      label="Compare with"
      text="Compare with"
      icon="compare"
      small={false}
      items={[
        ...named.map(([alias, number]) => item(number, `${alias} · version ${number}`)),
        named.length > 0 ? null : undefined,
        ...rest.map((one) => item(one.version, `Version ${one.version}`)),
        { text: "Another version", onChoose: () => void byNumber() },
      ].filter((one) => one !== undefined)}
    />
  );
}
