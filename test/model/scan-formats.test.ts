import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BufferBytes } from '../../lib/model/formats/bytes';
import { inspect } from '../../lib/model/inspect';
import { decide, enforce, reportJson, reportSarif, reportText, scan } from '../../lib/model/scan';
import { tells } from '../../lib/model/scan/telling-text';
import { scannedFiles } from './scanned-files';
import { zip } from './zip-by-hand';

const FIXTURES = join(__dirname, 'fixtures');
const PAYLOAD = Buffer.from('\x80\x02cos\nsystem\nX\x02\0\0\0id\x85R.', 'latin1');
const files = scannedFiles();
const { graded, codes } = files;

test.each([
  ['text', 'hello\n'],
  ['nothing', ''],
])('a model.tar.gz that is %s is unknown', (_, content) => {
  expect(graded('model.tar.gz', content)).toMatchObject({ grade: 'unknown', files: [{ findings: [{ code: 'broken' }] }] });
});

describe('a file that is named .onnx and is no model', () => {
  const whole = readFileSync(join(FIXTURES, 'onnx', 'model.onnx'));
  test.each([
    ['cut off', whole.subarray(0, whole.length / 2)],
    ['empty', Buffer.alloc(0)],
    ['of other bytes', Buffer.alloc(300, 0xab)],
  ])('is unknown: %s', (_, content) => {
    expect(graded('model.onnx', content)).toMatchObject({ grade: 'unknown', files: [{ findings: [{ code: 'broken' }] }] });
  });
});

describe('what real libraries wrote', () => {
  test.each(readdirSync(FIXTURES).filter((name) => !name.includes('.') && name !== 'keras-lambda'))('%s is safe', (name) => {
    expect(scan(join(FIXTURES, name)).files.flatMap(({ findings }) => findings)).toEqual([]);
  });

  test('a Lambda layer is code, in a .keras as well', () => {
    expect(scan(join(FIXTURES, 'keras-lambda')).files[0]).toMatchObject({
      grade: 'dangerous',
      findings: expect.arrayContaining([
        expect.objectContaining({ code: 'keras-lambda', path: 'model.keras!config.json', name: 'Lambda' }),
      ]),
    });
  });
});

describe('a zip in a zip, both as torch.export writes them', () => {
  const exported = (pickle: Buffer) => {
    const inner = [...Array(9).keys()].map((i) => ({ name: `archive/data/${i}`, content: Buffer.alloc(40, 1) }));
    const samples = zip([{ name: 'archive/data.pkl', content: pickle }, ...inner], { torch: true });
    // names of 30 letters: a directory's record is as long as zip64's records
    const weights = [...Array(9).keys()].map((i) => ({ name: `exported/data/weights/weight_${i}`, content: Buffer.alloc(8, i) }));
    return zip([...weights, { name: 'exported/data/sample_inputs/model.pt', content: samples }], { torch: true });
  };

  test('is safe', () => {
    expect(graded('model.pt2', exported(Buffer.from('\x80\x02N.', 'latin1')))).toMatchObject({ grade: 'safe' });
  });

  test('is dangerous with code in the inner one', () => {
    expect(graded('model.pt2', exported(PAYLOAD)).grade).toBe('dangerous');
  });
});

describe('a pickle inside a zip', () => {
  const data = { name: 'archive/data.pkl', content: PAYLOAD };

  test.each([
    ['plain', zip([data])],
    ['deflated', zip([{ ...data, deflate: true }])],
    ['said to be encrypted', zip([{ ...data, flags: 1 }])],
    ['with a wrong checksum', zip([{ ...data, crc: 1 }])],
    ['without a directory', zip([data], { directory: false })],
    ['by another name in its local header', zip([{ ...data, localName: 'archive/README.m' }])],
    ['behind a script', Buffer.concat([Buffer.from('#!/bin/sh\nexit\n'), zip([data])])],
    ['in a zip in a zip', zip([{ name: 'a.zip', content: zip([{ name: 'b.pt', content: zip([data]), deflate: true }]) }])],
  ])('%s is found', (_, bytes) => expect(graded('model.pt', bytes).grade).toBe('dangerous'));

  test('the way to it is named', () => {
    expect(graded('model.pt', zip([data])).files[0]!.findings[0]).toMatchObject({ path: 'model.pt!archive/data.pkl', name: 'os.system' });
  });

  test('two names for one file are told', () => {
    expect(codes('model.pt', zip([{ name: 'a.txt', localName: 'b.txt', content: Buffer.from('x') }]))).toEqual(['zip-views-differ']);
  });

  test('a path that leads out would write out', () => {
    expect(codes('model.zip', zip([{ name: '../../etc/cron.d/job', content: Buffer.from('x') }]))).toEqual(['zip-slip']);
  });

  test('what expands too far is not called safe', () => {
    expect(codes('model.zip', zip([{ name: 'zeros', content: Buffer.alloc(40_000_000), deflate: true }]))).toContain('expands-too-far');
  });
});

describe('a tar', () => {
  test('with a link that leads out, or a pickle', () => {
    writeFileSync(join(files.folder, 'model.bin'), PAYLOAD);
    symlinkSync('/etc/passwd', join(files.folder, 'users'));
    execFileSync('tar', ['cf', 'links.tar', 'users'], { cwd: files.folder });
    execFileSync('tar', ['czf', 'model.tgz', 'model.bin'], { cwd: files.folder });
    expect(scan(join(files.folder, 'links.tar')).files[0]!.findings).toEqual([
      expect.objectContaining({ code: 'tar-link', grade: 'dangerous', name: '/etc/passwd' }),
    ]);
    expect(scan(join(files.folder, 'model.tgz')).grade).toBe('dangerous');
  });
});

describe('configurations and templates', () => {
  test.each([
    ["{{ ''.__class__.__mro__ }}", ['template-escape']],
    ["{{ cycler.__init__.__globals__.os.popen('id').read() }}", ['template-escape']],
    ["{{ messages|attr('x') }}", ['template-escape']],
    [
      "{% for m in messages %}{{ m['role'] + m.content | trim }}{% endfor %}{{ raise_exception('no __init__ here') if false }}",
      ['template-escape'],
    ],
    ["{% for m in messages %}{{ '<|im_start|>' + m['role'] + m.content | trim }}{% endfor %}", []],
  ])('the chat template %s', (template, expected) => {
    expect(codes('tokenizer_config.json', JSON.stringify({ chat_template: template }))).toEqual(expected);
  });

  test('Keras may name any module, and importing is enough', () => {
    const layer = { module: 'os', class_name: 'system', config: {}, registered_name: null };
    const config = JSON.stringify({ module: 'keras', class_name: 'Sequential', config: { layers: [layer] } });
    const files = [
      { name: 'metadata.json', content: Buffer.from('{"keras_version":"3.0.0"}') },
      { name: 'config.json', content: Buffer.from(config) },
    ];
    expect(codes('model.keras', zip(files))).toEqual(['keras-import']);
  });

  test('code of its own is unknown, PyYAML objects are dangerous', () => {
    expect(graded('config.json', JSON.stringify({ auto_map: { AutoModel: 'modeling.X' } })).grade).toBe('unknown');
    expect(graded('config.yaml', "a: !!python/object/apply:os.system ['id']\n").grade).toBe('dangerous');
  });

  /** Each of them makes PyYAML's unsafe loader call os.system. */
  test.each([
    ["!!python%2Fobject/apply:os.system ['id']"],
    ["!<tag:yaml.org,2002:pyth%6fn/object/apply:os.system> ['id']"],
    ["%TAG !e! tag:yaml.org,2002:pyth\n---\n!e!on/object/apply:os.system ['id']"],
    ["%TAG ! tag:yaml.org,2002:python/\n---\n!object/apply:os.system ['id']"],
  ])('a tag of YAML that is written otherwise is dangerous all the same: %s', (yaml) => {
    expect(graded('config.yaml', yaml).grade).toBe('dangerous');
    expect(graded('config.yaml', Buffer.from(`\ufeff${yaml}`, 'utf16le')).grade).toBe('dangerous');
  });

  test.each([
    ['escaped', '{"auto\\u005fmap": {"AutoModel": "modeling.X"}}'],
    ['behind a byte order mark', '\ufeff{"auto_map": {"AutoModel": "modeling.X"}}'],
    ['behind megabytes', `{"a": "${'x'.repeat(3_000_000)}", "auto_map": {"AutoModel": "modeling.X"}}`],
    ['across two reads', `{"a": "${'x'.repeat(65_520)}", "auto_map": {"AutoModel": "modeling.X"}}`],
  ])('a key is found %s', (_, json) => {
    expect(codes('config.json', json)).toEqual(['remote-code']);
  });

  test('weights that begin without a zero, and a vocabulary with the word template, are no documents to read', () => {
    const weights = Buffer.concat([Buffer.alloc(100_000, 'py/ '), Buffer.alloc(100_000)]);
    expect(tells(new BufferBytes(weights))).toBe(false);
    expect(tells(new BufferBytes(Buffer.from('{"!!": 3, "template": 12, "\\u0120a": 13}')))).toBe(false);
    expect(tells(new BufferBytes(Buffer.from('{"template" : "{{ a }}"}')))).toBe(true);
  });

  test('an archive that cannot be opened is unknown, and so is native code', () => {
    expect(graded('model.7z', Buffer.concat([Buffer.from('7z\xbc\xaf\x27\x1c', 'latin1'), Buffer.alloc(30)])).grade).toBe('unknown');
    expect(graded('lib.so', Buffer.from('\x7fELF\x02\x01\x01')).grade).toBe('unknown');
  });
});

describe('the policy', () => {
  beforeEach(() => {
    mkdirSync(join(files.folder, 'm'));
    cpSync(join(FIXTURES, 'onnx/model.onnx'), join(files.folder, 'm/model.onnx'));
    writeFileSync(join(files.folder, 'm/extra.pkl'), PAYLOAD);
  });
  const report = () => scan(join(files.folder, 'm'));
  const digest = () => report().files.find(({ path }) => path === 'extra.pkl')!.sha256!;

  test('refuses what is dangerous, by name and place, and says how to let it in', () => {
    expect(() => enforce(report())).toThrow(
      `${files.folder}/m is not safe to load: extra.pkl at byte 21 would call os.system('id'): it is of Python's own library, and no model needs it. If it is not yours, do not load it; if it is and you have read it, let these bytes in by model.yaml: scan: { allow: [{ sha256: ${digest()}, reason: ... }] }`,
    );
  });

  test('warns of what is unknown, refuses it where asked', () => {
    writeFileSync(join(files.folder, 'm/extra.pkl'), Buffer.from('\x80\x02cmine\nThing\n)R.', 'latin1'));
    expect(decide(report()).verdict).toBe('warn');
    expect(decide(report(), { dangerous: 'refuse', unknown: 'refuse', allow: [] }).verdict).toBe('refuse');
  });

  test('an inspection refuses it too, until model.yaml lets those very bytes in', () => {
    writeFileSync(join(files.folder, 'm/model.yaml'), 'name: m\nfile: model.onnx\n');
    expect(inspect(join(files.folder, 'm')).findings).toContainEqual(
      expect.objectContaining({ severity: 'error', code: 'scan-dangerous', path: 'extra.pkl' }),
    );
    writeFileSync(
      join(files.folder, 'm/model.yaml'),
      `name: m\nfile: model.onnx\nscan: { allow: [{ sha256: ${digest()}, reason: a test's own }] }\n`,
    );
    expect(inspect(join(files.folder, 'm')).findings).toContainEqual(
      expect.objectContaining({ severity: 'note', remedy: expect.stringContaining("a test's own") }),
    );
    writeFileSync(join(files.folder, 'm/extra.pkl'), Buffer.concat([PAYLOAD, Buffer.from('N.')]));
    expect(inspect(join(files.folder, 'm')).findings).toContainEqual(
      expect.objectContaining({ severity: 'error', code: 'scan-dangerous' }),
    );
  });

  test('the report for a person', () => {
    expect(reportText(report())).toBe(
      [
        `${files.folder}/m: dangerous (2 files: 1 safe, 0 unknown, 1 dangerous), refused`,
        '  extra.pkl: dangerous',
        "    dangerous byte 2 GLOBAL imports os.system: it is of Python's own library, and no model needs it",
        "    dangerous byte 21 REDUCE would call os.system('id'): it is of Python's own library, and no model needs it",
        `    sha256 ${digest()}`,
        '',
      ].join('\n'),
    );
  });

  test('the report for programs', () => {
    expect(JSON.parse(reportJson(report()))).toMatchObject({
      grade: 'dangerous',
      verdict: 'refuse',
      outcomes: [{ path: 'extra.pkl', outcome: 'refuse' }],
    });
  });

  test('the report for code hosts: SARIF, with exceptions as suppressions', () => {
    const sarif = JSON.parse(
      reportSarif([{ report: report(), policy: { dangerous: 'refuse', unknown: 'warn', allow: [{ sha256: digest(), reason: 'known' }] } }]),
    );
    const [run] = sarif.runs;
    expect(sarif.version).toBe('2.1.0');
    expect(run.tool.driver.rules.map(({ id }: { id: string }) => id)).toEqual(['pickle-call', 'pickle-import']);
    expect(run.results[0]).toMatchObject({
      ruleId: 'pickle-import',
      ruleIndex: 1,
      level: 'error',
      locations: [{ physicalLocation: { artifactLocation: { uri: `file://${files.folder}/m/extra.pkl` }, region: { byteOffset: 2 } } }],
      suppressions: [{ kind: 'external', justification: 'known' }],
    });
  });
});
