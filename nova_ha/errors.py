# SPDX-License-Identifier: Apache-2.0
"""Every error that nova-ha raises, and which of them may be tried again.

    NovaHaError
    ├── ConfigurationError          an option, a file or a credential is wrong: a person must mend it
    │   └── AccessDenied            Keystone or Nova refused these credentials
    ├── ClusterError                Pacemaker gave an answer that cannot be used
    │   └── ClusterUnavailable *    Pacemaker did not answer
    ├── HostNameError               a node name fits no Nova host, or more than one
    ├── NovaError                   Nova gave an answer
    │   ├── NovaUnavailable *       Nova or Keystone did not answer, or not now
    │   ├── AmbiguousAnswer         an action was sent and may have taken effect
    │   ├── RequestRefused          Nova said no (HTTP 4xx), nothing was done
    │   │   ├── StillInUse *        the host is not seen as down yet, or not cleaned up yet
    │   │   └── NotFound            no such thing, or not for these credentials
    │   └── UntrustworthyAnswer     an attribute that must be there is missing
    ├── RecoveryOpen *              a recovery of this host is not finished
    └── OutOfTime *                 the time that the caller gave is over

``*`` marks errors that carry the mix-in `Retriable`: whether trying again makes sense is a property of
the type, given where an exception of novaclient, keystoneauth or a tool is translated.
"""

from __future__ import annotations


class NovaHaError(Exception):
    """Base of every error that nova-ha raises on purpose; its text is one line for an admin."""


class Retriable:
    """Mix-in: nothing was changed, and the same call may succeed later."""


class ConfigurationError(NovaHaError):
    """An option, file or credential is wrong; the text names it and says how to mend it."""


class AccessDenied(ConfigurationError):
    """Keystone or Nova refused the credentials (HTTP 401 or 403)."""


class ClusterError(NovaHaError):
    """Pacemaker gave an answer that cannot be used, or did not keep what was written."""


class ClusterUnavailable(Retriable, ClusterError):
    """Pacemaker did not answer."""


class HostNameError(NovaHaError):
    """A node name fits no Nova host, or more than one."""


class NovaError(NovaHaError):
    """Nova gave an answer that is an error."""


class NovaUnavailable(Retriable, NovaError):
    """Nova or Keystone could not be reached, or answered that it cannot answer now; nothing was done."""


class AmbiguousAnswer(NovaError):
    """An action was sent, and whether it took effect is unknown (timeout, lost connection, 409, 5xx).

    Attributes:
        status: the HTTP status; None without an answer.
    """

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class RequestRefused(NovaError):
    """Nova refused a request; nothing was done.

    Attributes:
        status: the HTTP status (400..499).
    """

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class StillInUse(Retriable, RequestRefused):
    """HTTP 400: Nova does not see the host as down yet, or old evacuations are not cleaned up yet."""


class NotFound(RequestRefused):
    """HTTP 404: no such thing, or these credentials may not see it."""


class UntrustworthyAnswer(NovaError):
    """An attribute that must be there is missing, so that nothing may be concluded from the answer."""


class RecoveryOpen(Retriable, NovaHaError):
    """A recovery of this host is not finished."""


class OutOfTime(Retriable, NovaHaError):
    """The time that the caller gave is over."""
