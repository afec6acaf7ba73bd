# SPDX-License-Identifier: Apache-2.0
"""What is wrong with a server's certificate, in an admin's words.

The reasons are OpenSSL's; a wrong host name is found by Python, and by urllib3 before its version 2, whose
error is no error of OpenSSL at all (seen with Debian 12's urllib3 1.26).
"""

from __future__ import annotations

import re

_NAME = (
    r"hostname '[^']*' doesn't match (?:either of )?'[^']*'(?:, '[^']*')*"
    r"|(?:Hostname|IP address) mismatch, certificate is not valid for '[^']*'"
)
_AUTHORITY = (
    r"self[- ]signed certificate in certificate chain|self[- ]signed certificate"
    r"|unable to get (?:local )?issuer certificate|unable to verify the first certificate"
)
#: A reason, what it means, and what helps; "{reason}" is where the library's own words go.
_TROUBLES = {
    r"certificate has expired": "its certificate has expired; renew it on that server",
    r"certificate is not yet valid": "its certificate is not valid yet; compare the clocks of both machines",
    _NAME: "its certificate is for another name ({reason}); use a name that it has, in auth_url or, for "
    "Nova, in Keystone's catalog",
    _AUTHORITY: "its certificate is from an authority that is not trusted here ({reason}); give that "
    "authority's own certificate with cacert",
    r"(?<=CERTIFICATE_VERIFY_FAILED\] )[^(]*": "its certificate is not accepted ({reason}); see cacert",
    r"WRONG_VERSION_NUMBER|RECORD_LAYER_FAILURE|HTTP_REQUEST": "it does not speak TLS; is its URL http://, "
    "or another port?",
}


def certificate_trouble(text: str) -> str | None:
    """Return what is wrong in one sentence, or None when it is something else, such as a broken connection.

    Args:
        text: the error of keystoneauth1, which quotes that of requests, urllib3 and ssl.
    """
    for pattern, sentence in _TROUBLES.items():
        found = re.search(pattern, text)
        if found:
            return f"{_server(text)}: {sentence.format(reason=found[0].strip())}"
    return None


def _server(text: str) -> str:
    """Return the server's part of the URL that the error names."""
    url = re.search(r"https?://[^/\s'\"]+", text)
    return url[0] if url else "the server"
