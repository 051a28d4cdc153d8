// What the server tells of itself, and where. Rows of the options table; see options.ts.

import type { Option } from './table.js';

// biome-ignore format: a table
export const STATISTICS = [
  { name: 'stats', aliases: ['stats-server'], kind: 'address',
    help: 'tell the statistics as JSON on this address; a browser gets the dashboard there',
    differs: ':9191 is on loopback only; 0.0.0.0:9191 is on all addresses. What is spoken to in HTTP answers in HTTP.' },
  { name: 'stats-http', kind: 'flag', default: false, help: 'answer on the address of stats in HTTP only',
    differs: 'No page of another origin can read the answer; uWSGI lets every page.' },
  { name: 'stats-token', kind: 'text', value: 'TOKEN', isSecret: true,
    help: 'tell statistics and metrics only to who sends this as "Authorization: Bearer TOKEN"; the dashboard asks for it', differs: 'Not an option of uWSGI.' },
  { name: 'metrics', kind: 'address',
    help: 'serve metrics for Prometheus on this address, under /metrics; they are on the address of stats too',
    differs: 'Not an option of uWSGI. :9100 is on loopback only.' },
  { name: 'stats-minified', aliases: ['stats-min'], kind: 'flag', default: false, help: 'statistics without white space' },
  { name: 'stats-no-cores', kind: 'flag', default: false, help: 'statistics without the threads of the workers' },
  { name: 'stats-push', kind: 'stats-push', many: true,
    help: 'send figures there again and again: all statistics as JSON into a file, or metrics of uWSGI by UDP',
    differs: 'Counters go to statsd as what was added since the last time; uWSGI sends the sum each time, which statsd adds up again.' },
  { name: 'stats-pusher-default-freq', aliases: ['stats-pushers-default-freq'], kind: 'seconds', default: 3, range: [1, 86400],
    help: 'how often' },
  { name: 'statsd-all-gauges', kind: 'flag', default: false, help: 'send all metrics to statsd as gauges, sums as they are' },
  { name: 'statsd-no-workers', kind: 'flag', default: false, help: 'send no metrics of single workers to statsd' },
  { name: 'health', kind: 'text', value: '/PATH',
    help: 'answer requests for this path, PATH/ready and PATH/live with whether the server is well, without an app',
    differs: 'Not an option of uWSGI.' },
  { name: 'stop-delay', kind: 'seconds', default: 0, range: [0, 3600],
    help: 'when asked to stop, serve for so long while health says no, so that a load balancer has time to notice',
    differs: 'Not an option of uWSGI.' },
  { name: 'endpoint', kind: 'text', many: true, value: '/PATH/:NAME',
    help: 'count requests for paths like this together: :NAME stands for one segment, ** at the end for any number',
    defaultText: 'the first two segments, ids as *',
    differs: 'Not an option of uWSGI.' },
] as const satisfies readonly Option[];
