#include "resolver/control/import/dialect.h"

#include <string.h>

#include "resolver/control/import/forward.h"

const struct dialect dialects[] = {
	{"unbound", IMPORT_FORWARDER, unbound_read, "unbound.conf"},
	{"dnsmasq", IMPORT_FORWARDER, dnsmasq_read, "dnsmasq.conf"},
	{"hosts", IMPORT_FORWARDER, hosts_read, "a hosts file"},
	{.name = NULL},
};

const struct dialect *dialect_named(const char *name)
{
	const struct dialect *dialect = dialects;

	while (dialect->name && strcmp(dialect->name, name) != 0)
		dialect++;
	return dialect->name ? dialect : NULL;
}

bool dialect_finish(const struct dialect *dialect, struct import *import)
{
	if (dialect->from == IMPORT_FORWARDER)
		forward_finish(import);
	return import_finish(import);
}
