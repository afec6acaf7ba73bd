# SPDX-License-Identifier: Apache-2.0
"""What is said about a server's certificate; the errors are recorded ones of keystoneauth1."""

from __future__ import annotations

import pytest

from nova_ha.openstack.certificate_errors import certificate_trouble

_VERIFY = (
    "SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: {} "
    "(_ssl.c:992)')"
)
#: urllib3 1.26 of Debian 12, and urllib3 2.
_OLD_NAME = "CertificateError(\"hostname '10.77.0.1' doesn't match 'cloud.lab'\")"
_OLD_NAMES = "CertificateError(\"hostname 'fabric' doesn't match either of 'cloud.lab', '*.cloud.lab'\")"
_NEW_NAME = _VERIFY.format("Hostname mismatch, certificate is not valid for 'fabric'.")
_NEW_ADDRESS = _VERIFY.format("IP address mismatch, certificate is not valid for '10.77.0.1'.")

CASES = {
    "expired": (_VERIFY.format("certificate has expired"), "has expired; renew it on that server"),
    "early": (_VERIFY.format("certificate is not yet valid"), "not valid yet; compare the clocks"),
    "authority": (
        _VERIFY.format("unable to get local issuer certificate"),
        "an authority that is not trusted here (unable to get local issuer certificate); give",
    ),
    "chain": (
        _VERIFY.format("self-signed certificate in certificate chain"),
        "not trusted here (self-signed certificate in certificate chain); give",
    ),
    "name": (_OLD_NAME, "for another name (hostname '10.77.0.1' doesn't match 'cloud.lab'); use"),
    "names": (_OLD_NAMES, "(hostname 'fabric' doesn't match either of 'cloud.lab', '*.cloud.lab'); use"),
    "new name": (_NEW_NAME, "(Hostname mismatch, certificate is not valid for 'fabric'); use"),
    "new address": (_NEW_ADDRESS, "(IP address mismatch, certificate is not valid for '10.77.0.1'); use"),
    "weak key": (
        _VERIFY.format("EE certificate key too weak"),
        "(certificate verify failed: EE certificate key",
    ),
    "no TLS": ("SSLError(1, '[SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:992)')", "speak TLS"),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_wrong(name):
    """Each trouble names the server, what is wrong with its certificate, and what helps."""
    reason, said = CASES[name]
    text = (
        "SSL exception connecting to https://10.77.0.1:13000/v3/auth/tokens: "
        f"HTTPSConnectionPool(host='10.77.0.1', port=13000): Max retries exceeded "
        f"with url: /v3/auth/tokens (Caused by SSLError({reason}))"
    )
    trouble = certificate_trouble(text)
    assert trouble is not None
    assert trouble.startswith("https://10.77.0.1:13000: it")
    assert said in trouble
    assert "_ssl.c" not in trouble


def test_broken_connection():
    """A connection that breaks says nothing about certificates, and may be tried again."""
    reason = "SSLEOFError(8, 'EOF occurred in violation of protocol (_ssl.c:992)')"
    text = f"SSL exception connecting to https://cloud.lab:13000: (Caused by SSLError({reason}))"
    assert certificate_trouble(text) is None
