# SPDX-License-Identifier: Apache-2.0
"""The options that say where Keystone and Nova are, and who is asking: the first part of the table."""

from __future__ import annotations

from nova_ha.settings.option import Option
from nova_ha.settings.programs import ALL, CLOUD

_UNUSED_BY_COMPUTE = " NovaCompute accepts and ignores it: it needs no credentials."

#: Options that name the same thing, each by its name and by its id: one that is given hides, in every source
#: behind it, the other, too.
NAME_OR_ID = (
    ("project_name", "project_id"),
    ("user_domain", "user_domain_id"),
    ("project_domain", "project_domain_id"),
)

# fmt: off
CREDENTIALS: tuple[Option, ...] = (
    Option(
        "auth_url", "string", None, "URL of Keystone",
        "URL of Keystone, with or without /v3." + _UNUSED_BY_COMPUTE,
        ALL, short="k", environment="OS_AUTH_URL",
    ),
    Option(
        "username", "string", None, "User of Keystone",
        "User that is an admin of the project." + _UNUSED_BY_COMPUTE,
        ALL, aliases=("login",), short="l", environment="OS_USERNAME",
    ),
    Option(
        "password", "string", None, "Password of the user",
        "Password of the user. Anybody who can read the cluster's configuration can read it; "
        "credentials_file, cloud, password_script and Pacemaker's cibsecret keep it elsewhere."
        + _UNUSED_BY_COMPUTE,
        ALL, aliases=("passwd",), short="p", environment="OS_PASSWORD", secret=True,
    ),
    Option(
        "password_script", "string", None, "Command that prints the password",
        "Command whose standard output is the password." + _UNUSED_BY_COMPUTE,
        ALL, aliases=("passwd_script",), short="S",
    ),
    Option(
        "project_name", "string", None, "Project of the user",
        "Project in which the user has the role admin." + _UNUSED_BY_COMPUTE,
        ALL, aliases=("tenant_name",), short="t", environment="OS_PROJECT_NAME",
    ),
    Option(
        "project_id", "string", None, "Project of the user, by its id",
        "Id of that project, in place of its name and domain.",
        CLOUD, environment="OS_PROJECT_ID",
    ),
    Option(
        "user_domain", "string", None, "Domain of the user",
        "Name of the domain of the user; Default when nothing names another." + _UNUSED_BY_COMPUTE,
        ALL, short="u", environment="OS_USER_DOMAIN_NAME",
    ),
    Option(
        "user_domain_id", "string", None, "Domain of the user, by its id",
        "Id of the domain of the user, in place of its name.",
        CLOUD, environment="OS_USER_DOMAIN_ID",
    ),
    Option(
        "project_domain", "string", None, "Domain of the project",
        "Name of the domain of the project; Default when nothing names another." + _UNUSED_BY_COMPUTE,
        ALL, short="P", environment="OS_PROJECT_DOMAIN_NAME",
    ),
    Option(
        "project_domain_id", "string", None, "Domain of the project, by its id",
        "Id of the domain of the project, in place of its name.",
        CLOUD, environment="OS_PROJECT_DOMAIN_ID",
    ),
    Option(
        "application_credential_id", "string", None, "Id of an application credential",
        "Id of an application credential with the role admin, in place of user, password and project.",
        CLOUD, environment="OS_APPLICATION_CREDENTIAL_ID",
    ),
    Option(
        "application_credential_name", "string", None, "Name of an application credential",
        "Name of an application credential, in place of its id; username says whose it is.",
        CLOUD, environment="OS_APPLICATION_CREDENTIAL_NAME",
    ),
    Option(
        "application_credential_secret", "string", None, "Secret of the application credential",
        "Secret of the application credential.",
        CLOUD, environment="OS_APPLICATION_CREDENTIAL_SECRET", secret=True,
    ),
    Option(
        "cloud", "string", None, "Name of a cloud in clouds.yaml",
        "Name of a cloud in clouds.yaml, from which everything about the credentials is taken that no other "
        "option says.",
        CLOUD, environment="OS_CLOUD",
    ),
    Option(
        "clouds_yaml", "string", None, "Path of clouds.yaml",
        "Path of clouds.yaml, which only its owner may read. Without it the file is looked for in the "
        "current folder, in ~/.config/openstack and in /etc/openstack. A secure.yaml beside it is read too.",
        CLOUD, environment="OS_CLIENT_CONFIG_FILE",
    ),
    Option(
        "credentials_file", "string", None, "Path of a file with credentials",
        "Path of a file in ini form, which only its owner may read: below [nova-ha] the options of this list "
        "about credentials, in place of clouds.yaml.",
        CLOUD,
    ),
    Option(
        "region_name", "string", None, "Region of Nova",
        "Region whose Nova is meant, for a Keystone that serves several." + _UNUSED_BY_COMPUTE,
        ALL, environment="OS_REGION_NAME",
    ),
    Option(
        "interface", "choice", None, "Kind of Nova's endpoint",
        "Which of Nova's endpoints is used; internal when neither this option nor clouds.yaml says."
        + _UNUSED_BY_COMPUTE,
        ALL, aliases=("endpoint_type",), short="e", environment="OS_INTERFACE",
        choices=("internal", "public", "admin"),
    ),
    Option(
        "cacert", "string", None, "File of certificate authorities",
        "File of the certificate authorities that Keystone's and Nova's certificates are checked against; "
        "without it those of the system.",
        CLOUD, environment="OS_CACERT",
    ),
    Option(
        "insecure", "boolean", None, "Whether certificates go unchecked",
        "Accept any certificate. Whoever can listen to such a connection can take the credentials."
        + _UNUSED_BY_COMPUTE,
        ALL, environment="OS_INSECURE",
    ),
)
# fmt: on
