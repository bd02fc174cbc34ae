/* SOURCE/FILE to DIRECTORY/cliextensions/sluice/FILE, five of them. */
#include "resolver/control/az_extension.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MAX = 64 * 1024 };

static const char *const files[] = {
	"azext_sluice/__init__.py",
	"azext_sluice/azext_metadata.json",
	"sluice-" SLUICE_VERSION ".dist-info/METADATA",
	"sluice-" SLUICE_VERSION ".dist-info/WHEEL",
	"sluice-" SLUICE_VERSION ".dist-info/metadata.json",
};
enum { FILE_COUNT = sizeof files / sizeof *files };

/* ---- where ---- */

/* False: it would be too long. */
static bool join(char path[PATH_MAX], const char *directory, const char *name)
{
	return (size_t)snprintf(path, PATH_MAX, "%s/%s", directory, name) < PATH_MAX;
}

const char *az_config_directory(char path[PATH_MAX])
{
	const char *given = getenv("AZURE_CONFIG_DIR"), *home = getenv("HOME");
	if (given && *given)
		return (size_t)snprintf(path, PATH_MAX, "%s", given) < PATH_MAX ? path : NULL;
	return home && *home && join(path, home, ".azure") ? path : NULL;
}

const char *az_extension_source(char path[PATH_MAX])
{
	/* From PREFIX/sbin, build/ and build/asan/. */
	static const char *const places[] = {"../share/sluice/az/sluice", "../etc/az/sluice",
					     "../../etc/az/sluice"};
	char self[PATH_MAX], place[PATH_MAX], probe[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
	if (length <= 0)
		return NULL;
	self[length] = '\0';
	char *slash = strrchr(self, '/');
	*(slash ? slash : self) = '\0';
	for (size_t i = 0; i < sizeof places / sizeof *places; i++)
		if (join(place, self, places[i]) && realpath(place, path) &&
		    join(probe, path, files[0]) && access(probe, R_OK) == 0)
			return path;
	return NULL;
}

/* ---- files ---- */

/* All of a small file; its length, or -1 with errno. */
static ssize_t read_file(const char *path, char bytes[FILE_MAX])
{
	size_t length = 0;
	ssize_t got = -1;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	while (length < FILE_MAX && (got = read(fd, bytes + length, FILE_MAX - length)) > 0)
		length += (size_t)got;
	int failed = length == FILE_MAX ? EFBIG : errno;
	close(fd);
	errno = failed;
	return got == 0 ? (ssize_t)length : -1;
}

/* Makes a file; it must not be there. */
static int write_file(const char *path, const char *bytes, size_t length)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return ERR_SYSTEM;
	bool fine = true;
	while (fine && length > 0) {
		ssize_t put = write(fd, bytes, length);
		fine = put > 0;
		bytes += fine ? put : 0;
		length -= fine ? (size_t)put : 0;
	}
	int failed = errno;
	fine = close(fd) == 0 && fine;
	if (!fine)
		unlink(path);
	errno = failed;
	return fine ? 0 : ERR_SYSTEM;
}

/* With those above it. */
static int make_directory(const char *path)
{
	char part[PATH_MAX];
	struct stat stat_of;
	snprintf(part, sizeof part, "%s", path);
	for (char *at = part + 1; *at; at++) {
		if (*at != '/')
			continue;
		*at = '\0';
		if (mkdir(part, 0700) != 0 && errno != EEXIST)
			return ERR_SYSTEM;
		*at = '/';
	}
	if (mkdir(part, 0700) != 0 && errno != EEXIST)
		return ERR_SYSTEM;
	return stat(part, &stat_of) == 0 && S_ISDIR(stat_of.st_mode) ? 0 : ERR_SYSTEM;
}

static int fail(char text[AZ_TEXT_MAX], const char *path, int err)
{
	snprintf(text, AZ_TEXT_MAX, "%s: %s", path, strerror(errno));
	return err;
}

/* ---- one file of the extension ---- */

struct pair {
	char from[PATH_MAX], to[PATH_MAX];
	char wanted[FILE_MAX];
	size_t length;
	bool is_there; /* the same */
};

/* Reads both sides. ERR_EXISTS: there is another one already; ERR_SYSTEM. */
static int look(struct pair *pair, const char *source, const char *directory, const char *name,
		char text[AZ_TEXT_MAX])
{
	char folder[PATH_MAX], found[FILE_MAX];
	if (!join(pair->from, source, name) || !join(folder, directory, "cliextensions/sluice") ||
	    !join(pair->to, folder, name)) {
		errno = ENAMETOOLONG;
		return fail(text, directory, ERR_SYSTEM);
	}
	ssize_t wanted = read_file(pair->from, pair->wanted);
	if (wanted < 0)
		return fail(text, pair->from, ERR_SYSTEM);
	pair->length = (size_t)wanted;
	ssize_t length = read_file(pair->to, found);
	pair->is_there = length >= 0;
	if (length < 0 && errno == ENOENT)
		return 0;
	if (length < 0 && errno != EFBIG)
		return fail(text, pair->to, ERR_SYSTEM);
	if (length == wanted && memcmp(found, pair->wanted, (size_t)wanted) == 0)
		return 0;
	snprintf(text, AZ_TEXT_MAX,
		 "%s is there and is another file; move the folder %s away, and try again",
		 pair->to, folder);
	return ERR_EXISTS;
}

static int put(const struct pair *pair, char text[AZ_TEXT_MAX])
{
	char folder[PATH_MAX];
	snprintf(folder, sizeof folder, "%s", pair->to);
	*strrchr(folder, '/') = '\0';
	if (make_directory(folder) != 0)
		return fail(text, folder, ERR_SYSTEM);
	return write_file(pair->to, pair->wanted, pair->length) == 0
		       ? 0
		       : fail(text, pair->to, ERR_SYSTEM);
}

/* ---- all of it ---- */

/* Looks at every file, and puts those that are missing if so wanted. */
static int walk(const char *source, const char *directory, bool puts, char text[AZ_TEXT_MAX])
{
	struct pair *pair = malloc(sizeof *pair);
	int err = pair ? 0 : ERR_NOMEM;
	if (err)
		snprintf(text, AZ_TEXT_MAX, "%s", err_text(err));
	for (size_t i = 0; !err && i < FILE_COUNT; i++) {
		err = look(pair, source, directory, files[i], text);
		if (!err && puts && !pair->is_there)
			err = put(pair, text);
	}
	free(pair);
	return err;
}

int az_extension_check(const char *source, const char *directory, char text[AZ_TEXT_MAX])
{
	return walk(source, directory, false, text);
}

int az_extension_install(const char *source, const char *directory, char text[AZ_TEXT_MAX])
{
	static const char versions[] =
		"{\"versions\": {\"core\": {\"local\": \"2.45.0\"}}, \"update_time\": \"\"}\n";
	char path[PATH_MAX];
	int err = walk(source, directory, true, text);
	if (err)
		return err;
	if (!join(path, directory, "commandIndex.json"))
		errno = ENAMETOOLONG;
	else if (unlink(path) == 0 || errno == ENOENT)
		errno = 0;
	if (errno)
		return fail(text, path, ERR_SYSTEM);
	if (!join(path, directory, "versionCheck.json"))
		errno = ENAMETOOLONG;
	else if (write_file(path, versions, sizeof versions - 1) == 0 || errno == EEXIST)
		errno = 0;
	return errno ? fail(text, path, ERR_SYSTEM) : 0;
}
