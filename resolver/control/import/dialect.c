#include "resolver/control/import/dialect.h"

#include <string.h>

#include "resolver/control/command/import_row.h"
#include "resolver/control/import/forward.h"
#include "rules/text.h"

#define ROW(name, from, finish) {#name, IMPORT_##from, name##_read, finish},
const struct dialect dialects[] = {IMPORT_DIALECTS(ROW){.name = NULL}};

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
