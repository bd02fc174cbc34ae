/* sluice-import, which `sluice import DIALECT FILE...` runs: turns the configuration of Azure or of
 * another program into a configuration file of sluice. With --apply that goes to `sluice apply`. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "resolver/control/base/exit.h"
#include "resolver/control/command/import_row.h"
#include "resolver/control/command/program.h"
#include "resolver/control/import/dialect.h"
#include "resolver/control/import/forward.h"
#include "resolver/control/resource/kind.h"
#include "rules/base.h"
#include "rules/err.h"
#include "rules/schema/schema.h"

/* NULL: the file cannot be made, which is reported. */
static FILE *make_file(const struct command_line *line, const char *path, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	FILE *out = fd >= 0 ? fdopen(fd, "w") : NULL;

	if (!out && errno == EEXIST)
		command_fail_at(line, "%s is there already; name another file", path);
	else if (!out)
		command_fail_at(line, "%s cannot be made: %s", path, strerror(errno));
	return out;
}

/* Writes new files: FILE, and those that it includes (FILE.names, FILE.addresses). If one fails,
 * all are removed. */
static int write_file(const struct command_line *line, struct import *import, const char *from)
{
	enum { FILES = 1 + IMPORT_ASIDES };
	struct {
		const char *path; /* NULL: not needed, or not made */
		FILE *out;
	} files[FILES] = {{NULL, NULL}};
	struct import_aside asides[IMPORT_ASIDES] = {{NULL, NULL}};
	bool fine = true;

	for (unsigned i = 0; fine && i < FILES; i++) {
		const char *word = i > 0 ? import_aside_word(import, i - 1) : NULL, *slash;
		const char *path =
			word ? import_printf(import, "%s.%s", line->output, word) : line->output;

		if (i > 0 && !word)
			continue;
		files[i].out = make_file(line, path, import_mode(import));
		fine = files[i].out;
		files[i].path = fine ? path : NULL; /* only new files may be removed */
		slash = strrchr(path, '/');
		if (i > 0)
			asides[i - 1] =
				(struct import_aside){slash ? slash + 1 : path, files[i].out};
	}
	if (fine && import_write(import, from, files[0].out, asides) != 0) {
		command_fail_at(line, "%s cannot be written: %s", line->output, strerror(errno));
		fine = false;
	}
	for (unsigned i = 0; i < FILES; i++)
		if (files[i].out && fclose(files[i].out) != 0 && fine) {
			command_fail_at(line, "%s cannot be written: %s", files[i].path,
					strerror(errno));
			fine = false;
		}
	for (unsigned i = 0; !fine && i < FILES; i++)
		if (files[i].path)
			unlink(files[i].path);
	return fine ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* Fills in the arguments of `sluice apply` from the command line given. */
static void apply_words(const struct command_line *line, char *file, char **words)
{
	const struct {
		uint64_t option;
		const char *name, *value; /* value NULL: an option without one */
	} given[] = {
		{OPTION_CONFIG, "--config", line->config},
		{OPTION_SOCKET, "--socket", line->socket},
		{OPTION_VNET, "--vnet", line->vnet},
		{OPTION_CONFIRM, "--confirm", line->confirm},
		{OPTION_DRY_RUN, "--dry-run", NULL},
		{OPTION_PRUNE, "--prune", NULL},
	};
	int count = 1; /* the program's name comes first */

	words[count++] = "apply";
	for (size_t i = 0; i < COUNT(given); i++) {
		if (!(line->given & given[i].option))
			continue;
		words[count++] = (char *)given[i].name;
		if (given[i].value)
			words[count++] = (char *)given[i].value;
	}
	words[count] = file;
}

/* Becomes `sluice apply`, with the configuration as a file in memory. */
static int apply(const struct command_line *line, struct import *import, const char *from)
{
	int fd = memfd_create("import", 0), copy = fd >= 0 ? fcntl(fd, F_DUPFD_CLOEXEC, 0) : -1;
	FILE *out = copy >= 0 ? fdopen(copy, "w") : NULL;
	char path[64], *words[20] = {NULL};
	int status;

	if (!out || import_write(import, from, out, NULL) != 0 || fflush(out) != 0) {
		status =
			command_fail_at(line, "no file in memory can be made: %s", strerror(errno));
	} else {
		snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
		apply_words(line, path, words);
		status = program_become(line, "sluice", words);
	}
	if (out)
		fclose(out);
	else if (copy >= 0)
		close(copy);
	if (fd >= 0)
		close(fd);
	return status;
}

/* Access that was open and is written closed needs a person's decision. */
static int write_out(const struct command_line *line, struct import *import, const char *from)
{
	if (line->apply && import_is_closed(import))
		return command_fail_at(line, "nothing is applied, as what is closed now was open, "
					     "see above; import without --apply, choose, apply "
					     "that");
	if (line->apply)
		return apply(line, import, from);
	if (line->output)
		return write_file(line, import, from);
	if (import_write(import, from, stdout, NULL) == 0)
		return EXIT_SUCCESS;
	return command_fail_at(line, "standard output: %s", strerror(errno));
}

/* Whether a network can have this name; otherwise reports why not. */
static bool is_network_name(const struct command_line *line, const char *name)
{
	const struct field *field = schema_field(kind_field(kind_named("network"))->group, "name");
	static const struct origin option = {.path = "--vnet"};
	struct virtual_network network = {0};
	struct faults faults;
	struct arena arena;
	bool fits;

	arena_init(&arena);
	faults_init(&faults);
	fits = schema_set_text(field, &network, name, &option, &arena, &faults) == 0;
	if (!fits)
		command_misuse(line, "--vnet %s", faults.count > 0 ? faults.items[0].text : name);
	faults_release(&faults);
	arena_release(&arena);
	return fits;
}

static int import_files(const struct command_line *line)
{
	const struct dialect *dialect = dialect_named(line->arguments[0]);
	struct import *import;
	int status = EXIT_FAILURE;
	const char *vnet = line->vnet, *slash = vnet ? strchr(vnet, '/') : NULL;
	char names[128];

	if (!dialect)
		return command_misuse(line, "\"%s\" cannot be imported; give %s",
				      line->arguments[0], dialect_names(names, sizeof names));
	if (!line->apply && (line->dry_run || line->prune || line->confirm))
		return command_misuse(line, "--dry-run, --prune and --confirm go with --apply");
	if (line->apply && line->output)
		return command_misuse(line, "--output and --apply do not go together");
	if (line->vnet && dialect->from != IMPORT_FORWARDER)
		return command_misuse(line, "--vnet is for a forwarder's configuration; networks "
					    "of Azure's keep their names");
	if (line->zones.count > 0 && dialect->from != IMPORT_FORWARDER)
		return command_misuse(line, "--zone is for a forwarder's configuration; Azure's "
					    "zones are as they are");
	if (line->no_hosts && strcmp(dialect->name, "dnsmasq") != 0 &&
	    strcmp(dialect->name, "pihole") != 0)
		return command_misuse(line, "--no-hosts is for dnsmasq and pihole; others do not "
					    "read /etc/hosts unless told to");
	if (slash && !line->apply)
		return command_misuse(line, "--vnet GROUP/NAME goes with --apply; what is written "
					    "down has a network of a NAME alone");
	if (slash) /* `sluice apply` gets the group */
		vnet = slash + 1;
	if (vnet && !is_network_name(line, vnet))
		return COMMAND_USAGE;
	import = import_new(line->apply);
	if (vnet)
		forward_into(import, vnet);
	if (line->no_hosts)
		forward_without_hosts(import);
	for (int i = 0; i < line->zones.count; i++)
		if (!forward_whole(import, line->zones.items[i])) {
			import_free(import);
			return command_misuse(line,
					      "--zone %s is no domain name, and no prefix, that no "
					      "other --zone has",
					      line->zones.items[i]);
		}
	for (int i = 1; i < line->argument_count; i++)
		dialect->read(import, line->arguments[i]);
	bool fine = dialect_finish(dialect, import);

	fflush(stdout);
	import_print(import, stderr);
	if (!fine)
		command_fail_at(line, "nothing is written, see above");
	else
		status = write_out(line, import,
				   import_printf(import, "%s%s", line->arguments[1],
						 line->argument_count > 2 ? " and others" : ""));
	if (status == EXIT_SUCCESS && import_is_closed(import))
		status = command_fail_at(line, "what is closed now was open: choose, see above");
	import_free(import);
	return status;
}

int main(int argc, char **argv)
{
	static const struct command commands[] = {IMPORT_ROW(import_files), {.name = NULL}};
	char **words = calloc((size_t)argc + 2, sizeof *words);
	int status;

	if (!words)
		return exit_fail("%s", err_text(ERR_NOMEM));
	words[0] = argv[0];
	words[1] = "import"; /* the command's name in sluice */
	memcpy(words + 2, argv + 1, (size_t)argc * sizeof *words);
	status = command_main(commands, argc + 1, words);
	free(words);
	return status;
}
