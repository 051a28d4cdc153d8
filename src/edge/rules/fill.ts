// Fills the parts of a rule's text in from a request, and escapes them for the place where they go.
//
// A request may hold anything, so what it fills in must not change what the rule says: in a URL it is percent-encoded,
//   unless it came encoded (a URI, a query string). So `%0d%0a` in a path stays that in a Location, `?` from a path
//   does not begin a query, and nothing is decoded twice.
// Decided elsewhere: how the text is read (config/template.ts), what a header may hold (actions.ts).

import type { Piece, Template } from '../../config/template.js';
import type { EdgeRequest } from '../edge-request.js';

/** What a rule works on. */
export interface RuleContext {
  readonly request: EdgeRequest;
  /** What the rule's pattern matched, and its groups. */
  captures: RegExpExecArray | null;
  /** A rule has checked who it is. */
  isAuthenticated: boolean;
}

export type Fill = (context: RuleContext) => string;

/** How a text came: percent-encoded, as a path that has been decoded, or as anything else. */
export type Form = 'uri' | 'path' | 'text';

const FORMS: ReadonlyMap<string, Form> = new Map<string, Form>([
  ['REQUEST_URI', 'uri'],
  ['QUERY_STRING', 'uri'],
  ['HTTP_REFERER', 'uri'],
  ['PATH_INFO', 'path'],
  ['SCRIPT_NAME', 'path'],
]);
export const formOf = (variable: string): Form => FORMS.get(variable) ?? 'text';

/** A cookie of the request; '' when there is none. */
function cookie(header: string, name: string): string {
  for (const item of header.split(';')) {
    const equals = item.indexOf('=');
    if (equals >= 0 && item.slice(0, equals).trim() === name) return item.slice(equals + 1).trim();
  }
  return '';
}

/** A field of a query string, still encoded; '' when there is none. */
function queryField(query: string, name: string): string {
  for (const item of query.split('&')) {
    const equals = item.indexOf('=');
    if ((equals < 0 ? item : item.slice(0, equals)) === name) return equals < 0 ? '' : item.slice(equals + 1);
  }
  return '';
}

function fillPiece(piece: Exclude<Piece, string>): Fill {
  switch (piece.kind) {
    case 'variable':
      return ({ request }) => request.get(piece.name);
    case 'cookie':
      return ({ request }) => cookie(request.get('HTTP_COOKIE'), piece.name);
    case 'query':
      return ({ request }) => queryField(request.get('QUERY_STRING'), piece.name);
    case 'capture':
      return ({ captures }) => captures?.[piece.index] ?? '';
    case 'time':
      return () => String(Math.floor(Date.now() / 1000));
    case 'date':
      return () => new Date(Date.now() + piece.offsetSeconds * 1000).toUTCString();
  }
}

/** The text with its parts as they are: for comparisons, variables, the log, and headers, which check it. */
export function fillText(template: Template): Fill {
  const parts = template.map((piece) => (typeof piece === 'string' ? piece : fillPiece(piece)));
  if (parts.every((part) => typeof part === 'string')) {
    const fixed = parts.join('');
    return () => fixed;
  }
  return (context) => {
    let text = '';
    for (const part of parts) text += typeof part === 'string' ? part : part(context);
    return text;
  };
}

const percent = (c: string) => `%${c.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
/** Bytes that no URI has (RFC 3986 section 2). */
const NEVER = /[^\x21\x23-\x3b\x3d\x3f-\x5b\x5d\x5f\x61-\x7a\x7e]/g;
/** Bytes that mean something in a URI, or that none has; a slash stays. */
const RESERVED = /[^A-Za-z0-9._~/-]/g;
/** What a path cannot have without escaping. */
const NOT_IN_PATH = /[^A-Za-z0-9._~!$&'()*+,;=:@/-]/g;

/**
 * The text as a URL. `captureForm`: how the subject of the rule's pattern came. `isStrict`: what did not come encoded
 * is encoded whole, as a rewritten path needs it; otherwise a host name or a scheme stays what it is.
 */
export function fillUrl(template: Template, captureForm: Form, isStrict: boolean): Fill {
  const parts = template.map((piece): Fill => {
    if (typeof piece === 'string') {
      const fixed = piece.replace(NEVER, percent);
      return () => fixed;
    }
    const fill = fillPiece(piece);
    const pattern = escapeOf(formOfPiece(piece, captureForm), isStrict);
    return (context) => fill(context).replace(pattern, percent);
  });
  return (context) => {
    let text = '';
    for (const part of parts) text += part(context);
    return text;
  };
}

function formOfPiece(piece: Exclude<Piece, string>, captureForm: Form): Form {
  if (piece.kind === 'variable') return formOf(piece.name);
  if (piece.kind === 'query') return 'uri';
  return piece.kind === 'capture' ? captureForm : 'text';
}

function escapeOf(form: Form, isStrict: boolean): RegExp {
  if (form === 'uri') return NEVER;
  if (isStrict) return RESERVED;
  return form === 'path' ? NOT_IN_PATH : NEVER;
}
