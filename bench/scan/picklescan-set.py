"""picklescan's grades for the artifacts that standard input names, one a line, with the time, processor time and memory that took, as JSON.

Its own words: an issue is refused; a suspicious global, or one that it does not know, is unknown; what it cannot read is an error.
"""

import json
import logging
import os
import resource
import sys
import time

from picklescan.scanner import SafetyLevel, scan_directory_path, scan_file_path

logging.disable(logging.CRITICAL)


def grade(path):
    result = (scan_directory_path if os.path.isdir(path) else scan_file_path)(path)
    if result.issues_count > 0:
        return "dangerous"
    if any(g.safety != SafetyLevel.Innocuous for g in result.globals):
        return "unknown"
    return "error" if result.scan_err else "safe"


rows = []
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
start = time.perf_counter()
used = time.process_time()
for path in (line for line in sys.stdin.read().split("\n") if line):
    try:
        found = grade(path)
    except Exception:
        found = "error"
    rows.append({"path": path, "grade": found, "refused": found == "dangerous"})
seconds = time.perf_counter() - start
cpu = time.process_time() - used
megabytes = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1e3
print(json.dumps({"rows": rows, "seconds": seconds, "cpu": cpu, "megabytes": megabytes}))
