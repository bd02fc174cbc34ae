#include "resolver/control/store/source.h"

#include <stdio.h>
#include <string.h>

#include "resolver/control/store/state.h"
#include "rules/text.h"

const char *source_file(const char *url)
{
	size_t length = url ? text_url_scheme(url) : 0;
	const char *path;

	if (!url || !*url)
		return NULL;
	path = url + length;
	if (length == 0)
		return url;
	if (length != sizeof "file:" - 1 || strncmp(url, "file:", length) != 0)
		return NULL;
	if (strncmp(path, "///", 3) == 0) /* with an empty host (RFC 8089) */
		return path + 2;
	return strncmp(path, "//", 2) == 0 ? NULL : path;
}

static int refuse(const char *url, char error[SOURCE_ERROR_MAX])
{
	snprintf(
		error, SOURCE_ERROR_MAX,
		"the state %s is of an unknown kind; give management.state the path of a file on a "
		"local disk, or file:/PATH",
		url);
	return ERR_SYSTEM;
}

struct source *source_open(const char *url, enum source_mode mode, char error[SOURCE_ERROR_MAX])
{
	const char *path = source_file(url);

	if (path)
		return mode == SOURCE_WRITE ? state_open(path, error)
					    : state_look(path, mode, error);
	(void)refuse(url, error);
	return NULL;
}

struct source *source_open_empty(char error[SOURCE_ERROR_MAX])
{
	return state_open_empty(error);
}

int source_migrate(const char *url, void (*on_progress)(void *context), void *context,
		   char error[SOURCE_ERROR_MAX])
{
	const char *path = source_file(url);

	return path ? state_migrate(path, on_progress, context, error) : refuse(url, error);
}

void source_forget_migration(const char *url)
{
	const char *path = source_file(url);

	if (path)
		state_forget_migration(path);
}
