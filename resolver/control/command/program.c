#include "resolver/control/command/program.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

/* Finds the program in the folder of this one, because both were built or installed together. $PATH
 * may have another version. */
static bool beside(const char *name, char path[PATH_MAX])
{
	char own[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", own, sizeof own - 1);
	const char *slash;

	own[length > 0 ? length : 0] = '\0';
	slash = strrchr(own, '/');
	if (!slash ||
	    snprintf(path, PATH_MAX, "%.*s%s", (int)(slash + 1 - own), own, name) >= PATH_MAX)
		return false;
	return access(path, X_OK) == 0;
}

int program_become(const struct command_line *line, const char *name, char **words)
{
	char path[PATH_MAX];

	fflush(NULL);
	if (beside(name, path)) {
		words[0] = path;
		execv(path, words);
		return command_fail_at(line, "%s cannot be run: %s", path, strerror(errno));
	}
	words[0] = (char *)name;
	execvp(name, words);
	if (errno == ENOENT)
		return command_fail_at(line,
				       "the program %s is missing, beside this one and in PATH; "
				       "install it, it comes with sluice",
				       name);
	return command_fail_at(line, "%s cannot be run: %s", name, strerror(errno));
}
