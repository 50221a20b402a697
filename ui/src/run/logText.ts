/** Logs as text. */

/** Whether a file is a log. */
export const isLog = (path: string): boolean => /\.log$/i.test(path) || /^logs\/.+\.(txt|out|err|log)$/i.test(path);

const MOST = 5000;
// What terminals take for colours and movements.
const ESCAPES = /\u001b\[[0-9;?]*[ -/]*[@-~]/g;

/** The last lines, as a terminal would show them in the end: without escapes, and of a line that was written over its last form. */
export function lastLines(text: string, search: string): string[] {
  const lines = text
    .replace(ESCAPES, "")
    .replace(/\r\n/g, "\n")
    .split("\n")
    .map((line) => line.split("\r").findLast((part) => part !== "") ?? "");
  if (lines.at(-1) === "") lines.pop();
  const wanted = search.toLowerCase();
  return (wanted ? lines.filter((line) => line.toLowerCase().includes(wanted)) : lines).slice(-MOST);
}
