import { expect, it } from "vitest";
import { csvLine, toCsv } from "./csv";

it("quotes what needs it and disarms formulas", () => {
  expect(csvLine(["a,b", 'say "hi"', "two\nlines", null, 1.5])).toBe('"a,b","say ""hi""","two\nlines",,1.5\r\n');
  expect(csvLine(["=HYPERLINK(1)", "@cmd", "-5", "-x"])).toBe("'=HYPERLINK(1),'@cmd,-5,'-x\r\n");
});

it("keeps only what is selected", () => {
  const source = { run_ids: ["1", "2"], names: ["a", "b"], statuses: ["FINISHED", "FAILED"], columns: [[0.5, "NaN"]] };
  expect(toCsv(source, ["loss"], null)).toBe("run_id,name,status,loss\r\n1,a,FINISHED,0.5\r\n2,b,FAILED,NaN\r\n");
  expect(toCsv(source, ["loss"], new Set(["2"]))).toBe("run_id,name,status,loss\r\n2,b,FAILED,NaN\r\n");
});
