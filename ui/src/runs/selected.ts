/** Which runs are ticked. A run stays ticked when it scrolls away or the filter changes. */

import { useCallback, useMemo, useState } from "react";

export interface Selected {
  ids: ReadonlySet<string>;
  has: (runId: string) => boolean;
  toggle: (runId: string) => void;
  set: (runIds: Iterable<string>, on: boolean) => void;
  only: (runIds: Iterable<string>) => void;
  clear: () => void;
}

export function useSelected(): Selected {
  const [ids, setIds] = useState<ReadonlySet<string>>(new Set());
  const set = useCallback((runIds: Iterable<string>, on: boolean) => {
    setIds((held) => {
      const next = new Set(held);
      for (const id of runIds)
        if (on) next.add(id);
        else next.delete(id);
      return next;
    });
  }, []);
  const toggle = useCallback((runId: string) => {
    setIds((held) => {
      const next = new Set(held);
      if (!next.delete(runId)) next.add(runId);
      return next;
    });
  }, []);
  const only = useCallback((runIds: Iterable<string>) => setIds(new Set(runIds)), []);
  const clear = useCallback(() => setIds(new Set()), []);
  return useMemo(
    () => ({ ids, has: (id: string) => ids.has(id), toggle, set, only, clear }),
    [ids, toggle, set, only, clear],
  );
}
