"""Charts are drawn in a process beside the API: the drawing library holds Python up for 20 ms a chart, and 0.3 to 1.3 s for the
first one, and keeps 120 MB. It is begun when a chart is wanted, and ends when none has been wanted for a while."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import IO, Any

import structlog

LONGEST = 20.0
"""Seconds that charts may take, the start on a busy machine among them."""
IDLE = 120.0
"""Seconds after which the process ends when nothing is drawn."""
KEPT = 400
"""Drawings that are kept, the latest: some megabytes."""
Drawable = tuple[str, dict[str, Any]]
"""Which chart, and what is in it."""
log = structlog.stdlib.get_logger("mash.figures")


class CannotDraw(Exception):
    """The charts are not drawn now; their tables have all that they say."""


class Drawing:
    """Draws charts one after the other, in its process. What was drawn lately is kept by what is in it, and so is never old."""

    def __init__(self) -> None:
        self._turn, self._kept = threading.Lock(), OrderedDict[str, str]()
        self._process: subprocess.Popen[bytes] | None = None
        self._end: threading.Timer | None = None

    def begin(self) -> None:
        """Begin the process while it is still reckoned what is to be drawn. Raises CannotDraw."""
        with self._turn:
            self._pipes()

    def drawn(self, charts: Sequence[Drawable]) -> list[str]:
        """These charts as SVG to stand in a page. Raises CannotDraw."""
        wanted = [json.dumps(chart, sort_keys=True) for chart in charts]
        with self._turn:
            missing = [text for text in dict.fromkeys(wanted) if text not in self._kept]
            if missing:
                self._kept.update(zip(missing, self._asked(missing), strict=True))
            for text in wanted:
                self._kept.move_to_end(text)
            found = [self._kept[text] for text in wanted]
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return found

    def close(self) -> None:
        """End the process."""
        with self._turn:
            self._stop()

    def _asked(self, wanted: list[str]) -> list[str]:
        asked, answered = self._pipes()
        assert self._process
        limit = threading.Timer(LONGEST, self._process.kill)
        limit.start()
        try:
            asked.write(f"[{', '.join(wanted)}]\n".encode())
            asked.flush()
            answer: list[str] = json.loads(answered.readline())
        except (OSError, ValueError) as error:
            self._stop()
            log.error("charts could not be drawn", error=type(error).__name__)
            raise CannotDraw from error
        finally:
            limit.cancel()
        return answer

    def _pipes(self) -> tuple[IO[bytes], IO[bytes]]:
        if self._end:
            self._end.cancel()
        if self._process is None or self._process.poll() is not None:
            self._stop()
            command = [sys.executable, "-m", "mash.api.pages.figures.drawing"]
            try:
                self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            except OSError as error:
                log.error("what draws charts could not be begun", error=type(error).__name__)
                raise CannotDraw from error
        self._end = threading.Timer(IDLE, self.close)
        self._end.daemon = True
        self._end.start()
        assert self._process.stdin and self._process.stdout
        return self._process.stdin, self._process.stdout

    def _stop(self) -> None:
        if self._end:
            self._end.cancel()
        if self._process is None:
            return
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe
            try:
                pipe.close()
            except OSError:  # what was written last and never read
                continue
        self._process.wait()
        self._process = None


def main() -> None:
    """Draw what is asked for, a line of JSON for each page, until nobody can ask any more."""
    from mash.api.pages.figures import charts

    for line in sys.stdin.buffer:
        drawn = [getattr(charts, name)(**values) for name, values in json.loads(line)]
        sys.stdout.buffer.write(json.dumps(drawn).encode() + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
