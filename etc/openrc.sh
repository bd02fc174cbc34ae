# The environment of OpenStack's clients for this sluice:
#
#     source openrc.sh
#     openstack ptr record list
#
# It asks for the secret of a management client (management.clients in sluice.conf) and keeps it in
# the shell's environment only. What is already set stays: OS_AUTH_URL where the server is not on
# this machine, OS_USERNAME for another client than "ops". Project and domains may have any names;
# sluice takes them as they are. For bash, dash and other POSIX shells.
export OS_AUTH_TYPE=password
export OS_IDENTITY_API_VERSION=3
export OS_AUTH_URL="${OS_AUTH_URL:-http://127.0.0.1:8053/v3}"
export OS_USERNAME="${OS_USERNAME:-ops}"
export OS_USER_DOMAIN_NAME="${OS_USER_DOMAIN_NAME:-Default}"
export OS_PROJECT_NAME="${OS_PROJECT_NAME:-default}"
export OS_PROJECT_DOMAIN_NAME="${OS_PROJECT_DOMAIN_NAME:-Default}"
# What another cloud's file may have left, and what would lead elsewhere.
unset OS_TOKEN OS_ENDPOINT OS_URL OS_REGION_NAME OS_PROJECT_ID OS_TENANT_ID OS_TENANT_NAME
unset OS_CLOUD OS_SYSTEM_SCOPE OS_DOMAIN_ID OS_DOMAIN_NAME OS_USER_ID OS_TRUST_ID
if [ -z "${OS_PASSWORD:-}" ]; then
	printf 'Secret of %s at %s: ' "$OS_USERNAME" "$OS_AUTH_URL" >&2
	if [ -t 0 ]; then
		stty -echo
		IFS= read -r OS_PASSWORD || true
		stty echo
		echo >&2
	else
		IFS= read -r OS_PASSWORD || true
	fi
fi
export OS_PASSWORD
