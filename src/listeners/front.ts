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
import { type Field, type Reply, render, sendReply } from '../edge/reply.js';
import type { Verdict } from '../edge/rules/actions.js';
import { RuleChain } from '../edge/rules/rule-chain.js';
import { discard, StaticFiles, sendFile } from '../edge/static/static-files.js';
import { run, type Steps, wait } from '../edge/steps.js';
import { fileNamedBy, merge } from '../edge/x-sendfile.js';
import { EarlyAnswer, parseHead } from '../wire/answer.js';
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

/** What there is of a request whose body is still to come. */
const TO_COME = { listener: 0, input: undefined, inputFd: -1, nowMs: 0 };

export class Front implements Receiver {
  readonly #plan: EdgePlan;
  readonly #host: FrontHost;
  readonly #files: StaticFiles;
  readonly #rules: RuleChain | undefined;
  /** Requests whose bodies are still to come, by the exchange of their connection. */
  readonly #announced = new WeakMap<Exchange, FrontRequest>();
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

  announce(
    exchange: Exchange,
    names: string,
    values: string,
    listener: number,
    isHead: boolean,
    refuse: (error: NuwsgiError<Code>) => void,
  ): void | Promise<void> {
    if (this.#rules === undefined) return;
    const constants = this.#host.constants[listener]!;
    return this.#rule(new HttpFrontRequest(exchange, isHead, names, values, TO_COME, constants), refuse);
  }

  announcePacket(
    exchange: Exchange,
    payload: Buffer,
    _listener: number,
    isHead: boolean,
    refuse: (error: NuwsgiError<Code>) => void,
  ): void | Promise<void> {
    if (this.#rules === undefined) return;
    return this.#rule(new PacketFrontRequest(exchange, isHead, payload, TO_COME), refuse);
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
    const announced = this.#takeAnnounced(exchange);
    if (announced instanceof HttpFrontRequest) {
      announced.complete(names, values, rest);
      this.#take(announced);
      return;
    }
    const request = new HttpFrontRequest(exchange, isHead, names, values, rest, this.#host.constants[listener]!);
    this.#edit(request);
    this.#take(request);
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
    const rest = { listener, input, inputFd, nowMs };
    const announced = this.#takeAnnounced(exchange);
    if (announced instanceof PacketFrontRequest) {
      announced.complete(rest);
      this.#take(announced);
      return;
    }
    const request = new PacketFrontRequest(exchange, isHead, payload, rest);
    this.#edit(request);
    this.#take(request);
  }

  /** The rules for a request whose body is still to come: they may answer it before. */
  #rule(request: FrontRequest, refuse: (error: NuwsgiError<Code>) => void): void | Promise<void> {
    this.#announced.set(request.exchange, request);
    this.#edit(request);
    request.isRuled = true;
    request.verdict = this.#rules!.run(request);
    const act = (verdict: Verdict | undefined) => {
      if (request.exchange.gone || this.#announced.get(request.exchange) !== request) return; // too late for that
      if (verdict?.kind !== 'reply' && verdict?.kind !== 'refusal') return;
      this.#announced.delete(request.exchange);
      if (verdict.kind === 'reply') this.#answerEarly(request, verdict.reply, refuse);
      else refuse(verdict.error);
    };
    if (request.verdict instanceof Promise) return request.verdict.then(act);
    act(request.verdict);
  }

  #answerEarly(request: FrontRequest, reply: Reply, refuse: (error: NuwsgiError<Code>) => void): void {
    const { record } = request.exchange;
    const [plain, body] = render(reply, this.#plan.pages, record, request.isHead);
    const head = request.answerEdits?.apply(plain, record) ?? plain;
    const { reason, fields } = parseHead(head.bytes);
    const pairs = fields.flatMap((name, i): Field[] => (i % 2 === 0 ? [[name, fields[i + 1]!]] : []));
    record.via = 'route';
    refuse(new EarlyAnswer({ status: `${head.status} ${reason}`, fields: pairs, body }));
    this.#host.onAnswered(request.exchange, request);
  }

  /** The request that was announced on `exchange` and has come now, if one was. */
  #takeAnnounced(exchange: Exchange): FrontRequest | undefined {
    if (this.#rules === undefined) return undefined;
    const request = this.#announced.get(exchange);
    if (request !== undefined) this.#announced.delete(exchange);
    return request;
  }

  #take(request: FrontRequest): void {
    const verdict = run(this.#decide(request));
    if (!(verdict instanceof Promise)) {
      this.#act(request, verdict);
      return;
    }
    request.detach();
    this.#inside++;
    verdict.then((verdict) => {
      this.#inside--;
      if (request.answers.gone) giveUp(request.answers, verdict);
      else this.#act(request, verdict);
    });
  }

  /** Rules first, so that they protect files too; a file is looked for where the client asked for it. */
  *#decide(request: FrontRequest): Steps<Verdict | undefined> {
    const ruling = request.isRuled ? request.verdict : this.#rules?.run(request);
    return (yield* wait(ruling)) ?? (yield* wait(this.#files.find(request)));
  }

  /** Puts in what edits the answers to `request`. */
  #edit(request: FrontRequest): void {
    const { edits, pages, allowsSendfile } = this.#plan;
    if (edits === undefined) return;
    const onHead: OnHead | undefined = allowsSendfile ? (app, head) => this.#onHead(request, app, head) : undefined;
    request.answerEdits = new AnswerEdits(edits);
    request.answers = new EditedExchange(request.exchange, request.isHead, request.answerEdits, pages, onHead);
  }

  #act(request: FrontRequest, verdict: Verdict | undefined): void {
    const exchange = request.answers;
    if (verdict === undefined) {
      this.#toApp(request);
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

  #toApp(request: FrontRequest): void {
    if (request.forward(this.#host.mounts, request.answers)) return;
    this.#refuse(request.answers, new PeerError('PEER_NO_APP', request.get('PATH_INFO')));
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
