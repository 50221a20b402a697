/** Whose files are shown: those of a run, of a logged model, or of a version of a registered model. */

import { useInfiniteQuery } from "@tanstack/react-query";
import { get, post, type Schemas } from "../../api/client";
import { addressOf, token } from "../../api/http";

export type Owner = { run_id: string } | { model_id: string } | { model_name: string; model_version: string };
export type Entry = Schemas["ArtifactEntry"];

const PAGE = 10_000;

/** A key for what is kept of an owner's files; begins like everything else that is kept of a run. */
export const ownerKey = (owner: Owner): readonly string[] =>
  "run_id" in owner ? ["run", owner.run_id] : ["models", ...Object.values(owner)];

/** The address that shows a file, as far as a browser can. */
export const showAddress = (owner: Owner, path: string, version?: number): string =>
  addressOf("/api/2.0/stele/artifacts/file", { ...owner, path, version });

/** The address of a folder as a zip. */
export const zipAddress = (owner: Owner, path: string): string =>
  addressOf("/api/2.0/stele/artifacts/zip", { ...owner, path });

/** All files of an owner below a path, page by page; asked for again after so many milliseconds. */
export function useTree(owner: Owner, { path = "", again = false }: { path?: string; again?: number | false } = {}) {
  const query = useInfiniteQuery({
    queryKey: [...ownerKey(owner), "tree", path],
    queryFn: ({ pageParam, signal }) =>
      get("/api/2.0/stele/artifacts/tree", { ...owner, path, max_results: PAGE, page_token: pageParam }, { signal }),
    refetchInterval: again,
    initialPageParam: "",
    getNextPageParam: (page) => page.next_page_token || undefined,
  });
  return { ...query, files: query.data?.pages.flatMap((page) => page.files ?? []) ?? [], first: query.data?.pages[0] };
}

/**
 * The address that an element of the page can open by itself. With a token that needs a ticket, because an element
 * cannot send one.
 */
export async function openAddress(address: string, owner: Owner, path: string): Promise<string> {
  if (!token.get()) return address;
  const { ticket } = await post("/api/2.0/stele/artifacts/tickets", { ...owner, path });
  return ticket ? `${address}&ticket=${encodeURIComponent(ticket)}` : address;
}

/** Hands the browser a file, or a folder as a zip, to keep. */
export async function download(address: string, owner: Owner, path: string, name: string): Promise<void> {
  const link = document.createElement("a");
  link.href = await openAddress(address, owner, path);
  link.download = name;
  link.click();
}
