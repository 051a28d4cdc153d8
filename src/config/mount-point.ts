// Where an app is mounted: `/path`, or `example.com/path` for one host only.
//
// Decided elsewhere: what is mounted there (apps.ts), how a request finds it (listeners/site.ts).

export interface MountPoint {
  /** In lower case, without a port; `*.example.com` stands for every host below; undefined: every host. */
  readonly host: string | undefined;
  /** '' for the root, or '/path' without a slash at the end. */
  readonly path: string;
}

/** To be read behind "is not". */
export const MOUNT_FORMS = 'of the form /PATH=APP or HOST/PATH=APP';

const HOST = /^(?:\*\.)?[a-z0-9_](?:[a-z0-9._-]*[a-z0-9_])?$|^\[[0-9a-f:.]+\]$/;

/** Reads a mount point. Gives what was wanted when it is none. */
export function mountPoint(text: string): MountPoint | string {
  const slash = text.indexOf('/');
  if (slash < 0) return `${MOUNT_FORMS}: the path starts with a slash`;
  const path = text.slice(slash).replace(/\/+$/, '');
  if (/[?#]/.test(path)) return `${MOUNT_FORMS}: the path has no "?" and no "#"`;
  if (slash === 0) return { host: undefined, path };
  const written = text.slice(0, slash).toLowerCase();
  const host = written.replace(/\|$/, ''); // uWSGI's own spelling of an app of a host is `host|/path`
  if (/^[^[\]]*:\d+$/.test(host)) return `${MOUNT_FORMS}: the host stands without a port`;
  if (!HOST.test(host)) return `${MOUNT_FORMS}: "${host}" is no host`;
  // `api/v1=app.py` is a forgotten slash far more often than a host
  const isPlain = /[.:]/.test(host) || host === 'localhost' || written.endsWith('|');
  return isPlain ? { host, path } : `${MOUNT_FORMS}: for the path write /${text}, for the host ${host}|${path || '/'}`;
}
