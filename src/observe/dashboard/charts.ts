// Which charts there are. A table.

import type { ChartPlan } from './chart.js';
import { bytes, duration, short } from './figures.js';

export const CHARTS: readonly ChartPlan[] = [
  {
    title: 'Throughput',
    format: short,
    least: 1,
    series: [
      { name: 'requests/s', value: (sample) => sample.requests_per_second },
      { name: 'errors/s', value: (sample) => sample.errors_per_second },
    ],
  },
  {
    title: 'Time to answer',
    format: duration,
    least: 1,
    series: [
      { name: 'p50', value: (sample) => sample.p50_us / 1000 },
      { name: 'p95', value: (sample) => sample.p95_us / 1000 },
      { name: 'p99', value: (sample) => sample.p99_us / 1000 },
    ],
  },
  {
    title: 'Requests inside',
    format: short,
    least: 2,
    series: [
      { name: 'with workers', value: (sample) => sample.in_flight },
      { name: 'waiting for one', value: (sample) => sample.waiting },
      { name: 'busy workers', value: (sample) => sample.busy_workers },
    ],
  },
  {
    title: 'Memory',
    format: bytes,
    least: 1 << 20,
    isBinary: true,
    series: [{ name: 'server and workers', value: (sample) => sample.rss_bytes }],
  },
];
