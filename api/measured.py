"""What this process of the API counts of itself: requests, how long they took, what came of submissions, who failed to sign
in."""

from __future__ import annotations

import os
import socket
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.types import Scope

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1.0, 2.5, 5.0, 10.0)
NOWHERE = "none"
"""The route of what was refused before it was known where it goes, or goes nowhere."""
SUBMITTING = ("/referrals", "/refer/send")
RESULTS = {2: "taken", 3: "taken", 4: "refused", 5: "failed"}
SIGNING_IN = {"/sign-in/local": "local", "/sign-in/callback": "single_sign_on"}
NOT_LET_IN = (401, 429, 502)


class Measured:
    """Counters of one process: each says whose they are, as several may answer at one address."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        whose = f"{socket.gethostname()}-{os.getpid()}"
        kept: dict[str, Any] = {"registry": self.registry}
        by_class = ["api", "method", "route", "status"]
        self._requests = Counter("mash_requests", "Requests answered, by route and class", by_class, **kept)
        how_long = "From a request's head to its answer's"
        self._seconds = Histogram("mash_request_seconds", how_long, ["api", "route"], buckets=SECONDS, **kept)
        submissions = Counter("mash_submissions", "Referrals sent in, by what became of it", ["api", "result"], **kept)
        failures = Counter("mash_sign_in_failures", "Who did not get in, by the way in", ["api", "how"], **kept)
        # There before the first: an alert that compares with nothing never fires.
        self._submissions = {result: submissions.labels(whose, result) for result in dict.fromkeys(RESULTS.values())}
        self._failures = {how: failures.labels(whose, how) for how in SIGNING_IN.values()}
        self._whose = whose

    def count(self, scope: Scope, status: int, seconds: float) -> None:
        """A request was answered. Of its address only the route is kept, which names nobody."""
        route = str(getattr(scope.get("route"), "path", NOWHERE))
        method = scope["method"] if scope["method"] in METHODS else NOWHERE
        self._requests.labels(self._whose, method, route, f"{status // 100}xx").inc()
        self._seconds.labels(self._whose, route).observe(seconds)
        if method == "POST" and scope["path"] in SUBMITTING and (result := RESULTS.get(status // 100)):
            self._submissions[result].inc()
        if status in NOT_LET_IN and (how := SIGNING_IN.get(scope["path"])):
            self._failures[how].inc()


METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
"""A method that somebody makes up is no label."""
