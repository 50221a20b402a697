import { describe, expect, it } from "vitest";
import { contextAt } from "../runs/filter/tokens";
import type { Model } from "./data";
import { filterOf, isFilter, nextOrder, orderOf, proposeForModels } from "./search";

describe("a text", () => {
  it.each([
    "fraud",
    "fraud detector",
    "models in production",
    "not like the others",
    "name",
    "v2.1",
    "churn-1",
    "",
    "tags and more",
  ])("without an operator of a field is a part of a name: %s", (text) => expect(isFilter(text)).toBe(false));

  it.each([
    "name = 'fraud'",
    "name LIKE 'fraud%'",
    "attributes.name ilike '%x%'",
    "tags.team = 'vision'",
    "tags.team is not null",
    "tag.`odd key` in ('a', 'b')",
    "tags.te",
    "aliases.champion is not null",
    "creation_timestamp > 0 and name != 'x'",
    "nonsense = 3",
    "not name = 'x'",
    "(name = 'x')",
  ])("that compares is a filter: %s", (text) => expect(isFilter(text)).toBe(true));

  it("becomes what the server understands", () => {
    expect(filterOf(" fraud ")).toBe("name ILIKE '%fraud%'");
    expect(filterOf("o'neill")).toBe(`name ILIKE "%o'neill%"`);
    expect(filterOf("tags.team = 'vision' ")).toBe("tags.team = 'vision'");
    expect(filterOf("  ")).toBe("");
  });
});

describe("proposals", () => {
  const models = [
    { name: "fraud", tags: [{ key: "team", value: "risk" }], aliases: [{ alias: "champion", version: "3" }] },
    { name: "rules", tags: [{ key: "team", value: "risk" }] },
    {
      name: "image",
      tags: [
        { key: "team", value: "vision" },
        { key: "odd key", value: "x" },
      ],
    },
  ] as Model[];
  const texts = (text: string) => proposeForModels(contextAt(text, text.length), models).map((one) => one.text);

  it("are fields, and tags that models have", () => {
    expect(texts("")).toEqual([
      "name",
      "creation_timestamp",
      "last_updated_timestamp",
      "aliases.champion",
      "tags.team",
      "tags.`odd key`",
    ]);
    expect(texts("champ")).toEqual(["aliases.champion"]);
    expect(texts("tags.t")).toEqual(["tags.team"]);
    expect(texts("name = 'x' and last")).toEqual(["last_updated_timestamp"]);
  });

  it("are operators of the field", () => {
    expect(texts("tags.team ")).toContain("is not null");
    expect(texts("name l")).toEqual(["like"]);
    expect(texts("aliases.champion is")).toEqual(["is not null", "is null"]);
    expect(texts("fraud ")).toEqual([]);
    expect(texts("creation_timestamp ")).not.toContain("like");
  });

  it("are values that models have, the most frequent first", () => {
    expect(texts("tags.team = ")).toEqual(["'risk'", "'vision'"]);
    expect(texts("tags.`odd key` = ")).toEqual(["'x'"]);
    expect(texts("name = 'fr")).toEqual(["'fraud'"]);
    expect(texts("team = ")).toEqual([]);
    expect(texts("aliases.champion = ")).toEqual(["3"]);
    expect(texts("tags.team = 'risk' ")).toEqual(["and", "or"]);
  });
});

it("turns the order round", () => {
  expect(nextOrder("name", "name")).toBe("-name");
  expect(nextOrder("-name", "name")).toBe("name");
  expect(nextOrder("name", "changed")).toBe("-changed");
  expect(nextOrder("-changed", "changed")).toBe("changed");
  expect([orderOf("-changed"), orderOf("toString"), orderOf(3), orderOf(undefined)]).toEqual([
    ...["-changed", "name", "name", "name"],
  ]);
});
