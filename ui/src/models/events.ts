/** What happened in the registry, in words. */

import type { IconName } from "../kit/icons";
import type { Approval, Event } from "./data";

export interface Told {
  icon: IconName;
  tone: "" | "ok" | "fail" | "acc";
  text: string;
}

const version = (event: Event): string => (event.version ? `v${event.version}` : event.name);

/** An event as a sentence without its subject, the principal. */
export function tell(event: Event): Told {
  const { kind, subject = "", before, after } = event;
  const told = (icon: IconName, text: string, tone: Told["tone"] = ""): Told => ({ icon, text, tone });
  if (kind.startsWith("alias")) {
    if (after === undefined || after === null) return told("tag", `removed ${subject} from v${before ?? "?"}`);
    return told("tag", before ? `moved ${subject} v${before} → v${after}` : `set ${subject} on v${after}`, "acc");
  }
  if (kind.startsWith("stage")) return told("archive", `moved ${version(event)} ${before ?? ""} → ${after ?? ""}`);
  if (kind.includes("approved")) return told("check", `approved ${subject} for ${version(event)}`, "ok");
  if (kind.includes("rejected")) return told("x", `rejected ${subject} for ${version(event)}`, "fail");
  if (kind.includes("request")) return told("shield", `asked to move ${subject} to ${version(event)}`, "acc");
  if (kind.startsWith("version_created")) return told("plus", `registered ${version(event)}`);
  if (kind.includes("deleted")) return told("trash", `${kind.replaceAll("_", " ")} ${subject || version(event)}`);
  if (kind.includes("created")) return told("plus", `created ${event.name}`);
  return told("doc", `${kind.replaceAll("_", " ")} ${subject} ${event.version ? `of v${event.version}` : ""}`.trim());
}

/** What somebody asks for. */
export function asksFor({ action, subject, version: number, before }: Approval): string {
  switch (action) {
    case "set_alias":
      return before ? `${subject}: version ${before} → ${number}` : `${subject} → version ${number}`;
    case "delete_alias":
      return `Remove the alias ${subject}`;
    case "set_stage":
      return `Version ${number} → ${subject}`;
    default:
      return `Lift the protection of ${subject}`;
  }
}
