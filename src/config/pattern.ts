// A regular expression from the configuration: written for PCRE, as uWSGI has it, run by JavaScript.
//
// The two agree on nearly everything that stands in a configuration. Where they silently would not (JavaScript takes
//   \A for an A, [[:digit:]] for a set of letters, and stops at a CR with a dot), this file translates, or says that it
//   cannot: a rule that forbids a path must not be passed by a byte that only the other engine matches.
// Patterns come from the configuration only, never from a request; what they are matched against is bounded by
//   buffer-size. A pattern that backtracks without end is the fault of whoever wrote it: edge/rules says when one is slow.

/** POSIX classes inside brackets, for latin-1 text. */
const POSIX: ReadonlyMap<string, string> = new Map([
  ['alpha', 'A-Za-z'],
  ['digit', '0-9'],
  ['alnum', 'A-Za-z0-9'],
  ['upper', 'A-Z'],
  ['lower', 'a-z'],
  ['space', '\\s'],
  ['blank', ' \\t'],
  ['punct', '!-\\/:-@\\[-`{-~'],
  ['word', '\\w'],
  ['xdigit', '0-9A-Fa-f'],
  ['cntrl', '\\x00-\\x1f\\x7f'],
  ['print', '\\x20-\\x7e'],
  ['graph', '\\x21-\\x7e'],
]);
/** Escapes that mean the same to both. */
const SHARED_ESCAPES = /[dDsSwWbBnrtfxck0-9]/;
/** Escapes of PCRE's that JavaScript says in another way. */
const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['A', '(?<![^])'],
  ['z', '(?![^])'],
  ['Z', '(?=\\n?(?![^]))'],
  ['h', '[ \\t]'],
  ['H', '[^ \\t]'],
  ['e', '\\x1b'],
  ['a', '\\x07'],
]);

/** `text` as a RegExp; or what is wanted, to be read behind "is not". */
export function parsePattern(text: string): { readonly value: RegExp } | { readonly wanted: string } {
  try {
    const [start = '', flags = ''] = /^\(\?([imsx]+)\)/.exec(text) ?? [];
    if (flags.includes('x')) return { wanted: 'a regular expression that is supported: (?x) is not' };
    return { value: new RegExp(translate(text.slice(start.length), flags), flags) };
  } catch (error) {
    return { wanted: `a regular expression: ${(error as Error).message.replace(/^Invalid regular expression: /, '')}` };
  }
}

/** `$` of PCRE: the end, or a newline at the end. */
const END = '(?=\\n?(?![^]))';

/** PCRE's spelling to JavaScript's. Throws SyntaxError where there is none. */
function translate(pattern: string, flags: string): string {
  let out = '';
  /** Where the set that is open begins; -1 while none is. */
  let setAt = -1;
  for (let i = 0; i < pattern.length; i++) {
    const c = pattern[i]!;
    if (c === '\\') {
      out += escapeOf(pattern[++i] ?? '', setAt >= 0);
    } else if (setAt >= 0) {
      const posix = c === '[' ? /^\[:(\^?)(\w+):\]/.exec(pattern.slice(i)) : null;
      if (posix !== null) {
        const members = POSIX.get(posix[2]!);
        if (members === undefined || posix[1] === '^') throw new SyntaxError(`${posix[0]} is not supported`);
        out += members;
        i += posix[0].length - 1;
      } else if (c === ']' && i === setAt) {
        out += '\\]'; // first in the set, it is a member
      } else {
        if (c === ']') setAt = -1;
        out += c;
      }
    } else if (c === '[') {
      const isNegated = pattern[i + 1] === '^';
      out += isNegated ? '[^' : '[';
      if (isNegated) i++;
      setAt = i + 1;
    } else if (c === '.' && !flags.includes('s')) {
      out += '[^\\n]'; // JavaScript's dot stops at a CR too
    } else if (c === '$' && !flags.includes('m')) {
      out += END;
    } else if (pattern.startsWith('(?P<', i)) {
      out += '(?<';
      i += 3;
    } else {
      out += c;
    }
  }
  return out;
}

function escapeOf(letter: string, isInSet: boolean): string {
  if (letter === '') throw new SyntaxError('\\ at end of pattern');
  if (!/[A-Za-z0-9]/.test(letter) || SHARED_ESCAPES.test(letter)) return `\\${letter}`;
  const other = ESCAPES.get(letter);
  if (other === undefined || (isInSet && !other.startsWith('\\')))
    throw new SyntaxError(`\\${letter} is not supported`);
  return other;
}
