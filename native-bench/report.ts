// Results as text: one Markdown table per scenario, aligned, so that a terminal shows it well too. Pure.

import type { Scenario } from './scenarios.js';
import type { Outcome, Summary } from './summary.js';

interface Column {
  readonly title: string;
  text(summary: Summary): string;
}

const NONE = '–';
const show = (value: number | undefined, digits: number) => (value === undefined ? NONE : value.toFixed(digits));
const factor = (value: number | undefined) => (value === undefined ? NONE : `${value.toFixed(2)} ×`);
const thousands = (value: number) => Math.round(value).toLocaleString('en-US');
const three = (value: number | undefined) => (value === undefined ? NONE : String(Number(value.toPrecision(3))));

const SERVER: Column = { title: 'server', text: ({ server }) => server };
const ERRORS: Column = { title: 'errors', text: ({ errors }) => (errors === undefined ? NONE : thousands(errors)) };
const PROCESSES: Column = { title: 'processes', text: ({ processes }) => show(processes, 0) };
const PSS: Column = { title: 'PSS MiB', text: ({ pssMib }) => show(pssMib, 1) };
const PSS_RATIO: Column = { title: 'nuwsgi PSS', text: ({ ratios }) => factor(ratios?.pssMib) };
const READY: Column = {
  title: 'ready ms (min–max)',
  text: ({ readyMs }) =>
    readyMs === undefined ? NONE : `${show(readyMs.median, 0)} (${show(readyMs.min, 0)}–${show(readyMs.max, 0)})`,
};

const COLUMNS: Readonly<Record<Scenario['measures'], readonly Column[]>> = {
  load: [
    SERVER,
    {
      title: 'req/s (min–max)',
      text: ({ requestsPerSecond: r }) =>
        r === undefined ? NONE : `${thousands(r.median)} (${thousands(r.min)}–${thousands(r.max)})`,
    },
    { title: 'p50 ms', text: ({ p50Ms }) => three(p50Ms) },
    { title: 'p99 ms', text: ({ p99Ms }) => three(p99Ms) },
    ERRORS,
    { title: 'served', text: ({ served }) => (served === undefined ? NONE : `${served.served}/${served.clients}`) },
    { title: 'CPU µs/req', text: ({ cpuUsPerRequest }) => show(cpuUsPerRequest, 1) },
    PSS,
    { title: 'nuwsgi req/s', text: ({ ratios }) => factor(ratios?.requestsPerSecond) },
    { title: 'nuwsgi CPU', text: ({ ratios }) => factor(ratios?.cpuUsPerRequest) },
  ],
  memory: [SERVER, PSS, PROCESSES, ERRORS, PSS_RATIO],
  start: [
    SERVER,
    READY,
    PSS,
    PROCESSES,
    { title: 'nuwsgi ready', text: ({ ratios }) => factor(ratios?.readyMs) },
    PSS_RATIO,
  ],
};

/** A scenario's question, its table, and a line for every server that has no figures or did not end by itself. */
export function scenarioText(scenario: Scenario, summaries: readonly Summary[], outcomes: readonly Outcome[]): string {
  const columns = COLUMNS[scenario.measures];
  const rows = summaries.map((summary) => columns.map((column) => column.text(summary)));
  const lines = [`## ${scenario.name}`, '', scenario.asks, `(${conditions(scenario)})`];
  if (rows.length > 0)
    lines.push(
      '',
      ...table(
        columns.map(({ title }) => title),
        rows,
      ),
    );
  const notes = [...outcomes.flatMap(outcomeNotes), ...summaries.flatMap(summaryNotes)];
  if (notes.length > 0) lines.push('', ...notes);
  return lines.join('\n');
}

/** What is run, and how it is loaded, in one line. */
export function conditions(scenario: Scenario): string {
  const { app, processes, threads, connections, measures, postBytes, protocol, front } = scenario;
  const parts = [
    app.file,
    threads === undefined ? `${processes} processes` : `${processes} processes × ${threads} threads`,
  ];
  if (protocol === 'uwsgi') parts.push(`${connections} clients, a connection per request`);
  else if (measures !== 'start') parts.push(`${connections} keep-alive connections`);
  if (front !== undefined) parts.push(`nginx → ${front === 'tcp' ? 'TCP' : 'UNIX socket'}, its cost included`);
  if (postBytes !== undefined) parts.push(`POST of ${postBytes} bytes`);
  return parts.join(', ');
}

function outcomeNotes(outcome: Outcome): string[] {
  if (outcome.status === 'not installed')
    return [`- ${outcome.server}: skipped, not installed (Debian: ${outcome.needs})`];
  if (outcome.status === 'measured') return [];
  const [first, ...rest] = outcome.why.split('\n');
  return [`- ${outcome.server}: failed, ${first}`, ...rest.map((line) => `      ${line}`)];
}

function summaryNotes({ server, served, killed }: Summary): string[] {
  const notes: string[] = [];
  if (served !== undefined && served.served < served.clients) {
    const { min, median, max } = served.answers;
    const left = served.clients - served.served;
    notes.push(
      `- ${server}: ${left} of ${served.clients} clients got no answer at all (min ${min}, median ${median}, max ${max})`,
    );
  }
  if (killed > 0) notes.push(`- ${server}: ${killed} processes did not end by themselves and were killed`);
  return notes;
}

/** An aligned Markdown table; all columns but the first stand to the right. */
export function table(titles: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = titles.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]!.length)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join(' | ')} |`;
  const rule = widths.map((width, i) => (i === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`));
  return [line(titles), line(rule), ...rows.map(line)];
}
