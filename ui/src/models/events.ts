/** What happened in the registry, in words. */

import type { IconName } from "../kit/icons";
import type { Approval, Event } from "./data";

export interface Told {
  icon: IconName;
  tone: "" | "ok" | "fail" | "acc";
  text: string;
}

const version = (event: Event): string => (event.version ? `v${event.version}` : event.name);

/** What a request is for; its event says the action before the number of the request. */
function wish(event: Event): string {
  const { subject, after = "" } = event;
  switch (after?.split(" ")[0]) {
    case "delete_alias":
      return `remove ${subject}`;
    case "set_stage":
      return `move ${version(event)} to ${subject}`;
    case "set_alias":
      return `move ${subject} to ${version(event)}`;
    default:
      return `lift the protection of ${subject}`;
  }
}

/** An event as a sentence without its subject, the principal. */
export function tell(event: Event): Told {
  const { kind, subject = "", before, after } = event;
  const told = (icon: IconName, text: string, tone: Told["tone"] = ""): Told => ({ icon, text, tone });
  const of = event.version ? ` of v${event.version}` : "";
  switch (kind) {
    case "alias_set":
      return told("tag", before ? `moved ${subject} v${before} → v${after}` : `set ${subject} on v${after}`, "acc");
    case "alias_deleted":
      return told("tag", `removed ${subject} from v${before}`);
    case "stage_changed":
      return told("archive", `moved ${version(event)} ${before} → ${after}`);
    case "alias_protected":
    case "stage_protected":
      return told("shield", `protected ${subject}`);
    case "alias_unprotected":
    case "stage_unprotected":
      return told("shield", `lifted the protection of ${subject}`);
    case "request_opened":
      return told("shield", `asked to ${wish(event)}`, "acc");
    case "request_commented":
      return told("doc", `commented on the request to ${wish(event)}`);
    case "request_approved":
      return told("check", `approved to ${wish(event)}`, "ok");
    case "request_rejected":
      return told("x", `refused to ${wish(event)}`, "fail");
    case "request_withdrawn":
      return told("x", `took back the request to ${wish(event)}`);
    case "version_created":
      return told("plus", `registered ${version(event)}`);
    case "version_updated":
      return told("doc", `described ${version(event)}`);
    case "version_deleted":
      return told("trash", `deleted ${version(event)}`);
    case "model_created":
      return told("plus", `created ${event.name}`);
    case "model_renamed":
      return told("doc", `renamed ${before} to ${after}`);
    case "model_updated":
      return told("doc", `described ${event.name}`);
    case "model_deleted":
      return told("trash", `deleted ${event.name}`);
    case "model_tag_set":
    case "version_tag_set":
      return told("tag", `tagged ${version(event)} ${subject} = ${after}`);
    case "model_tag_deleted":
    case "version_tag_deleted":
      return told("tag", `removed the tag ${subject}${of}`);
    default: // of a newer server
      return told("doc", `${kind.replaceAll("_", " ")} ${subject}${of}`);
  }
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
