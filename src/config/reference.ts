// The documents that are written from the options table: docs/options.md, and a part of docs/differences.md.
// `npm run gen` writes them, and a test compares them with the table.
//
// Decided elsewhere: what there is to say (options.ts, known-names.ts), the schema for editors (schema.ts).

import { defaultOf, valueName } from './help.js';
import { FAMILIES } from './known-names.js';
import { OPTIONS, type Option, SECTIONS } from './options.js';

/** What marks the part of a page that is written from the table. */
export const BEGIN = '<!-- begin: written by `npm run gen` from the options table -->';
export const END = '<!-- end -->';

/** Fit for a table cell: Markdown would take some characters for its own. */
const cell = (text: string) =>
  text
    .replaceAll('|', '\\|')
    .replace(/[<>*_]/g, '\\$&')
    .replaceAll('\n', ' ');
const code = (text: string) => `\`${text.replaceAll('|', '\\|')}\``;
const sentence = (text: string) => (/[.!?]$/.test(text) ? text : `${text}.`);
const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

/** docs/options.md. */
export function optionsPage(): string {
  return `# Options

Written by \`npm run gen\` from the table in \`src/config/options/\`; \`nuwsgi --help OPTION\` says the same in the terminal.

Every option works on the command line (\`--name value\`, \`--name=value\`), in INI, YAML, JSON and XML files, and in the
environment as \`UWSGI_NAME\`. ${code('apps')} behind a name: an entry of the \`apps:\` list may set it for its app alone.
"Repeats": every occurrence counts; of all other options the last one does.

${SECTIONS.map(({ title }) => `- [${title}](#${anchor(title)})`).join('\n')}
- [Known, not supported](#known-not-supported)

${SECTIONS.map(({ title, options }) => sectionPage(title, options)).join('\n')}
## Known, not supported

Names that uWSGI has and nuwsgi does not serve. A start with one of them warns once and goes on, unless the last column
says otherwise; with \`--strict-options\` it is an error.

| options | why | with it |
| --- | --- | --- |
${FAMILIES.map(familyRow).join('\n')}
`;
}

const anchor = (title: string) =>
  title
    .toLowerCase()
    .replaceAll(' ', '-')
    .replace(/[^a-z0-9-]/g, '');

function sectionPage(title: string, options: readonly Option[]): string {
  const rows = options.map((option) => {
    const names = [`--${option.name}`, ...(option.aliases ?? []).map((name) => `--${name}`)];
    if (option.short !== undefined) names.push(`-${option.short}`);
    const value = valueName(option);
    const label = `${names.map(code).join(' ')}${value === '' ? '' : ` ${cell(value)}`}${option.perApp ? ' `apps`' : ''}`;
    return `| ${label} | ${cell(defaultOf(option) ?? '')} | ${describe(option)} |`;
  });
  return `## ${title}\n\n| option | default | what it does |\n| --- | --- | --- |\n${rows.join('\n')}\n`;
}

function describe(option: Option): string {
  const parts = [sentence(capital(cell(option.help)))];
  if (option.range !== undefined) parts.push(`From ${option.range[0]} to ${option.range[1]}.`);
  if (option.many) parts.push('Repeats.');
  if (option.always !== undefined) parts.push(`Always so: ${cell(sentence(option.always))}`);
  if (option.differs !== undefined) parts.push(`**Unlike uWSGI:** ${cell(sentence(option.differs))}`);
  return parts.join(' ');
}

function familyRow({ why, refuses, flags, values, maybe }: (typeof FAMILIES)[number]): string {
  const names = [flags, values, maybe]
    .flatMap((list) => (list ?? '').split(/\s+/))
    .filter((spelling) => spelling !== '')
    .flatMap((spelling) => spelling.split('|').filter((name) => !name.startsWith('-')));
  return `| ${names.map(code).join(' ')} | ${cell(why)} | ${refuses ? 'no start' : 'a warning'} |`;
}

/** `page` (docs/differences.md) with its list of options that differ renewed. */
export function withDifferences(page: string): string {
  const rows = (OPTIONS as readonly Option[])
    .filter(({ differs }) => differs !== undefined)
    .sort((a, b) => a.name.localeCompare(b.name))
    .map((option) => `| ${code(option.name)} | ${cell(sentence(option.differs!))} |`);
  const table = `| option | what differs |\n| --- | --- |\n${rows.join('\n')}`;
  const [before, rest] = page.split(BEGIN);
  const after = rest?.split(END)[1];
  if (after === undefined) throw new Error(`the page has no part between ${BEGIN} and ${END}`);
  return `${before}${BEGIN}\n\n${table}\n\n${END}${after}`;
}
