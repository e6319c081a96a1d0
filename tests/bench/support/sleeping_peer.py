"""A peer in processes of its own that sleep until they are asked for a block, so that they take nothing from the other
side. It writes one JSON object at its start, and one for each line that it reads."""

import json
import subprocess
import sys


class SleepingPeer:
    def __init__(self, command, environment=None):
        self.name = next(str(part) for part in command if str(part).endswith(".py"))
        self.process = subprocess.Popen([str(part) for part in command], env=environment, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.first = self._answer()  # what it says of itself

    def _answer(self):
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"{self.name} ended early")
        return json.loads(line)

    def ask(self):
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        return self._answer()

    def close(self):
        self.process.stdin.close()
        self.process.wait(60)
