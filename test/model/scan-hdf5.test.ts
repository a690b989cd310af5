import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { BufferBytes } from '../../lib/model/formats/bytes';
import { readHdf5 } from '../../lib/model/formats/hdf5';
import { decide } from '../../lib/model/scan';
import { scannedFiles } from './scanned-files';

const FIXTURES = join(__dirname, 'fixtures');
const { graded, codes: codesOf } = scannedFiles();

const written = (name: string) => gunzipSync(readFileSync(join(__dirname, `hdf5/${name}.h5.gz`)));

const scanned = (content: Buffer) => graded('model.h5', content);
const codes = (content: Buffer) => codesOf('model.h5', content);

/** The same bytes but for every `from`, of equal length. */
const patched = (content: Buffer, from: string, to: string) => Buffer.from(content.toString('latin1').replaceAll(from, to), 'latin1');

describe('a Lambda layer in an HDF5 file', () => {
  test.each(['user-block', 'user-block-2048', 'dense', 'dense-in-many-blocks', 'dense-by-itself', 'type-by-itself', 'deep'])(
    'is found: %s',
    (name) => expect(codes(written(name))).toContain('keras-lambda'),
  );

  test('is found behind bytes that the file does not know of, as the library corrects its base address', () => {
    expect(codes(Buffer.concat([Buffer.from('#!/bin/sh\n'.padEnd(1024)), written('deep')]))).toContain('keras-lambda');
  });

  test('is found in the first of two attributes by one name, and in the second', () => {
    expect(codes(patched(written('twice'), 'model_confiX', 'model_config'))).toEqual(['keras-lambda']);
    const other = patched(patched(written('twice'), 'model_config', 'model_confiY'), 'model_confiX', 'model_config');
    expect(codes(patched(other, 'model_confiY', 'model_config'))).toEqual(['keras-lambda']);
  });
});

describe('a configuration that could not be read', () => {
  test.each([
    ['as its heap is damaged', () => patched(written('dense'), 'FRHP', 'FRHX')],
    ['as its index is damaged', () => patched(written('dense-in-many-blocks'), 'BTIN', 'BTIX')],
    ['as it is no text', () => written('numbers')],
    ['as the root group is damaged', () => patched(written('dense'), 'OHDR', 'OHDX')],
    ['as its text is damaged', () => patched(written('deep'), '"config": {', '"config": [')],
  ])('%s is refused', (_, content) => {
    const report = scanned(content());
    expect(decide(report).verdict).toBe('refuse');
    expect(report.files[0]!.findings).toContainEqual(expect.objectContaining({ grade: 'dangerous', code: 'keras-config-unread' }));
  });
});

describe('the rest of an HDF5 file', () => {
  test('many links in one group are followed', () => {
    expect(scanned(written('dense-links')).files[0]!.findings).toEqual([
      expect.objectContaining({ code: 'hdf5-external-link', name: 'outside -> /etc/other.h5' }),
    ]);
    expect(codes(patched(written('dense-links'), 'BTLF', 'BTLX'))).toEqual(['hdf5-unread']);
  });

  test('a view of other files reads them', () => expect(codes(written('view'))).toEqual(['hdf5-external-link']));

  test('what was not followed is told', () => expect(codes(written('deep'))).toContain('hdf5-unread'));

  test('damage below the root hides nothing that stands beside it', () => {
    const real = readFileSync(join(FIXTURES, 'keras-h5/model.h5'));
    const { attributes, fault } = readHdf5(new BufferBytes(patched(real, 'SNOD', 'SNOX')));
    expect(attributes.model_config).toContain('Sequential');
    expect(fault?.message).toContain('no group node');
  });

  test('attributes and datasets are those that h5py wrote', () => {
    const { rootAttributes, attributesUnread, unread } = readHdf5(new BufferBytes(written('dense-in-many-blocks')));
    expect(rootAttributes.map(({ name }) => name).sort()).toEqual(
      ['model_config', ...Array.from({ length: 700 }, (_, i) => `a${i}`)].sort(),
    );
    expect({ attributesUnread, unread }).toEqual({ attributesUnread: undefined, unread: [] });
  });
});
