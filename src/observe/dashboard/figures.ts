// How figures are written, in a few characters, on the dashboard and in `nuwsgi top`.

/** Numbers in at most five characters: 12345, 123K, 12.3M. */
export function short(value: number): string {
  if (value < 10 && !Number.isInteger(value)) return value.toFixed(1);
  if (value < 99_999.5) return String(Math.round(value));
  if (value < 999_500) return `${Math.round(value / 1000)}K`;
  const [divided, unit] = value < 999.5e6 ? [value / 1e6, 'M'] : [value / 1e9, 'G'];
  return `${divided < 9.95 ? divided.toFixed(1) : Math.round(divided)}${unit}`;
}

export function bytes(value: number): string {
  if (value <= 0) return '-';
  if (value < 1 << 20) return `${Math.round(value / 1024)}K`;
  if (value < 1 << 30) return `${Math.round(value / (1 << 20))}M`;
  return `${(value / (1 << 30)).toFixed(1)}G`;
}

export function duration(ms: number): string {
  if (ms <= 0) return '0ms';
  if (ms < 0.1) return `${Math.ceil(ms * 1000)}us`;
  if (ms < 9.95) return `${ms.toFixed(1)}ms`;
  if (ms < 999.5) return `${Math.round(ms)}ms`;
  if (ms < 99_950) return `${(ms / 1000).toFixed(1)}s`;
  return `${Math.round(ms / 60_000)}min`;
}

export function uptime(seconds: number): string {
  const days = Math.floor(seconds / 86_400);
  const hours = Math.floor((seconds % 86_400) / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  if (days > 0) return `${days}d ${hours}h`;
  return hours > 0 ? `${hours}h ${minutes}min` : `${minutes}min ${Math.floor(seconds % 60)}s`;
}

/** "1 request", "2 requests". */
export function counted(count: number, one: string, many: string): string {
  return `${short(count)} ${count === 1 ? one : many}`;
}

export function percent(share: number): string {
  if (share > 0 && share < 0.0005) return '<0.1%';
  return `${(share * 100).toFixed(share < 0.0995 ? 1 : 0)}%`;
}
