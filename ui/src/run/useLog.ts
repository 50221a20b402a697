/** The logs of a run and the end of one of them, asked for again while the run goes on. */

import { useQueries } from "@tanstack/react-query";
import { addressOf, send } from "../api/http";
import { keys } from "../api/queries";
import { useTree } from "./artifacts/owner";
import { joined, logsOf, piecesOf, type Log, type Piece } from "./logText";

/** Milliseconds after which a log that is followed is asked for again, or false. */
export type Again = number | false;

/** The logs of a run; new ones below logs/ are looked for again and again. */
export function useLogs(runId: string, again: Again) {
  const tree = useTree({ run_id: runId });
  const recent = useTree({ run_id: runId }, { path: "logs", again });
  const files = [...tree.files.filter(({ path }) => !path.startsWith("logs/")), ...recent.files];
  return {
    logs: logsOf(files),
    isPending: tree.isPending || recent.isPending,
    error: tree.error ?? recent.error,
    refetch: () => Promise.all([tree.refetch(), recent.refetch()]),
  };
}

/** The text of the last `tail` bytes of a log. */
export const useLogText = (runId: string, log: Log | undefined, tail: number, again: Again) =>
  useQueries({
    queries: (log ? piecesOf(log, tail) : []).map((piece) => ({
      // What is written once is not forgotten when the run changes.
      queryKey: piece.written
        ? ["console", runId, piece.path, piece.bytes]
        : [...keys.run(runId), "log", piece.path, tail],
      queryFn: ({ signal }: { signal: AbortSignal }) => read(runId, piece, tail, signal),
      staleTime: piece.written ? Infinity : 0,
      refetchInterval: piece.written ? (false as const) : again,
    })),
    combine: (answers) => ({
      text: joined(answers.map(({ data }) => data)),
      error: answers.find(({ error }) => error)?.error,
      refetch: () => Promise.all(answers.filter(({ error }) => error).map((answer) => answer.refetch())),
    }),
  });

async function read(runId: string, { path, bytes, written }: Piece, tail: number, signal: AbortSignal) {
  const address = addressOf("/api/2.0/stele/artifacts/file", { run_id: runId, path });
  const response = await send("GET", address, { range: `bytes=-${written ? bytes : tail}`, signal });
  return response.text();
}
