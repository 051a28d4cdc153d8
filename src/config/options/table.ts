// What a row of the options table can say. The rows themselves lie beside this file, one file per section.
//
// Decided elsewhere: how a text becomes a value (values.ts), what the rows add up to (options.ts).

import type { Address } from '../address.js';
import type { CronJob } from '../cron.js';
import type { DaemonPlan } from '../daemon-plan.js';
import type { Expiry, HeaderField, Mapping } from '../edge-values.js';
import type { HookAction, MasterHook } from '../hook.js';
import type { LogEncoder, Logger, LogRoute, LogTarget } from '../log-target.js';
import type { Network } from '../network.js';
import type { Assign, Owner } from '../pairs.js';
import type { StatsPush } from '../stats-push.js';
import type { TlsAddress } from '../tls-address.js';

/** What an option of each kind is to the program. */
export interface Values {
  flag: boolean;
  int: number;
  size: number;
  seconds: number;
  text: string;
  path: string;
  choice: string;
  address: Address;
  assign: Assign;
  cron: CronJob;
  cron2: CronJob;
  'smart-daemon': DaemonPlan;
  daemon2: DaemonPlan;
  hook: HookAction;
  'master-hook': MasterHook;
  networks: readonly Network[];
  regexp: RegExp;
  plugin: string;
  'needed-plugin': string;
  'log-target': LogTarget;
  logger: Logger;
  'log-route': LogRoute;
  'log-encoder': LogEncoder;
  'stats-push': StatsPush;
  mapping: Mapping;
  expiry: Expiry;
  'type-expiry': Expiry;
  header: HeaderField;
  'header-name': string;
  'tls-address': TlsAddress;
  /** Permissions of a file, or the mask that takes some away. */
  mode: number;
  owner: Owner;
}
export type Kind = keyof Values;

export interface Option {
  readonly name: string;
  readonly aliases?: readonly string[];
  /** One of `aliases` that is taken with a warning, and what that says. */
  readonly discouraged?: readonly [alias: string, warning: string];
  readonly short?: string;
  readonly kind: Kind;
  /** May be given several times, and then all of them count. */
  readonly many?: true;
  /** An entry of the `apps:` list may set it for its app; a list then grows by it, any other value is replaced. */
  readonly perApp?: true;
  /** Absent: the option has no value unless somebody gives one. */
  readonly default?: boolean | number | string;
  /** What `--help` says instead of `default`, where that is found out at start. */
  readonly defaultText?: string;
  readonly range?: readonly [least: number, most: number];
  /** What the option means when it stands alone; on the command line its value then comes behind `=` only. */
  readonly bare?: string;
  /** What `false` means, where that is a value of its own. */
  readonly off?: string;
  /** A value above the range is cut down with a warning instead of refused. */
  readonly clamps?: true;
  readonly choices?: readonly string[];
  /** --show-config keeps the value to itself. */
  readonly isSecret?: true;
  /** What `--help` calls the value, where the kind does not say enough. */
  readonly value?: string;
  readonly help: string;
  /** It is no setting but a command: the signal that is sent to the server whose pidfile is given. */
  readonly sends?: NodeJS.Signals;
  /** In what it departs from uWSGI. */
  readonly differs?: string;
  /** The option is accepted and changes nothing: what it asks for is so anyway. The text says why. */
  readonly always?: string;
}
