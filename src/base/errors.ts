// Every failure the server can name: one row each, with what it means to a client, to the shell, and to a reader.
//
// The class says who must act, the code says what happened, the facts are fields; the text is for people only.
// Why a table: the first word of a code is its class, and the compiler checks code, class and facts against each other.
// Decided elsewhere: what is sent to a client (wire/answer.ts), where it is logged (log.ts).

interface Failure {
  /** HTTP status a client sees, where a client is concerned. */
  readonly status: number;
  /** Exit code of the process, where it ends the start. 22 is uWSGI's "no app loaded" (UWSGI_FAILED_APP_CODE). */
  readonly exit: number;
  /** What a client is told besides the status. Nothing about this server that it should not know. */
  readonly hint?: string;
  text(...facts: never[]): string;
}

const FAILURES = {
  CONFIG_UNKNOWN_OPTION: {
    status: 500,
    exit: 2,
    text: (name: string, at: string, nearest: string | undefined) =>
      `${at}: no option is called "${name}"${nearest ? `; did you mean "${nearest}"?` : ' (nuwsgi --help lists them)'}`,
  },
  CONFIG_AMBIGUOUS_OPTION: {
    status: 500,
    exit: 2,
    text: (name: string, at: string, candidates: readonly string[], count: number) =>
      `${at}: "${name}" may be ${candidates.join(', ')}${count > candidates.length ? `, or ${count - candidates.length} others` : ''}`,
  },
  CONFIG_ARGUMENT: {
    status: 500,
    exit: 2,
    text: (argument: string, at: string, cure: string | undefined) =>
      `${at}: "${argument}" is no option, no configuration file (.ini .yaml .yml .json .xml) and no app (.py .wsgi .js .mjs .cjs .ts .mts .cts, pkg.mod:callable)${cure ? `; did you mean ${cure}?` : ''}`,
  },
  CONFIG_UNSUPPORTED: {
    status: 500,
    exit: 2,
    text: (name: string, at: string, why: string) => `${at}: ${name} is known from uWSGI and not supported: ${why}`,
  },
  CONFIG_BAD_VALUE: {
    status: 500,
    exit: 2,
    text: (name: string, at: string, value: string, wanted: string) => `${at}: ${name} = "${value}" is not ${wanted}`,
  },
  CONFIG_MISSING_VALUE: {
    status: 500,
    exit: 2,
    text: (name: string, at: string, wanted: string) => `${at}: ${name} needs a value: ${wanted}`,
  },
  CONFIG_FILE: {
    status: 500,
    exit: 2,
    text: (at: string, problem: string) => `${at}: ${problem}`,
  },
  CONFIG_CONFLICT: {
    status: 500,
    exit: 2,
    text: (problem: string) => problem,
  },
  CONFIG_NO_APP: {
    status: 500,
    exit: 2,
    text: () =>
      'no app is given: say which with --wsgi-file, --module or --mount, for example\n  nuwsgi --http :9090 --wsgi-file foobar.py',
  },
  CONFIG_NO_LISTENER: {
    status: 500,
    exit: 2,
    text: () =>
      'no address to listen on is given: say which with --http or --http-socket, for example\n  nuwsgi --http :9090 --wsgi-file foobar.py',
  },
  /** More than one of the above; each is a line of the text. */
  CONFIG_SEVERAL: {
    status: 500,
    exit: 2,
    text: (problems: readonly Error[]) => problems.map((problem) => problem.message).join('\n'),
  },
  CONFIG_PRIVILEGES: {
    status: 500,
    exit: 1,
    text: (problem: string) => `uid, gid: ${problem}`,
  },
  CONFIG_HOOK: {
    status: 500,
    exit: 1,
    text: (stage: string, action: string, problem: string) => `hook-${stage} = ${action} failed: ${problem}`,
  },
  CONFIG_LOG: {
    status: 500,
    exit: 1,
    text: (target: string, problem: string) => `cannot log to ${target}: ${problem}`,
  },
  CONFIG_BIND: {
    status: 500,
    exit: 1,
    text: (option: string, address: string, problem: string) => `${option} ${address}: ${problem}`,
  },

  CONFIG_TLS: {
    status: 500,
    exit: 1,
    text: (option: string, file: string, problem: string) => `${option}: ${file}: ${problem}`,
  },

  PEER_BAD_REQUEST: { status: 400, exit: 1, text: (why: string) => why },
  PEER_PROXY_HEADER: {
    status: 400,
    exit: 1,
    text: (why: string) => `the connection does not begin with a PROXY protocol header as it should: ${why}`,
  },
  PEER_NOT_ALLOWED: { status: 403, exit: 1, text: (option: string) => `the peer is not in ${option}` },
  PEER_WRONG_PROTOCOL: {
    status: 400,
    exit: 1,
    hint: 'This is a uwsgi socket: it does not speak HTTP.\nFor HTTP start the server with --http or --http-socket, and not with --socket.',
    text: (protocol: string, bytes: number, limit: number) =>
      `${protocol} was sent to a uwsgi socket; for HTTP use --http or --http-socket (invalid request block size: ${bytes} (max ${limit})...skip)`,
  },
  PEER_MODIFIER: {
    status: 400,
    exit: 1,
    text: (modifier1: number) => `-- unavailable modifier requested: ${modifier1} --`,
  },
  PEER_PACKET_TOO_LARGE: {
    status: 431,
    exit: 1,
    text: (bytes: number, limit: number) =>
      `invalid request block size: ${bytes} (max ${limit})...skip; see --buffer-size`,
  },
  /** No failure: a rule answered before the request's body had come. */
  PEER_ANSWERED: { status: 200, exit: 1, text: () => 'answered before its body came' },
  PEER_NO_APP: { status: 404, exit: 1, text: (path: string) => `no app is mounted at ${path}` },
  PEER_NO_TUNNEL: { status: 405, exit: 1, text: (target: string) => `CONNECT ${target}: this is no proxy` },
  PEER_TIMEOUT: { status: 408, exit: 1, text: (what: string, ms: number) => `${what} did not come within ${ms} ms` },
  /** Nobody is left to answer: the status is for the log, and nginx's for the same. */
  PEER_GONE: {
    status: 499,
    exit: 1,
    text: (bytes: number) => `the connection was closed in the middle of a request, after ${bytes} bytes of its body`,
  },
  /** As above: the answer has begun. */
  PEER_STALLED: {
    status: 408,
    exit: 1,
    text: (ms: number) => `the client took nothing of its answer for ${ms} ms`,
  },
  PEER_SLOW: {
    status: 408,
    exit: 1,
    text: (rate: number, least: number) =>
      `the request body comes with ${rate} bytes per second; min-body-rate asks for ${least}`,
  },
  PEER_BODY_TOO_LARGE: {
    status: 413,
    exit: 1,
    text: (bytes: number | string, limit: number) => `a body of ${bytes} bytes is over limit-post (${limit})`,
  },
  PEER_EXPECTATION: { status: 417, exit: 1, text: (value: string) => `cannot meet Expect: ${value}` },
  PEER_CONTENT_LENGTH: {
    status: 413,
    exit: 1,
    text: (bytes: number, limit: number) =>
      `Invalid (too big) CONTENT_LENGTH. skip. ${bytes} bytes is over limit-post (${limit})`,
  },
  PEER_TOO_MANY_VARS: {
    status: 431,
    exit: 1,
    text: (limit: number) =>
      `max vec size reached. skip this var. The number of variables is over max-vars (twice ${limit / 2})`,
  },
  PEER_HEAD_TOO_LARGE: {
    status: 431,
    exit: 1,
    text: (what: string, option: string, limit: number) => `${what} is over ${option} (${limit})`,
  },
  PEER_VERSION: { status: 505, exit: 1, text: (version: string) => `HTTP/${version} is not spoken here` },
  PEER_UNKNOWN_CODING: { status: 501, exit: 1, text: (coding: string) => `transfer coding "${coding}" is not known` },

  APP_LOAD: {
    status: 500,
    exit: 22,
    text: (app: string, step: string, detail: string, cure: string) =>
      `cannot load ${app}: ${step}\n${detail}${cure ? `\n${cure}` : ''}`,
  },
  APP_STOPPING: { status: 503, exit: 1, text: (app: string) => `${app} is being stopped` },
  APP_OVERDUE: {
    status: 504,
    exit: 1,
    text: (worker: number, seconds: number) => `worker ${worker} gave no answer in ${seconds} s (harakiri)`,
  },
  APP_DIED: { status: 502, exit: 1, text: (worker: number, why: string) => `worker ${worker} ${why}` },

  LOAD_QUEUE_FULL: {
    status: 503,
    exit: 1,
    text: (inFlight: number) => `${inFlight} requests are inside already (max-inflight)`,
  },
  LOAD_APP_FAILED: { status: 503, exit: 1, text: (app: string) => `${app} did not load, see the log of the start` },
  LOAD_NO_WORKER: { status: 503, exit: 1, text: (app: string) => `no worker of ${app} is up` },

  SERVER_SHARED_MEMORY: {
    status: 500,
    exit: 1,
    text: (step: string, problem: string) => `shared memory: ${step} failed: ${problem}`,
  },
  SERVER_FILE: { status: 500, exit: 1, text: (problem: string) => `cannot send a file: ${problem}` },
  SERVER_SPOOL: {
    status: 507,
    exit: 1,
    text: (directory: string, problem: string) => `cannot keep a request body in ${directory}: ${problem}`,
  },
} as const satisfies Record<string, Failure>;

export type Code = keyof typeof FAILURES;
type Facts<C extends Code> = Parameters<(typeof FAILURES)[C]['text']>;
type CodesOf<Class extends string> = Extract<Code, `${Class}_${string}`>;

export class NuwsgiError<C extends Code = Code> extends Error {
  readonly code: C;
  /** What the text is made of, in the order of the table. Logs and tests read these, never the message. */
  readonly facts: Facts<C>;

  constructor(code: C, ...facts: Facts<C>) {
    super((FAILURES[code].text as (...facts: Facts<C>) => string)(...facts));
    this.name = new.target.name;
    this.code = code;
    this.facts = facts;
  }

  /** HTTP status for the client. */
  get status(): number {
    return FAILURES[this.code].status;
  }

  /** What a client is told besides the status. */
  get hint(): string | undefined {
    const failure: Failure = FAILURES[this.code];
    return failure.hint;
  }

  /** Exit code for the shell. */
  get exit(): number {
    return FAILURES[this.code].exit;
  }
}

/** The operator must act: an option, a file, an address. */
export class ConfigError<C extends CodesOf<'CONFIG'> = CodesOf<'CONFIG'>> extends NuwsgiError<C> {}
/** The client, or the proxy in front, broke the protocol or a limit. */
export class PeerError<C extends CodesOf<'PEER'> = CodesOf<'PEER'>> extends NuwsgiError<C> {}
/** The application failed. */
export class AppError<C extends CodesOf<'APP'> = CodesOf<'APP'>> extends NuwsgiError<C> {}
/** Nobody is wrong; there is more work than the limits allow. */
export class LoadError<C extends CodesOf<'LOAD'> = CodesOf<'LOAD'>> extends NuwsgiError<C> {}
/** The machine under the server failed: memory, disk, a library. */
export class ServerFault<C extends CodesOf<'SERVER'> = CodesOf<'SERVER'>> extends NuwsgiError<C> {}
