// What the command line asks for: to serve, to say something, or to tell a running server something.
//
// Decided elsewhere: how arguments are read (argv.ts), what the configuration is (resolve.ts), who does it (cli.ts).

import { type CommandLine, readArgv } from './argv.js';
import { helpText, optionHelp } from './help.js';
import { type Resolved, resolveLine } from './resolve.js';
import { showConfig } from './show.js';
import { findWord } from './vocabulary.js';

export type Command =
  | { readonly kind: 'serve'; readonly resolved: Resolved }
  /** A signal to be sent to the server whose pidfile is given. */
  | { readonly kind: 'signal'; readonly option: string; readonly signal: NodeJS.Signals; readonly pidfile: string }
  /** Something to be printed. */
  | { readonly kind: 'text'; readonly text: string; readonly warnings: readonly string[] };

/**
 * What the arguments behind the program's name ask for. Reads the configuration files that they name. `version` is the
 * server's.
 * Throws `ConfigError`; CONFIG_SEVERAL when more than one thing is wrong.
 */
export function readCommandLine(argv: readonly string[], env: NodeJS.ProcessEnv, version = ''): Command {
  const line = readArgv(argv);
  const say = (text: string, warnings: readonly string[] = []): Command => ({ kind: 'text', text, warnings });
  if (line.help !== undefined) return say(line.help === true ? helpText() : optionHelp(line.help));
  if (line.version) return say(`${version}\n`);
  const signal = signalOf(line);
  if (signal !== undefined) return signal;
  const resolved = resolveLine(line, env, version);
  return resolved.config['show-config'] ? say(showConfig(resolved), resolved.warnings) : { kind: 'serve', resolved };
}

/** `--stop PIDFILE` and its kin: nothing else on the command line counts then. */
function signalOf({ settings, problems }: CommandLine): Command | undefined {
  for (const { name, text } of settings) {
    const word = findWord(name);
    if (word === undefined || !('option' in word) || word.option.sends === undefined || text === undefined) continue;
    if (problems.length > 0) return undefined; // they are told instead
    return { kind: 'signal', option: `--${name}`, signal: word.option.sends, pidfile: text };
  }
  return undefined;
}
