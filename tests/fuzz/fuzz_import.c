/* Another program's configuration: what comes of it is refused with a fault, or is one of ours that
 * is read again without a fault. The first byte says whose it is. The file is one in memory, which
 * has a path in /proc; what it includes is of this machine, so that an input that could name a file
 * is passed over. */
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "resolver/control/config/file.h"
#include "resolver/control/import/dialect.h"
#include "rules/err.h"
#include "tests/fuzz/fuzz.h"

enum { TEXT_MAX = 16 * 1024 };

static const struct hash_key key = {1, 2};

/* libconfig's scanner forgets the string it was reading when the text ends in one; for ldns see
 * fuzz_zonefile.c. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libconfig_strbuf_append\nleak:libconfig_yylex\nleak:libconfig_yyparse\n"
	       "leak:ldns_str2rdf_ipseckey\nleak:ldns_rdf_new_frm_data\n";
}

const char *__lsan_default_options(void);
const char *__lsan_default_options(void)
{
	return "print_suppressions=0";
}

static bool names_a_file(const uint8_t *data, size_t size)
{
	static const char *const words[] = {"include", "conf-", "file", "hosts", "import", "auto",
					    "/proc", "/dev/", "/etc/", "/tmp",
					    /* and what makes much of little */
					    "copy", "range("};

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (size > 0 && memmem(data, size, words[i], strlen(words[i])))
			return true;
	return false;
}

/* A path of the bytes. */
static const char *put(int fd, const char *ahead, const void *bytes, size_t size, char path[64])
{
	FUZZ_CHECK(ftruncate(fd, 0) == 0);
	FUZZ_CHECK(pwrite(fd, ahead, strlen(ahead), 0) == (ssize_t)strlen(ahead));
	FUZZ_CHECK(pwrite(fd, bytes, size, (off_t)strlen(ahead)) == (ssize_t)size);
	snprintf(path, 64, "/proc/self/fd/%d", fd);
	return path;
}

static void check_written(struct import *import, int fd)
{
	char *text = NULL, path[64];
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);
	struct faults faults;

	FUZZ_CHECK(out && import_write(import, "fuzz", out) == 0);
	fclose(out);
	faults_init(&faults);
	struct model *model =
		config_file_read(put(fd, "", text, length, path), &key, NULL, &faults);
	if (!model || faults.errors > 0) {
		fputs(text, stderr);
		faults_print(&faults, stderr);
	}
	FUZZ_CHECK(model && faults.errors == 0);
	model_free(model);
	faults_release(&faults);
	free(text);
}

const double fuzz_byte_us = 500;

int fuzz_one(const uint8_t *data, size_t size)
{
	static int fd = -1;
	size_t count = 0;
	char path[64];

	if (size < 1 || size > TEXT_MAX || names_a_file(data + 1, size - 1))
		return 0;
	if (fd < 0)
		fd = memfd_create("import", MFD_CLOEXEC);
	FUZZ_CHECK(fd >= 0);
	while (dialects[count].name)
		count++;
	const struct dialect *dialect = &dialects[data[0] % count];
	struct import *import = import_new(false);
	/* dnsmasq reads the machine's own names unless it is told not to. */
	const char *ahead = strcmp(dialect->name, "dnsmasq") == 0 ? "no-hosts\nno-resolv\n" : "";

	dialect->read(import, put(fd, ahead, data + 1, size - 1, path));
	if (dialect_finish(dialect, import))
		check_written(import, fd);
	import_free(import);
	return 0;
}
