import { items, PickleCall, PickleDict, PickleGlobal, type Value } from '../formats/pickle';
import { dangerous, type Judgement, SAFE, unknown } from './names';

/** SciPy's distributions run this text of their state as code once it is set (scipy/stats/_distn_infrastructure.py, `_attach_argparser_methods`). */
const TEMPLATE = '_parse_arg_template';

/** The lines that SciPy writes there: functions that hand on what they are given, and names with plain defaults. */
const TEMPLATE_LINE = /^(def _parse_args\w*\(self,[\w ,=']*\):| {4}return (self\._argcheck_rvs)?\(?[\w ,=]*\)?[\w ,]*)?$/;

/** SciPy's own has some 400 characters. Of a text of 64 Ki and more the pickle machine keeps the beginning alone. */
const LONGEST_TEMPLATE = 4096;

const DISTRIBUTION = /(^|\.)scipy\.stats(\.|$)|(^|\.)rv_\w+$|_gen$/;

/** Judges what an object is set to: harmless classes may run their own state. */
export function judgeState(target: Value, state: Value): Judgement {
  if (state instanceof PickleDict && state.entries !== undefined) {
    const template = state.get(TEMPLATE);
    if (template !== undefined && !isTemplate(template)) return dangerous('SciPy runs that text of it as code');
    if (state.entries.every((key, i) => i % 2 === 1 || typeof key === 'string')) return SAFE;
  }
  return isDistribution(target) ? unknown('a distribution of SciPy runs a text of its state, which cannot be known') : SAFE;
}

function isTemplate(text: Value): boolean {
  return typeof text === 'string' && text.length <= LONGEST_TEMPLATE && text.split('\n').every((line) => TEMPLATE_LINE.test(line));
}

function isDistribution(target: Value): boolean {
  const named = target instanceof PickleCall ? [target.callee, ...items(target.args)] : [target];
  return named.some((name) => name instanceof PickleGlobal && DISTRIBUTION.test(name.path));
}
