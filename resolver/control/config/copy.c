/* The files are copied first. Then a shallow copy of the model is printed, in which the paths are
 * those of the copies. Lists that have paths in them are copied as well. */
#include "resolver/control/config/copy.h"

#include <dirent.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "resolver/control/base/regular_file.h"
#include "resolver/control/config/write.h"
#include "rules/name.h"
#include "rules/zone/rdata.h"
#include "rules/zone/record.h"
#include "rules/zone/zone.h"

enum { SMALL_FILE_MAX = 1024 * 1024 }; /* bytes of a secret or a certificate */

struct copying {
	const char *directory;
	struct model model; /* has the paths of the copies */
	struct arena arena;
	char *error;
};

static int fail(struct copying *copying, const char *path, const char *what, const char *why)
{
	snprintf(copying->error, CONFIG_COPY_ERROR_MAX, "%s cannot be %s: %s", path, what, why);
	return ERR_SYSTEM;
}

static int fail_memory(struct copying *copying)
{
	snprintf(copying->error, CONFIG_COPY_ERROR_MAX, "%s", err_text(ERR_NOMEM));
	return ERR_NOMEM;
}

/* systemd provides credentials at each start, and they must not get onto a disk. */
static bool is_credential(const char *path)
{
	static const char folder[] = "/run/credentials/";

	return strncmp(path, folder, sizeof folder - 1) == 0;
}

/* ---- a file ---- */

/* Replaces the file at the path by the output of `put`, which returns 0 or an error. */
static int write_file(struct copying *copying, const char *path,
		      int (*put)(const void *context, FILE *out), const void *context)
{
	int fd, err;
	FILE *out;

	if (!path)
		return fail_memory(copying);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	out = fd >= 0 ? fdopen(fd, "w") : NULL;
	errno = out ? 0 : errno;
	err = out ? put(context, out) : ERR_SYSTEM;
	if (!err && (fflush(out) != 0 || ferror(out)))
		err = ERR_SYSTEM;
	if (err)
		fail(copying, path, "written", errno ? strerror(errno) : err_text(err));
	if (out)
		fclose(out);
	else if (fd >= 0)
		close(fd);
	return err;
}

/* "DIRECTORY/zone-7"; NULL without memory. */
static const char *path_of(struct copying *copying, const char *name, size_t number)
{
	return arena_printf(&copying->arena, "%s/%s-%zu", copying->directory, name, number);
}

static int put_text(const void *text, FILE *out)
{
	return fprintf(out, "%s\n", (const char *)text) > 0 ? 0 : ERR_SYSTEM;
}

struct bytes {
	char *at;
	size_t length;
};

static int put_bytes(const void *context, FILE *out)
{
	const struct bytes *bytes = context;

	return fwrite(bytes->at, 1, bytes->length, out) == bytes->length ? 0 : ERR_SYSTEM;
}

/* Copies the file at *path to `to`, and sets *path to `to`. */
static int copy_file(struct copying *copying, const char **path, const char *to)
{
	const char *why;
	struct bytes bytes;
	int err;

	if (!*path || is_credential(*path))
		return 0;
	bytes.at = regular_file_read(*path, SMALL_FILE_MAX, NULL, &bytes.length, &why);
	if (!bytes.at)
		return fail(copying, *path, "read", why);
	err = write_file(copying, to, put_bytes, &bytes);
	explicit_bzero(bytes.at, bytes.length);
	free(bytes.at);
	*path = to;
	return err;
}

/* ---- zones ---- */

struct zone_copy {
	const struct zone *zone;
	FILE *out;
};

/* Leaves out a made-up SOA: it is made up again when the copy is read. */
static int put_set(void *context, const uint8_t *owner, const struct rrset *set)
{
	char name[NAME_TEXT_MAX], type[16];
	const struct zone_copy *copy = context;
	FILE *out = copy->out;
	const uint8_t *record = set->wire;
	int err = 0;

	if (set->type == TYPE_SOA && !zone_has_own_soa(copy->zone))
		return 0;
	name_wire_to_text(owner, name);
	record_type_print(set->type, type, sizeof type);
	for (unsigned i = 0; !err && i < set->count; i++) {
		size_t length = (size_t)record[RECORD_HEADER - 2] << 8 | record[RECORD_HEADER - 1];

		fprintf(out, "%s %u IN %s ", name, (unsigned)set->ttl, type);
		err = rdata_print(set->type, record + RECORD_HEADER, length, out);
		if (!err && putc('\n', out) == EOF)
			err = ERR_SYSTEM;
		record += RECORD_HEADER + length;
	}
	return err;
}

static int put_zone(const void *zone, FILE *out)
{
	struct zone_copy copy = {zone, out};

	return zone_walk(zone, put_set, &copy);
}

/* Gives the model a list whose items may be changed. False: there is no memory. */
#define OWN_LIST(copying, list)                                                                    \
	(((copying)->model.list.items =                                                            \
		  own_list(copying, (copying)->model.list.items, (copying)->model.list.count,      \
			   sizeof *(copying)->model.list.items)) != NULL)

static void *own_list(struct copying *copying, const void *items, size_t count, size_t size)
{
	void *own = arena_alloc_array(&copying->arena, count, size);

	if (own && count > 0)
		memcpy(own, items, count * size);
	return own;
}

static int copy_zones(struct copying *copying)
{
	int err = OWN_LIST(copying, private_zones) ? 0 : fail_memory(copying);

	for (size_t i = 0; !err && i < copying->model.private_zones.count; i++) {
		struct private_zone *zone = &copying->model.private_zones.items[i];

		if (!zone->file || !zone->zone)
			continue;
		zone->file = path_of(copying, "zone", i);
		err = write_file(copying, zone->file, put_zone, zone->zone);
	}
	return err;
}

/* ---- secrets ---- */

static int copy_keys(struct copying *copying)
{
	int err = OWN_LIST(copying, keys) ? 0 : fail_memory(copying);

	for (size_t i = 0; !err && i < copying->model.keys.count; i++) {
		struct tsig_settings *key = &copying->model.keys.items[i];

		if (!key->secret_file || !key->loaded || is_credential(key->secret_file))
			continue;
		key->secret_file = path_of(copying, "key", i);
		err = write_file(copying, key->secret_file, put_text, key->loaded);
	}
	return err;
}

/* In the form that secret_files.c reads. */
static int put_cookies(const void *context, FILE *out)
{
	const struct udp_settings *udp = context;

	for (unsigned i = 0; i < udp->cookie_keys; i++)
		fprintf(out, "%016llx%016llx\n",
			(unsigned long long)htobe64(htole64(udp->cookie_key[i].k0)),
			(unsigned long long)htobe64(htole64(udp->cookie_key[i].k1)));
	return ferror(out) ? ERR_SYSTEM : 0;
}

static int copy_cookies(struct copying *copying)
{
	struct udp_settings *udp = &copying->model.udp;

	if (!udp->cookie_secret_file || is_credential(udp->cookie_secret_file))
		return 0;
	udp->cookie_secret_file = arena_printf(&copying->arena, "%s/cookies", copying->directory);
	return write_file(copying, udp->cookie_secret_file, put_cookies, udp);
}

static int copy_management(struct copying *copying)
{
	struct management *management = &copying->model.management;
	const char *directory = copying->directory;
	int err = OWN_LIST(copying, management.clients) ? 0 : fail_memory(copying);

	for (size_t i = 0; !err && i < management->clients.count; i++)
		err = copy_file(copying, &management->clients.items[i].secret_file,
				path_of(copying, "client", i));
	if (!err)
		err = copy_file(copying, &management->certificate,
				arena_printf(&copying->arena, "%s/certificate", directory));
	if (!err)
		err = copy_file(copying, &management->key,
				arena_printf(&copying->arena, "%s/key", directory));
	if (!err)
		err = copy_file(copying, &copying->model.events.webhook_ca,
				arena_printf(&copying->arena, "%s/webhook_ca", directory));
	return err;
}

/* ---- the whole ---- */

static int put_model(const void *model, FILE *out)
{
	return config_file_write(model, out);
}

static int make_directory(struct copying *copying)
{
	if (mkdir(copying->directory, 0700) == 0 || errno == EEXIST)
		return 0;
	return fail(copying, copying->directory, "made", strerror(errno));
}

/* Waits until all files and the directory are on the disk. All are written before the first fsync,
 * which may take the others along, so their fsyncs are short. */
static int sync_all(struct copying *copying)
{
	DIR *found = opendir(copying->directory);
	const struct dirent *entry;
	int err = found ? 0 : ERR_SYSTEM, fd;

	while (!err && (entry = readdir(found))) {
		if (entry->d_name[0] == '.')
			continue;
		fd = openat(dirfd(found), entry->d_name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
		err = fd >= 0 && fsync(fd) == 0 ? 0 : ERR_SYSTEM;
		if (err)
			fail(copying, entry->d_name, "written", strerror(errno));
		if (fd >= 0)
			close(fd);
	}
	if (!found || (!err && fsync(dirfd(found)) != 0))
		err = fail(copying, copying->directory, "written", strerror(errno));
	if (found)
		closedir(found);
	return err;
}

int config_copy_write(const struct model *declared, const char *directory,
		      char error[CONFIG_COPY_ERROR_MAX])
{
	struct copying copying = {.directory = directory, .model = *declared, .error = error};
	int err;

	arena_init(&copying.arena);
	config_copy_remove(directory); /* files of an earlier copy */
	err = make_directory(&copying);
	if (!err)
		err = copy_zones(&copying);
	if (!err)
		err = copy_keys(&copying);
	if (!err)
		err = copy_cookies(&copying);
	if (!err)
		err = copy_management(&copying);
	if (!err)
		err = write_file(&copying,
				 arena_printf(&copying.arena, "%s/" CONFIG_COPY_FILE, directory),
				 put_model, &copying.model);
	if (!err)
		err = sync_all(&copying);
	arena_release(&copying.arena);
	return err;
}

void config_copy_remove(const char *directory)
{
	DIR *found = opendir(directory);
	const struct dirent *entry;

	while (found && (entry = readdir(found)))
		(void)unlinkat(dirfd(found), entry->d_name, 0); /* "." and ".." are refused */
	if (found)
		closedir(found);
	(void)rmdir(directory);
}
