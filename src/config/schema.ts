// configs/nuwsgi.schema.json: what YAML and JSON files may hold, for editors. `npm run gen` writes it.
//
// A name that is no option is marked by editors: placeholders are better set with set-placeholder there. Names that are
//   known and not supported are marked as deprecated, with the reason.
// Decided elsewhere: what the options are (options.ts), what a file means (yaml.ts).

import { OPTIONS, type Option } from './options.js';
import { namesOf, WORDS } from './vocabulary.js';

type Schema = Readonly<Record<string, unknown>>;

const TRUE_OR_FALSE = { enum: [true, false, 'true', 'false', 'on', 'off', 'yes', 'no', 0, 1, '0', '1', null] };
/** A value may be made of placeholders, or of something that is found out when the file is read. */
const PLACEHOLDERS = { type: 'string', pattern: '[%$@]\\(|%[a-zA-Z0-9]' };
const PLACEHOLDER = { $ref: '#/definitions/placeholders' };

function valueSchema(option: Option): Schema {
  if (option.bare === undefined) return schemaOfKind(option);
  return { anyOf: [schemaOfKind(option), { $ref: '#/definitions/flag' }] };
}

function schemaOfKind(option: Option): Schema {
  switch (option.kind) {
    case 'flag':
      return { $ref: '#/definitions/flag' };
    case 'int':
    case 'size':
    case 'seconds':
      return { anyOf: [numberOf(option), { type: 'string', pattern: '^\\d+$' }, PLACEHOLDER] };
    case 'choice':
      return { anyOf: [{ enum: option.choices }, PLACEHOLDER] };
    case 'assign':
    case 'mapping':
    case 'header':
      return { type: ['string', 'object'] };
    default:
      return { type: ['string', 'number'] };
  }
}

function numberOf({ range }: Option): Schema {
  const [minimum, maximum] = range ?? [0];
  return { type: 'integer', minimum, ...(maximum !== undefined && { maximum }) };
}

function propertyOf(option: Option): Schema {
  const value = valueSchema(option);
  const notes = [
    option.help,
    option.always && `Always so: ${option.always}`,
    option.differs && `Unlike uWSGI: ${option.differs}`,
  ];
  const shape = option.many ? [value, { type: 'array', items: value }] : [value];
  return { description: notes.filter(Boolean).join('. '), anyOf: shape };
}

/** `under`: where in the schema the options stand; an alias refers to its option there. */
const served = (options: readonly Option[], under: string) =>
  options.flatMap((option) => [
    [option.name, propertyOf(option)] as const,
    ...(option.aliases ?? []).map(
      (name) => [name, { $ref: `#/definitions/${under}/properties/${option.name}` }] as const,
    ),
  ]);
const unserved = () =>
  WORDS.flatMap((word) =>
    'known' in word
      ? namesOf(word).map(
          (name) => [name, { deprecated: true, description: `Not supported: ${word.known.why}` }] as const,
        )
      : [],
  );

/** The schema, as the text of its file. */
export function optionsSchema(): string {
  const all: readonly Option[] = OPTIONS;
  const mount = { type: 'string', description: 'where this app is: /path, or host/path for one host; / is the root' };
  const app = {
    type: 'object',
    description: 'one app, with values of its own',
    properties: {
      ...Object.fromEntries(
        served(
          all.filter(({ perApp }) => perApp),
          'app',
        ),
      ),
      mount,
    },
    additionalProperties: false,
  };
  const apps = { type: 'array', items: { $ref: '#/definitions/app' }, description: 'apps with values of their own' };
  const options = {
    type: ['object', 'null'],
    properties: { ...Object.fromEntries([...served(all, 'options'), ...unserved()]), apps },
    additionalProperties: false,
  };
  const section = { $ref: '#/definitions/options' };
  const schema = {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'nuwsgi configuration',
    description: 'Written by `npm run gen` from the options table.',
    type: 'object',
    properties: { uwsgi: section, nuwsgi: section },
    definitions: { options, app, flag: { anyOf: [TRUE_OR_FALSE, PLACEHOLDER] }, placeholders: PLACEHOLDERS },
  };
  return `${JSON.stringify(schema, undefined, 1)}\n`;
}
