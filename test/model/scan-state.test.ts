import { BufferBytes } from '../../lib/model/formats/bytes';
import { scanFile } from '../../lib/model/scan';

const text = (value: string) => `V${value.replaceAll('\n', '\\u000a')}\n`;
const dict = (...pairs: string[]) => `(${pairs.join('')}d`;
const tuple = (...values: string[]) => `(${values.join('')}t`;
const made = (module: string, name: string) => `c${module}\n${name}\n)\x81`;
const distribution = made('scipy.stats._distn_infrastructure', 'rv_continuous');
const scan = (value: string) => scanFile(new BufferBytes(Buffer.from(`\x80\x02${value}.`, 'latin1')), 'model.pkl');

const HARM = text("import os; os.system('id')\n");
/** As SciPy 1.17 writes it for truncnorm. */
const PLAIN = text(`
def _parse_args(self, a, b,  loc=0, scale=1):
    return (a, b, ), loc, scale

def _parse_args_rvs(self, a, b,  loc=0, scale=1, size=None):
    return self._argcheck_rvs(a, b,  loc, scale, size=size)

def _parse_args_stats(self, a, b,  loc=0, scale=1, moments='mv'):
    return (a, b, ), loc, scale, moments
`);
const template = text('_parse_arg_template');

describe('a distribution of SciPy, which runs a text of its state', () => {
  test('is safe as SciPy writes it', () => {
    expect(scan(`${distribution}${dict(text('name'), text('truncnorm'), template, PLAIN)}b`)).toMatchObject({ grade: 'safe' });
  });

  test('is dangerous where that text is made of what is given', () => {
    const maker = '\x8c\x0bscipy.stats\x8c\x22rv_continuous._construct_argparser\x93';
    expect(scan(`${maker}${tuple(distribution, tuple(), HARM, HARM)}R`).grade).toBe('dangerous');
  });

  test.each([
    ['code', HARM],
    ['code in a default', text('def _parse_args(self, a=print(1)):\n')],
    ['code behind more text than is kept of it', text(`    return ${'a'.repeat(70_000)}\n${HARM}`)],
    ['a text that is computed', `cbuiltins\nstr\n${tuple(HARM)}R`],
  ])('is dangerous with %s', (_, value) => {
    const { grade, findings } = scan(`${distribution}${dict(template, value)}b`);
    expect(grade).toBe('dangerous');
    expect(findings).toContainEqual(expect.objectContaining({ code: 'pickle-build', opcode: 'BUILD' }));
  });

  test.each([
    ['a list of pairs', tuple(tuple(template, HARM))],
    ['a name that is computed', dict(`cbuiltins\nstr\n${tuple(template)}R`, HARM)],
  ])('is not safe where its state is %s', (_, state) => {
    expect(scan(`${distribution}${state}b`).grade).toBe('unknown');
    expect(scan(`ccopyreg\n__newobj__\n(cscipy.stats._continuous_distns\nnorm_gen\ntR${state}b`).grade).toBe('unknown');
  });
});

describe('a class or function of a library that models come with', () => {
  const call = (path: string, ...args: string[]) => {
    const dot = path.lastIndexOf('.');
    return scan(`c${path.slice(0, dot)}\n${path.slice(dot + 1)}\n${tuple(...args)}R`);
  };
  test.each([
    'torch._C.PyTorchFileWriter',
    'pyarrow.lib.OSFile',
    'pyarrow.parquet.ParquetWriter',
    'joblib.compressor.BinaryZlibFile',
    'joblib.logger.PrintTime',
    'huggingface_hub.Repository',
    'xgboost.DMatrix',
    'xgboost.tracker.RabitTracker',
    'catboost.Pool',
    'catboost.eval.utils.make_dirs_if_not_exists',
    'keras.layers.TFSMLayer',
    'tensorflow.python.util.lazy_loader.LazyLoader',
    'numpy.lib.utils.lookfor',
    'numpy.add_newdoc',
    'sentence_transformers.SentenceTransformer.SentenceTransformer',
  ])('is dangerous where it writes, fetches or imports what it is given: %s', (path) => {
    expect(call(path, text('somewhere'), text('w')).grade).toBe('dangerous');
  });

  test('is dangerous where it fetches a model with its code', () => {
    expect(scan(`\x8c\x0ctransformers\x8c\x19AutoModel.from_pretrained\x93${tuple(text('a/b'))}R`).grade).toBe('dangerous');
  });

  test('is safe where it is made without its constructor, as pickles make it', () => {
    expect(scan(made('sentence_transformers.SentenceTransformer', 'SentenceTransformer')).grade).toBe('safe');
  });
});
