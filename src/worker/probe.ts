// A look into a running worker: the same face for CPython processes and JS threads.
//
// For a person who wants to know, now and then: it costs the worker something, and nothing while nobody asks.
// Decided elsewhere: how each kind is looked into (python/python-probe.ts, dispatch/thread-probe.ts), who may ask
//   (observe/endpoint/).

export interface StackFrame {
  readonly function: string;
  readonly file: string;
  readonly line: number;
}

export interface ThreadStack {
  readonly name: string;
  /** Which of the worker's threads that run requests it is; -1: none of them. */
  readonly core: number;
  /** Of the app, the innermost one first; none: it waits for a request. */
  readonly frames: readonly StackFrame[];
}

export interface Stacks {
  readonly threads: readonly ThreadStack[];
  /** Where nobody in the worker could answer: what was found out about it without its help. */
  readonly note: string;
}

export interface Profile {
  /** What opens it: speedscope.app, or the DevTools of Chrome (and speedscope too). */
  readonly format: 'speedscope.json' | 'cpuprofile';
  readonly content: string;
}

export interface WorkerProbe {
  /** What it is doing. Rejects when it cannot be told. */
  stacks(): Promise<Stacks>;
  /** Where its time goes, looked at `hz` times a second for `ms`. Rejects when it cannot be told. */
  profile(ms: number, hz: number): Promise<Profile>;
  /** How long it takes until it listens, in ms: for a CPython worker, the wait for the GIL. Undefined: not known. */
  reactionMs(): Promise<number | undefined>;
}
