#!/usr/bin/env node
// From the command line to an exit code: reads the configuration and runs the server.
//
// The one place that ends the process. Exit codes: 0 stopped in order, 1 the machine refused something (an address,
//   memory), 2 the configuration is wrong, 22 an app did not load (uWSGI's code for it), 70 a defect of the server.
// Decided elsewhere: what the options are (config/), what the server is told while it runs (control.ts).

import { readFileSync } from 'node:fs';
import { ConfigError, NuwsgiError } from './base/errors.js';
import { sayNow } from './base/log.js';
import { exitWithoutThreads } from './base/native.js';
import { COMMANDS, pingArguments, runCommand } from './client/commands.js';
import { signalServer } from './client/signals.js';
import { readArgv } from './config/argv.js';
import { check } from './config/check.js';
import { readCommandLine } from './config/command-line.js';
import { completion } from './config/completion.js';
import { type Resolved, resolveLine } from './config/resolve.js';
import { digestOf } from './config/show.js';
import { Control } from './control.js';
import { becomeVassal, swear } from './emperor/loyalty.js';
import { emperorPlanOf, rule } from './emperor/rule.js';
import { logPlanOf } from './log-plan.js';
import { openLog, type ServerLog } from './observe/log/open-log.js';
import { definitionsOf, planOf } from './plan.js';
import { daemonize, isInBackground, sayReady } from './process/daemonize.js';
import { Pidfiles } from './process/pidfiles.js';
import { findPredecessor, type Predecessor } from './process/predecessor.js';
import { ServiceManager } from './process/service-manager.js';
import { type StartCommand, startCommand } from './process/start-command.js';
import { changesOf, type Reread, reread, restartDigest, tellConfiguration } from './reread.js';
import { Server } from './server.js';

const DEFECT = 70; // EX_SOFTWARE of sysexits.h
/** How long the log may take to be written at the end. */
const LOG_DRAIN_MS = 1000;
/** What a server calls itself by to read its configuration again. */
const REREAD = 'reread-configuration';
/** Why some servers cannot be replaced by a process beside them. */
const OF_EMPEROR =
  'an emperor sees to its vassals itself: touch the configuration file to reload, restart the emperor to upgrade';
const FIRST_OF_ALL = 'this is process 1, and with its end the container ends: replace the container';
/** Of a container: when it ends, all its processes do. */
const FIRST_PID = 1;

const version = (JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string })
  .version;

/** What may stand in place of options, with a command line of its own. Writes to stdout; gives the exit code. */
const TOOLS: Readonly<Record<string, (argv: readonly string[]) => number | Promise<number>>> = {
  check(argv) {
    const { text, exit } = check(argv, process.env, version);
    process.stdout.write(text);
    return exit;
  },
  /** For scripts that want to know whether a configuration means something else now; the second line is for emperors. */
  digest(argv) {
    const resolved = resolveLine(readArgv(argv), process.env, version);
    process.stdout.write(`${digestOf(resolved)}\n${restartDigest(resolved)}\n`);
    return 0;
  },
  /** For a server that reads its configuration again. */
  [REREAD]: (argv) => {
    tellConfiguration(argv, version);
    return 0;
  },
  completion([shell]) {
    process.stdout.write(
      completion(
        shell,
        Object.keys(TOOLS).filter((name) => name !== REREAD),
      ),
    );
    return 0;
  },
  ...Object.fromEntries(COMMANDS.map((name) => [name, (argv: readonly string[]) => runCommand(name, argv)])),
};

/** The server that this one takes over from. */
let predecessor: Predecessor | undefined;

async function main(): Promise<void> {
  predecessor = findPredecessor(process.env, () => {
    sayNow('nuwsgi: the server that this one was to take over from has ended before: so does this one');
    process.exit(1);
  });
  const start = startCommand();
  const [first = '', ...rest] = process.argv.slice(2);
  if (Object.hasOwn(TOOLS, first)) {
    process.exitCode = await TOOLS[first]!(rest); // what is printed may still be on its way
    return;
  }
  const asked = pingArguments(process.argv.slice(2));
  if (asked !== undefined) {
    process.exitCode = await runCommand('ping', asked);
    return;
  }
  const command = readCommandLine(process.argv.slice(2), process.env, version);
  if (command.kind === 'text') {
    for (const warning of command.warnings) sayNow(`WARNING: ${warning}`);
    process.stdout.write(command.text);
    return;
  }
  if (command.kind === 'signal') {
    signalServer(command.option, command.signal, command.pidfile);
    return;
  }
  await serve(command.resolved, start);
}

async function serve(resolved: Resolved, command: StartCommand): Promise<void> {
  const { config } = resolved;
  if (config.umask !== undefined) process.umask(config.umask); // it holds for the log too
  const { daemonize: logFile } = config;
  if (logFile !== undefined && !isInBackground() && predecessor === undefined) {
    process.exitCode = await daemonize(logFile).catch((error) => end(undefined, error));
    return;
  }
  let log: ServerLog;
  try {
    log = openLog(logPlanOf(config));
  } catch (error) {
    end(undefined, error);
  }
  for (const warning of resolved.warnings) log.line(`WARNING: ${warning}`);
  process.on('uncaughtException', (error) => end(log, error));
  try {
    const pidfiles = new Pidfiles(predecessor !== undefined);
    pidfiles.write('pidfile', config.pidfile); // relative to where the server was started, not to chdir
    process.on('exit', () => {
      for (const left of pidfiles.remove()) sayNow(left);
    });
    enter(resolved);
    log.line(`*** Starting nuwsgi ${version} on Node ${process.versions.node} (pid: ${process.pid}) ***`);
    log.line(`current working directory: ${process.cwd()}`);
    if (config.emperor.length > 0) {
      pidfiles.write('emperor-pidfile', config['emperor-pidfile']);
      await reign(resolved, log);
      return;
    }
    const isVassal = becomeVassal(() => control.obey('stop', 'the end of the emperor'));
    const control = new Control({
      log,
      graceMs: config['worker-reload-mercy'] * 1000,
      touch: config,
      checkIntervalMs: config['check-interval'] * 1000,
      fsReload: config['fs-reload'],
      sourceIntervalMs: config['js-autoreload'] * 1000,
      fifos: config['master-fifo'],
      stopsBy: config['hook-master-start'].flatMap((hook) => ('stopsBy' in hook ? hook.stopsBy : [])),
      exitsOnReload: config['exit-on-reload'],
      pidfiles,
      reread: () => applyAnew(),
      serviceManager: new ServiceManager(process.env.NOTIFY_SOCKET, log),
      command,
      noUpgrade: isVassal ? OF_EMPEROR : process.pid === FIRST_PID ? FIRST_OF_ALL : undefined,
      exit: process.exit,
      fail: (error) => end(log, error),
    });
    const plan = planOf(resolved, version);
    const hasThreads = plan.apps.some(({ program }) => program.kind === 'js');
    process.on('exit', (code) => {
      control.close();
      if (hasThreads) exitWithoutThreads(code); // only for them: what Node writes at its end, such as profiles, is lost
    });
    await control.start();
    const events = {
      onMustStop: (reason: string) => control.obey('stop', reason),
      onSourceFile: config['js-autoreload'] > 0 ? control.watchSource : undefined,
    };
    const server = new Server(plan, log, pidfiles, events, predecessor);
    let current: Reread = resolved;
    const applyAnew = async () => {
      const next = await reread(REREAD, command);
      const { applied, settled } = changesOf(current, next);
      server.reconfigure(definitionsOf(next.apps, resolved));
      current = next;
      for (const warning of next.warnings) log.line(`WARNING: ${warning}`);
      if (applied.length > 0) log.line(`the configuration has changed: ${applied.join(', ')}`);
      if (settled.length > 0) log.line(`WARNING: changed, and needs a restart: ${settled.join(', ')}`);
    };
    await server.start();
    if (predecessor !== undefined) {
      pidfiles.writeDeferred();
      await predecessor.sayReady();
      void predecessor.companionsGone.then(() => server.startCompanions());
    }
    control.serve(server);
    sayReady();
    if (isVassal) swear(restartDigest(resolved));
  } catch (error) {
    end(log, error);
  }
}

/** Runs an emperor to its end. */
async function reign({ config }: Resolved, log: ServerLog): Promise<void> {
  const plan = emperorPlanOf(config, version, [process.execPath, ...process.execArgv, process.argv[1]!]);
  sayReady();
  await rule(config, plan, log);
  log.line('the emperor is gone. goodbye to nuwsgi.');
  await log.drain(LOG_DRAIN_MS);
  process.exit(0);
}

/** Goes where --chdir says. */
function enter({ config, origins }: Resolved): void {
  if (config.chdir === undefined) return;
  try {
    process.chdir(config.chdir);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? 'there is no such directory' : code === 'ENOTDIR' ? 'it is a file' : String(code);
    throw new ConfigError('CONFIG_FILE', origins.get('chdir') ?? 'chdir', `chdir "${config.chdir}": ${why}`);
  }
}

/** Ends the process because of `error`; its workers end with it. */
function end(log: ServerLog | undefined, error: unknown): never {
  log?.flush();
  predecessor?.sayFailed(error instanceof Error ? error.message : String(error));
  if (error instanceof NuwsgiError) {
    sayNow(`nuwsgi: ${error.message}`);
    process.exit(error.exit);
  }
  sayNow(`nuwsgi: this is a defect of the server, please report it.\n${error instanceof Error ? error.stack : error}`);
  process.exit(DEFECT);
}

main().catch((error) => end(undefined, error));
