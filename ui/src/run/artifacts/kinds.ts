/** How a file is shown, by its name. */

export type FileKind =
  "image" | "markdown" | "json" | "code" | "table" | "html" | "pdf" | "audio" | "video" | "mlmodel" | "text" | "other";

const KINDS: [FileKind, RegExp][] = [
  ["mlmodel", /(^|\/)MLmodel$/],
  ["image", /\.(png|jpe?g|gif|webp|avif|bmp|svg|ico)$/i],
  ["markdown", /\.(md|markdown)$/i],
  ["json", /\.json$/i],
  ["table", /\.(csv|tsv|parquet)$/i],
  ["html", /\.html?$/i],
  ["pdf", /\.pdf$/i],
  ["audio", /\.(mp3|wav|ogg|flac|m4a)$/i],
  ["video", /\.(mp4|webm|mov)$/i],
  ["code", /\.(py|ya?ml|toml|ini|cfg|sh|sql|r|jl|js|ts|diff|patch|xml|ipynb|jsonl)$/i],
  [
    "text",
    /\.(txt|log|out|err|conf|lock|gitignore|env)$|(^|\/)(requirements.*|README|LICENSE|Dockerfile|Makefile|conda)$/i,
  ],
];

export const kindOf = (path: string): FileKind => KINDS.find(([, pattern]) => pattern.test(path))?.[0] ?? "other";

export type Language = "json" | "yaml" | "python" | "diff" | "plain";

export function languageOf(path: string): Language {
  if (/\.(json|jsonl|ipynb)$/i.test(path)) return "json";
  if (/\.ya?ml$|(^|\/)MLmodel$/i.test(path)) return "yaml";
  if (/\.py$/i.test(path)) return "python";
  return /\.(diff|patch)$/i.test(path) ? "diff" : "plain";
}

export type Mark = "k" | "s" | "n" | "c" | "";

const PATTERNS: Record<Exclude<Language, "plain" | "diff">, RegExp> = {
  json: /(?<k>"(?:[^"\\]|\\.)*"(?=\s*:))|(?<s>"(?:[^"\\]|\\.)*")|(?<n>-?\b\d+(?:\.\d+)?(?:[eE][+-]?\d+)?\b|\b(?:true|false|null)\b)/g,
  yaml: /(?<c>#.*$)|(?<k>^\s*(?:- )*[\w.$/ -]+?:(?=\s|$))|(?<s>'[^']*'|"(?:[^"\\]|\\.)*")|(?<n>\b\d+(?:\.\d+)*\b|\b(?:true|false|null)\b)/g,
  python:
    /(?<c>#.*$)|(?<s>[rbfu]{0,2}(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"))|(?<k>\b(?:import|from|as|def|class|return|with|for|while|in|if|elif|else|not|and|or|is|None|True|False|lambda|try|except|finally|raise|yield|async|await|pass)\b)|(?<n>\b\d+(?:\.\d+)?(?:e[+-]?\d+)?\b)/g,
};

/** A line in pieces with what each is; joined they are the line again. */
export function highlight(line: string, language: Language): [Mark, string][] {
  if (language === "plain" || language === "diff") return [["", line]];
  const pieces: [Mark, string][] = [];
  let end = 0;
  for (const match of line.matchAll(PATTERNS[language])) {
    if (match.index > end) pieces.push(["", line.slice(end, match.index)]);
    const mark = Object.entries(match.groups ?? {}).find(([, text]) => text !== undefined)?.[0] as Mark;
    pieces.push([mark, match[0]]);
    end = match.index + match[0].length;
  }
  if (end < line.length) pieces.push(["", line.slice(end)]);
  return pieces;
}
