/** Logs as text. */

/** Whether a file is a log. */
export const isLog = (path: string): boolean => /\.log$/i.test(path) || /^logs\/.+\.(txt|out|err|log)$/i.test(path);

/** What the program printed is kept in parts, each written once, in the order of their numbers. */
const PART = /^logs\/console\/(\d{6,9})\.log$/;
const numberOf = (path: string): number => Number(PART.exec(path)?.[1]);

interface File {
  path: string;
  file_size: number;
}

/** One text to read: a file, or all parts of what was printed. */
export interface Log {
  name: string;
  size: number;
  files: File[];
}

/** The logs among the files of a run; what it printed comes first. */
export function logsOf(files: readonly File[]): Log[] {
  const parts = files.filter(({ path }) => PART.test(path)).sort((a, b) => numberOf(a.path) - numberOf(b.path));
  const others = files.filter(({ path }) => isLog(path) && !PART.test(path)).sort((a, b) => (a.path < b.path ? -1 : 1));
  const size = parts.reduce((sum, { file_size }) => sum + file_size, 0);
  return [
    ...(parts.length ? [{ name: "Console", size, files: parts }] : []),
    ...others.map((file) => ({ name: file.path, size: file.file_size, files: [file] })),
  ];
}

/** A file of which the last `bytes` are wanted. */
export interface Piece {
  path: string;
  bytes: number;
  /** Whether its content never changes. */
  written: boolean;
}

/** What is read to know the last `tail` bytes of a log, and some more; in the order of the text. */
export function piecesOf(log: Log, tail: number): Piece[] {
  const pieces: Piece[] = [];
  let left = tail;
  for (const { path, file_size } of log.files.toReversed()) {
    if (left <= 0) break;
    // The same amount of a part, however many come after it: so that it is read once.
    if (file_size) pieces.unshift({ path, bytes: Math.min(file_size, tail), written: PART.test(path) });
    left -= file_size;
  }
  return pieces;
}

/** The text of pieces as far as it has no gap: without those at the end that are not there yet, up to one before them. */
export function joined(texts: readonly (string | undefined)[]): string {
  const end = texts.findLastIndex((text) => text !== undefined) + 1;
  const begin = texts.slice(0, end).lastIndexOf(undefined) + 1;
  return texts.slice(begin, end).join("");
}

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
