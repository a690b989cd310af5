import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ScanOptions, type ScanReport, scan } from '../../lib/model/scan';

/** What is found on a busy machine too. */
export const UNHURRIED: ScanOptions = { limits: { milliseconds: 60_000 } };

/** A folder of its own for each test, and files that are written there and scanned. */
export function scannedFiles() {
  const files = {
    folder: '',
    graded(name: string, content: Buffer | string, options: ScanOptions = UNHURRIED): ScanReport {
      writeFileSync(join(files.folder, name), content);
      return scan(join(files.folder, name), options);
    },
    /** What was found, by its codes. */
    codes: (name: string, content: Buffer | string): string[] =>
      files.graded(name, content).files.flatMap(({ findings }) => findings.map(({ code }) => code)),
  };
  beforeEach(() => {
    files.folder = mkdtempSync(join(tmpdir(), 'fledge-test-'));
  });
  afterEach(() => rmSync(files.folder, { recursive: true }));
  return files;
}
