/** Who looks at the page, as the server knows them. */

import { queryOptions } from "@tanstack/react-query";
import { addressOf, send } from "./http";

export interface Me {
  name: string;
  /** Without tokens everybody is the owner. */
  require_token: boolean;
}

export const meQuery = queryOptions({
  queryKey: ["me"],
  queryFn: async ({ signal }): Promise<Me> =>
    (await send("GET", addressOf("/api/2.0/stele/me"), { signal })).json() as Promise<Me>,
  staleTime: 3_600_000,
});
