import type { LinkProps } from "@tanstack/react-router";

/** The address of a run, or of one of its tabs. */
export const toRun = (experimentId: string, runId: string, tab = ""): LinkProps =>
  ({ to: "/experiments/$experimentId/runs/$runId/$", params: { experimentId, runId, _splat: tab } }) as LinkProps;
