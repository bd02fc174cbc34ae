#include "resolver/control/import/dialect.h"

#include <string.h>

#include "resolver/control/import/forward.h"
#include "rules/text.h"

const struct dialect dialects[] = {
	{"arm", IMPORT_AZURE, arm_read, arm_finish},
	{"terraform", IMPORT_AZURE, terraform_read, terraform_finish},
	{"unbound", IMPORT_FORWARDER, unbound_read, forward_finish},
	{"bind", IMPORT_FORWARDER, bind_read, forward_finish},
	{"dnsmasq", IMPORT_FORWARDER, dnsmasq_read, forward_finish},
	{"coredns", IMPORT_FORWARDER, coredns_read, forward_finish},
	{"hosts", IMPORT_FORWARDER, hosts_read, forward_finish},
	{.name = NULL},
};

const struct dialect *dialect_named(const char *name)
{
	const struct dialect *dialect = dialects;

	while (dialect->name && strcmp(dialect->name, name) != 0)
		dialect++;
	return dialect->name ? dialect : NULL;
}

const char *dialect_names(char *text, size_t size)
{
	*text = '\0';
	for (const struct dialect *dialect = dialects; dialect->name; dialect++)
		text_append(text, size, "%s%s",
			    dialect == dialects ? ""
			    : dialect[1].name   ? ", "
						: " or ",
			    dialect->name);
	return text;
}

bool dialect_finish(const struct dialect *dialect, struct import *import)
{
	dialect->finish(import);
	return import_finish(import);
}
