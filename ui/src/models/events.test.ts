import { expect, it } from "vitest";
import { asksFor, tell } from "./events";

const event = (kind: string, more: object = {}) => ({
  event_id: 1,
  time: 1,
  kind,
  principal: "mara",
  name: "m",
  ...more,
});

it("tells what happened", () => {
  expect(tell(event("alias_set", { subject: "champion", after: "3", version: "3" })).text).toBe("set champion on v3");
  expect(tell(event("alias_set", { subject: "champion", before: "2", after: "3" })).text).toBe(
    "moved champion v2 → v3",
  );
  expect(tell(event("alias_deleted", { subject: "champion", before: "2" })).text).toBe("removed champion from v2");
  expect(tell(event("version_created", { version: "4" })).text).toBe("registered v4");
  expect(tell(event("alias_protected", { subject: "champion" })).text).toBe("protected champion");
  const request = { subject: "champion", version: "3", after: "set_alias 7" };
  expect(tell(event("request_opened", request)).text).toBe("asked to move champion to v3");
  expect(tell(event("request_commented", request)).text).toBe("commented on the request to move champion to v3");
  expect(tell(event("request_rejected", { ...request, after: "delete_alias 7" })).text).toBe(
    "refused to remove champion",
  );
  expect(tell(event("request_withdrawn", request)).text).toBe("took back the request to move champion to v3");
  expect(tell(event("version_tag_set", { version: "3", subject: "team", after: "vision" })).text).toBe(
    "tagged v3 team = vision",
  );
  expect(tell(event("something_new", { version: "4", subject: "x" })).text).toBe("something new x of v4");
});

it("says what is asked for", () => {
  const approval = {
    request_id: "1",
    name: "m",
    action: "set_alias",
    subject: "champion",
    status: "open",
    requester: "mara",
    creation_time: 1,
    version: "3",
    before: "2",
  };
  expect(asksFor(approval)).toBe("champion: version 2 → 3");
  expect(asksFor({ ...approval, action: "set_stage", subject: "Production" })).toBe("Version 3 → Production");
});
