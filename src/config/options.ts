// Every option that does something, once. The argv reader, the file readers, `--help`, the generated documents and the
// `Config` type are read off this table; nothing else in the project says what an option is called or which values it
// takes.
//
// Names, aliases, letters and meanings are uWSGI's wherever uWSGI has the option. Where the meaning or the default
//   departs from uWSGI's, `differs` says so in one sentence, and `--help OPTION` shows it.
// Decided elsewhere: what a row can say (options/table.ts), how a text becomes a value (values.ts), which source wins
//   (gather.ts), what must fit together (resolve.ts), and the names that uWSGI knows and this server does not serve
//   (known-names.ts).

import { APPS } from './options/apps.js';
import { CONFIGURATION } from './options/configuration.js';
import { EDITS } from './options/edits.js';
import { EMPEROR } from './options/emperor.js';
import { GENERAL } from './options/general.js';
import { LIFECYCLE } from './options/lifecycle.js';
import { LOGGING } from './options/logging.js';
import { LOGIC } from './options/logic.js';
import { PROCESS } from './options/process.js';
import { PROXIES } from './options/proxies.js';
import { PYTHON } from './options/python.js';
import { REQUESTS } from './options/requests.js';
import { ROUTING } from './options/routing.js';
import { SOCKETS } from './options/sockets.js';
import { STATIC } from './options/static.js';
import { STATISTICS } from './options/statistics.js';
import type { Option, Values } from './options/table.js';
import { WORKERS } from './options/workers.js';

export type { Kind, Option, Values } from './options/table.js';

/** The sections of `--help` and of the documents, in their order. */
export const SECTIONS = [
  { title: 'Sockets', options: SOCKETS },
  { title: 'Proxies in front', options: PROXIES },
  { title: 'Requests and answers', options: REQUESTS },
  { title: 'Edits of answers', options: EDITS },
  { title: 'Routing', options: ROUTING },
  { title: 'Static files', options: STATIC },
  { title: 'Apps', options: APPS },
  { title: 'Python', options: PYTHON },
  { title: 'Workers', options: WORKERS },
  { title: 'Reload and stop', options: LIFECYCLE },
  { title: 'Process', options: PROCESS },
  { title: 'Logging', options: LOGGING },
  { title: 'Statistics', options: STATISTICS },
  { title: 'Emperor', options: EMPEROR },
  { title: 'Configuration', options: CONFIGURATION },
  { title: 'Loops and conditions in files', options: LOGIC },
  { title: 'General', options: GENERAL },
] as const satisfies readonly { readonly title: string; readonly options: readonly Option[] }[];

export const OPTIONS = [
  ...SOCKETS,
  ...PROXIES,
  ...REQUESTS,
  ...EDITS,
  ...ROUTING,
  ...STATIC,
  ...APPS,
  ...PYTHON,
  ...WORKERS,
  ...LIFECYCLE,
  ...PROCESS,
  ...LOGGING,
  ...STATISTICS,
  ...EMPEROR,
  ...CONFIGURATION,
  ...LOGIC,
  ...GENERAL,
] as const;

/** The title of the section in which `option` stands. */
export function sectionOf(option: Option): string {
  return SECTIONS.find(({ options }) => (options as readonly Option[]).includes(option))!.title;
}

type Row = (typeof OPTIONS)[number];
export type OptionName = Row['name'];

type OneOf<O extends Option> = O extends { readonly choices: readonly (infer C)[] } ? C : Values[O['kind']];
type ValueOf<O extends Option> = O extends { readonly many: true }
  ? readonly OneOf<O>[]
  : O extends { readonly default: boolean | number | string }
    ? OneOf<O>
    : OneOf<O> | undefined;

/** The configuration, by canonical option name. Frozen; nothing writes to it after start. */
export type Config = { readonly [O in Row as O['name']]: ValueOf<O> };
