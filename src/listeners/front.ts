// What stands in front of all apps where the server answers or edits something by itself: takes complete requests from
// the listeners, answers those that are for a file, edits answers, and hands the other requests to their apps.
//
// A server without any of this has no Front: its listeners speak to the dispatchers, and a request costs what it did.
// Decided elsewhere: which file (edge/static/), what is edited (edge/edited-exchange.ts), how requests are read and go on
//   (front-request.ts).

import { type Code, type NuwsgiError, PeerError } from '../base/errors.js';
import { printable } from '../base/log.js';
import { type AnswerHead, type Exchange, ExchangeRecord } from '../dispatch/exchange.js';
import type { Receiver } from '../dispatch/receiver.js';
import { AnswerEdits } from '../edge/answer-edits.js';
import { EditedExchange, type OnHead } from '../edge/edited-exchange.js';
import type { EdgePlan } from '../edge/plan.js';
import { sendReply } from '../edge/reply.js';
import type { Verdict } from '../edge/rules/actions.js';
import { RuleChain } from '../edge/rules/rule-chain.js';
import { discard, StaticFiles, sendFile } from '../edge/static/static-files.js';
import { run, type Steps, wait } from '../edge/steps.js';
import { fileNamedBy, merge } from '../edge/x-sendfile.js';
import { type FrontRequest, HttpFrontRequest, PacketFrontRequest } from './front-request.js';
import type { Mount } from './site.js';

/** What the Front needs of the server. */
export interface FrontHost {
  /** The apps; filled when they are up. */
  readonly mounts: readonly Mount[];
  /** Per listener: variables that all its requests have. */
  readonly constants: readonly Readonly<Record<string, string>>[];
  /** The answer to a request that no app saw is complete, or a file that an app named has been sent. */
  onAnswered(exchange: Exchange, request: FrontRequest): void;
  /** A request was refused. */
  onRefused(peer: string, error: NuwsgiError<Code>): void;
  /** Something a person should know. */
  warn(text: string): void;
}

export class Front implements Receiver {
  readonly #plan: EdgePlan;
  readonly #host: FrontHost;
  readonly #files: StaticFiles;
  readonly #rules: RuleChain | undefined;
  /** Requests that are being looked at, and answers on their way. */
  #inside = 0;

  /** Throws `ConfigError` where a rule names a file that cannot be used. */
  constructor(plan: EdgePlan, host: FrontHost) {
    this.#plan = plan;
    this.#host = host;
    const warn = (text: string) => host.warn(text);
    this.#files = new StaticFiles(plan.files, warn);
    const { routes, directory } = plan;
    this.#rules = routes && new RuleChain(routes, { files: this.#files, directory, warn });
  }

  get inside(): number {
    return this.#inside;
  }

  submit(
    exchange: Exchange,
    names: string,
    values: string,
    listener: number,
    isHead: boolean,
    input: Uint8Array | undefined,
    inputFd: number,
    nowMs: number,
  ): void {
    const rest = { listener, input, inputFd, nowMs };
    this.#take(new HttpFrontRequest(exchange, isHead, names, values, rest, this.#host.constants[listener]!));
  }

  submitPacket(
    exchange: Exchange,
    payload: Buffer,
    listener: number,
    isHead: boolean,
    input: Uint8Array | undefined,
    inputFd: number,
    nowMs: number,
  ): void {
    this.#take(new PacketFrontRequest(exchange, isHead, payload, { listener, input, inputFd, nowMs }));
  }

  #take(request: FrontRequest): void {
    const exchange = this.#edited(request, this.#plan.allowsSendfile);
    const verdict = run(this.#decide(request));
    if (!(verdict instanceof Promise)) {
      this.#act(request, exchange, verdict);
      return;
    }
    request.detach();
    this.#inside++;
    verdict.then((verdict) => {
      this.#inside--;
      if (exchange.gone) giveUp(exchange, verdict);
      else this.#act(request, exchange, verdict);
    });
  }

  /** Rules first, so that they protect files too; a file is looked for where the client asked for it. */
  *#decide(request: FrontRequest): Steps<Verdict | undefined> {
    const verdict = this.#rules === undefined ? undefined : yield* wait(this.#rules.run(request));
    return verdict ?? (yield* wait(this.#files.find(request)));
  }

  /** What answers to `request` go through. */
  #edited(request: FrontRequest, allowsSendfile: boolean): Exchange {
    const { edits, pages } = this.#plan;
    const { exchange, isHead } = request;
    if (edits === undefined) return exchange;
    const onHead: OnHead | undefined = allowsSendfile ? (app, head) => this.#onHead(request, app, head) : undefined;
    request.answerEdits = new AnswerEdits(edits);
    return new EditedExchange(exchange, isHead, request.answerEdits, pages, onHead);
  }

  #act(request: FrontRequest, exchange: Exchange, verdict: Verdict | undefined): void {
    if (verdict === undefined) {
      this.#toApp(request, exchange);
    } else if (verdict.kind === 'file') {
      exchange.record.via = 'sendfile';
      this.#inside++;
      sendFile(exchange, verdict, request, () => {
        this.#inside--;
        this.#onAnswered(exchange, request);
      });
    } else if (verdict.kind === 'refusal') {
      this.#refuse(exchange, verdict.error);
    } else {
      exchange.record.via = 'route';
      if (verdict.kind === 'drop') exchange.drop();
      else sendReply(exchange, verdict.reply, this.#plan.pages, request.isHead);
      this.#onAnswered(exchange, request);
    }
  }

  #toApp(request: FrontRequest, exchange: Exchange): void {
    if (request.forward(this.#host.mounts, exchange)) return;
    this.#refuse(exchange, new PeerError('PEER_NO_APP', request.get('PATH_INFO')));
  }

  #refuse(exchange: Exchange, error: PeerError): void {
    this.#host.onRefused(exchange.record.peer, error);
    exchange.refuse(error);
    exchange.released();
  }

  /** An app's answer may name a file: then that is sent in its place. */
  #onHead(request: FrontRequest, app: EditedExchange, head: AnswerHead): boolean {
    const named = fileNamedBy(head);
    const root = named === undefined ? undefined : this.#files.safeTreeOf(named.path);
    if (named === undefined || root === undefined) return false;
    const { isHead } = request;
    const record = Object.assign(new ExchangeRecord(), app.record, { bodyBytes: 0, via: 'sendfile' });
    const exchange = new EditedExchange(app.inner, isHead, app.edits, this.#plan.pages, undefined, record);
    app.record.superseded = true;
    this.#inside++;
    // The line in the log tells of the file and of the worker that named it: both have to be done with it.
    let pending = 2;
    const finish = () => {
      if (--pending > 0) return;
      this.#inside--;
      this.#host.onAnswered(exchange, request);
    };
    app.onReleased = finish;
    Promise.resolve(this.#files.named(named.path, root, request)).then((found) => {
      if (exchange.gone) {
        if (found?.kind === 'file') discard(found.file);
        finish();
      } else if (found?.kind === 'file') {
        sendFile(exchange, { ...found, ...merge(named, found.fields) }, request, finish);
      } else {
        if (found === undefined) this.#host.warn(`X-Sendfile: there is no file ${printable(named.path)}`);
        sendReply(exchange, found?.reply ?? { status: 404, fields: [] }, this.#plan.pages, isHead);
        finish();
      }
    });
    return true;
  }

  #onAnswered(exchange: Exchange, request: FrontRequest): void {
    exchange.released();
    this.#host.onAnswered(exchange, request);
  }
}

/** The client went away before there was an answer. */
function giveUp(exchange: Exchange, verdict: Verdict | undefined): void {
  if (verdict?.kind === 'file') discard(verdict.file);
  exchange.released();
}
