// XML files in uWSGI's layout: `<uwsgi id="x"><key>value</key><flag/></uwsgi>`, alone or inside another element. The id
// is the section that `file.xml:x` asks for; without one, every <uwsgi> (or <nuwsgi>) counts.
//
// Decided elsewhere: what the names mean (vocabulary.ts), placeholders (placeholders.ts), which files (collect.ts).

import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { ConfigError } from '../base/errors.js';
import { emptyReading, type Reading, SECTIONS_READ, type Setting } from './setting.js';

/** What the parser makes of an element: its children under its name, its attributes, where it starts. */
type Element = Record<string, unknown>;

const ATTRIBUTES = ':@';
const TEXT = '#text';
const META = XMLParser.getMetaDataSymbol() as unknown as string;

const PARSER = new XMLParser({
  preserveOrder: true,
  captureMetaData: true,
  ignoreAttributes: false,
  attributeNamePrefix: '',
  parseTagValue: false,
  parseAttributeValue: false,
  trimValues: true,
  ignoreDeclaration: true,
  ignorePiTags: true,
});

/** Reads the <uwsgi> elements of an XML file, or the one whose id is `section`. `path` is for messages. */
export function readXml(source: string, path: string, section: string | undefined): Reading {
  const reading = emptyReading();
  const complain = (line: number, problem: string) =>
    reading.problems.push(new ConfigError('CONFIG_FILE', `${path}:${line}`, problem));
  const validity = XMLValidator.validate(source);
  if (validity !== true) {
    complain(validity.err.line, `it is no XML: ${validity.err.msg}`);
    return reading;
  }
  const lineOf = (element: Element) => {
    const { startIndex } = element[META] as unknown as { startIndex: number };
    return source.slice(0, startIndex).split('\n').length;
  };
  const found = sectionsIn(PARSER.parse(source) as Element[], section);
  if (found.length === 0) {
    const wanted = section === undefined ? 'there is no element <uwsgi>' : `there is no <uwsgi id="${section}">`;
    reading.problems.push(new ConfigError('CONFIG_FILE', path, wanted));
  }
  for (const element of found) {
    for (const child of childrenOf(element)) {
      if (nameOf(child) === TEXT) {
        complain(lineOf(element), `"${String(child[TEXT]).trim()}" stands in <${nameOf(element)}> without an option`);
        continue;
      }
      const setting = settingOf(child, `${path}:${lineOf(child)}`);
      if (setting !== undefined) reading.settings.push(setting);
      else complain(lineOf(child), `<${nameOf(child)}> takes a text, not other elements`);
    }
  }
  return reading;
}

const nameOf = (element: Element) => Object.keys(element).find((key) => key !== ATTRIBUTES)!;
const childrenOf = (element: Element) => element[nameOf(element)] as Element[];

/** The sections among `elements` and in them, but not in each other. */
function sectionsIn(elements: readonly Element[], id: string | undefined): Element[] {
  return elements.flatMap((element) => {
    const name = nameOf(element);
    if (name === TEXT) return [];
    if (!SECTIONS_READ.includes(name)) return sectionsIn(childrenOf(element), id);
    const attributes = element[ATTRIBUTES] as Record<string, string> | undefined;
    return id === undefined || attributes?.id === id ? [element] : [];
  });
}

/** `<key>value</key>`; undefined when something else stands in it. */
function settingOf(element: Element, at: string): Setting | undefined {
  const children = childrenOf(element);
  if (children.some((child) => nameOf(child) !== TEXT)) return undefined;
  const text = children.map((child) => String(child[TEXT])).join('');
  return { name: nameOf(element), text: text === '' ? undefined : text, at };
}
