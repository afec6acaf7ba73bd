# SPDX-License-Identifier: Apache-2.0
"""The certificates of the lab's Keystone and Nova, from an authority of their own."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from . import names
from .tls import AUTHORITY, EXPIRED, SOUND

#: Prepared folders are kept for as long as somebody uses them.
YEARS = timedelta(days=3650)
DAY = timedelta(days=1)

_SIGNS = x509.KeyUsage(
    key_cert_sign=True, crl_sign=True,
    digital_signature=False, content_commitment=False, key_encipherment=False, data_encipherment=False,
    key_agreement=False, encipher_only=False, decipher_only=False,
)  # fmt: skip


def write_all(folder: Path) -> None:
    """Write the authority's certificate, and with their keys a sound one and one that has expired."""
    folder.mkdir(parents=True)
    now = datetime.now(timezone.utc)
    authority = Authority(now)
    (folder / AUTHORITY).write_bytes(authority.pem)
    for file, until in ((SOUND, now + YEARS), (EXPIRED, now - DAY)):
        (folder / file).touch(mode=0o600)
        (folder / file).write_bytes(authority.issue(names.CLOUD_NAME, until))


class Authority:
    """A certificate authority that is trusted by nobody who was not told to.

    Args:
        now: the certificates are valid from two days before on, in UTC.
    """

    def __init__(self, now: datetime) -> None:
        self._begin = now - 2 * DAY
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name("authority of the lab")
        builder = self._builder(self._name, self._key, now + YEARS).add_extension(_SIGNS, critical=True)
        self._certificate = builder.sign(self._key, hashes.SHA256())

    @property
    def pem(self) -> bytes:
        """Return the authority's own certificate."""
        return bytes(self._certificate.public_bytes(serialization.Encoding.PEM))

    def issue(self, host: str, until: datetime) -> bytes:
        """Return a certificate for a host name, and its key, as stunnel reads them."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = self._builder(_name(host), key, until).add_extension(
            x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False
        )
        certificate = builder.sign(self._key, hashes.SHA256())
        plain = serialization.NoEncryption()
        written = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
        return bytes(certificate.public_bytes(serialization.Encoding.PEM) + written)

    def _builder(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, until: datetime
    ) -> x509.CertificateBuilder:
        """Return what all certificates have; Python 3.13 refuses one without the identifiers of the keys."""
        signer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(self._begin)
            .not_valid_after(until)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(signer, critical=False)
            .add_extension(x509.BasicConstraints(ca=subject == self._name, path_length=None), critical=True)
        )


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])
