/* `sluice init [FILE]`: writes a first configuration that works at once and is meant to be
 * changed. */
#include <errno.h>
#include <fcntl.h>
#include <resolv.h>
#include <unistd.h>

#include "resolver/control/command/command.h"
#include "rules/name.h"

static const char beginning[] =
	"# A first configuration, made by `sluice init`. sluice.conf(5) has every setting.\n"
	"#\n"
	"#     sluice check -v -c FILE   what is wrong with it, and what it leaves to sluice\n"
	"#     sluice run -c FILE        serves, until Ctrl-C\n"
	"#     dig @127.0.0.1 -p 5300 example.com\n"
	"\n"
	"# Where machines ask. Port 53 is the usual one, and takes root to begin with (see "
	"`user`).\n"
	"vnet_resolver = { listen = [ \"127.0.0.1:5300\" ]; };\n"
	"\n"
	"# Whose questions are answered: this machine's, and those of private networks.\n"
	"# Another network says which machines are in it: address_space = [ \"10.1.0.0/16\" ].\n"
	"virtual_networks = ( { name = \"home\"; } );\n"
	"\n"
	"# Which names go to which servers; all others go to those of /etc/resolv.conf. A rule:\n"
	"#\n"
	"#     { name = \"contoso\"; domain = \"contoso.corp.\"; targets = ( { address = "
	"\"10.1.0.53\"; } ); }\n"
	"#\n"
	"# or, while the server runs, without editing this file:\n"
	"#\n"
	"#     sluice rule create -c FILE office contoso domain=contoso.corp. targets=10.1.0.53\n"
	"rulesets = (\n"
	"  { name = \"office\";\n"
	"    links = ( { name = \"home\"; virtual_network = \"home\"; } );\n"
	"    rules = ( ); } );\n"
	"\n"
	"# Azure's limits hold, but for these: names of one label, such as \"printer\", can be "
	"served, "
	"and a\n"
	"# network can have several rulesets, such as those that `sluice import --apply` makes "
	"beside "
	"office.\n"
	"limits = { zone_labels_min = 1; rulesets_per_virtual_network = 10; };\n"
	"\n";

static const char own_domain[] =
	"# An address with a label is named LABEL.REGION.SUFFIX, a service NAME.SERVICE_SUFFIX.\n"
	"# This is the domain of this machine. Write another one if it is not yours, or if a\n"
	"# zone or a rule has it, because they answer first. Without the line, these names are in\n"
	"# Azure's domains.\n"
	"reverse = { suffix = \"%s\"; service_suffix = \"%s\"; };\n"
	"\n";

static const char no_domain[] =
	"# An address with a label is named LABEL.REGION.SUFFIX, a service NAME.SERVICE_SUFFIX.\n"
	"# This machine knows no domain of yours, so these names are in Azure's domains unless\n"
	"# you write yours:\n"
	"#\n"
	"#     reverse = { suffix = \"corp.example\"; service_suffix = \"corp.example\"; };\n"
	"\n";

static const char end[] =
	"# How commands reach the server, and where it keeps what they change; beside this file.\n"
	"# For the unit of systemd: management = { state = \"/var/lib/sluice/state.db\"; };\n"
	"management = { socket = \"control.sock\"; state = \"state.db\"; };\n"
	"\n"
	"# Who asks what is shown by `sluice log --follow`; this has it in a file, too:\n"
	"#\n"
	"#     query_log = { file = \"queries.json\"; };\n";

/* The domain of this machine as the C library knows it, from resolv.conf or the host's name,
 * without asking anybody; "": none. A domain of one label, such as "lan" or "localdomain", does not
 * count: every router gives its network one. */
static void find_domain(char domain[NAME_TEXT_MAX])
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.";
	struct __res_state state = {0};
	const char *found;
	struct name name;

	domain[0] = '\0';
	if (res_ninit(&state) != 0)
		return;
	found = state.dnsrch[0];
	if (found && found[strspn(found, letters)] == '\0' &&
	    name_from_text(&name, NULL, found) == 0 && name.labels > 1) {
		size_t length = strlen(found);

		length -= found[length - 1] == '.';
		snprintf(domain, NAME_TEXT_MAX, "%.*s", (int)length, found);
	}
	res_nclose(&state);
}

static void write_first(FILE *out)
{
	char domain[NAME_TEXT_MAX];

	find_domain(domain);
	fputs(beginning, out);
	if (domain[0])
		fprintf(out, own_domain, domain, domain);
	else
		fputs(no_domain, out);
	fputs(end, out);
}

int command_init(const struct command_line *line)
{
	const char *path = line->argument_count > 0 ? line->arguments[0] : NULL;
	FILE *out;
	bool failed;
	int fd;

	if (!path) {
		write_first(stdout);
		return fflush(stdout) == 0 && !ferror(stdout) ? EXIT_SUCCESS : EXIT_FAILURE;
	}
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	out = fd >= 0 ? fdopen(fd, "w") : NULL;
	if (!out && errno == EEXIST)
		return command_fail_at(line, "%s is there already; name another file", path);
	if (!out)
		return command_fail_at(line, "%s cannot be made: %s", path, strerror(errno));
	write_first(out);
	failed = ferror(out) != 0;
	failed |= fclose(out) != 0;
	if (failed) {
		unlink(path);
		return command_fail_at(line, "%s cannot be written: %s", path, strerror(errno));
	}
	printf("%s is written; now: sluice run -c %s\n", path, path);
	return EXIT_SUCCESS;
}
