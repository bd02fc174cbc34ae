/* `sluice`: the table of its commands. Each is a file in resolver/control/; usage, help and the
 * options that a command takes come from here. */
#include "resolver/control/command.h"

static const struct command commands[] = {
	{"run", command_run, OPTION_CONFIG | OPTION_RESOLV_CONF, 0, 0, "",
	 "serve DNS as the configuration says",
	 "Stays in the foreground and logs to stderr. SIGHUP reloads, SIGTERM and SIGINT stop.\n"
	 "A configuration with faults is not started, and never replaces one that is served.\n"},
	{"check", command_check, OPTION_CONFIG | OPTION_JSON | OPTION_RESOLV_CONF, 0, 0, "",
	 "print everything that is wrong with the configuration",
	 "One line per fault: file:line: where: what is wrong and what would be right. Exits 1\n"
	 "when there is an error; warnings alone are fine.\n"},
	{"explain", command_explain,
	 OPTION_CONFIG | OPTION_JSON | OPTION_SOCKET | OPTION_RESOLV_CONF | OPTION_VNET |
		 OPTION_ENDPOINT | OPTION_FROM,
	 1, 2, "NAME [TYPE]", "say who would answer a name, how, and why",
	 "Works on the file; a running server is only asked for its targets' health. One of "
	 "--vnet,\n"
	 "--endpoint and --from says where the question arrives; with a single network it may be\n"
	 "left out, which is --vnet.\n"},
	{"reload", command_reload, OPTION_CONFIG | OPTION_JSON | OPTION_SOCKET, 0, 0, "",
	 "have the running server read its configuration again",
	 "Faults are printed as by check, and the server keeps what it has; exits 1 then.\n"},
	{"status", command_status, OPTION_CONFIG | OPTION_JSON | OPTION_SOCKET, 0, 0, "",
	 "show what the running server serves, its targets' health and its counters", ""},
	{"flush", command_flush, OPTION_CONFIG | OPTION_JSON | OPTION_SOCKET | OPTION_SUFFIX, 0, 1,
	 "[NAME]", "empty the running server's cache, or drop a name from it", ""},
	{"help", command_help, 0, 0, 1, "[COMMAND]", "list the commands, or tell about one", ""},
	{"manual", command_manual, 0, 0, 0, "", "print the manual page sluice.conf(5)",
	 "Made from the table of fields that also drives the reader of the file:\n"
	 "    sluice manual | man -l -\n"},
	{.name = NULL},
};

int main(int argc, char **argv)
{
	return command_main(commands, argc, argv);
}
