"""The polite client: what every request to somebody else's server goes through.

It says who is asking, takes compressed answers, keeps few requests in the air per server, waits when
told to (429, 503, ``maxlag``: ``Retry-After``), tries again what broke on the way, and stops where
trying again would be rude (403). An answer counts only when it is whole: its length is what the
server said, and a check of the caller's accepts it.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

import httpx2
import tenacity

from mlmkg import __version__
from mlmkg.errors import SourceError

logger = logging.getLogger(__name__)
T = TypeVar("T")

#: Seconds of silence after which a connection counts as dead.
TIMEOUT: Final = 90.0
#: Tries of one request before it counts as failed.
ATTEMPTS: Final = 8
#: A server that asks for a longer wait than this (seconds) is left in peace: the build stops.
LONGEST_WAIT: Final = 600.0
#: Bytes of an answer, uncompressed; a longer one is cut off.
LARGEST_ANSWER: Final = 1 << 30
_CONTACT: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+|https?://\S+\.\S+")


class Failed(Exception):  # noqa: N818 - said of a request: it has failed
    """A request that did not bring a whole answer.

    :param why: what happened, a clause.
    :param status: the HTTP status, 0 if there was none.
    :param body: the beginning of the answer.
    :param wait: seconds that the server asks to wait, or None.
    :param again: whether the same request may succeed later.
    """

    def __init__(
        self, why: str, *, status: int = 0, body: str = "", wait: float | None = None,
        again: bool = True,
    ) -> None:  # fmt: skip
        super().__init__(why)
        self.why, self.status, self.body, self.wait, self.again = why, status, body, wait, again


@dataclass(frozen=True)
class Answer:
    """A whole answer.

    :param url: where it came from, after redirects.
    :param media_type: without its parameters, lower case.
    :param body: uncompressed.
    :param seconds: how long it took.
    :param wait: seconds that its ``Retry-After`` asks to wait, or None.
    """

    url: str
    media_type: str
    body: bytes
    seconds: float
    wait: float | None = None


@dataclass
class Client:
    """A polite HTTP client, safe to use from several threads.

    :param contact: a mail address or URL of who runs this; servers ask for it.
    :param mirrors: URL prefix -> another prefix to ask instead.
    :param limits: host -> requests in the air at a time; others get ``at_once``.
    :param at_once: requests in the air at a time per host.
    :param pace: seconds before the first repetition; they double up to a minute.
    :raises SourceError: if there is no contact.
    """

    contact: str
    mirrors: Mapping[str, str] = field(default_factory=dict)
    limits: Mapping[str, int] = field(default_factory=dict)
    at_once: int = 3
    pace: float = 1.0

    def __post_init__(self) -> None:
        if not _CONTACT.fullmatch(self.contact.strip()):
            raise SourceError(
                f"{self.contact!r} is no mail address or URL" if self.contact
                else "no contact: the servers want to know whom to write to", where="MLMKG_CONTACT",
                action="Set MLMKG_CONTACT, --contact or `contact` in mlmkg.toml to your address",
            )  # fmt: skip
        agent = (
            f"mlmkg/{__version__} (https://w3id.org/mlmkg; {self.contact}) httpx2/{httpx2.__version__}"
        )
        self._http = httpx2.Client(
            headers={"User-Agent": agent, "Accept-Encoding": "gzip"},
            timeout=httpx2.Timeout(TIMEOUT, connect=30),
            follow_redirects=True,
            trust_env=True,
        )
        self._gates: dict[str, threading.Semaphore] = {}
        self._rests: dict[str, float] = defaultdict(float)
        self._lock = threading.Lock()
        #: Requests sent so far, repetitions included.
        self.sent = 0

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def mirrored(self, url: str) -> str:
        """Return the URL to ask in place of another, by the longest prefix."""
        for prefix in sorted(self.mirrors, key=len, reverse=True):
            if url.startswith(prefix):
                return self.mirrors[prefix] + url[len(prefix) :]
        return url

    def ask(
        self, url: str, read: Callable[[Answer], T], *, parameters: Mapping[str, str] | None = None,
        post: bool = False, headers: Mapping[str, str] | None = None,
        largest: int = LARGEST_ANSWER, timeout: float = TIMEOUT,
        hopeless: Callable[[Failed], bool] = lambda failure: False, attempts: int | None = None,
    ) -> T:  # fmt: skip
        """Ask until the answer is whole, and return what ``read`` makes of it.

        :param read: raises :class:`Failed` for an answer that is not what was asked for.
        :param parameters: of the query string, or of the form if ``post``.
        :param largest: bytes of the answer, uncompressed.
        :param timeout: seconds of silence, and ten times that for the whole answer.
        :param hopeless: says of a failure that the same request would fail again.
        :param attempts: tries instead of :data:`ATTEMPTS`.
        :raises Failed: if it never succeeded, or need not be tried again.
        :raises SourceError: if the server refuses us, or asks for a very long wait.
        """
        url = self.mirrored(url)
        for attempt in tenacity.Retrying(
            stop=tenacity.stop_after_attempt(attempts or ATTEMPTS), wait=self._wait,
            retry=tenacity.retry_if_exception(
                lambda e: isinstance(e, Failed) and e.again and not hopeless(e)
            ),
            reraise=True,
        ):  # fmt: skip
            with attempt:
                try:
                    return read(
                        self._once(url, parameters or {}, post, headers or {}, largest, timeout)
                    )
                except Failed as failure:
                    if failure.status == 403:
                        raise _refused(url, failure) from None
                    if failure.wait is not None and failure.wait > LONGEST_WAIT:
                        raise _told_to_go(url, failure) from None
                    if failure.wait is not None:
                        self._rest(url, failure.wait)
                    number = attempt.retry_state.attempt_number
                    level = logging.WARNING if number == 3 else logging.DEBUG
                    logger.log(level, "%s: %s; asked %d times, goes on", url, failure.why, number)
                    raise
        raise AssertionError("unreachable")

    def _once(
        self, url: str, parameters: Mapping[str, str], post: bool, headers: Mapping[str, str],
        largest: int, timeout: float,
    ) -> Answer:  # fmt: skip
        """Send one request and return a whole answer."""
        content: dict[str, Any] = {"data" if post else "params": dict(parameters)} if parameters else {}
        with self._turn(url):
            started = time.monotonic()
            try:
                with self._http.stream(
                    "POST" if post else "GET", url, headers=dict(headers),
                    timeout=httpx2.Timeout(timeout, connect=30), **content,
                ) as response:  # fmt: skip
                    body = bytearray()
                    for piece in response.iter_bytes():
                        body += piece
                        if len(body) > largest:
                            raise Failed(
                                f"an answer of more than {largest:,} bytes", again=False,
                                status=response.status_code,
                            )  # fmt: skip
                        if time.monotonic() - started > 10 * timeout:
                            raise Failed(f"no end of the answer after {10 * timeout:.0f} s")
                    _check_whole(response, body)
            except (httpx2.InvalidURL, httpx2.UnsupportedProtocol) as error:
                raise Failed(f"not an address: {error}", again=False) from None
            except (httpx2.TransportError, httpx2.DecodingError, httpx2.TooManyRedirects) as error:
                raise Failed(f"{type(error).__name__}: {error}") from None
        if response.status_code != 200:
            raise _failure(response, bytes(body))
        media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        return Answer(
            str(response.url), media_type, bytes(body), time.monotonic() - started,
            retry_after(response.headers.get("retry-after")),
        )  # fmt: skip

    @contextmanager
    def _turn(self, url: str) -> Any:
        """Wait until this host has a free place and wants to be asked again."""
        host = urlsplit(url).netloc
        with self._lock:
            gate = self._gates.setdefault(
                host, threading.Semaphore(self.limits.get(host, self.at_once))
            )
        with gate:
            while (pause := self._rests[host] - time.monotonic()) > 0:
                time.sleep(pause)
            with self._lock:
                self.sent += 1
            yield

    def _wait(self, state: tenacity.RetryCallState) -> float:
        """Return the seconds before the next try: what the server said, else ever more, jittered."""
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, Failed) and error.wait is not None:
            return error.wait
        grown = tenacity.wait_random_exponential(multiplier=self.pace, min=self.pace, max=60)
        return float(grown(state))

    def _rest(self, url: str, seconds: float) -> None:
        """Let nobody ask this host for some seconds."""
        host = urlsplit(url).netloc
        with self._lock:
            self._rests[host] = max(self._rests[host], time.monotonic() + seconds)


class Budget:
    """Seconds of a server's time that may be used in a window: the query service grants 60 in 60."""

    def __init__(self, seconds: float = 60, window: float = 60) -> None:
        self._seconds, self._window = seconds, window
        self._used: deque[tuple[float, float]] = deque()
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Wait until there is budget left; several threads wait one after the other."""
        with self._lock:
            while True:
                now = time.monotonic()
                while self._used and self._used[0][0] < now - self._window:
                    self._used.popleft()
                if sum(used for _, used in tuple(self._used)) < self._seconds:
                    return
                time.sleep(max(0.01, self._used[0][0] + self._window - now))

    def spend(self, seconds: float) -> None:
        """Note that a request took some seconds."""
        self._used.append((time.monotonic(), seconds))


def _check_whole(response: httpx2.Response, body: bytearray) -> None:
    """Hold the length against what the server said, where nothing was unpacked on the way.

    (A body shorter than its Content-Length, or without its last chunk, is an error of the transport.)
    """
    if "content-encoding" in response.headers:
        return
    said = response.headers.get("content-length")
    if said is not None and said.isdigit() and int(said) != len(body):
        raise Failed(f"{len(body):,} bytes of {int(said):,}", status=response.status_code)


def _failure(response: httpx2.Response, body: bytes) -> Failed:
    text = body[:2000].decode("utf-8", "replace")
    status = response.status_code
    again = status in {408, 425, 429} or status >= 500
    wait = retry_after(response.headers.get("retry-after"))
    return Failed(
        f"HTTP {status} {' '.join(text.split())[:120]}".strip(), status=status, body=text, wait=wait,
        again=again,
    )  # fmt: skip


def retry_after(value: str | None) -> float | None:
    """Return the seconds that a ``Retry-After`` header asks to wait, or None.

    >>> retry_after("3")
    3.0
    >>> retry_after("soon") is None
    True
    """
    if not value:
        return None
    if value.strip().isdigit():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


def _refused(url: str, failure: Failed) -> SourceError:
    said = " ".join(failure.body.split())[:200]
    return SourceError(
        f"the server refuses us (403): {said}", where=url,
        action="Check MLMKG_CONTACT, ask less (--country, --bbox, --limit), or wait and build again:"
        " what was fetched is kept",
    )  # fmt: skip


def _told_to_go(url: str, failure: Failed) -> SourceError:
    return SourceError(
        f"the server asks to wait {failure.wait:,.0f} seconds ({failure.why})", where=url,
        action="Build again after that time: what was fetched is kept",
    )  # fmt: skip
