import { renderToStaticMarkup } from "react-dom/server";
import { expect, it } from "vitest";
import { Markdown, safeAddress } from "./Markdown";

const html = (text: string) => renderToStaticMarkup(<Markdown text={text} />);

it("shows what Markdown has", () => {
  expect(html("# One\n\n**two** `three` [four](https://x.org)\n\n- five\n- [x] six")).toMatch(
    /<h2>One<\/h2>.*<strong>two<\/strong>.*<code>three<\/code>.*href="https:\/\/x\.org".*<ul><li>.*five/s,
  );
  expect(html("|a|b|\n|-|-|\n|1|2|")).toContain("<td>1</td>");
});

it("never makes an element of a tag in the text", () => {
  for (const text of [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "a <b onclick=alert(1)>b</b>",
    "<svg/onload=alert(1)>",
    "```\n</code><script>x</script>\n```",
  ]) {
    expect(html(text)).not.toMatch(/<(script|img|svg|b)\b/);
  }
});

it("links only to addresses that cannot run anything", () => {
  expect(
    [
      "javascript:alert(1)",
      " JaVaScRiPt:alert(1)",
      "data:text/html,x",
      "vbscript:x",
      "//evil.org",
      "\u0001javascript:x",
    ].map(safeAddress),
  ).toEqual([null, null, null, null, null, null]);
  expect(["https://x.org", "#/models", "./file"].map(safeAddress)).toEqual(["https://x.org", "#/models", "./file"]);
  expect(html("[x](javascript:alert(1))")).not.toContain("href");
});

it("shows a literal that looks like an entity as it was typed", () => {
  expect(html("a < b & c")).toContain("a &lt; b &amp; c");
});
