/**
 * A loader whose module, once it has come, is given without a wait: `lazy` renders it at once then, without what stands
 * in for it first.
 */
export function kept<M>(load: () => Promise<M>): () => Promise<M> {
  let held: M | undefined;
  return () => {
    if (held === undefined) return load().then((module) => (held = module));
    const module = held;
    // Of a promise `lazy` uses just this, and takes an answer that comes within the call.
    return { then: (done: (module: M) => unknown) => done(module) } as Promise<M>;
  };
}
