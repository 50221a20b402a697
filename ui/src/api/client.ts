/** Typed calls: the paths and messages are generated from the server's schema. */

import { addressOf, send, type QueryValue } from "./http";
import type { components, paths } from "./schema";

export type Schemas = components["schemas"];

type Method = "get" | "post" | "patch" | "delete";
type PathsWith<M extends Method> = {
  [P in keyof paths]: paths[P] extends Record<M, { responses: unknown }> ? P : never;
}[keyof paths];
type Operation<P extends keyof paths, M extends Method> = M extends keyof paths[P] ? paths[P][M] : never;
type Query<O> = O extends { parameters: { query?: infer Q } } ? NonNullable<Q> : never;
type Body<O> = O extends { requestBody?: { content: { "application/json": infer B } } } ? B : never;
type Answer<O> = O extends { responses: { 200: { content: { "application/json": infer A } } } } ? A : never;
type Values = Record<string, string>;

interface Options {
  /** Fills the `{name}` parts of the path. */
  path?: Values;
  signal?: AbortSignal | undefined;
}

function fill(path: string, values: Values = {}): string {
  return path.replace(/\{([^}:]+)(?::path)?\}/g, (_, name: string) => encodeURIComponent(values[name] ?? ""));
}

async function call<T>(method: string, path: string, options: Options, query: object, body?: unknown): Promise<T> {
  const address = addressOf(fill(path, options.path), query as Record<string, QueryValue>);
  const response = await send(method, address, { body, signal: options.signal });
  return (await response.json()) as T;
}

export const get = <P extends PathsWith<"get">>(path: P, query: Query<Operation<P, "get">>, options: Options = {}) =>
  call<Answer<Operation<P, "get">>>("GET", path, options, query);

export const post = <P extends PathsWith<"post">>(path: P, body: Body<Operation<P, "post">>, options: Options = {}) =>
  call<Answer<Operation<P, "post">>>("POST", path, options, {}, body);

export const patch = <P extends PathsWith<"patch">>(
  path: P,
  body: Body<Operation<P, "patch">>,
  options: Options = {},
) => call<Answer<Operation<P, "patch">>>("PATCH", path, options, {}, body);

export const del = <P extends PathsWith<"delete">>(
  path: P,
  body: Body<Operation<P, "delete">>,
  options: Options = {},
) => call<Answer<Operation<P, "delete">>>("DELETE", path, options, {}, body);
