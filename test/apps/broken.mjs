// Applications that break the rules, each in one way. What the server has to make of them: test/e2e/js-broken.test.ts.

const TEXT = [['Content-Type', 'text/plain']];
const ok = (start, more = []) => start('200 OK', [...TEXT, ...more]);

const returns = (make) => (_, start) => {
  ok(start);
  return make();
};
const starts = (status, headers) => (_, start) => {
  start(status, headers);
  return 'must not be sent';
};

const APPS = {
  raises() {
    throw new RangeError('raised before startResponse');
  },
  async rejects() {
    await null;
    throw new RangeError('rejected before startResponse', { cause: new Error('the first') });
  },
  raisesAfterStart(_, start) {
    ok(start);
    throw new RangeError('raised after startResponse');
  },
  async raisesAfter204(_, start) {
    start('204 No Content', []);
    throw new RangeError('raised after 204');
  },
  raisesText() {
    throw 'just a text';
  },
  async raisesNothing() {
    throw undefined;
  },
  raisesOddly() {
    throw Object.assign(Object.create(null), { odd: true });
  },
  noStart: () => 'x',
  noStartNoBody: async () => {},
  noStartGenerator: function* () {
    yield 'x';
  },
  startsTwice(_, start) {
    ok(start);
    ok(start);
  },
  returnsNumber: returns(() => 42),
  returnsObject: returns(() => ({ a: 1 })),
  returnsMap: returns(() => new Map([[1, 2]])),
  returnsNumbers: returns(() => [1, 2]),
  yieldsNull: returns(async function* () {
    yield null;
  }),
  async yieldsNumber(_, start) {
    ok(start);
    return (function* () {
      yield 'ok';
      yield 7;
    })();
  },
  async writesNumber(_, start) {
    await ok(start)(7);
  },
  async writesAndRaises(_, start) {
    void ok(start)('part');
    throw new RangeError('raised while it writes');
  },
  async writesLate(_, start) {
    const write = ok(start);
    setImmediate(() => write('too late').catch((error) => console.log(`write said: ${error.message}`)));
    return 'in time';
  },
  async writesLateUnseen(_, start) {
    const write = ok(start);
    setImmediate(() => void write('too late'));
    return 'in time';
  },
  tooLong(_, start) {
    ok(start, [['Content-Length', '5']]);
    return '123456789';
  },
  tooShort(_, start) {
    ok(start, [['Content-Length', '10']]);
    return '12345';
  },
  tooShortEmpty(_, start) {
    ok(start, [['Content-Length', '10']]);
  },
  closeFails(_, start) {
    ok(start, [['Content-Length', '3']]);
    return {
      [Symbol.iterator]: () => ({
        next: () => ({ done: false, value: 'whole' }),
        return: () => {
          throw new RangeError('return() failed');
        },
      }),
    };
  },
  async goesOnWhenGone(_, start) {
    const write = ok(start);
    for (let failures = 0; failures < 3; ) {
      try {
        await write('x'.repeat(65536));
      } catch (error) {
        failures++;
        console.log(`write said: ${error.message}`);
      }
    }
    return 'nobody sees this';
  },
  writesOnWhenGone(_, start) {
    const write = ok(start);
    for (let i = 0; i < 1000; i++) void write('x'.repeat(65536)); // and looks at none of them
    return 'nobody sees this';
  },
  statusNumber: starts(200, []),
  statusInjection: starts('200 OK\r\nX-Evil: 1', []),
  statusWord: starts('OK', []),
  status100: starts('100 Continue', []),
  statusEuro: starts('200 €', []),
  headersObject: starts('200 OK', { 'X-A': 'b' }),
  headerText: starts('200 OK', ['X-A: b']),
  headerTriple: starts('200 OK', [['X-A', 'b', 'c']]),
  nameNumber: starts('200 OK', [[1, 'b']]),
  nameSpace: starts('200 OK', [['X A', 'b']]),
  nameEmpty: starts('200 OK', [['', 'b']]),
  nameInjection: starts('200 OK', [['X-A: b\r\nX-Evil', '1']]),
  valueNumber: starts('200 OK', [['X-A', 1]]),
  valueCr: starts('200 OK', [['X-A', 'b\rX-Evil: 1']]),
  valueLf: starts('200 OK', [['X-A', 'b\nX-Evil: 1']]),
  valueNul: starts('200 OK', [['X-A', 'b\0']]),
  valueEuro: starts('200 OK', [['X-A', '€']]),
  lengthWord: starts('200 OK', [['Content-Length', 'five']]),
  lengthNegative: starts('200 OK', [['Content-Length', '-1']]),
  lengthTwice: starts('200 OK', [
    ['Content-Length', '5'],
    ['Content-Length', '6'],
  ]),
  headTooLarge: starts('200 OK', [['X-Large', 'x'.repeat(100_000)]]),
  statusShort: starts('404', [...TEXT, ['Content-Length', '16']]),
  hopByHop: starts('200 OK', [
    ...TEXT,
    ['Connection', 'upgrade'],
    ['Transfer-Encoding', 'chunked'],
    ['Upgrade', 'h2c'],
  ]),
  catchesTooLargeHead(_, start) {
    try {
      start('200 OK', [...TEXT, ['X-Large', 'x'.repeat(100_000)]]);
    } catch (error) {
      console.log(`startResponse said: ${error.message}`);
    }
    ok(start);
    return 'a smaller one';
  },
  fine(_, start) {
    ok(start);
    return 'fine';
  },
};

const camel = (name) => name.replace(/-([a-z0-9])/g, (_, letter) => letter.toUpperCase());

export function application(env, startResponse) {
  return APPS[camel(env.PATH_INFO.slice(1))](env, startResponse);
}
