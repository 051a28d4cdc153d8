// HTTP's basic authentication (RFC 7617), as a rule.
//
// Neither a password nor the header that holds one is ever logged. The user's name goes to the app as REMOTE_USER, and
//   to the log.
// Decided elsewhere: who may pass (users.ts).

import { resolve } from 'node:path';
import type { Action } from '../../config/route-actions.js';
import type { Reply } from '../reply.js';
import type { Act, Outcome } from './actions.js';
import type { RuleContext } from './fill.js';
import { type Judgement, NOBODY, oneUser, UserFile, type Users } from './users.js';

type BasicAuth = Extract<Action, { kind: 'basicauth' }>;

/** A name that can stand in a variable and in the log. */
const NAME = /^[\x20-\x7e\x80-\xff]*$/;

/** Throws `ConfigError` when the file of users cannot be used. */
export function makeBasicAuth(
  { realm, users, isOptional }: BasicAuth,
  at: string,
  directory: string,
  warn: (text: string) => void,
): Act {
  const who = usersOf(users, at, directory, warn);
  const asked: Outcome = { kind: 'reply', reply: unauthorized(realm) };
  const settle = (context: RuleContext, name: string, judgement: Judgement): Outcome => {
    const { request } = context;
    if (judgement === 'busy') return { kind: 'reply', reply: { status: 503, fields: [['Retry-After', '1']] } };
    if (!judgement) return isOptional ? undefined : asked;
    context.isAuthenticated = true;
    request.set('REMOTE_USER', name);
    request.exchange.record.user = name;
    return undefined;
  };
  return (context) => {
    if (context.isAuthenticated) return undefined; // by a rule before this one: so rules can be tried in turn
    const given = credentials(context.request.get('HTTP_AUTHORIZATION'));
    if (given === undefined) return asked;
    const [name, password] = given;
    const judgement = who.check(name, password);
    if (!(judgement instanceof Promise)) return settle(context, name, judgement);
    return judgement.then((settled) => settle(context, name, settled));
  };
}

function usersOf(users: BasicAuth['users'], at: string, directory: string, warn: (text: string) => void): Users {
  const latin1 = (text: string) => Buffer.from(text).toString('latin1');
  if (users.kind === 'nobody') return NOBODY;
  if (users.kind === 'file') return new UserFile(resolve(directory, users.path), at, warn);
  return oneUser(latin1(users.name), latin1(users.password));
}

function unauthorized(realm: string): Reply {
  return { status: 401, fields: [['WWW-Authenticate', `Basic realm="${realm}", charset="UTF-8"`]] };
}

/** Name and password of an Authorization field, one character per byte. */
function credentials(header: string): readonly [name: string, password: string] | undefined {
  const encoded = /^Basic +([A-Za-z0-9+/]+={0,2})$/i.exec(header)?.[1];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, 'base64').toString('latin1');
  const colon = text.indexOf(':');
  if (colon < 0) return undefined;
  const name = text.slice(0, colon);
  return NAME.test(name) && !text.includes('\0') ? [name, text.slice(colon + 1)] : undefined;
}
