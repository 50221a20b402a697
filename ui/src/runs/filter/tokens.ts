/** The words of a filter as it is typed: for colours, and for what may come next. The server alone decides what is right. */

export type TokenKind = "key" | "operator" | "value" | "join" | "mark" | "space";

export interface Token {
  kind: TokenKind;
  text: string;
  start: number;
  end: number;
}

const WORD = /\s+|!=|<=|>=|[=<>(),]|(?:[^\s=<>!(),'"`]+\.)?(?:'[^']*'?|"[^"]*"?|`[^`]*`?)|[^\s=<>!(),'"`]+|./gy;
const JOINS = new Set(["and", "or"]);
const WORD_OPERATORS = new Set(["like", "ilike", "rlike", "in", "between", "is"]);
const FUNCTIONS = new Set(["min", "max", "first", "last", "mean", "count"]);

/** Splits a filter; joined together the tokens are the text again. */
export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let expects: "key" | "operator" | "value" = "key";
  let between = false;
  let depth = 0;
  for (const match of text.matchAll(WORD)) {
    const word = match[0];
    const lower = word.toLowerCase();
    const start = match.index;
    const add = (kind: TokenKind) => tokens.push({ kind, text: word, start, end: start + word.length });
    if (/^\s/.test(word)) add("space");
    else if (word === "(" || word === ")" || word === ",") {
      add("mark");
      if (expects === "value") depth += word === "(" ? 1 : 0;
      if (word === ")" && depth > 0) {
        depth -= 1;
        expects = "operator";
      }
    } else if (JOINS.has(lower)) {
      add("join");
      if (between && lower === "and") between = false;
      else expects = "key";
    } else if (lower === "not") add(expects === "operator" ? "operator" : "join");
    else if (/^(!=|<=|>=|[=<>])$/.test(word) || (expects === "operator" && WORD_OPERATORS.has(lower))) {
      add("operator");
      between = lower === "between";
      expects = "value";
    } else if (expects === "value") {
      add("value");
      if (depth === 0 && !between) expects = "operator";
    } else {
      add("key");
      expects = expects === "key" && !FUNCTIONS.has(lower) ? "operator" : expects;
    }
  }
  return tokens;
}

export interface Context {
  /** What may stand at the caret. */
  expects: "key" | "operator" | "value" | "join";
  /** What is typed of it already, and where it stands. */
  typed: string;
  start: number;
  end: number;
  /** The key that the operator or value belongs to. */
  key: string;
  operator: string;
}

/** What may stand at the caret of a filter. */
export function contextAt(text: string, caret: number): Context {
  const before = tokenize(text.slice(0, caret)).filter((token) => token.kind !== "space");
  const last = before.at(-1);
  const touching = last !== undefined && last.end === caret && last.kind !== "mark";
  const done = touching ? before.slice(0, -1) : before;
  const previous = done.at(-1);
  const keys = done.filter((token) => token.kind === "key");
  const whole = touching ? tokenize(text).find((token) => token.start === last.start) : undefined;
  const place = {
    typed: touching ? last.text : "",
    start: touching ? last.start : caret,
    end: touching ? Math.max(caret, whole?.kind === last.kind ? whole.end : caret) : caret,
    key: keys.at(-1)?.text ?? "",
    operator: previous?.kind === "operator" ? previous.text : "",
  };
  return { ...place, expects: expected(previous, touching ? last : undefined, done) };
}

function expected(previous: Token | undefined, current: Token | undefined, done: readonly Token[]): Context["expects"] {
  if (!previous || previous.kind === "join") return "key";
  if (previous.kind === "key") return FUNCTIONS.has(previous.text.toLowerCase()) ? "key" : "operator";
  if (previous.kind === "operator") return previous.text.toLowerCase() === "not" ? "operator" : "value";
  if (previous.kind === "value") return "join";
  // After a bracket or a comma: inside the brackets of IN a value, after a closing one a join, else a key.
  if (previous.text === ")") return done.some((token) => token.kind === "value") ? "join" : "operator";
  const opening = done.findLastIndex((token) => token.text === "(");
  const owner = done[opening - 1];
  return owner?.kind === "operator" && current?.kind !== "key" ? "value" : "key";
}
