// From the path of a request to the files it may mean. Text only: nothing here looks at a disk.
//
// Paths are byte strings, one character per byte, as PATH_INFO comes: a name on disk need not be UTF-8.
// Decided elsewhere: whether a file is there and may be sent (open-file.ts).

/** Paths below `prefix` mean files below `root`. */
export interface PathMap {
  /** '' or '/path', without a slash at the end. */
  readonly prefix: string;
  /** Absolute, without a slash at the end. */
  readonly root: string;
  /** `prefix` is part of the path below `root` too. */
  readonly keepsPrefix: boolean;
}

/** A component that is `.` or `..`. */
const DOTS = /(?:^|\/)\.{1,2}(?:\/|$)/;
/** A component that begins with a dot; /.well-known (RFC 8615) is made to be seen. */
const HIDDEN = /(?:^|\/)\.(?!well-known(?:\/|$))/;

/**
 * Whether a path can mean a file at all. One with `..` never does: whoever wrote it wants to leave the directory, or
 * wants the app to resolve it.
 */
export function isServable(path: string, allowsHidden: boolean): boolean {
  if (path.includes('\0')) return false;
  return !(allowsHidden ? DOTS : HIDDEN).test(path) && !DOTS.test(path);
}

/** What `path` is below the map's root: '' or '/...'. Undefined when the map does not cover it. */
export function pathBelow(map: PathMap, path: string): string | undefined {
  const { prefix } = map;
  if (prefix === '') return path;
  if (!path.startsWith(prefix) || (path.length > prefix.length && path[prefix.length] !== '/')) return undefined;
  return map.keepsPrefix ? path : path.slice(prefix.length);
}

/** Whether `path` is `directory` or lies below it; both absolute and without symbolic links. */
export function isBelow(path: string, directory: string): boolean {
  if (directory === '/') return true;
  return path.startsWith(directory) && (path.length === directory.length || path[directory.length] === '/');
}

/**
 * Where a directory without a slash at its end is redirected to: `uri` (escaped, with its query) with one. Always a
 * path on this host: `//evil.example/x` in a Location would be another one.
 */
export function withSlash(uri: string): string {
  const question = uri.indexOf('?');
  const path = question < 0 ? uri : uri.slice(0, question);
  return `${path.replace(/^[/\\]+/, '/')}/${question < 0 ? '' : uri.slice(question)}`;
}
