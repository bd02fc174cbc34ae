/* `sluice manual`: sluice.conf(5), for the build and for readers without the man pages. */
#include "resolver/control/config/manual.h"
#include "resolver/control/command/command.h"

int command_manual(const struct command_line *line)
{
	(void)line;
	manual_sluice_conf(stdout);
	return EXIT_SUCCESS;
}
