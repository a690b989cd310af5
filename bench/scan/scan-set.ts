import { readFileSync } from 'node:fs';
import { decide, scan } from '../../lib/model/scan';

/** Scans the artifacts that standard input names, one a line, and prints their grades, the time, processor time and memory that took, as JSON. */
const artifacts = readFileSync(0, 'utf8')
  .split('\n')
  .filter((line) => line !== '');
const before = process.memoryUsage.rss();
const start = performance.now();
const used = process.cpuUsage();
const rows = artifacts.map((path) => {
  try {
    const report = scan(path);
    return { path, grade: report.grade, refused: decide(report).verdict === 'refuse' };
  } catch (error) {
    return { path, grade: 'error', refused: true, error: String(error) };
  }
});
const seconds = (performance.now() - start) / 1000;
const { user, system } = process.cpuUsage(used);
const cpu = (user + system) / 1e6;
process.stdout.write(JSON.stringify({ rows, seconds, cpu, megabytes: (process.resourceUsage().maxRSS * 1024 - before) / 1e6 }));
