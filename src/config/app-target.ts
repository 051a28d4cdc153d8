// What an app is: a Python file, a Python module, or a JavaScript file, told from the text alone.
//
// `mysite.wsgi` can be a file and a module. As in uWSGI, a bare `.wsgi` is a file; `mysite.wsgi:application` is what
//   Django's documentation writes for the module, so names joined by dots with a callable behind them are a module.
// Decided elsewhere: which options name apps (apps.ts), how one is loaded (worker/).

interface Target {
  /** As the user wrote it. */
  readonly text: string;
  /** What stands behind the colon; undefined: `--callable` decides. For a module, `name()` is a factory. */
  readonly callable: string | undefined;
}
export interface PythonFile extends Target {
  readonly kind: 'python-file';
  readonly path: string;
}
export interface PythonModule extends Target {
  readonly kind: 'python-module';
  /** The dotted name, without the callable. */
  readonly module: string;
}
export interface JsFile extends Target {
  readonly kind: 'js';
  readonly path: string;
}
export type AppTarget = PythonFile | PythonModule | JsFile;

/** To be read behind "is not", when a target is undefined. */
export const APP_FORMS =
  'an app: a Python file (.py, .wsgi), a JavaScript or TypeScript file (.js .mjs .cjs .ts .mts .cts), ' +
  'or a Python module (pkg.mod, pkg.mod:callable, pkg.mod:factory())';
export const MODULE_FORMS = 'a Python module: pkg.mod, pkg.mod:callable or pkg.mod:factory(); for a file use wsgi-file';
export const FILE_FORMS = 'a file; for a Python module use module';

const JS_FILE = /^(.*\.(?:[mc]?js|[mc]?ts))(?::([^:/]+))?$/s;
const PYTHON_FILE = /^(.*\.(?:py|wsgi))(?::([^:/]+))?$/s;
const MODULE =
  /^([\p{ID_Start}_][\p{ID_Continue}-]*(?:\.[\p{ID_Start}_][\p{ID_Continue}-]*)*)(?::([\p{ID_Start}_]\p{ID_Continue}*(?:\(\))?))?$/u;
/** A dotted name that ends like this is a file of a language that is not served, not a module. */
const OTHER_LANGUAGE =
  /\.(?:jsx|tsx|json|pyc|pyo|so|rb|ru|php|pl|psgi|lua|go|sh|html?|txt|toml|xml|ini|ya?ml|conf|cfg)$/i;

function file<K extends 'python-file' | 'js'>(kind: K, pattern: RegExp, text: string) {
  const match = pattern.exec(text);
  return match === null ? undefined : { kind, path: match[1]!, callable: match[2], text };
}

/** `mysite.wsgi:application`, but not `foobar.py:application`. */
function isModuleWithCallable(text: string): boolean {
  return MODULE.exec(text)?.[2] !== undefined && !text.includes('.py:');
}

/** A target as `--app` and `--mount` take it. Undefined: it is none, see APP_FORMS. */
export function appTarget(text: string): AppTarget | undefined {
  const js = file('js', JS_FILE, text);
  if (js !== undefined) return js;
  if (isModuleWithCallable(text)) return moduleTarget(text);
  const python = file('python-file', PYTHON_FILE, text);
  if (python !== undefined) return python;
  return text.includes('.') && !OTHER_LANGUAGE.test(text) ? moduleTarget(text) : undefined;
}

/** A target as `--module` takes it. Undefined: it is none, see MODULE_FORMS. */
export function moduleTarget(text: string): PythonModule | undefined {
  const match = MODULE.exec(text);
  if (match === null || /\.(?:py|[mc]?js|[mc]?ts)$/.test(match[1]!)) return undefined;
  return { kind: 'python-module', module: match[1]!, callable: match[2], text };
}

/**
 * A target as `--wsgi-file` takes it: JavaScript by extension, else Python whatever the file is called, as in uWSGI.
 * Undefined: it is a module, see FILE_FORMS.
 */
export function fileTarget(text: string): PythonFile | JsFile | undefined {
  const js = file('js', JS_FILE, text);
  if (js !== undefined) return js;
  if (isModuleWithCallable(text)) return undefined;
  return file('python-file', PYTHON_FILE, text) ?? { kind: 'python-file', path: text, callable: undefined, text };
}

/** Whether a bare argument is an app. As in uWSGI, a module must be `pkg.mod:callable`: with a dot and a callable. */
export function isAppArgument(text: string): boolean {
  if (JS_FILE.test(text) || PYTHON_FILE.test(text)) return true;
  return isModuleWithCallable(text) && text.slice(0, text.indexOf(':')).includes('.');
}
