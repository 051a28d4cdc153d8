// What is to be logged and where to: plain values, worked out from the configuration, like plan.ts.
//
// Decided elsewhere: what the options are (config/options/logging.ts), what is done with the plans (observe/log/).

import { type LogTarget, plainFile } from './config/log-target.js';
import type { Config } from './config/options.js';
import type { LogPlan } from './observe/log/open-log.js';
import type { RequestLogPlan } from './observe/log/request-log.js';

export function logPlanOf(config: Config): LogPlan {
  const common = { drains: config['log-drain'], filters: config['log-filter'] };
  const ident = config['log-syslog'];
  const devLog = { kind: 'datagram', to: { path: '/dev/log' }, prefix: '' } as const;
  const syslog = ident === undefined ? [] : [{ id: undefined, target: { ...devLog, syslog: { ident, priority: 30 } } }];
  const mode = config['logfile-chmod'];
  return {
    main: mainTarget(config),
    loggers: [...config.logger, ...syslog],
    requestLoggers: config['req-logger'],
    messages: { ...common, routes: config['log-route'], encoders: config['log-encoder'] },
    requests: { ...common, routes: config['log-req-route'], encoders: config['log-req-encoder'] },
    datePattern: config['log-date'],
    prefix: config['log-prefix'] ?? '',
    isJson: config['log-json'],
    fileMode: mode === undefined ? undefined : Number.parseInt(mode, 8),
  };
}

function mainTarget(config: Config): LogTarget {
  const background = config.daemonize;
  const target = config.logto2 ?? config.logto ?? (background === undefined ? undefined : plainFile(background));
  if (target === undefined) return { kind: 'fd', fd: 2 };
  if (target.kind !== 'file') return target;
  return {
    ...target,
    maxBytes: config['log-maxsize'],
    backupName: config['log-backupname'],
    truncate: config['log-truncate'],
  };
}

export function requestLogPlanOf(config: Config): RequestLogPlan {
  return {
    all: !config['disable-logging'],
    clientErrors: config['log-4xx'],
    serverErrors: config['log-5xx'],
    slowMs: config['log-slow'],
    bigBytes: config['log-big'],
    empty: config['log-zero'],
    aborted: config['log-ioerror'],
    format: config['log-format'],
    isStrftime: config['log-format-strftime'],
    isJson: config['log-json'],
    inMicros: config['log-micros'],
    trustedProxies: config['log-x-forwarded-for'] ? config['trusted-proxies'].flat() : undefined,
    datePattern: config['log-date'],
    withMemory: config['memory-report'],
  };
}
