// Which sockets are asked for, by options and by systemd, and what each of them speaks.
//
// A socket that systemd hands over and no option names is served all the same, as by uWSGI: by the option that its name
//   spells (FileDescriptorName=http-socket), else like `socket`, in the protocol of --protocol.
// Decided elsewhere: how addresses are written (address.ts), which engine reads which protocol (listener-plan.ts).

import { ConfigError } from '../base/errors.js';
import { type Address, bindingKey } from './address.js';
import type { InheritedSocket } from './inherited.js';
import type { TlsAddress, TlsFiles } from './tls-address.js';
import type { PlacedValues } from './typed.js';

/** Options that open a socket. */
export const LISTENER_OPTIONS = [
  'http',
  'http11-socket',
  'http-socket',
  'https',
  'https-socket',
  'socket',
  'suwsgi-socket',
  'http-to-https',
] as const;
export type ListenerOption = (typeof LISTENER_OPTIONS)[number];

/** A socket to be opened. */
export interface ListenerSetting {
  readonly option: ListenerOption;
  /** Of a handed-over socket, the number and never the name. */
  readonly address: Address;
  /** Undefined: it speaks in clear. */
  readonly tls: TlsFiles | undefined;
  /** Where the option was given. */
  readonly at: string;
}

/** Those that need nothing but a socket, so that the name of one is enough. */
const PLAIN_OPTIONS: readonly ListenerOption[] = ['http', 'http11-socket', 'http-socket', 'socket', 'http-to-https'];
const AT_SYSTEMD = 'LISTEN_FDS';

/**
 * The sockets, in the order of their options; what is wrong with them goes to `problems`. `canonical` finds the name
 * of an option by one of its aliases.
 */
export function listenersOf(
  values: PlacedValues,
  inherited: readonly InheritedSocket[],
  canonical: (name: string) => string | undefined,
  problems: ConfigError[],
): readonly ListenerSetting[] {
  const given = LISTENER_OPTIONS.flatMap((option) =>
    (values.get(option) ?? []).flatMap(({ value, at }) => {
      const { address, files } = 'files' in (value as object) ? (value as TlsAddress) : { address: value as Address };
      return named({ option, address, tls: files, at }, inherited, problems);
    }),
  );
  const taken = new Set(given.map(({ address }) => (address.kind === 'fd' ? address.socket : -1)));
  const systemd = inherited
    .filter(({ fd }) => !taken.has(fd))
    .map(({ fd, name }): ListenerSetting => {
      const option = PLAIN_OPTIONS.find((candidate) => candidate === canonical(name)) ?? 'socket';
      const address = { kind: 'fd', socket: fd, text: `fd://${fd} (${name})` } as const;
      return { option, address, tls: undefined, at: AT_SYSTEMD };
    });
  const all = [...given, ...systemd];
  checkCollisions(all, problems);
  return all;
}

/** Replaces the name of a handed-over socket by its number; the sockets of a unit may all have the same name. */
function named(
  setting: ListenerSetting,
  inherited: readonly InheritedSocket[],
  problems: ConfigError[],
): ListenerSetting[] {
  const { option, address, at } = setting;
  if (address.kind !== 'fd' || typeof address.socket === 'number') return [setting];
  const found = inherited.filter(({ name }) => name === address.socket);
  if (found.length === 0) {
    const names = inherited.map(({ name }) => name).join(', ');
    const problem = `is not the name of a socket that systemd has handed over (${names === '' ? 'there are none' : `there are: ${names}`})`;
    problems.push(new ConfigError('CONFIG_CONFLICT', `${at}: ${option} = "${address.text}" ${problem}`));
  }
  return found.map(({ fd }) => ({ ...setting, address: { ...address, socket: fd } }));
}

function checkCollisions(all: readonly ListenerSetting[], problems: ConfigError[]): void {
  const seen = new Map<string, string>();
  for (const { option, address, at } of all) {
    const key = bindingKey(address);
    if (key === undefined) continue;
    const place = `${option} (${at})`;
    const other = seen.get(key);
    if (other === undefined) seen.set(key, place);
    else
      problems.push(new ConfigError('CONFIG_CONFLICT', `${other} and ${place} want the same address, ${address.text}`));
  }
}
