/* `sluice init [FILE]`: a first configuration that answers at once, for its owner to change. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "resolver/control/command/command.h"

static const char text[] =
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
	"\n"
	"# How commands reach the server, and where it keeps what they change; beside this file.\n"
	"# For the unit of systemd: management = { state = \"/var/lib/sluice/state.db\"; };\n"
	"management = { socket = \"control.sock\"; state = \"state.db\"; };\n"
	"\n"
	"# Who asks what is shown by `sluice log --follow`; this has it in a file, too:\n"
	"#\n"
	"#     query_log = { file = \"queries.json\"; };\n";

int command_init(const struct command_line *line)
{
	const char *path = line->argument_count > 0 ? line->arguments[0] : NULL;
	size_t length = sizeof text - 1;
	int fd;

	if (!path)
		return fputs(text, stdout) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0 && errno == EEXIST)
		return command_fail_at(line, "%s is there already; name another file", path);
	if (fd < 0)
		return command_fail_at(line, "%s cannot be made: %s", path, strerror(errno));
	if (write(fd, text, length) != (ssize_t)length || close(fd) != 0) {
		unlink(path);
		return command_fail_at(line, "%s cannot be written: %s", path, strerror(errno));
	}
	printf("%s is written; now: sluice run -c %s\n", path, path);
	return EXIT_SUCCESS;
}
