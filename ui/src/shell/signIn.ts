import { useQueryClient } from "@tanstack/react-query";
import { useSyncExternalStore } from "react";
import { ApiError } from "../api/http";

/** Whether an answer on the page is missing for want of a token. */
export function useTokenWanted(): boolean {
  const cache = useQueryClient().getQueryCache();
  return useSyncExternalStore(
    (listener) => cache.subscribe(listener),
    () => cache.getAll().some(({ state }) => state.error instanceof ApiError && state.error.status === 401),
  );
}
