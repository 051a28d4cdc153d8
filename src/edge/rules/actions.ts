// What rules do, compiled once: each action is a function of the request.
//
// Decided elsewhere: how an action is written (config/route-actions.ts), what becomes of its outcome (rule-chain.ts,
//   listeners/front.ts).

import { posix } from 'node:path';
import { PeerError } from '../../base/errors.js';
import { printable } from '../../base/log.js';
import type { Action } from '../../config/route-actions.js';
import { fixedStart, isFixed, type Template } from '../../config/template.js';
import { decodePath } from '../../wire/cgi.js';
import type { Field } from '../reply.js';
import { Tree } from '../static/open-file.js';
import { isServable } from '../static/paths.js';
import type { Found, StaticFiles } from '../static/static-files.js';
import { makeBasicAuth } from './basic-auth.js';
import { type Fill, type Form, fillText, fillUrl, type RuleContext } from './fill.js';

/** What the server is to do with a request. */
export type Verdict =
  | Found
  /** Close the connection without an answer. */
  | { readonly kind: 'drop' }
  /** What the request brought cannot be put where the rule puts it. */
  | { readonly kind: 'refusal'; readonly error: PeerError };

/** Undefined: the next rule; a number: that rule; `last`: no more rules. */
export type Outcome = Verdict | number | 'last' | undefined;
export type Act = (context: RuleContext) => Outcome | Promise<Outcome>;

/** What actions need of the server. */
export interface ActionHost {
  readonly files: StaticFiles;
  /** Where relative paths begin. */
  readonly directory: string;
  /** Says something in the log. */
  warn(text: string): void;
}

/** Compiled actions have these besides: how the rule's subject came, the labels, and where the rule stands. */
export interface Place {
  readonly captureForm: Form;
  readonly labels: ReadonlyMap<string, number>;
  readonly at: string;
}

/** Throws `ConfigError` where it names a file that cannot be read. */
export function compileAction(action: Action, place: Place, host: ActionHost): Act {
  switch (action.kind) {
    case 'last':
      return () => 'last';
    case 'goto': {
      const index = place.labels.get(action.label)!;
      return () => index;
    }
    case 'drop':
      return () => ({ kind: 'drop' });
    case 'answer': {
      const { status, reason, isEmpty } = action;
      const page = isEmpty ? { page: { type: 'text/plain', body: Buffer.alloc(0) } } : {};
      const reply = { status, fields: [], ...(reason !== undefined && { reason }), ...page };
      return () => ({ kind: 'reply', reply });
    }
    case 'redirect':
      return redirect(action.status, action.target, place.captureForm);
    case 'rewrite':
      return rewrite(action.target, action.isLast, place);
    case 'addheader':
      return addHeader(action.name, fillText(action.value), place.at);
    case 'remheader': {
      const { name } = action;
      return ({ request }) => {
        request.answerEdits!.remove(name);
        return undefined;
      };
    }
    case 'set':
      return setVariable(action.variable, fillText(action.value), place.at);
    case 'file':
      return sendFile(action.path, action.isOptional, host);
    case 'basicauth':
      return makeBasicAuth(action, place.at, host.directory, (text) => host.warn(text));
    case 'log': {
      const fill = fillText(action.text);
      return (context) => {
        host.warn(printable(fill(context)));
        return undefined;
      };
    }
    case 'donotlog':
      return ({ request }) => {
        request.exchange.record.muted = true;
        return undefined;
      };
  }
}

function refusal(at: string, why: string): Verdict {
  return { kind: 'refusal', error: new PeerError('PEER_BAD_REQUEST', `${at}: ${why}`) };
}

function redirect(status: number, target: Template, captureForm: Form): Act {
  const fill = fillUrl(target, captureForm, false);
  // `//evil.example` in a Location is another host: only the rule itself may begin like that
  const namesHost = /^(?:[a-z][a-z0-9+.-]*:|\/\/)/i.test(fixedStart(target));
  return (context) => {
    const url = fill(context);
    const fields: Field[] = [['Location', namesHost ? url : url.replace(/^\/{2,}/, '/')]];
    return { kind: 'reply', reply: { status, fields } };
  };
}

function rewrite(target: Template, isLast: boolean, { captureForm, at }: Place): Act {
  const fill = fillUrl(target, captureForm, true);
  return (context) => {
    const url = fill(context);
    const question = url.indexOf('?');
    const path = decodePath(question < 0 ? url : url.slice(0, question));
    if (path === undefined) return refusal(at, 'the rewritten path has a %00');
    const { request } = context;
    const queries = [question < 0 ? '' : url.slice(question + 1), request.get('QUERY_STRING')];
    request.set('PATH_INFO', path);
    request.set('QUERY_STRING', queries.filter((query) => query !== '').join('&')); // as in uWSGI
    return isLast ? 'last' : undefined;
  };
}

const FIELD_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

function addHeader(name: string, fill: Fill, at: string): Act {
  return (context) => {
    const value = fill(context);
    if (!FIELD_VALUE.test(value)) return refusal(at, `what goes into ${name} has a control character`);
    context.request.answerEdits!.add(name, value);
    return undefined;
  };
}

function setVariable(variable: string, fill: Fill, at: string): Act {
  return (context) => {
    const value = fill(context);
    if (value.includes('\0')) return refusal(at, `what goes into ${variable} has a NUL`);
    const { request } = context;
    request.set(variable, value);
    if (variable === 'REMOTE_USER') request.exchange.record.user = value;
    if (variable === 'UWSGI_SCHEME') request.set('wsgi.url_scheme', value);
    return undefined;
  };
}

/**
 * Sends a file. What the rule itself says in front of the first part that a request fills in is the directory that the
 * file must lie in (`/srv/www$1`, where that part begins with a slash), or how the name of a file or directory begins
 * (`/srv/img-$1.png`). A rule that leaves all of it to the request can only reach the safe directories.
 */
function sendFile(template: Template, isOptional: boolean, host: ActionHost): Act {
  const fill = fillText(template);
  const missing: Verdict | undefined = isOptional ? undefined : { kind: 'reply', reply: { status: 404, fields: [] } };
  if (isFixed(template)) {
    const path = latin1(posix.resolve(host.directory, fixedStart(template)));
    const root = new Tree(path);
    return async ({ request }) => (await host.files.named(path, root, request)) ?? missing;
  }
  const start = fixedStart(template);
  const whole = start === '' ? '' : latin1(posix.resolve(host.directory, start));
  const within = whole === '' || whole === '/' ? undefined : new Tree(whole);
  const above = start.endsWith('/') || posix.dirname(whole) === '/' ? undefined : new Tree(posix.dirname(whole));
  const fillFirst = fillText(template.slice(start === '' ? 0 : 1, start === '' ? 1 : 2));
  return async (context) => {
    const rest = fill(context).slice(start.length);
    if (!isServable(rest, true)) return missing;
    const startsBelow = start.endsWith('/') || rest.startsWith('/');
    if (!startsBelow && fillFirst(context).includes('/')) return missing; // it would choose a directory beside
    const path = start === '' ? rest : `${whole}${start.endsWith('/') ? '/' : ''}${rest}`;
    const root = (startsBelow ? within : above) ?? host.files.safeTreeOf(path);
    if (root === undefined || !path.startsWith('/')) return missing;
    return (await host.files.named(path, root, context.request)) ?? missing;
  };
}

const latin1 = (text: string) => Buffer.from(text).toString('latin1');
