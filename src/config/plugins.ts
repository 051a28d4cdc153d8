// uWSGI's plugins: names in configurations that come from there. What many of them do is built in here.
//
// Decided elsewhere: what happens with the others (values.ts, logic.ts).

/** Plugins whose work the server does without them. */
const BUILT_IN: ReadonlySet<string> = new Set([
  ...['python', 'python3', 'http', 'corerouter', 'cheaper_busyness', 'ping', 'signal'],
  ...['logfile', 'logsocket', 'syslog', 'rsyslog'],
  ...['router_static', 'router_rewrite', 'router_redirect', 'router_basicauth', 'router_expires'],
  ...['transformation_chunked', 'emperor_dir', 'emperor_glob'],
]);
/** Debian calls the plugin of each Python by its version. */
const OF_PYTHON = /^python3\d*$/;

export const isBuiltIn = (plugin: string): boolean => BUILT_IN.has(plugin) || OF_PYTHON.test(plugin);

/** The plugins of a list, separated by commas, that are not built in. */
export const strangers = (list: string): readonly string[] =>
  list
    .split(/[\s,]+/)
    .map((name) => name.replace(/^\d+:/, ''))
    .filter((name) => name !== '' && !isBuiltIn(name));
