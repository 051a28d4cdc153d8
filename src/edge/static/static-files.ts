// Which file a request is for, if it is for one, and the answer that sends it.
//
// The first directory that has the file sends it; where none has, the app gets the request, as with uWSGI. What an
//   app must not be asked about (a link that leads out of the directory, a file that may not be read) is refused here.
// Decided elsewhere: how a file is opened and checked (open-file.ts), how its bytes leave (send-file.ts), what comes
//   before (listeners/front.ts).

import { closeQuietly } from '../../base/close-quietly.js';
import { printable } from '../../base/log.js';
import type { Exchange } from '../../dispatch/exchange.js';
import { statusLine } from '../../wire/answer.js';
import type { EdgeRequest } from '../edge-request.js';
import { answerHead, type Field, NO_BODY, type Reply, recordHead } from '../reply.js';
import { run, type Steps, wait } from '../steps.js';
import { select } from './conditional.js';
import { FileStore, type Stored, type StoredFile } from './file-store.js';
import type { MimeTypes } from './mime.js';
import { Tree } from './open-file.js';
import { isBelow, isServable, type PathMap, pathBelow, withSlash } from './paths.js';
import { sendFilePart } from './send-file.js';

/** A rule for the field Expires. */
export interface ExpiryRule {
  readonly subject: 'file' | 'type' | 'uri' | 'path';
  readonly pattern: RegExp;
  readonly seconds: number;
  /** Counted from the file's last change, not from now. */
  readonly fromChange: boolean;
}

export interface StaticPlan {
  /** In the order in which they are tried. */
  readonly maps: readonly PathMap[];
  /** DOCUMENT_ROOT of a uwsgi peer is one more. */
  readonly usesDocumentRoot: boolean;
  readonly indexes: readonly string[];
  /** Directories where files may lie as well. */
  readonly safe: readonly string[];
  readonly skippedExtensions: readonly string[];
  readonly allowsHidden: boolean;
  readonly trustMs: number;
  readonly types: MimeTypes;
  readonly expiries: readonly ExpiryRule[];
  /** Which files may be there compressed, by path or real path. */
  isCompressible(path: string): boolean;
}

/** A file to be sent, with what its request needs. */
export interface FileAnswer {
  readonly kind: 'file';
  readonly file: StoredFile;
  /** Besides length, dates, tags and ranges, unless an app gave these. */
  readonly fields: readonly Field[];
  /** Status and reason phrase that an app gave; undefined: those of a file. */
  readonly line?: string;
}
export type Found = FileAnswer | { readonly kind: 'reply'; readonly reply: Reply };

interface Candidate {
  readonly root: Tree;
  readonly path: string;
}

/** Precompressed variants, the better one first. */
const CODINGS = [
  ['br', '.br'],
  ['gzip', '.gz'],
] as const;
const RETRY: Field = ['Retry-After', '1'];

export class StaticFiles {
  readonly #plan: StaticPlan;
  readonly #warn: (text: string) => void;
  readonly #maps: readonly { readonly map: PathMap; readonly root: Tree }[];
  readonly #safe: readonly Tree[];
  readonly #store: FileStore;

  constructor(plan: StaticPlan, warn: (text: string) => void) {
    this.#plan = plan;
    this.#warn = warn;
    this.#maps = plan.maps.map((map) => ({ map, root: new Tree(map.root) }));
    this.#safe = plan.safe.map((path) => new Tree(path));
    this.#store = new FileStore(plan.trustMs);
  }

  /** The answer to `request`; undefined when it is for no file. Never rejects. */
  find(request: EdgeRequest): Found | undefined | Promise<Found | undefined> {
    const { method, path } = request;
    if (method !== 'GET' && method !== 'HEAD') return undefined;
    const candidates = this.#candidates(request);
    if (candidates.length === 0 || !isServable(path, this.#plan.allowsHidden)) return undefined;
    return run(this.#firstOf(candidates, request));
  }

  /**
   * The answer with the file at `path`, which a rule or an app names, if it lies in `root` or a safe directory; of a
   * directory, with its index. Undefined when there is none. Never rejects.
   */
  named(path: string, root: Tree, request: EdgeRequest): Found | undefined | Promise<Found | undefined> {
    return run(this.#named(path, root, request));
  }

  *#named(path: string, root: Tree, request: EdgeRequest): Steps<Found | undefined> {
    const slash = path.endsWith('/') ? '' : '/';
    for (const name of [path, ...this.#plan.indexes.map((index) => `${path}${slash}${index}`)]) {
      const stored = yield* wait(this.#store.get(name, root, this.#safe));
      if (stored.kind === 'file') return yield* this.#answer(name, root, stored.file, request);
      if (stored.kind === 'missing' && name === path) return undefined;
      if (stored.kind === 'outside' || stored.kind === 'failed') return this.#refusal(stored, name, root);
    }
    return undefined;
  }

  /** The safe directory that `path` is below, by its text. */
  safeTreeOf(path: string): Tree | undefined {
    return this.#safe.find((tree) => isBelow(path, tree.path));
  }

  #candidates(request: EdgeRequest): Candidate[] {
    const candidates: Candidate[] = [];
    for (const { map, root } of this.#maps) {
      const below = pathBelow(map, request.path);
      if (below !== undefined) candidates.push({ root, path: `${map.root}${below}` });
    }
    if (this.#plan.usesDocumentRoot) {
      const root = request.get('DOCUMENT_ROOT').replace(/\/+$/, '');
      if (root.startsWith('/')) candidates.push({ root: new Tree(root), path: `${root}${request.path}` });
    }
    return candidates;
  }

  *#firstOf(candidates: readonly Candidate[], request: EdgeRequest): Steps<Found | undefined> {
    for (const { root, path } of candidates) {
      const found = yield* this.#look(path, root, request);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** What `path`, which must lie in `root`, is to `request`. */
  *#look(path: string, root: Tree, request: EdgeRequest): Steps<Found | undefined> {
    if (this.#isSkipped(path)) return undefined;
    const stored = yield* wait(this.#store.get(path, root, this.#safe));
    if (stored.kind === 'file') return yield* this.#answer(path, root, stored.file, request);
    if (stored.kind !== 'directory') return this.#refusal(stored, path, root);
    const slash = path.endsWith('/') ? '' : '/';
    for (const index of this.#plan.indexes) {
      const name = `${path}${slash}${index}`;
      if (this.#isSkipped(name)) continue;
      const found = yield* wait(this.#store.get(name, root, this.#safe));
      if (found.kind === 'missing' || found.kind === 'directory') continue;
      if (found.kind !== 'file') return this.#refusal(found, name, root);
      if (slash === '') return yield* this.#answer(name, root, found.file, request);
      discard(found.file);
      const location = withSlash(request.get('REQUEST_URI'));
      return { kind: 'reply', reply: { status: 301, fields: [['Location', location]] } };
    }
    return undefined;
  }

  #isSkipped(path: string): boolean {
    return this.#plan.skippedExtensions.some((extension) => path.endsWith(extension));
  }

  #refusal(stored: Exclude<Stored, { kind: 'file' }>, path: string, root: Tree): Found | undefined {
    if (stored.kind === 'outside') {
      const where = `${printable(stored.real)} is not under ${printable(root.path)} or a safe path`;
      this.#warn(`[uwsgi-fileserve] security error: ${where}`);
      return { kind: 'reply', reply: { status: 403, fields: [] } };
    }
    if (stored.kind !== 'failed') return undefined;
    const { code, message } = stored.error;
    this.#warn(`[uwsgi-fileserve] cannot open ${printable(path)}: ${printable(message)}`);
    if (code === 'EMFILE' || code === 'ENFILE') return { kind: 'reply', reply: { status: 503, fields: [RETRY] } };
    return { kind: 'reply', reply: { status: code === 'EACCES' || code === 'EPERM' ? 403 : 500, fields: [] } };
  }

  *#answer(path: string, root: Tree, file: StoredFile, request: EdgeRequest): Steps<FileAnswer> {
    const type = this.#plan.types.of(path);
    const fields: Field[] = [['Content-Type', type]];
    let sent = file;
    if (this.#plan.isCompressible(path) || this.#plan.isCompressible(file.real)) {
      fields.push(['Vary', 'Accept-Encoding']);
      const accepted = request.get('HTTP_ACCEPT_ENCODING');
      for (const [coding, extension] of CODINGS) {
        if (!accepts(accepted, coding)) continue;
        const stored = yield* wait(this.#store.get(`${path}${extension}`, root, this.#safe));
        if (stored.kind !== 'file') continue;
        discard(file);
        sent = stored.file;
        fields.push(['Content-Encoding', coding]);
        break;
      }
    }
    const expires = this.#expires(file, type, request);
    if (expires !== undefined) fields.push(['Expires', expires]);
    return { kind: 'file', file: sent, fields };
  }

  #expires(file: StoredFile, type: string, request: EdgeRequest): string | undefined {
    for (const { subject, pattern, seconds, fromChange } of this.#plan.expiries) {
      const text =
        subject === 'file'
          ? file.real
          : subject === 'type'
            ? type
            : subject === 'uri'
              ? request.get('REQUEST_URI')
              : request.path;
      if (pattern.test(text)) return httpDate((fromChange ? file.mtimeMs : Date.now()) + seconds * 1000);
    }
    return undefined;
  }
}

const httpDate = (ms: number) => new Date(ms).toUTCString();

/** The file is not sent after all. */
export function discard(file: StoredFile): void {
  closeQuietly(file.fd);
}

/** Whether `header`, an Accept-Encoding, has `coding` with a weight above 0 (RFC 9110 section 12.5.3). */
export function accepts(header: string, coding: string): boolean {
  for (const item of header.split(',')) {
    const [name = '', ...parameters] = item.split(';');
    if (name.trim().toLowerCase() !== coding) continue;
    return !parameters.some((parameter) => /^\s*q\s*=\s*0(?:\.0*)?\s*$/i.test(parameter));
  }
  return false;
}

/** Fields that tell what a body is: an answer without one has none of them. */
const OF_CONTENT: ReadonlySet<string> = new Set(['Content-Type', 'Content-Encoding']);

/** The value of a field; `name` in lower case. */
const valueIn = (fields: readonly Field[], name: string) =>
  fields.find(([other]) => other.length === name.length && other.toLowerCase() === name)?.[1];

/** Answers `exchange` with a file, or with what its conditions and ranges make of it. Calls `done` when it is sent. */
export function sendFile(exchange: Exchange, answer: FileAnswer, request: EdgeRequest, done: () => void): void {
  const { file, line } = answer;
  const etag = valueIn(answer.fields, 'etag');
  const lastModified = valueIn(answer.fields, 'last-modified');
  const validators = { size: file.size, etag: etag ?? file.etag, lastModified: lastModified ?? file.lastModified };
  const { status, start, end } =
    line === undefined || line.startsWith('200')
      ? select(validators, (name) => request.get(name), request.isHead)
      : { status: Number(line.slice(0, 3)), start: 0, end: file.size };
  const isOfContent = status !== 304 && status !== 412 && status !== 416;
  const fields = isOfContent ? [...answer.fields] : answer.fields.filter(([name]) => !OF_CONTENT.has(name));
  if (lastModified === undefined) fields.push(['Last-Modified', file.lastModified]);
  if (etag === undefined) fields.push(['ETag', file.etag]);
  fields.push(['Accept-Ranges', 'bytes']);
  if (status === 206) fields.push(['Content-Range', `bytes ${start}-${end - 1}/${file.size}`]);
  if (status === 416) fields.push(['Content-Range', `bytes */${file.size}`]);
  const isOwnLine = line?.startsWith(String(status)) ?? false;
  const head = answerHead(isOwnLine ? line! : statusLine(status), fields, status === 304 ? -1 : end - start);
  recordHead(exchange.record, head, fields.length);
  const isEmpty = request.isHead || start === end;
  if (!isEmpty) {
    sendFilePart(exchange, head, { content: file.content, fd: file.fd, start, end }, done);
    return;
  }
  discard(file);
  exchange.headSent = true;
  exchange.answerWhole(head, NO_BODY);
  done();
}
