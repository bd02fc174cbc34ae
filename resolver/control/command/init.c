/* `sluice init [FILE]`: a first configuration that answers at once, for its owner to change. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "resolver/control/command/command.h"

static const char text[] =
	"# A first configuration, made by `sluice init`. sluice.conf(5) has every setting.\n"
	"#\n"
	"#     sluice check -c FILE      what is wrong with it\n"
	"#     sluice run -c FILE        serves, until Ctrl-C\n"
	"#     dig @127.0.0.1 -p 5300 example.com\n"
	"\n"
	"region = \"home\";\n"
	"\n"
	"# Machines of this network are answered: those of its address_space, and of "
	"client_prefixes.\n"
	"virtual_networks = (\n"
	"  { name = \"home\";\n"
	"    address_space   = [ \"10.0.0.0/16\" ];\n"
	"    client_prefixes = [ \"127.0.0.0/8\" ];\n"
	"    subnets = ( { name = \"dns-out\"; prefix = \"10.0.0.0/28\"; delegation = "
	"\"Microsoft.Network/dnsResolvers\"; } ); } );\n"
	"\n"
	"# Where they ask. Port 53 is the usual one, and takes root to begin with (see `user`).\n"
	"vnet_resolver = { listen = [ \"127.0.0.1:5300\" ]; };\n"
	"\n"
	"# Where questions leave that a rule forwards. 0.0.0.0: by the system's choice of "
	"address.\n"
	"resolvers = (\n"
	"  { name = \"resolver\"; virtual_network = \"home\";\n"
	"    outbound_endpoints = ( { name = \"outbound\"; subnet = \"dns-out\"; source = "
	"\"0.0.0.0\"; } ); } );\n"
	"\n"
	"# Which names go to which servers; everything else goes to those of /etc/resolv.conf. A "
	"rule:\n"
	"#\n"
	"#     { name = \"contoso\"; domain = \"contoso.corp.\"; targets = ( { address = "
	"\"10.1.0.53\"; } ); }\n"
	"#\n"
	"# or, while the server runs, without editing this file:\n"
	"#\n"
	"#     sluice rule create -c FILE office contoso domain=contoso.corp. targets=10.1.0.53\n"
	"rulesets = (\n"
	"  { name = \"office\"; outbound_endpoints = [ \"resolver/outbound\" ];\n"
	"    links = ( { name = \"home\"; virtual_network = \"home\"; } );\n"
	"    rules = ( ); } );\n"
	"\n"
	"# How commands reach the server, and where it keeps what they change; beside this file.\n"
	"management = { socket = \"control.sock\"; state = \"state.db\"; };\n";

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
