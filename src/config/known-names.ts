// The options of uWSGI 2.0.30 (core, Python, HTTP router, the usual plugins) that this server does not serve, so that one
// of them in a configuration is told apart from a slip of typing, and whoever relied on it learns why.
//
// One family per reason. `flags` take no value on the command line, `values` take one, `maybe` may have one behind `=`:
//   without that, `--harakiri 30 app.ini` could not be read. `a|b|-x` is a name, its alias and its letter.
// `refuses`: a start that goes on without it would be worse than none, because nobody would listen, a command would
//   become a server, a protection or a part of the configuration would be missing. All others warn and are ignored.
// An option moves from here to options.ts on the day it works. Decided elsewhere: what is said about them (gather.ts).

export interface Family {
  /** To be read behind "not supported: ". */
  readonly why: string;
  readonly refuses?: true;
  readonly flags?: string;
  readonly values?: string;
  readonly maybe?: string;
}

const NGINX = 'put nginx in front for this';
const NO_ROUTER = 'there is no HTTP router process';
const SYSTEMD = 'let systemd or the container do this';
const CORE_ONLY = 'it speaks of the inside of uWSGI, which has no counterpart here';

export const FAMILIES: readonly Family[] = [
  // Sockets
  {
    why: `one address has one certificate; ${NGINX}`,
    refuses: true,
    values: 'sni sni-regexp sni-dir',
  },
  {
    why: 'this protocol is not served; use http-socket',
    refuses: true,
    values: `puwsgi-socket fastcgi-socket fastcgi-nph-socket scgi-socket scgi-nph-socket raw-socket udp multicast
      http-subscription-server`,
  },
  {
    why: 'only http, http11-socket and http-socket open sockets',
    refuses: true,
    values: 'shared-socket undeferred-shared-socket zerg zerg-server',
    flags: 'abstract-socket|-a zerg-fallback',
  },
  {
    why: 'it belongs to sockets that are not served',
    values: `raw-modifier1 raw-modifier2 fastcgi-modifier1 fastcgi-modifier2 scgi-modifier1 scgi-modifier2
      https-socket-modifier1 https-socket-modifier2 http-socket-modifier1 http-socket-modifier2 multicast-ttl
      multicast-loop map-socket remap-modifier allowed-modifiers`,
    flags: 'no-fd-passing shutdown-sockets',
  },
  {
    why: 'Node.js does not offer it; sysctl sets the defaults of the kernel',
    flags: 'freebind tcp-fast-open-client|tcp-fastopen-client',
    values: 'socket-sndbuf socket-rcvbuf tcp-fast-open|tcp-fastopen',
  },
  {
    why: 'a client that takes nothing holds no worker, and http-timeout closes its connection',
    flags: 'so-send-timeout|socket-send-timeout|so-write-timeout|socket-write-timeout',
  },
  {
    why: 'a start that fails says why and ends; let the service manager start another configuration',
    maybe: 'fallback-config',
  },
  {
    why: 'TLS 1.2 and 1.3 are spoken, with the settings that Node.js or uWebSockets.js has',
    values: `https-session-context sni-dir-ciphers ssl-tmp-dir ssl-sessions-timeout|ssl-session-timeout
      ssl-sessions-use-cache|ssl-session-use-cache`,
    flags: `https-export-cert ssl-verbose ssl-enable3|ssl-enable-sslv3 ssl-enable-tlsv1 ssl-option`,
    maybe: 'ssl-verify-depth',
  },
  // The HTTP router
  {
    why: `${NO_ROUTER}: the workers are reached directly`,
    values: `http-connect-timeout
      http-buffer-size http-var http-server-name-as-http-host http-stats|http-stats-server|http-ss http-uid http-gid
      http-modifier1 http-modifier2 http-zerg http-fallback http-use-pattern http-use-base http-use-code-string
      http-events http-subscription-fallback-key http-gracetime http-quiet http-harakiri http-stud-prefix
      http-resubscribe`,
    flags: 'http-raw-body http-manage-source http-cheap http-manage-rtsp',
    maybe: 'http-use-cache http-use-socket',
  },
  {
    why: 'answers are sent as the app gives them; compress there, in nginx, or beforehand (static-gzip)',
    flags: 'http-auto-gzip',
  },
  // Requests
  {
    why: 'chunked bodies have the limits of all bodies: limit-post, socket-timeout, min-body-rate',
    values: 'chunked-input-limit chunked-input-timeout',
  },
  {
    why: 'a request body is complete before the app sees it',
    values: 'body-read-warning upload-progress',
    flags: 'wsgi-manage-chunked-input',
  },
  { why: 'the head of an answer may have 64 KiB', values: 'response-headers-limit' },
  {
    why: 'header fields of answers do not become variables; X-Sendfile works without (static-safe)',
    values: 'collect-header|response-header-collect pull-header',
  },
  {
    why: 'of the routing chains there is only the one before the app (route), and these may be what protects something',
    refuses: true,
    values: `final-route final-route-status final-route-host final-route-uri final-route-qs final-route-remote-addr
      final-route-user-agent final-route-remote-user final-route-referer final-route-label final-route-if
      final-route-if-not final-route-run
      error-route error-route-status error-route-host error-route-uri error-route-qs error-route-remote-addr
      error-route-user-agent error-route-remote-user error-route-referer error-route-label error-route-if
      error-route-if-not error-route-run
      response-route response-route-status response-route-host response-route-uri response-route-qs
      response-route-remote-addr response-route-user-agent response-route-remote-user response-route-referer
      response-route-label response-route-if response-route-if-not response-route-run`,
  },
  {
    why: 'static files are sent by the server itself, without sendfile(2)',
    values: 'file-serve-mode|fileserve-mode static-cache-paths-name',
    flags: 'disable-sendfile',
  },
  {
    why: 'apps do not get websockets; let nginx send them to a server of their own',
    flags: 'http-websockets',
    values: `websockets-ping-freq|websocket-ping-freq websockets-pong-tolerance|websocket-pong-tolerance
      websockets-max-size|websocket-max-size`,
  },
  // Apps
  {
    why: 'apps are loaded with wsgi-file, module, app or mount',
    refuses: true,
    values: 'eval pecan paste ini-paste ini-paste-logged web3 pump wsgi-lite python-raw worker-mount',
  },
  { why: 'apps are loaded with wsgi-file, module, app or mount', flags: 'paste-logger' },
  {
    why: 'mounted file systems are the business of systemd (RequiresMountsFor)',
    values: 'check-mountpoint|mountpoint-check|check-mount|mount-check',
  },
  {
    why: 'it runs a script or a shell in place of a server; run it with the interpreter itself',
    refuses: true,
    values: 'py|pyrun',
    maybe: 'pyshell pyshell-oneshot',
  },
  { why: 'shared memory of several apps is not offered', values: 'py-sharedarea python-worker-override' },
  { why: 'the head goes out with the first part of the body, as PEP 3333 says', flags: 'start_response-nodelay' },
  {
    why: 'Python apps run in threads; an event loop for them is not supported',
    values: 'gevent asyncio tornado loop',
    flags: 'greenlet gevent-monkey-patch gevent-early-monkey-patch gevent-wait-for-hub',
  },
  // Workers: limits, recycling, reloads
  { why: 'a limit on resident memory does the same: reload-on-rss', values: 'reload-on-uss reload-on-pss' },
  { why: SYSTEMD, values: 'reload-mercy' },
  { why: 'there is no signal: an exception is raised in the request', values: 'harakiri-graceful-signal' },
  {
    why: 'see cheaper-algo; workers of the same app are alike, and the oldest numbers stay',
    values: 'cheaper-idle cheaper-busyness-backlog-multiplier',
  },
  {
    why: 'files that are touched reload or rotate (touch-reload and its kin), nothing else',
    values: `touch-exec touch-signal touch-mules-reload touch-spoolers-reload fs-brutal-reload fs-signal
      reload-on-fd brutal-reload-on-fd`,
    flags: 'propagate-touch',
  },
  {
    why: 'an exception is answered 500 and its traceback is in the log, never on a page; the worker goes on',
    values: 'reload-on-exception-type reload-on-exception-value reload-on-exception-repr exception-handler',
    flags: 'reload-on-exception catch-exceptions',
  },
  {
    why: 'the server supervises its workers in its own way',
    values: 'py-tracebacker worker-exec worker-exec2',
    flags: 'reaper|-r cgi-mode|-c force-gateway',
  },
  { why: 'how memory is shared and swapped is the business of the kernel', flags: 'never-swap', maybe: 'ksm' },
  {
    why: 'one thread accepts, workers wait in shared memory: there are no locks of the server',
    values: 'lock-engine ftok',
  },
  { why: 'descriptors are never inherited by accident', values: 'safe-fd|fd-safe' },
  // Logging and statistics
  { why: 'answers are sent by the accept thread, without sendfile', values: 'log-sendfile' },
  {
    why: 'lines are as long as they are',
    values: 'log-master-bufsize',
    flags: 'log-master-stream log-master-req-stream',
  },
  { why: 'log files belong to the user that the server runs as', flags: 'logfile-chown' },
  { why: 'use logger = socket:ADDR to send lines by UDP', values: 'log-socket' },
  {
    why: 'the metrics are those of stats, and of metrics for Prometheus',
    values: `metric
      metrics-dir|metric-dir metric-alarm|metric-threshold|alarm-metric snmp-community
      carbon carbon-timeout carbon-freq carbon-id carbon-max-retry carbon-retry-delay carbon-root carbon-idle-avg
      carbon-hostname-dots
      rrdtool rrdtool-freq rrdtool-lib`,
    flags: `stats-no-metrics enable-metrics
      metrics-dir-restore|metric-dir-restore metrics-no-cores carbon-no-workers
      carbon-name-resolve|carbon-resolve-names carbon-use-metrics`,
    maybe: 'snmp',
  },
  {
    why: 'alarms belong to the monitoring',
    values: `alarm log-alarm|alarm-log not-log-alarm|not-alarm-log alarm-freq alarm-fd alarm-cheap alarm-msg-size
      alarm-segfault|segfault-alarm
      alarm-backlog|backlog-alarm|lq-alarm|alarm-lq|alarm-listen-queue|listen-queue-alarm`,
  },
  // The process
  {
    why: 'without it the server would keep rights that it should not have; use uid and gid, or start it without them',
    refuses: true,
    values: `immediate-uid immediate-gid chroot pivot-root|pivot_root cap
      unshare unshare2 setns namespace|ns jail jail2 libjail jail-attach`,
    flags: 'jailed',
  },
  {
    why: SYSTEMD,
    values: `setns-socket setns-socket-skip setns-skip namespace-keep-mount namespace-net|ns-net cgroup cgroup-opt
      cgroup-dir-mode jail-ip4 jail-ip6 jidfile|jid-file`,
    flags: `setns-preopen refork|re-fork refork-as-root|re-fork-as-root
      refork-post-jail|re-fork-post-jail master-as-root drop-after-init drop-after-apps`,
  },
  {
    why: 'a command to a running server; send it a signal instead',
    refuses: true,
    values: 'signal connect-and-read extract',
  },
  { why: 'it is a command: nuwsgi --ping ADDRESS, or nuwsgi ping ADDRESS', refuses: true, values: 'ping ping-timeout' },
  {
    why: SYSTEMD,
    values: `hook-pre-jail hook-post-jail hook-in-jail hook-post-fork hook-accepting hook-accepting1 hook-touch
      hook-emperor-start hook-emperor-stop hook-emperor-reload hook-emperor-lost hook-as-vassal
      hook-as-emperor hook-as-mule hook-as-gateway
      exec-pre-jail exec-post-jail exec-in-jail exec-as-vassal exec-as-emperor
      call-asap call-pre-jail call-post-jail call-in-jail call-as-root call-as-user call-as-user-atexit call-pre-app
      call-post-app call-as-vassal call-as-vassal1 call-as-vassal3 call-as-emperor call-as-emperor1
      call-as-emperor2 call-as-emperor4
      mount-asap mount-pre-jail mount-post-jail mount-in-jail mount-as-root mount-as-vassal mount-as-emperor
      umount-asap umount-pre-jail umount-post-jail umount-in-jail umount-as-root umount-as-vassal
      umount-as-emperor after-request-hook after-request-call
      wait-for-interface|wait-for-iface|wait-interface|wait-iface
      wait-for-interface-timeout|wait-for-iface-timeout|wait-interface-timeout|wait-iface-timeout
      wait-for-fs wait-for-file wait-for-dir wait-for-mountpoint wait-for-fs-timeout
      wait-for-socket wait-for-socket-timeout flock flock-wait flock2 flock-wait2`,
  },
  // Other processes and services
  {
    why: 'scheduled and background work is not run; use a task queue',
    values: `cron-legion legion-cron unique-legion-cron|unique-cron-legion
      smart-attach-daemon2
      legion-attach-daemon legion-smart-attach-daemon legion-smart-attach-daemon2
      spooler|-Q spooler-external spooler-processes spooler-frequency|spooler-freq spooler-max-tasks
      spooler-harakiri spooler-chdir spooler-import|spooler-pyimport|spooler-py-import|spooler-python-import
      mules farm mule-harakiri mule-reload-mercy timer|signal-timer rbtimer|signal-rbtimer
      signal-bufsize|signals-bufsize rpc-max`,
    flags: 'daemons-honour-stdin spooler-ordered spooler-quiet',
    maybe: 'mule mule-msg-size',
  },
  {
    why: 'shared caches, queues and memory are not offered; use Redis or a database',
    values: `cache cache2 cache-blocksize cache-store cache-store-sync cache-expire-freq cache-udp-server
      cache-udp-node cache-sync add-cache-item load-file-in-cache load-file-in-cache-gzip
      queue queue-blocksize queue-store queue-store-sync sharedarea|-A`,
    flags: 'cache-no-expire cache-report-freed-items cache-use-last-modified persistent-ipcsem',
    maybe: 'check-cache',
  },
  {
    why: 'vassals run with the rights of the emperor; start one emperor per user',
    refuses: true,
    values: 'emperor-cap vassals-cap|vassal-cap emperor-use-clone',
    flags: 'emperor-tyrant emperor-tyrant-nofollow',
  },
  {
    why: 'vassals are nuwsgi servers that the emperor starts and stops itself',
    values: `emperor-proxy-socket emperor-wrapper emperor-wrapper-override emperor-wrapper-fallback
      emperor-required-heartbeat emperor-curse-tolerance emperor-broodlord
      emperor-on-demand-extension|emperor-on-demand-ext emperor-on-demand-directory|emperor-on-demand-dir
      emperor-on-demand-exec vassals-start-hook vassals-stop-hook vassal-sos vassal-sos-backlog heartbeat`,
    flags: 'emperor-nofollow emperor-magic-exec emperor-no-blacklist early-emperor',
  },
  {
    why: 'servers do not form clusters; use a load balancer',
    values: `legion legion-mcast legion-node legion-freq legion-tolerance legion-death-on-lord-error
      legion-skew-tolerance legion-lord legion-unlord legion-setup legion-death legion-join legion-node-joined
      legion-node-left legion-quorum legion-scroll legion-scroll-max-size legion-scroll-list-max-size
      subscribe-to|st|subscribe subscribe2 subscribe-freq subscribe-with-modifier1 subscription-algo
      subscription-tolerance subscription-notify-socket subscriptions-sign-check
      subscriptions-sign-check-tolerance subscriptions-sign-skip-uid subscriptions-credentials-check
      notify-socket weight auto-weight`,
    flags: `subscription-dotsplit subscriptions-use-credentials unsubscribe-on-graceful-reload start-unsubscribed`,
  },
  // Configuration and introspection
  {
    why: 'an option is not made of others here',
    refuses: true,
    values: 'declare-option declare-option2 resolve',
  },
  {
    why: 'nuwsgi check says whether a configuration is right, --show-config what it adds up to, --help what options there are',
    refuses: true,
    values: 'get exit',
    flags: 'dump-options no-server',
  },
  {
    why: 'it has no meaning here',
    values: `inject-before inject-after blacklist whitelist print iprint file-write binsh force-cwd mode backtrace-depth
      profiler test|-J dlopen clock`,
    flags: `end-blacklist end-whitelist command-mode honour-stdin skip-zero skip-atexit skip-atexit-teardown
      use-abort pcre-jit`,
  },
  {
    why: CORE_ONLY,
    refuses: true,
    values: `binary-append-data build-plugin print-sym|print-symbol`,
    flags: `cflags dot-h config-py python-version plugin-list|plugins-list loop-list|loops-list
      clock-list|clocks-list router-list|routers-list cheaper-algo-list|cheaper-algos-list|cheaper-list
      logger-list|loggers-list alarm-list|alarms-list imperial-monitor-list|imperial-monitors-list`,
  },
  {
    why: CORE_ONLY,
    values: `binary-path privileged-binary-patch unprivileged-binary-patch privileged-binary-patch-arg
      unprivileged-binary-patch-arg`,
  },
];
