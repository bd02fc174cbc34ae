#include "resolver/control/store/source.h"

#include <stdio.h>
#include <string.h>

#include "resolver/control/store/state.h"

/* The length of "scheme:" where a path follows, as in a URL; 0: there is none. */
static size_t scheme_length(const char *url)
{
	size_t length = strspn(url, "abcdefghijklmnopqrstuvwxyz0123456789+.-");

	return length > 0 && strncmp(url + length, ":/", 2) == 0 ? length + 1 : 0;
}

const char *source_file(const char *url)
{
	size_t length = scheme_length(url);
	const char *path = url + length;

	if (length == 0)
		return url;
	if (length != sizeof "file:" - 1 || strncmp(url, "file:", length) != 0)
		return NULL;
	if (strncmp(path, "///", 3) == 0) /* a URL with an empty host */
		return path + 2;
	return strncmp(path, "//", 2) == 0 ? NULL : path;
}

static int refuse(const char *url, char error[SOURCE_ERROR_MAX])
{
	snprintf(error, SOURCE_ERROR_MAX,
		 "the state %s is in no store that there is; give management.state the path of a "
		 "file on a local disk, or file:/PATH",
		 url);
	return ERR_SYSTEM;
}

struct source *source_open(const char *url, enum source_use use, char error[SOURCE_ERROR_MAX])
{
	const char *path = source_file(url);

	if (!path) {
		(void)refuse(url, error);
		return NULL;
	}
	return use == SOURCE_TO_WRITE ? state_open(path, error)
				      : state_look(path,
						   use == SOURCE_TO_LOOK_APART ? STATE_LOOK_APART
									       : STATE_LOOK_WITHIN,
						   error);
}

int source_migrate(const char *url, void (*turn)(void *context), void *context,
		   char error[SOURCE_ERROR_MAX])
{
	const char *path = source_file(url);

	return path ? state_migrate(path, turn, context, error) : refuse(url, error);
}

void source_forget_migration(const char *url)
{
	const char *path = source_file(url);

	if (path && *path)
		state_forget_migration(path);
}
