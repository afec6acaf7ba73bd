# SPDX-License-Identifier: Apache-2.0
"""The one place where errors of novaclient and keystoneauth1 become ours.

What an error means depends on what was asked. A read that failed may be asked again. An action that failed
may have taken effect all the same, unless the request certainly never left or Nova refused it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from nova_ha.errors import (
    AccessDenied,
    AmbiguousAnswer,
    ConfigurationError,
    NotFound,
    NovaHaError,
    NovaUnavailable,
    RequestRefused,
    StillInUse,
)
from nova_ha.openstack.certificate_errors import certificate_trouble

#: What Nova says while it sees the host as up, and while old evacuations of a host are not cleaned up yet.
_IN_USE = ("still in use", "evacuation migration records remain")
_BAD_REQUEST, _UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _NOT_ACCEPTABLE = 400, 401, 403, 404, 406
_REQUEST_TIMEOUT, _CONFLICT, _TOO_LARGE, _TOO_MANY, _SERVER_ERROR = 408, 409, 413, 429, 500
#: The server says that it did nothing, and that it may do so later.
_BUSY = frozenset({_TOO_LARGE, _TOO_MANY})
_LONGEST = 300

#: Says which endpoints the catalog has; asked only when the wanted one is missing.
Catalog = Callable[[], str]


@contextmanager
def translated(what: str, catalog: Catalog, *, action: bool = False) -> Iterator[None]:
    """Turn what the clients raise inside of the block into errors of nova-ha.

    Args:
        what: what is being done, for the message: "list the services".
        catalog: says which endpoints there are.
        action: whether the request may have taken effect although its answer is an error.
    """
    try:
        yield
    except NovaHaError:
        raise
    except ImportError as error:
        raise ConfigurationError(f"python3-novaclient cannot be loaded: {error}; install it") from None
    except Exception as error:
        # All of them: odd bodies raise AttributeError inside of novaclient (nova.md 6).
        raise _translate(error, what, catalog, action=action) from error


#: Nova and Keystone add it to most errors; the same trouble must read the same in each pass.
_REQUEST_ID = re.compile(r"\s*\(Request-ID: [^)]*\)")


def one_line(text: object) -> str:
    """Return a text as one line of bounded length, without what differs each time (Nova's request ids)."""
    line = " ".join(_REQUEST_ID.sub("", str(text)).split())
    return line if len(line) <= _LONGEST else line[: _LONGEST - 3] + "..."


def _translate(error: Exception, what: str, catalog: Catalog, *, action: bool) -> NovaHaError:
    """Return our error for a client's error."""
    from keystoneauth1 import exceptions as keystone
    from novaclient import exceptions as nova

    if isinstance(error, nova.ClientException):
        message = f"{what}: {one_line(error)}"
        if error.code == _UNAUTHORIZED:
            return AccessDenied(f"{message}; {_token_refused(error.method, error.url)}")
        return _answered(error.code, message, action=action)
    if isinstance(error, keystone.catalog.CatalogException):
        return ConfigurationError(f"{what}: {catalog()}")
    if isinstance(error, keystone.HttpError):
        return _keystone_answered(error.http_status, f"Keystone: {one_line(error)}")
    if isinstance(error, keystone.ConnectionError):
        return _not_connected(error, what, action=action)
    message = f"{what}: {one_line(error) or type(error).__name__}"
    return AmbiguousAnswer(message) if action else NovaUnavailable(f"{message} ({type(error).__name__})")


def _answered(status: int, message: str, *, action: bool) -> NovaHaError:
    """Return our error for an HTTP status of Nova."""
    if status in _BUSY:
        return NovaUnavailable(message)
    if status in (_REQUEST_TIMEOUT, _CONFLICT) or status >= _SERVER_ERROR:
        return _maybe_done(status, message, action=action)
    if status == _FORBIDDEN:
        return AccessDenied(f"{message}; the user needs the role admin in the project")
    if status == _NOT_ACCEPTABLE:
        return ConfigurationError(f"{message}; Nova 19.0 (Stein) or later is needed")
    if status == _NOT_FOUND:
        return NotFound(message, status)
    return _refused(status, message)


def _not_connected(error: Exception, what: str, *, action: bool) -> NovaHaError:
    """Return our error for a connection that failed; one to a server that is not trusted fails for good."""
    untrusted = certificate_trouble(str(error))
    if untrusted:
        return ConfigurationError(f"{what}: {untrusted}")
    message = f"{what}: {_connection_trouble(error)}"
    return NovaUnavailable(message) if not action or _never_sent(error) else AmbiguousAnswer(message)


def _token_refused(method: str | None, url: str | None) -> str:
    """Say why Nova may refuse (HTTP 401) a token that Keystone has just given."""
    path = re.sub(r"/(req-)?[0-9a-f]{8}-[0-9a-f-]{27}(?=/|$)", "/*", (url or "").partition("?")[0])
    return (
        "Nova refuses the token that Keystone has given: the access rules of the application credential, if "
        f"it is one, do not cover {method} {path}, or Nova cannot check tokens or rules (keystone_authtoken)"
    )


def _maybe_done(status: int, message: str, *, action: bool) -> NovaHaError:
    """Return our error for an answer after which the request may have taken effect."""
    if action:
        return AmbiguousAnswer(message, status)
    return RequestRefused(message, status) if status == _CONFLICT else NovaUnavailable(message)


def _refused(status: int, message: str) -> NovaHaError:
    """Return our error for a request that Nova refused."""
    if status == _BAD_REQUEST and any(words in message for words in _IN_USE):
        return StillInUse(message, status)
    if status == _BAD_REQUEST and "marker" in message:
        # What the next page was to begin after was deleted meanwhile: the list must be read again.
        return NovaUnavailable(message)
    return RequestRefused(message, status)


def _keystone_answered(status: int, message: str) -> NovaHaError:
    """Return our error for an HTTP status of Keystone: nothing was sent to Nova."""
    if status in (_UNAUTHORIZED, _FORBIDDEN):
        return AccessDenied(
            f"{message}; check user, password, project and domains, or whether the application credential "
            "has expired"
        )
    if status == _NOT_FOUND:
        return ConfigurationError(f"auth_url: {message}; is it the URL of Keystone?")
    return NovaUnavailable(message)


def _connection_trouble(error: Exception) -> str:
    """Return what went wrong with a connection, without the libraries' nested names.

    Nor with their words for lateness: Pacemaker looks for those in what a fence agent says, and believes that
    it had to end the agent itself.
    """
    text = one_line(error)
    url = re.search(r"https?://[^\s'\"]+", text)
    errno = re.search(r"\[Errno -?\d+\] ([^'\")]+)", str(error.__context__ or error))
    where = url[0].rstrip(":,") if url else "the server"
    if type(error).__name__ == "ConnectTimeout":
        return f"no answer in time from {where}"
    return f"no connection to {where}: {errno[1]}" if errno else text


def _never_sent(error: Exception) -> bool:
    """Say whether the connection was never established: refused, no route, no such name.

    keystoneauth1 has one class for all failures of a connection; only what requests raised tells them apart.
    Just that one exception is looked at: further ones in the chain may belong to earlier requests.
    """
    from requests.exceptions import ConnectTimeout
    from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

    cause = error.__context__
    if isinstance(cause, ConnectTimeout):
        return True
    inner = cause.args[0] if cause is not None and cause.args else None
    return isinstance(getattr(inner, "reason", None), (ConnectTimeoutError, NewConnectionError))
