// What the command lines of the tools beside the server have in common.

import { type ParseArgsConfig, parseArgs } from 'node:util';
import { ConfigError } from '../base/errors.js';
import { parseAddress } from '../config/address.js';
import type { PeerAddress } from './dial.js';

/** Takes a command line apart. Throws `ConfigError` CONFIG_CONFLICT for what it does not know. */
export function parse<const O extends NonNullable<ParseArgsConfig['options']>>(
  argv: readonly string[],
  options: O,
): ReturnType<typeof parseArgs<{ options: O; allowPositionals: true }>> {
  try {
    return parseArgs({ args: [...argv], options, allowPositionals: true });
  } catch (error) {
    throw new ConfigError('CONFIG_CONFLICT', (error as Error).message);
  }
}

/** Reads the address that a tool is to speak to; without one, says how the tool is used. Throws `ConfigError`. */
export function addressOf(text: string | undefined, usage: string): PeerAddress {
  if (text === undefined) throw new ConfigError('CONFIG_CONFLICT', usage.trimEnd());
  const parsed = parseAddress(text);
  if ('wanted' in parsed) throw new ConfigError('CONFIG_BAD_VALUE', 'ADDRESS', 'command line', text, parsed.wanted);
  const { address } = parsed;
  if (address.kind !== 'fd') return address;
  throw new ConfigError('CONFIG_BAD_VALUE', 'ADDRESS', 'command line', text, 'an address that can be connected to');
}

/** A number of a command line, from `least` to `most`. Throws `ConfigError` CONFIG_BAD_VALUE. */
export function numberOf(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= least && value <= most) return value;
  throw new ConfigError('CONFIG_BAD_VALUE', name, 'command line', text, `a number from ${least} to ${most}`);
}
