// What a rule can do: one row per action, with how its argument is read.
//
// Decided elsewhere: how an action is done (edge/rules/actions.ts), when (routes.ts).

import { parseHeaderName } from './edge-values.js';
import { parseTemplate, type Template } from './template.js';

export type Action =
  /** Goes on to the app, past the rules that follow. */
  | { readonly kind: 'last' }
  /** Goes on with the rules behind the label. */
  | { readonly kind: 'goto'; readonly label: string }
  /** Answers. `reason` and body are the standard ones unless given; `isEmpty`: no body. */
  | { readonly kind: 'answer'; readonly status: number; readonly reason: string | undefined; readonly isEmpty: boolean }
  /** Closes the connection without an answer. */
  | { readonly kind: 'drop' }
  | { readonly kind: 'redirect'; readonly status: 301 | 302; readonly target: Template }
  /** Another PATH_INFO and QUERY_STRING; `isLast`: and goes on to the app. */
  | { readonly kind: 'rewrite'; readonly target: Template; readonly isLast: boolean }
  | { readonly kind: 'addheader'; readonly name: string; readonly value: Template }
  | { readonly kind: 'remheader'; readonly name: string }
  | { readonly kind: 'set'; readonly variable: string; readonly value: Template }
  /** A file; `isOptional`: goes on where there is none. */
  | { readonly kind: 'file'; readonly path: Template; readonly isOptional: boolean }
  /** `isOptional`: goes on where the password is wrong; not where there is none. */
  | { readonly kind: 'basicauth'; readonly realm: string; readonly users: Users; readonly isOptional: boolean }
  | { readonly kind: 'log'; readonly text: Template }
  | { readonly kind: 'donotlog' };

/** Who may pass: one user; those of a file; nobody. */
export type Users =
  | { readonly kind: 'user'; readonly name: string; readonly password: string }
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'nobody' };

type Read = (argument: string) => Action | { readonly problem: string };

const without =
  (action: Action): Read =>
  () =>
    action;

/** An action that takes one template. */
const withTemplate =
  (make: (template: Template) => Action): Read =>
  (argument) => {
    const template = parseTemplate(argument);
    if ('problem' in template) return template;
    return template.length === 0 ? { problem: 'it takes an argument' } : make(template);
  };

const redirect = (status: 301 | 302) => withTemplate((target) => ({ kind: 'redirect', status, target }));
const rewrite = (isLast: boolean) => withTemplate((target) => ({ kind: 'rewrite', target, isLast }));
const set = (variable: string) => withTemplate((value) => ({ kind: 'set', variable, value }));
const file = (isOptional: boolean) => withTemplate((path) => ({ kind: 'file', path, isOptional }));

function answer(argument: string, isEmpty: boolean): ReturnType<Read> {
  const match = /^([2-5]\d\d)(?: ([\x20-\x7e]+))?$/.exec(argument);
  if (match === null) return { problem: 'it takes a status from 200 to 599, and perhaps a reason' };
  return { kind: 'answer', status: Number(match[1]), reason: match[2], isEmpty };
}

function addheader(argument: string): ReturnType<Read> {
  const colon = argument.indexOf(':');
  const name = parseHeaderName(argument.slice(0, Math.max(0, colon)));
  if ('wanted' in name) return { problem: 'it takes NAME: VALUE, the name that of a field which may be edited' };
  const value = parseTemplate(argument.slice(colon + 1).trim());
  return 'problem' in value ? value : { kind: 'addheader', name: name.value, value };
}

function remheader(argument: string): ReturnType<Read> {
  const name = parseHeaderName(argument);
  return 'wanted' in name
    ? { problem: `"${argument}" is not ${name.wanted}` }
    : { kind: 'remheader', name: name.value };
}

function addvar(argument: string): ReturnType<Read> {
  const match = /^([A-Za-z_][A-Za-z0-9_-]*)=(.*)$/s.exec(argument);
  if (match === null) return { problem: 'it takes NAME=VALUE' };
  const value = parseTemplate(match[2]!);
  return 'problem' in value ? value : { kind: 'set', variable: match[1]!, value };
}

/** `file:PATH`, or `file:filename=PATH`. */
function fileAction(argument: string): ReturnType<Read> {
  const path = argument.replace(/^filename=/, '');
  const other = /,(status|no_content_length|no_cl|mime|no_headers)=/.exec(path);
  return other === null ? file(false)(path) : { problem: `"${other[1]}" is not supported: it takes a path` };
}

/** `REALM,USER:PASSWORD`, `REALM,FILE`, `REALM,`. */
function basicauth(argument: string, isOptional: boolean): ReturnType<Read> {
  const comma = argument.indexOf(',');
  const realm = argument.slice(0, Math.max(0, comma));
  if (comma < 0 || !/^[\x20\x21\x23-\x5b\x5d-\x7e]*$/.test(realm)) {
    return { problem: 'it takes a realm without quotes, a comma, and USER:PASSWORD or a file of users' };
  }
  const who = argument.slice(comma + 1);
  const colon = who.indexOf(':');
  const users: Users =
    who === ''
      ? { kind: 'nobody' }
      : colon < 0
        ? { kind: 'file', path: who }
        : { kind: 'user', name: who.slice(0, colon), password: who.slice(colon + 1) };
  return { kind: 'basicauth', realm, users, isOptional };
}

// biome-ignore format: a table
export const ACTIONS: ReadonlyMap<string, Read> = new Map<string, Read>([
  ['last',               without({ kind: 'last' })],
  ['continue',           without({ kind: 'last' })],
  ['goto',               (label) => (label === '' ? { problem: 'it takes a label' } : { kind: 'goto', label })],
  ['break',              (argument) => (argument === '' ? { kind: 'drop' } : answer(argument, true))],
  ['return',             (argument) => answer(argument, false)],
  ['break-with-status',  (argument) => answer(argument, false)],
  ['redirect',           redirect(302)],
  ['redirect-302',       redirect(302)],
  ['redirect-permanent', redirect(301)],
  ['redirect-301',       redirect(301)],
  ['rewrite',            rewrite(false)],
  ['rewrite-last',       rewrite(true)],
  ['addheader',          addheader],
  ['remheader',          remheader],
  ['delheader',          remheader],
  ['addvar',             addvar],
  ['setpathinfo',        set('PATH_INFO')],
  ['setscriptname',      set('SCRIPT_NAME')],
  ['setmethod',          set('REQUEST_METHOD')],
  ['seturi',             set('REQUEST_URI')],
  ['setremoteaddr',      set('REMOTE_ADDR')],
  ['setuser',            set('REMOTE_USER')],
  ['setscheme',          set('UWSGI_SCHEME')],
  ['setdocroot',         set('DOCUMENT_ROOT')],
  ['static',             file(false)],
  ['static-next',        file(true)],
  ['sendfile',           file(false)],
  ['sendfile-next',      file(true)],
  ['file',               fileAction],
  ['basicauth',          (argument) => basicauth(argument, false)],
  ['basicauth-next',     (argument) => basicauth(argument, true)],
  ['log',                withTemplate((text) => ({ kind: 'log', text }))],
  ['donotlog',           without({ kind: 'donotlog' })],
]);

/** Actions of uWSGI that there are none of here: an error says so. */
export const UNSERVED_ACTIONS: ReadonlySet<string> = new Set(
  `access alarm cache cache-continue cachedec cachediv cacheinc cachemul cacheset cachestore cachevar call callint
  callstr chdir chunked clearheaders disableheaders expires fastfile fastfile-next file-next fixcl fixpathinfo
  flush forcecl gzip harakiri hash http httpdumb httptime ldapauth logvar math memcached memcached-continue
  memcachedstore noflush proxyhttp proxyuwsgi radius redis redis-continue redisstore rem-transformation resetheaders
  route-uwsgi rpc rpcblob rpcnext rpcraw rpcret rpcvar seek send send-crnl setapp setfile sethome setmodifier1
  setmodifier2 setprocname signal simple spnego srand template tofile toupper uwsgi websocket xslt`.split(/\s+/),
);
