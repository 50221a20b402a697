/** Files of a run, read as text. */

import { useQuery } from "@tanstack/react-query";
import { addressOf, ApiError, send } from "../api/http";
import { keys } from "../api/queries";

/** The address of a file of a run; without a version the latest one. */
export const fileAddress = (runId: string, path: string, version?: number | string): string =>
  addressOf("/get-artifact", { run_id: runId, path, version });

export interface TextPart {
  text: string;
  /** Size of the whole file in bytes. */
  size: number;
  /** Whether the text ends before the file does. */
  cut: boolean;
}

/** The beginning of a file as text; null when there is no such file. */
export async function readText(address: string, most: number, signal?: AbortSignal): Promise<TextPart | null> {
  let response: Response;
  try {
    response = await send("GET", address, { range: `bytes=0-${most - 1}`, signal });
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return null;
    // A range of an empty file cannot be satisfied.
    if (error instanceof ApiError && error.status === 416) return { text: "", size: 0, cut: false };
    throw error;
  }
  const whole = /\/(\d+)$/.exec(response.headers.get("content-range") ?? "")?.[1];
  const bytes = await response.arrayBuffer();
  const size = whole ? Number(whole) : bytes.byteLength;
  return { text: new TextDecoder().decode(bytes), size, cut: size > bytes.byteLength };
}

/** A file of a run as text, up to `most` bytes of it. */
export const useText = (runId: string, path: string, most: number, version?: number | string) =>
  useQuery({
    queryKey: [...keys.run(runId), "text", path, most, version],
    queryFn: ({ signal }) => readText(fileAddress(runId, path, version), most, signal),
  });
