// MIME types by file name: those of mime-types (IANA, Apache and nginx together), under those of --mimefile.
//
// Without a charset, as uWSGI and nginx send them: the file knows better.

import { lookup } from 'mime-types';

const UNKNOWN = 'application/octet-stream';
const TYPE = /^[\w.+-]+\/[\w.+-]+$/;

export class MimeTypes {
  /** By extension, in lower case, without the dot. */
  readonly #known: Map<string, string>;

  constructor(own: ReadonlyMap<string, string>) {
    this.#known = new Map(own);
  }

  of(path: string): string {
    const name = path.slice(path.lastIndexOf('/') + 1);
    const extension = name.slice(name.lastIndexOf('.') + 1).toLowerCase();
    if (extension === name.toLowerCase()) return UNKNOWN; // no dot
    let type = this.#known.get(extension);
    if (type === undefined) {
      type = lookup(extension) || UNKNOWN;
      this.#known.set(extension, type); // only files that are there get here, so these are not many
    }
    return type;
  }
}

/** Reads a file like /etc/mime.types, "TYPE EXTENSION...", into `types`. Returns the numbers of lines that are not so. */
export function readMimeTypes(source: string, types: Map<string, string>): number[] {
  const bad: number[] = [];
  for (const [index, line] of source.split('\n').entries()) {
    const [type, ...extensions] = line.replace(/#.*/, '').trim().split(/\s+/);
    if (type === undefined || type === '') continue;
    if (!TYPE.test(type)) bad.push(index + 1);
    else for (const extension of extensions) types.set(extension.toLowerCase(), type);
  }
  return bad;
}
