"""Runs a command, and prints the seconds that it took and the megabytes of memory that it had at the most, as JSON.

The memory of a new process counts from what the process had that started it, so this one is small: it imports nothing.
"""

import json
import resource
import subprocess
import sys
import time

if __name__ == "__main__":
    started = time.perf_counter()
    subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    seconds = time.perf_counter() - started
    print(json.dumps([seconds, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1000]))
