/* The command `import` is a separate program, sluice-import, so that the server's program has no
 * code that reads other programs' files. Both take the command's row from here, so `sluice import`
 * and sluice-import have the same options, and help and completion need not run sluice-import. */
#ifndef SLUICE_IMPORT_ROW_H
#define SLUICE_IMPORT_ROW_H

#include "resolver/control/command/command.h"

/* The dialects: name, as in `sluice import`; whether its files describe Azure or a forwarder; and
 * the function that puts together the contents of all files. NAME_read (control/import/dialect.h)
 * reads one. */
#define IMPORT_DIALECTS(DIALECT)                                                                   \
	DIALECT(arm, AZURE, arm_finish)                                                            \
	DIALECT(terraform, AZURE, terraform_finish)                                                \
	DIALECT(unbound, FORWARDER, unbound_finish)                                                \
	DIALECT(bind, FORWARDER, bind_finish)                                                      \
	DIALECT(dnsmasq, FORWARDER, dnsmasq_finish)                                                \
	DIALECT(coredns, FORWARDER, coredns_finish)                                                \
	DIALECT(hosts, FORWARDER, forward_finish)                                                  \
	DIALECT(windows, FORWARDER, windows_finish)                                                \
	DIALECT(adguard, FORWARDER, adguard_finish)                                                \
	DIALECT(dnsdist, FORWARDER, dnsdist_finish)                                                \
	DIALECT(pihole, FORWARDER, pihole_finish)

#define IMPORT_NAME(name, from, finish) " " #name
#define IMPORT_NAMES                    IMPORT_DIALECTS(IMPORT_NAME) /* " arm terraform ..." */

#define IMPORT_ROW(run)                                                                            \
	{                                                                                          \
		"import", run,                                                                     \
			OPTION_CONFIG | OPTION_SOCKET | OPTION_OUTPUT | OPTION_VNET |              \
				OPTION_ZONE | OPTION_NO_HOSTS | OPTION_APPLY | OPTION_DRY_RUN |    \
				OPTION_PRUNE | OPTION_CONFIRM,                                     \
			2, COMMAND_WORDS_MAX, "DIALECT FILE...",                                   \
			"write a configuration of what another program or Azure has",              \
			"DIALECT is one of\n" IMPORT_NAMES ".\n"                                   \
			"FILE may be - for standard input. arm takes what az prints; `sluice "     \
			"deploy`\n"                                                                \
			"is for Azure's templates. What is not carried over, and why, is printed " \
			"by\n"                                                                     \
			"file and line. --vnet is the network whose clients it is for, as the "    \
			"server\n"                                                                 \
			"has it. --zone says of names and addresses that stand alone, as in a "    \
			"hosts\n"                                                                  \
			"file, that there are no others in DOMAIN, which is one zone then. The "   \
			"options\n"                                                                \
			"of apply go with --apply.\n"                                              \
	}

#endif
