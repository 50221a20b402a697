import { expect, it } from "vitest";
import { parseEvents } from "./events";

it("reads whole events and keeps the beginning of the next one", () => {
  const { events, rest } = parseEvents(': hello\n\nevent: changed\ndata: {"runs":["a"]}\n\nevent: cha');
  expect(events).toEqual([{ name: "changed", data: '{"runs":["a"]}' }]);
  expect(rest).toBe("event: cha");
});

it("joins lines of data and forgives carriage returns", () => {
  expect(parseEvents("data: one\r\ndata: two\r\n\r\n").events).toEqual([{ name: "message", data: "one\ntwo" }]);
});
