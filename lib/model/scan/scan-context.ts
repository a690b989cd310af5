import type { Bytes } from '../formats/bytes';
import type { ScanFinding } from './grade';

export interface ScanLimits {
  /** Milliseconds for one file. */
  readonly milliseconds: number;
  /** Bytes that compressed parts of one file may expand to, all together. */
  readonly expandedBytes: number;
  /** How deep archives and pickles may stand in one another. */
  readonly depth: number;
}

/** What one file's scan has used up and found so far. */
export class ScanContext {
  readonly findings: ScanFinding[] = [];
  private readonly until: number;
  private expandable: number;
  private readonly seen = new Set<string>();
  /** Where findings stand that are not dangerous, and may make room for one that is. */
  private readonly milder: number[] = [];

  constructor(
    readonly limits: ScanLimits,
    private readonly scanPart: (bytes: Bytes, path: string, context: ScanContext, depth: number, hint: PartHint) => void,
  ) {
    this.until = performance.now() + limits.milliseconds;
    this.expandable = limits.expandedBytes;
  }

  /** In `performance.now()`'s milliseconds. */
  get deadline(): number {
    return this.until;
  }

  get isLate(): boolean {
    return performance.now() > this.until;
  }

  /** How many bytes the next part may expand to. */
  get allowance(): number {
    return this.expandable;
  }

  spend(bytes: number): void {
    this.expandable = Math.max(0, this.expandable - bytes);
  }

  /** Each finding once: the views of a zip see most things twice. Of too many the milder are left out, never what is dangerous. */
  add(finding: ScanFinding): void {
    const key = `${finding.code} ${finding.path} ${finding.offset ?? ''} ${finding.name ?? ''} ${finding.grade}`;
    if (this.seen.has(key)) return;
    if (this.findings.length < MOST_FINDINGS) this.keep(finding, key, this.findings.length);
    else this.leaveOut(finding, key);
  }

  private keep(finding: ScanFinding, key: string, at: number): void {
    this.seen.add(key);
    this.findings[at] = finding;
    if (finding.grade !== 'dangerous') this.milder.push(at);
  }

  private leaveOut(finding: ScanFinding, key: string): void {
    if (this.findings.length === MOST_FINDINGS) {
      this.findings.push({
        grade: 'unknown',
        code: 'too-many-findings',
        path: finding.path,
        message: `more than ${MOST_FINDINGS} things were found: of those that are left out none is worse than those that are told`,
      });
    }
    const place = finding.grade === 'dangerous' ? this.milder.pop() : undefined;
    if (place !== undefined) this.keep(finding, key, place);
  }

  /** Notes what was not looked at to its end, which is never safe. */
  outOfTime(path: string, grade: ScanFinding['grade']): void {
    this.add({ grade, code: 'out-of-time', path, message: `not looked at to its end within ${this.limits.milliseconds} ms` });
  }

  /** Scans something that stands in something else. */
  part(bytes: Bytes, path: string, depth: number, hint: PartHint = {}): void {
    if (depth > this.limits.depth) {
      this.add({
        grade: 'dangerous',
        code: 'too-deep',
        path,
        message: `archives stand in one another more than ${this.limits.depth} deep: the innermost were not looked at`,
      });
    } else if (this.isLate) {
      this.outOfTime(path, 'dangerous');
    } else {
      this.scanPart(bytes, path, this, depth, hint);
    }
  }
}

/** What is known of a part beside its bytes. */
export interface PartHint {
  /** It stood in a byte string: only what says plainly what it is counts. */
  readonly embedded?: boolean;
}

const MOST_FINDINGS = 1000;
