// Values of two parts: NAME=VALUE, and USER:GROUP.
//
// Decided elsewhere: which options take them (options.ts).

/** `NAME=VALUE`, split at the first `=`. */
export interface Assign {
  readonly key: string;
  readonly value: string;
  readonly text: string;
}

/** `USER`, `USER:GROUP` or `:GROUP`; names or numbers, '' for what is not to be changed. */
export interface Owner {
  readonly user: string;
  readonly group: string;
  readonly text: string;
}

/** Splits `NAME=VALUE`. Undefined when there is no name. */
export function parseAssign(text: string): Assign | undefined {
  const equals = text.indexOf('=');
  if (equals < 1) return undefined;
  return { key: text.slice(0, equals).trim(), value: text.slice(equals + 1), text };
}
