// `nuwsgi completion bash|zsh`: a script for the shell that completes options, the words they choose from, and files.
//
//     source <(nuwsgi completion bash)
//     nuwsgi completion zsh > "${fpath[1]}/_nuwsgi"
//
// Decided elsewhere: what the options are (options.ts), which commands there are (cli.ts).

import { ConfigError } from '../base/errors.js';
import { OPTIONS, type Option } from './options.js';
import { KIND_NAMES } from './values.js';

const ALL: readonly Option[] = OPTIONS;

export const COMPLETION_USAGE = `usage: nuwsgi completion bash|zsh

Prints a script that lets the shell complete nuwsgi's options:
  source <(nuwsgi completion bash)                        for this shell; put the line into ~/.bashrc to keep it
  nuwsgi completion zsh > "\${fpath[1]}/_nuwsgi"           then start a new zsh
`;

/** The script for `shell`. `commands`: what may stand in place of options. Throws `ConfigError` for another shell. */
export function completion(shell: string | undefined, commands: readonly string[]): string {
  if (shell === 'bash') return bash(commands);
  if (shell === 'zsh') return zsh(commands);
  if (shell === undefined || shell === '--help' || shell === '-h') return COMPLETION_USAGE;
  throw new ConfigError('CONFIG_BAD_VALUE', 'completion', 'command line', shell, 'one of bash, zsh');
}

const namesOf = (option: Option) => [option.name, ...(option.aliases ?? [])].map((name) => `--${name}`);
const spelled = (options: readonly Option[]) => options.flatMap(namesOf).join('|');

function bash(commands: readonly string[]): string {
  const choices = ALL.filter((option) => option.choices !== undefined);
  const paths = ALL.filter((option) => option.kind === 'path');
  const others = ALL.filter(({ kind, choices: words }) => kind !== 'flag' && kind !== 'path' && words === undefined);
  const choiceCases = choices.map(
    (option) =>
      `    ${spelled([option])}) COMPREPLY=($(compgen -W '${option.choices!.join(' ')}' -- "$current")); return ;;`,
  );
  return `# nuwsgi's options for bash: source <(nuwsgi completion bash)
_nuwsgi() {
  local current=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]}
  COMPREPLY=()
  if [[ $current == = ]]; then current=; fi
  if [[ $before == = ]]; then before=\${COMP_WORDS[COMP_CWORD-2]}; fi
  case $before in
${choiceCases.join('\n')}
    ${spelled(paths)})
      COMPREPLY=($(compgen -f -- "$current")); return ;;
    ${spelled(others)})
      return ;;
  esac
  if [[ $current == -* ]]; then
    COMPREPLY=($(compgen -W '${ALL.map(({ name }) => `--${name}`).join(' ')}' -- "$current"))
    return
  fi
  if (( COMP_CWORD == 1 )); then COMPREPLY=($(compgen -W '${commands.join(' ')}' -- "$current")); fi
  COMPREPLY+=($(compgen -f -- "$current"))
}
complete -o filenames -F _nuwsgi nuwsgi
`;
}

function zsh(commands: readonly string[]): string {
  return `#compdef nuwsgi
# nuwsgi's options for zsh: nuwsgi completion zsh > "\${fpath[1]}/_nuwsgi"
_nuwsgi() {
  _arguments -S \\
    '1: :_alternative "commands\\:command\\:(${commands.join(' ')})" "files\\:file\\:_files"' \\
    '*:file:_files' \\
${ALL.map((option) => `    ${zshSpec(option)}`).join(' \\\n')}
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then _nuwsgi "$@"; else compdef _nuwsgi nuwsgi; fi
`;
}

function zshSpec(option: Option): string {
  const help = option.help.replace(/[[\]\\]/g, '\\$&').replaceAll("'", "'\\''");
  const mark = option.many ? '*' : '';
  const value =
    (option.value ?? KIND_NAMES[option.kind][0]).replaceAll(':', '\\:').replace(/[[\]]/g, '\\$&') || 'value';
  const words =
    option.choices === undefined ? (option.kind === 'path' ? '_files' : ' ') : `(${option.choices.join(' ')})`;
  return `'${mark}--${option.name}[${help}]${option.kind === 'flag' ? '' : `:${value}:${words}`}'`;
}
