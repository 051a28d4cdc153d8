// A look into a JS thread, through V8's inspector: it answers also while the thread is busy in a loop.
//
// The main thread's inspector can speak to the ones of worker threads (its NodeWorker domain); no port is opened. A
//   session lives as long as the question: attaching to all threads is the price of one look, and of no more.
// Decided elsewhere: which worker is asked, and what is shown of the answer (observe/).

import { Session } from 'node:inspector/promises';
import { fileURLToPath } from 'node:url';
import type { Profile, StackFrame, Stacks, WorkerProbe } from '../worker/probe.js';

/** How long a thread may take to answer. */
const ANSWER_MS = 1500;
/** How long, and how often a second, it is looked at to see what it is doing. */
const STACK_MS = 50;
const STACK_HZ = 1000;
/** The server's own files: what is left of a stack without them is the app's. */
const OWN = new URL('..', import.meta.url).href;

interface CallFrame {
  readonly functionName: string;
  readonly url: string;
  /** From 0, of the function's beginning. */
  readonly lineNumber: number;
}
/** A call frame of `Debugger.paused`. */
interface StoppedFrame {
  readonly functionName: string;
  /** What is being executed, from 0. */
  readonly location: { readonly scriptId: string; readonly lineNumber: number };
}
/** What `Profiler.stop` gives. */
interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: CallFrame;
    readonly children?: readonly number[];
    readonly positionTicks?: readonly { readonly line: number; readonly ticks: number }[];
  }[];
  /** The node that was running at each moment. */
  readonly samples: readonly number[];
}
interface Message {
  readonly id?: number;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
  /** Of a message that nobody has asked for. */
  readonly method?: string;
  readonly params?: unknown;
}

export class ThreadProbe implements WorkerProbe {
  readonly #threadId: number;

  /** `threadId`: as `worker_threads` counts. */
  constructor(threadId: number) {
    this.#threadId = threadId;
  }

  /**
   * What most samples of a short profile show. A loop that V8 has optimized while it ran, before anybody looked, is not
   * in profiles: then the debugger tells the stack, for which the thread stops for a moment.
   */
  async stacks(): Promise<Stacks> {
    const { content } = await this.profile(STACK_MS, STACK_HZ);
    const profile = JSON.parse(content) as CpuProfile;
    const seen = usualStack(profile);
    const frames = seen.length === 0 && isBusy(profile) ? await this.#stoppedStack() : seen;
    return { threads: [{ name: `thread ${this.#threadId}`, core: 0, frames }], note: '' };
  }

  async profile(ms: number, hz: number): Promise<Profile> {
    const content = await withThread(this.#threadId, async (thread) => {
      await thread.post('Profiler.enable');
      await thread.post('Profiler.setSamplingInterval', { interval: Math.round(1e6 / hz) });
      await thread.post('Profiler.start');
      await new Promise((resolve) => setTimeout(resolve, ms));
      const { profile } = (await thread.post('Profiler.stop')) as { profile: unknown };
      await thread.post('Profiler.disable');
      return JSON.stringify(profile);
    });
    return { format: 'cpuprofile', content };
  }

  /** The app's frames of the stack that the thread is stopped in, and let go again; none: it came to rest before. */
  #stoppedStack(): Promise<StackFrame[]> {
    return withThread(this.#threadId, async (thread) => {
      const urls = new Map<string, string>();
      thread.on('Debugger.scriptParsed', (params) => {
        const { scriptId, url } = params as { readonly scriptId: string; readonly url: string };
        urls.set(scriptId, url);
      });
      const paused = within<unknown>('it runs no JavaScript any more', (resolve) => {
        thread.on('Debugger.paused', resolve);
      }).catch(() => ({ callFrames: [] }));
      await thread.post('Debugger.enable');
      try {
        await thread.post('Debugger.pause');
        const { callFrames } = (await paused) as { callFrames: StoppedFrame[] };
        return callFrames.flatMap(({ functionName, location: { scriptId, lineNumber } }) => {
          const url = urls.get(scriptId) ?? '';
          return isOfApp({ url }) ? frameOf(functionName, url, lineNumber + 1) : [];
        });
      } finally {
        await thread.post('Debugger.disable'); // it goes on, even where it has not stopped yet
      }
    });
  }

  async reactionMs(): Promise<undefined> {
    return undefined; // there is no lock that its requests could wait for
  }
}

const isOfApp = ({ url }: { readonly url: string }) =>
  url !== '' && !url.startsWith('node:') && !url.startsWith(OWN) && !url.includes('/node_modules/piscina/');

/** Whether JavaScript ran in most of the samples. */
function isBusy({ nodes, samples }: CpuProfile): boolean {
  const resting = new Set(nodes.filter(({ callFrame }) => callFrame.functionName === '(idle)').map(({ id }) => id));
  return samples.filter((id) => !resting.has(id)).length * 2 > samples.length;
}

function frameOf(functionName: string, url: string, line: number): StackFrame {
  const file = url.startsWith('file:') ? fileURLToPath(url) : url;
  return { function: functionName || '(anonymous)', file, line };
}

/** The app's frames of the stack that came up most often, the innermost first; none: mostly it waits. */
function usualStack({ nodes, samples }: CpuProfile): StackFrame[] {
  const hits = new Map<number, number>();
  for (const id of samples) hits.set(id, (hits.get(id) ?? 0) + 1);
  const [leaf] = [...hits].reduce((most, each) => (each[1] > most[1] ? each : most), [0, 0]);
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const parents = new Map(nodes.flatMap((node) => (node.children ?? []).map((child) => [child, node.id] as const)));
  const frames: StackFrame[] = [];
  for (let id: number | undefined = leaf; id !== undefined; id = parents.get(id)) {
    const node = byId.get(id);
    if (node === undefined || !isOfApp(node.callFrame)) continue;
    const { functionName, url, lineNumber } = node.callFrame;
    const busiest = (node.positionTicks ?? []).reduce(
      (most, each) => (each.ticks > most.ticks ? each : most),
      NO_TICKS,
    );
    frames.push(frameOf(functionName, url, id === leaf && busiest.ticks > 0 ? busiest.line : lineNumber + 1));
  }
  return frames;
}
const NO_TICKS = { line: 0, ticks: 0 };

async function withThread<T>(threadId: number, use: (thread: Conversation) => Promise<T>): Promise<T> {
  const session = new Session();
  session.connect();
  try {
    const sessionId = await attach(session, threadId);
    return await use(new Conversation(session, sessionId));
  } finally {
    session.disconnect();
  }
}

/** Attaches to all threads, which is all that the protocol offers, and gives the session of one. */
function attach(session: Session, threadId: number): Promise<string> {
  return within(`thread ${threadId} is not there`, (resolve) => {
    session.on('NodeWorker.attachedToWorker', ({ params }) => {
      if (params.workerInfo.title.startsWith(`[worker ${threadId}]`)) resolve(params.sessionId);
    });
    void session.post('NodeWorker.enable', { waitForDebuggerOnStart: false });
  });
}

/** Questions to one thread, and its answers. */
class Conversation {
  readonly #session: Session;
  readonly #sessionId: string;
  readonly #answers = new Map<number, (message: Message) => void>();
  readonly #listeners = new Map<string, (params: unknown) => void>();
  #asked = 0;

  constructor(session: Session, sessionId: string) {
    this.#session = session;
    this.#sessionId = sessionId;
    session.on('NodeWorker.receivedMessageFromWorker', ({ params }) => {
      if (params.sessionId === sessionId) this.#hear(JSON.parse(params.message) as Message);
    });
  }

  #hear(message: Message): void {
    if (message.method !== undefined) this.#listeners.get(message.method)?.(message.params);
    if (message.id !== undefined) this.#answers.get(message.id)?.(message);
  }

  /** Calls `listener` with what each event of this name says. */
  on(event: string, listener: (params: unknown) => void): void {
    this.#listeners.set(event, listener);
  }

  post(method: string, params: object = {}): Promise<unknown> {
    const id = ++this.#asked;
    return within(`no answer to ${method}`, (resolve, reject) => {
      this.#answers.set(id, ({ result, error }) =>
        error === undefined ? resolve(result) : reject(new Error(error.message)),
      );
      const message = JSON.stringify({ id, method, params });
      this.#session.post('NodeWorker.sendMessageToWorker', { sessionId: this.#sessionId, message }).catch(reject);
    });
  }
}

/** A promise that rejects with `problem` when it has not settled in time. */
function within<T>(
  problem: string,
  run: (resolve: (value: T) => void, reject: (error: Error) => void) => void,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(problem)), ANSWER_MS);
    const settle =
      <V>(act: (value: V) => void) =>
      (value: V) => {
        clearTimeout(timer);
        act(value);
      };
    run(settle(resolve), settle(reject));
  });
}
