/** A text as a filter has it. */
export const literal = (value: string): string => (value.includes("'") ? `"${value}"` : `'${value}'`);
