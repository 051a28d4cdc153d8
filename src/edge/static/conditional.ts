// What a request's conditions and ranges ask of a file (RFC 9110 sections 13 and 14): all of it, a part, or nothing.
//
// One part at most is sent: an answer may always be the whole file, and multipart/byteranges is what abuse is made of.
//   Ranges that touch or overlap count as one.
// Decided elsewhere: the file's tags and dates (file-store.ts), how bytes are sent (send-file.ts).

import fresh from 'fresh';
import parseRange from 'range-parser';

/** What a file is to a client's cache. */
export interface Validators {
  readonly size: number;
  readonly etag: string;
  /** As an HTTP date. */
  readonly lastModified: string;
}

export interface Selection {
  readonly status: 200 | 206 | 304 | 412 | 416;
  /** The first byte, and the one behind the last. */
  readonly start: number;
  readonly end: number;
}

/** A request that names more ranges than this gets the whole file, unread. */
const MOST_RANGES = 8;
const NONE = { start: 0, end: 0 } as const;

/** Works out what to send. `get` gives a variable of the request, '' where there is none. */
export function select(file: Validators, get: (name: string) => string, isHead: boolean): Selection {
  if (isPreconditionFailed(file, get)) return { status: 412, ...NONE };
  const conditions = {
    'if-none-match': get('HTTP_IF_NONE_MATCH') || undefined,
    'if-modified-since': get('HTTP_IF_MODIFIED_SINCE') || undefined,
    'cache-control': get('HTTP_CACHE_CONTROL') || undefined,
  };
  if (fresh(conditions, { etag: file.etag, 'last-modified': file.lastModified })) return { status: 304, ...NONE };
  const whole = { status: 200, start: 0, end: file.size } as const;
  const header = isHead ? '' : get('HTTP_RANGE'); // a range is defined for GET only
  if (header === '' || !isRangeCurrent(file, get('HTTP_IF_RANGE'))) return whole;
  if (!/^bytes=/i.test(header) || header.split(',', MOST_RANGES + 1).length > MOST_RANGES) return whole;
  const ranges = parseRange(file.size, header, { combine: true });
  if (ranges === -1) return { status: 416, ...NONE };
  if (ranges === -2 || ranges.length !== 1) return whole;
  return { status: 206, start: ranges[0]!.start, end: ranges[0]!.end + 1 };
}

/** Whether `header`, a list of entity tags, has `etag`; weak ones are equal to nothing (RFC 9110 section 8.8.3.2). */
const listHas = (header: string, etag: string) => header.split(',').some((tag) => tag.trim() === etag);

function isPreconditionFailed(file: Validators, get: (name: string) => string): boolean {
  const match = get('HTTP_IF_MATCH');
  if (match !== '') return match !== '*' && !listHas(match, file.etag);
  const since = get('HTTP_IF_UNMODIFIED_SINCE');
  return since !== '' && Date.parse(file.lastModified) > Date.parse(since);
}

/** Whether the parts that a client has are of this very file, so that it may get another one. */
function isRangeCurrent(file: Validators, ifRange: string): boolean {
  if (ifRange === '') return true;
  return ifRange === file.etag || ifRange === file.lastModified;
}
