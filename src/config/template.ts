// Text of a rule with parts that a request fills in: `${REMOTE_ADDR}`, `${cookie[id]}`, `${qs[page]}`, `$1`.
//
// Decided elsewhere: which rules have them (routes.ts), what fills them in and how it is escaped (edge/rules/).

export type Piece =
  | string
  /** A variable of the request. */
  | { readonly kind: 'variable'; readonly name: string }
  /** A cookie, or a field of the query string, as it came. */
  | { readonly kind: 'cookie' | 'query'; readonly name: string }
  /** What the rule's pattern, or one of its groups, matched. */
  | { readonly kind: 'capture'; readonly index: number }
  /** Seconds since 1970, and as an HTTP date so many seconds from now. */
  | { readonly kind: 'time' }
  | { readonly kind: 'date'; readonly offsetSeconds: number };

export type Template = readonly Piece[];

const PART = /\$\{([^}]*)\}|\$(\d)|\$\{/g;
const NAME = /^[A-Za-z][A-Za-z0-9_.-]*$/;
const FUNCTIONS = 'cookie[NAME], qs[NAME], time[unix], httptime[SECONDS]';

/** Reads `text`, as UTF-8 into bytes. Gives what is wrong with it, if anything is. */
export function parseTemplate(text: string): Template | { readonly problem: string } {
  const pieces: Piece[] = [];
  let at = 0;
  const literal = (end: number) => {
    if (end > at) pieces.push(Buffer.from(text.slice(at, end)).toString('latin1'));
  };
  for (const match of text.matchAll(PART)) {
    const [whole, inside, digit] = match;
    literal(match.index);
    at = match.index + whole.length;
    const piece = digit !== undefined ? ({ kind: 'capture', index: Number(digit) } as const) : reference(inside);
    if (piece === undefined) {
      return { problem: `${whole} is no variable (\${NAME}) and none of ${FUNCTIONS}` };
    }
    pieces.push(piece);
  }
  literal(text.length);
  return pieces;
}

/** What stands between the braces. */
function reference(text: string | undefined): Piece | undefined {
  if (text === undefined) return undefined;
  const call = /^(\w+)\[(.*)\]$/.exec(text);
  if (call === null) return NAME.test(text) ? { kind: 'variable', name: text } : undefined;
  const [, name, argument] = call as unknown as [string, string, string];
  if (name === 'cookie' && argument !== '') return { kind: 'cookie', name: argument };
  if (name === 'qs' && argument !== '') return { kind: 'query', name: argument };
  if (name === 'time' && argument === 'unix') return { kind: 'time' };
  if (name === 'httptime' && /^\d{0,9}$/.test(argument)) return { kind: 'date', offsetSeconds: Number(argument) };
  return undefined;
}

/** The text in front of the first part that a request fills in. */
export function fixedStart(template: Template): string {
  return typeof template[0] === 'string' ? template[0] : '';
}

export const isFixed = (template: Template) => template.every((piece) => typeof piece === 'string');
