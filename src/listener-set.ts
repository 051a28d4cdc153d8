// The listeners of a server: checked before the apps are loaded, opened when they are up, closed in order.
//
// Decided elsewhere: which there are (listener-plan.ts), when each step comes (server.ts).

import type { Log } from './base/log.js';
import { closeOnExec } from './base/native-sockets.js';
import type { OpenSocket } from './config/heritage.js';
import { type ListenerPlan, warningsOf } from './listener-plan.js';
import { type SocketOptions, tryAddress } from './listeners/bind.js';
import { ClientTruth, type ProxyTrust } from './listeners/client-truth.js';
import { HttpNodeListener } from './listeners/http-node.js';
import { HttpUwsListener } from './listeners/http-uws.js';
import { HttpsRedirect, type RedirectParts } from './listeners/https-redirect.js';
import type { Listener, ListenerParts } from './listeners/listener.js';
import type { Site } from './listeners/site.js';
import { isSameTls, loadTls, type Tls } from './listeners/tls.js';
import { loadUws } from './listeners/uws-module.js';
import { UwsgiListener, type UwsgiOptions } from './listeners/uwsgi.js';

export interface ListenerSetParts {
  readonly plans: readonly ListenerPlan[];
  readonly site: Site;
  readonly sockets: SocketOptions;
  readonly uwsgi: UwsgiOptions;
  readonly trust: ProxyTrust | undefined;
  /** Descriptors that were handed over and that no process is to inherit from here. */
  readonly inheritedFds: readonly number[];
  readonly log: Log;
  readonly onRedirected: RedirectParts['onAnswered'];
}

const HTTPS_PORT = 443;
/** More than any client sends to a page that has moved. */
const REDIRECT_BODY_BYTES = 1 << 20;

export class ListenerSet {
  readonly #parts: ListenerSetParts;
  readonly #tls = new Map<ListenerPlan, Tls>();
  readonly #truth: ClientTruth | undefined;
  readonly #open: Listener[] = [];
  #isClosed = false;
  /** Of the first that speaks HTTPS. */
  #httpsPort = HTTPS_PORT;

  constructor(parts: ListenerSetParts) {
    this.#parts = parts;
    this.#truth = parts.trust === undefined ? undefined : new ClientTruth(parts.trust);
    for (const fd of parts.inheritedFds) closeOnExec(fd);
  }

  /**
   * Reads the certificates, and finds out whether the addresses can be had, as far as that can be told. Throws
   * `ConfigError` CONFIG_TLS or CONFIG_BIND.
   */
  async check(): Promise<void> {
    const { plans, sockets, uwsgi, trust, log } = this.#parts;
    const told = new Set<string>();
    for (const plan of plans) {
      const { place, tls: files, engineNote } = plan;
      if (engineNote !== undefined) log.line(`${place.option} runs on node:http: ${engineNote}`);
      if (files !== undefined) {
        const tls = await loadTls(place.option, files);
        for (const warning of tls.warnings.filter((text) => !told.has(text))) log.line(`WARNING: ${warning}`);
        for (const warning of tls.warnings) told.add(warning);
        this.#tls.set(plan, tls);
      }
      const exposure = { isUwsgiGuarded: uwsgi.allowed.length > 0, hasTrust: trust !== undefined };
      for (const warning of warningsOf(plan, exposure)) log.line(`WARNING: ${warning}`);
      await tryAddress(place, sockets);
    }
  }

  /** Throws `ConfigError` CONFIG_BIND. */
  async open(): Promise<void> {
    for (const [index, plan] of this.#parts.plans.entries()) {
      const listener = this.#make(plan, index);
      await listener.listen(plan.place);
      this.#open.push(listener);
      const { option, address } = plan.place;
      const isHttps = option === '--https' || option === '--https-socket';
      if (isHttps && this.#httpsPort === HTTPS_PORT && listener.port > 0) this.#httpsPort = listener.port;
      const isChosen = (address.kind === 'tcp' && address.port === 0) || address.kind === 'fd';
      const bound = isChosen && listener.port > 0 ? ` (port ${listener.port})` : '';
      this.#parts.log.line(`${option} ${address.text}${bound} is open, engine ${listener.engine}`);
    }
  }

  /**
   * Reads the certificates again, for the connections that come from now on. Where that fails the old one stays, and the
   * log says why.
   */
  async renewCertificates(): Promise<void> {
    const { plans, log } = this.#parts;
    for (const [index, plan] of plans.entries()) {
      const before = this.#tls.get(plan);
      const listener = this.#open[index];
      if (before === undefined || listener === undefined) continue;
      const { option } = plan.place;
      try {
        const tls = await loadTls(option, before.files);
        if (isSameTls(tls, before)) continue;
        listener.renew(tls);
        this.#tls.set(plan, tls);
        log.line(`${option}: the certificate ${before.files.cert} is renewed`);
        for (const warning of tls.warnings) log.line(`WARNING: ${warning}`);
      } catch (error) {
        log.line(`WARNING: ${(error as Error).message}; the certificate of before stays in use`);
      }
    }
  }

  #make(plan: ListenerPlan, index: number): Listener {
    const { sockets, uwsgi, log } = this.#parts;
    const site = this.#siteOf(plan);
    const { hasPreface } = plan;
    const parts: ListenerParts = { site, index, sockets, tls: this.#tls.get(plan), truth: this.#truth, hasPreface };
    if (plan.engine === 'uwsgi') return new UwsgiListener(parts, uwsgi);
    if (plan.engine === 'node') return new HttpNodeListener(parts);
    const uws = loadUws(site.limits.headBytes);
    if (typeof uws !== 'string') return new HttpUwsListener(uws, parts);
    const { option, address } = plan.place;
    const why = `uWebSockets.js cannot be loaded here: ${uws}`;
    log.line(`WARNING: ${option} ${address.text} runs on node:http, because ${why}`);
    return new HttpNodeListener(parts);
  }

  /** The site as a listener sees it, with limits of its own. */
  #siteOf({ idleTimeoutMs, redirects }: ListenerPlan): Site {
    const { site, onRedirected } = this.#parts;
    if (!redirects && idleTimeoutMs === site.limits.idleTimeoutMs) return site;
    const { onRefused } = site;
    const redirect = new HttpsRedirect({ port: () => this.#httpsPort, onAnswered: onRedirected, onRefused });
    return {
      ...site,
      ...(redirects && { mounts: [{ path: '', receiver: redirect }] }),
      limits: { ...site.limits, idleTimeoutMs, ...(redirects && { bodyBytes: REDIRECT_BODY_BYTES }) },
      get draining() {
        return site.draining;
      },
    };
  }

  /** The ports that the listeners got, in the order of the plans. */
  get ports(): readonly number[] {
    return this.#open.map((listener) => listener.port);
  }

  /** The listening sockets, for a successor. */
  get sockets(): readonly OpenSocket[] {
    return this.#open.flatMap(({ descriptor: fd }, i) => {
      return fd === undefined ? [] : [{ address: this.#parts.plans[i]!.place.address, fd }];
    });
  }

  /** How many connections are open, those in a TLS handshake too. */
  async connections(): Promise<number> {
    const counts = await Promise.all(this.#open.map(({ connections }) => connections));
    return counts.reduce((sum, count) => sum + count, 0);
  }

  /** Leaves the listening sockets to a successor. Connections that are open go on, idle ones too. */
  release(): void {
    for (const listener of this.#open) listener.release();
  }

  /** No new connections; those that are open go on. */
  stopAccepting(): void {
    for (const listener of this.#open) listener.stopAccepting();
  }

  /** What reads the bytes of each, in the order of the plan. */
  get engines(): readonly string[] {
    return this.#open.map(({ engine }) => engine);
  }

  /** Cuts every connection. Once; again it does nothing. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const listener of this.#open) listener.close();
  }
}
