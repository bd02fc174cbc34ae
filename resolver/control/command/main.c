/* `sluice`: the table of its commands. Each command is a function in a file beside this one; usage,
 * help and the allowed options come from the table. */
#include "resolver/control/command/command.h"
#include "resolver/control/command/import_row.h"
#include "resolver/control/observe/findings.h"

#define CALL       (OPTION_CONFIG | OPTION_SOCKET) /* asks the running server */
#define PTR_HELP   "ADDRESS|ID: the address, its id, or REGION:ID.\n"
#define GROUP_HELP "An address in no group is NAME alone; --group may give GROUP, too.\n"
#define KIND_HELP                                                                                  \
	"KIND is network, subnet, peering, resolver, inbound-endpoint, outbound-endpoint, zone,\n" \
	"zone-link, record-set, ruleset, ruleset-link, target-group, rule, network-interface,\n"   \
	"private-endpoint, zone-group, address-pool, key, transfer, client, address, service, "    \
	"ptr\n"                                                                                    \
	"or group; it may stand first (`sluice subnet list hub`).\n"                               \
	"IN is the network, resolver, zone, ruleset or private endpoint that contains the\n"       \
	"resource; a list without IN has all of the kind. A resource at the top is NAME, or\n"     \
	"GROUP/NAME in a resource group, or -/NAME in none; a PTR is its address or id. `sluice\n" \
	"help rule` has a rule's members.\n"
#define LIST_HELP                                                                                  \
	"`list address GROUP` lists the addresses of a group. --filter and --limit are the "       \
	"API's:\n"                                                                                 \
	"--filter q=mail --filter region=westeurope.\n"
#define MEMBER_HELP                                                                                \
	"Members are those of sluice.conf(5): domain=contoso.corp.,\n"                             \
	"targets=10.0.0.5,10.0.0.6:5353, address_space=10.0.0.0/16, tags=team=mail, or JSON. "     \
	"KEY=\n"                                                                                   \
	"removes a member. With --dry-run the command checks and shows the change, and changes\n"  \
	"nothing.\n"
#define RECORD_HELP                                                                                \
	"NAME is relative to the zone; @ is the zone itself. The set is the record-set "           \
	"NAME:TYPE.\n"
#define OWNED_HELP                                                                                 \
	"A reverse name must belong to the subscription: the name of one of its addresses or\n"    \
	"services, or one that leads there. The server checks that once, when the name is set.\n"

static const struct command commands[] = {
	{"run", command_run, OPTION_CONFIG | OPTION_RESOLV_CONF | OPTION_MASTER, 0, 0, "",
	 "serve DNS as the configuration says",
	 "Stays in the foreground and logs to stderr. SIGHUP reloads, SIGTERM and SIGINT stop. A\n"
	 "configuration with faults does not start, and never replaces the served one. This\n"
	 "process is the master, which has the sockets; its child serves, and the master starts "
	 "it\n"
	 "again when it ends by itself.\n"},
	/* Executed by the master. Named like options, because no interpreter takes an option for a
	 * file; masters of earlier versions use "serve". */
	{"--run", command_run, OPTION_CONFIG | OPTION_RESOLV_CONF | OPTION_MASTER, 0, 0, "", NULL,
	 ""},
	{"--serve", command_serve,
	 OPTION_CONFIG | OPTION_RESOLV_CONF | OPTION_MASTER | OPTION_BESIDE, 0, 0, "", NULL, ""},
	{"serve", command_serve, OPTION_CONFIG | OPTION_RESOLV_CONF | OPTION_MASTER | OPTION_BESIDE,
	 0, 0, "", NULL, ""},
	{"check", command_check, OPTION_CONFIG | OPTION_JSON | OPTION_RESOLV_CONF | OPTION_VERBOSE,
	 0, 0, "", "print every fault of the configuration",
	 "One line per fault: file:line: where: what is wrong and what would be right. Exits 1 if\n"
	 "there is an error; warnings alone are fine. With -v it also prints the items that "
	 "sluice\n"
	 "makes because the configuration needs them.\n"},
	{"init", command_init, 0, 0, 1, "[FILE]",
	 "write a first configuration, with comments, that answers at once",
	 "Prints to standard output without FILE, which must not exist yet.\n"},
	IMPORT_ROW(command_import),
	{"explain", command_explain,
	 OPTION_CONFIG | OPTION_JSON | OPTION_SOCKET | OPTION_RESOLV_CONF | OPTION_VNET |
		 OPTION_ENDPOINT | OPTION_FROM | OPTION_ASK | OPTION_OFFLINE,
	 1, 2, "NAME [TYPE]", "say who would answer a name, how, and why",
	 "The running server says what it would do, and sends no question. With --ask it resolves\n"
	 "the name as for such a client, and the command shows each target's answer, with its\n"
	 "time. With --offline the command reads the file and the state instead, and also if no\n"
	 "server listens, or if -c names another file than the server's. The first line says "
	 "which\n"
	 "it was.\n"
	 "--vnet, or --endpoint or --from or both, say where the question arrives; with a single\n"
	 "network they may be left out, which is --vnet. An address as NAME means the PTR of its\n"
	 "reverse name.\n"},
	{"upgrade", command_upgrade, CALL | OPTION_BINARY, 0, 0, "",
	 "have a new process take over from the running server, without losing a query",
	 "The master starts the new process on the same sockets. When the new one serves, the old\n"
	 "one answers its queries and ends; if the new one fails, the old one goes on, and this\n"
	 "exits 1. The number of workers must be the same.\n"},
	{"reload", command_reload, OPTION_CONFIG | OPTION_JSON | OPTION_SOCKET | OPTION_CONFIRM, 0,
	 0, "", "have the running server read its configuration again",
	 "Prints faults as check does, keeps the served configuration, and exits 1. With "
	 "--confirm\n"
	 "the server goes back to the configuration before if nobody confirms in time, even after\n"
	 "a crash or a restart. The file stays as it is.\n"},
	{"confirm", command_confirm, CALL | OPTION_JSON | OPTION_BACK, 0, 0, "",
	 "keep the changes of reload --confirm or apply --confirm, or go back at once",
	 "`sluice status` shows the waiting change, and its time.\n"},
	{"status", command_status, OPTION_CONFIG | OPTION_JSON | OPTION_SOCKET | OPTION_ALL, 0, 0,
	 "", "show the faults of the running server, its state and its counters",
	 "The worst comes first; long lists without faults are a number. --all shows all of them,\n"
	 "the zeros too.\n"},
	{"top", command_top, CALL | OPTION_INTERVAL | OPTION_ONCE, 0, 0, "",
	 "watch the running server: queries, targets, failing rules, events",
	 "Draws anew each second, until q or ^C. The keys r, t, n, s, d and e give all the room "
	 "to\n"
	 "rules without a target, targets, endpoints, sources of answers, deciders, or events; o\n"
	 "goes back. If standard output is no terminal, it prints one page. It respects "
	 "NO_COLOR.\n"},
	{"events", command_events, CALL | OPTION_JSON | OPTION_FOLLOW | OPTION_EXEC, 0, 0, "",
	 "list events: targets that fail, changes, reloads, trouble",
	 "Lists events among the latest 1000 lines of the log, which the server has in memory.\n"
	 "With --exec it runs the program for each event, one after the other, with the event's\n"
	 "words in $SLUICE_LEVEL, $SLUICE_EVENT and $SLUICE_TEXT, too. With events.webhook the\n"
	 "server calls a URL.\n"},
	{"names", command_names, CALL | OPTION_JSON | OPTION_LIMIT, 0, 0, "",
	 "list the names that clients ask for most, and what decides them",
	 "Counts, over the last 12 to 24 hours, questions to targets, and one in 16 of the "
	 "answers\n"
	 "from zones; answers from the cache do not count. count_names = false stops the "
	 "counting.\n"},
	{"dashboard", command_dashboard, CALL | OPTION_JSON, 0, 0, "",
	 "print a link that opens the dashboard, logged in",
	 "The link logs in once, within a minute, in a browser on the server's own machine, as "
	 "the\n"
	 "user who runs the command. It needs a loopback address in management.listen, and no\n"
	 "client.\n"},
	{"wait", command_wait,
	 CALL | OPTION_JSON | OPTION_GENERATION | OPTION_REVISION | OPTION_TIMEOUT, 0, 0, "",
	 "wait until the server answers DNS with a change",
	 "Waits also for a server that does not run yet. With --generation or --revision (which\n"
	 "reload, changes and status print) it waits until every worker serves that one or a "
	 "later\n"
	 "one. Exits 1 if that takes too long.\n"},
	{"flush", command_flush, OPTION_CONFIG | OPTION_JSON | OPTION_SOCKET | OPTION_SUFFIX, 0, 1,
	 "[NAME]", "empty the running server's cache, or drop a name from it", ""},
	{"list", command_resource_list, CALL | OPTION_JSON | OPTION_FILTER | OPTION_LIMIT, 1, 2,
	 "KIND [IN]", "list resources of a kind: networks, rulesets, rules, addresses and so on",
	 KIND_HELP LIST_HELP},
	{"show", command_resource_show, CALL | OPTION_JSON | OPTION_GROUP, 2, 3, "KIND [IN] NAME",
	 "show a resource", KIND_HELP},
	{"create", command_resource_create, CALL | OPTION_JSON | OPTION_DRY_RUN | OPTION_GROUP, 2,
	 COMMAND_WORDS_MAX, "KIND [IN] NAME [KEY=VALUE...]", "make a resource",
	 KIND_HELP MEMBER_HELP},
	{"set", command_resource_set, CALL | OPTION_JSON | OPTION_DRY_RUN | OPTION_GROUP, 3,
	 COMMAND_WORDS_MAX, "KIND [IN] NAME KEY=VALUE...", "change members of a resource",
	 KIND_HELP MEMBER_HELP},
	{"delete", command_resource_delete, CALL | OPTION_DRY_RUN | OPTION_GROUP, 2, 3,
	 "KIND [IN] NAME", "remove a resource and everything inside it", KIND_HELP},
	{"apply", command_apply,
	 CALL | OPTION_VNET | OPTION_DRY_RUN | OPTION_PRUNE | OPTION_CONFIRM, 1, 1, "FILE",
	 "give the running server the resources of a file, all of them or none",
	 "FILE is a configuration file. Prints the plan first. Resources that the server's own\n"
	 "file declares, and settings that are not resources, can be changed in that file only;\n"
	 "the command prints those that FILE has otherwise. With --confirm the change goes back "
	 "if\n"
	 "nobody confirms in time.\n"},
	{"diff", command_diff, CALL | OPTION_VNET | OPTION_PRUNE, 1, 1, "FILE",
	 "print what apply would do, and change nothing", "Exits 0 with or without changes.\n"},
	{"deploy", command_deploy,
	 CALL | OPTION_JSON | OPTION_GROUP | OPTION_REGION | OPTION_PARAMETER | OPTION_WHAT_IF |
		 OPTION_COMPLETE,
	 1, 1, "FILE", "deploy one of Azure's templates, all of it or nothing",
	 "FILE is a template in JSON, such as Bicep compiles to; with parameters by -p, or in a\n"
	 "file of parameters. The deployment has the name of FILE. --what-if prints + for\n"
	 "resources that it would create, ~ change, - delete, = leave as they are, and * for "
	 "other\n"
	 "resources of the group.\n"},
	{"plan", command_plan, CALL | OPTION_JSON | OPTION_LIMIT | OPTION_RESOLV_CONF, 1, 1, "FILE",
	 "list the names asked for that another configuration would decide otherwise",
	 "FILE is a configuration file; the command reads it with the state that it names, as\n"
	 "check does. Leave management.state out of an edited export. Among the names of `sluice\n"
	 "names` it prints those with another answer or other servers: - is the present decision,\n"
	 "+ the new one. Nothing changes.\n"},
	{"report", command_report, CALL | OPTION_JSON | OPTION_DAYS | OPTION_LIMIT | OPTION_WAIT, 0,
	 FINDINGS_SECTIONS, "[SECTION...]",
	 "show findings: unused rules, names that leave, PTRs that do not lead back",
	 "SECTION is rules, targets (not used for that many days), leaving (internal names that "
	 "go\n"
	 "to the default resolver), ptrs, delegations (which ask the network, 100 questions a\n"
	 "second), names (asked for most) or slow (rules with slow targets). The command waits\n"
	 "half a minute for answers of the network, and prints the known results; --wait waits "
	 "for\n"
	 "all of them.\n"},
	{"export", command_export, CALL | OPTION_AS, 0, 0, "",
	 "print the running server's configuration, with the resources of the state",
	 "As libconfig it is a complete configuration file, with the secrets of the original; as\n"
	 "json it is the edits that make its resources, for POST /v1/changes.\n"},
	{"log", command_log, CALL | OPTION_JSON | OPTION_FOLLOW, 0, COMMAND_WORDS_MAX,
	 "[KEY=VALUE...]", "show the latest queries, with what decided them, or watch them come",
	 "suffix=NAME, client=PREFIX, network=NAME, rcode=NAME and slower_than_ms=N are filters. "
	 "A\n"
	 "query must fit all of them; if a filter has several values, with commas, one is enough.\n"
	 "With --follow it shows queries from now on, with or without a query_log in the\n"
	 "configuration. With --json it prints one JSON object a line.\n"},
	{"history", command_history, CALL | OPTION_JSON | OPTION_FOLLOW | OPTION_LIMIT, 0, 1,
	 "[REVISION]", "list the changes of a week, with time and author",
	 "Prints a line for each change, the latest last; with --limit only that number of latest\n"
	 "changes. With a REVISION it prints the values before and after. \"uid 0 (says anna)\" "
	 "has\n"
	 "the name of the person who logged in, which nobody checks. With --follow it goes on\n"
	 "with new changes, and with --json, too, it prints one JSON object a line, for each\n"
	 "resource.\n"},
	{"undo", command_undo, CALL | OPTION_DRY_RUN, 1, 1, "REVISION", "take a change back",
	 "The server refuses if one of its resources has changed since, and names the author.\n"},
	{"rule list", command_rule_list,
	 CALL | OPTION_JSON | OPTION_CSV | OPTION_FILTER | OPTION_LIMIT, 0, 1, "[[GROUP/]RULESET]",
	 "list the rules of a ruleset, or of all",
	 "With --csv the list has the form that `sluice rule import` reads.\n"},
	{"rule import", command_rule_import, CALL | OPTION_JSON | OPTION_DRY_RUN, 1, 2,
	 "[[GROUP/]RULESET] FILE.csv", "make or change many rules at once, all of them or none",
	 "The first line names the columns: domain, and optionally targets, target_group, name,\n"
	 "ruleset, state, description and other members of a rule. Commas separate fields, or\n"
	 "semicolons or tabs; commas, semicolons or blanks separate targets, in quotes if that\n"
	 "separates fields. A row with a name means the rule of that name; a row without one\n"
	 "means the rule for its domain. If there is none, it makes a new rule. RULESET may be\n"
	 "left out if there is only one. Rules that the file does not have stay. FILE.csv may be\n"
	 "- for standard input.\n"},
	{"record list", command_record_list, CALL | OPTION_JSON, 1, 1, "ZONE",
	 "list the record sets of a zone without a file",
	 "The records of a zone file are not resources; `sluice zone export` prints any zone.\n"},
	{"record show", command_record_show, CALL | OPTION_JSON, 3, 3, "ZONE NAME TYPE",
	 "show a record set", RECORD_HELP},
	{"record create", command_record_create, CALL | OPTION_JSON | OPTION_TTL | OPTION_DRY_RUN,
	 4, COMMAND_WORDS_MAX, "ZONE NAME TYPE DATA...", "make a new record set",
	 RECORD_HELP "DATA is as for `sluice record set`.\n"},
	{"record set", command_record_set, CALL | OPTION_JSON | OPTION_TTL | OPTION_DRY_RUN, 4,
	 COMMAND_WORDS_MAX, "ZONE NAME TYPE DATA...", "make a record set, or give it other records",
	 RECORD_HELP
	 "DATA is the data of one record, as in a master file; quote several words:\n"
	 "    sluice record set corp.internal @ MX '10 mail' '20 backup'\n"
	 "These records replace all others of the set. Without a TTL the set keeps its TTL, or\n"
	 "gets 3600; the metadata stay. With --dry-run the command checks and shows the change,\n"
	 "and changes nothing.\n"},
	{"record delete", command_record_delete, CALL | OPTION_DRY_RUN, 3, 3, "ZONE NAME TYPE",
	 "remove a record set", RECORD_HELP},
	{"zone import", command_zone_import, CALL | OPTION_DRY_RUN | OPTION_PRUNE, 2, 2,
	 "ZONE FILE", "put a master file's records into a zone, all of them or none",
	 "Makes a zone that does not exist; `sluice create zone-link` makes it visible. Prints "
	 "the\n"
	 "plan first. Record sets of the zone that FILE does not have stay, unless --prune is\n"
	 "given. FILE may be - for standard input.\n"},
	{"zone export", command_zone_export, CALL, 1, 1, "ZONE",
	 "print a zone as a master file, from its file or its record sets", ""},
	{"registration list", command_registration_list, CALL | OPTION_JSON, 0, 1, "[ZONE]",
	 "list the records that machines and clients have registered",
	 "A machine is a network interface in a network that is linked to a zone with\n"
	 "registration; a client registers by DNS UPDATE. A zone's own record hides a registered\n"
	 "one of its name, and a machine's record hides a client's.\n"},
	{"registration delete", command_registration_delete,
	 CALL | OPTION_JSON | OPTION_DRY_RUN | OPTION_ZONE | OPTION_ALL, 0, 2, "[NAME [TYPE]]",
	 "remove clients' registrations: a name, or with --all all of a zone",
	 "NAME is whole, as in the list; its PTRs that lead back to it go with it. A machine's\n"
	 "record goes with its network interface. A client that still runs registers again. The\n"
	 "zone need not be in the configuration. The removal is not in the history, and there is\n"
	 "no undo.\n"},
	{"ptr list", command_ptr_list,
	 CALL | OPTION_JSON | OPTION_CSV | OPTION_FILTER | OPTION_LIMIT, 0, 0, "",
	 "list every address with the name that its PTR gives",
	 "With --csv the list has the form that `sluice ptr import` reads.\n"},
	{"ptr set", command_ptr_set,
	 CALL | OPTION_JSON | OPTION_TTL | OPTION_DESCRIPTION | OPTION_DRY_RUN | OPTION_MAKE, 2,
	 COMMAND_WORDS_MAX, "ADDRESS|ID [NAME] [KEY=VALUE...]",
	 "set the name that an address's PTR gives",
	 PTR_HELP
	 "With a NAME, TTL and description are the given ones, or none. A name that does not lead\n"
	 "back to the address is set with a warning; but a cloud service's name must belong to "
	 "the\n"
	 "subscription. The command refuses an address that does not exist; --make makes it, with\n"
	 "its text as its name, if one of your pools has it. Returns when the PTR is served.\n"},
	{"ptr delete", command_resource_delete, CALL | OPTION_DRY_RUN, 1, 1, "ADDRESS|ID",
	 "remove the PTR of an address", PTR_HELP},
	{"ptr import", command_ptr_import, CALL | OPTION_JSON | OPTION_DRY_RUN | OPTION_MAKE, 1, 1,
	 "FILE.csv", "set and remove many PTRs at once, all of them or none",
	 "The first line names the columns: address, reverse_fqdn (or ptrdname), and optionally\n"
	 "description and ttl. A row gives the whole PTR of its address; a row without a name\n"
	 "removes it. FILE.csv may be - for standard input. The command reports wrong rows by\n"
	 "line, and then changes nothing. --make makes missing addresses, as for ptr set. Returns\n"
	 "when the PTRs are served.\n"},
	{"ptr check", command_ptr_check, CALL | OPTION_JSON | OPTION_VNET, 1, 1, "ADDRESS|NAME",
	 "check whether an address's name leads back to it, as mail servers do",
	 "Checks any address or name, through the running server's resolver. Exits 0 only if the\n"
	 "result is confirmed. --vnet asks as that network sees the names; without it, the server\n"
	 "asks for a private address in its own network, and for anything else the default\n"
	 "resolver.\n"},
	{"ptr delegation", command_ptr_delegation,
	 OPTION_CONFIG | OPTION_JSON | OPTION_RESOLV_CONF | OPTION_NS, 1, 1, "PREFIX",
	 "print the delegations and CNAMEs that a prefix's provider must add",
	 "Reads the file, and needs no server. Prints lines for the zone above: NS records for\n"
	 "each reverse zone of the prefix, and the CNAMEs of RFC 2317 for a part of an octet.\n"
	 "Warns of a prefix that is not in one of your pools.\n"},
	{"address create", command_resource_create,
	 CALL | OPTION_JSON | OPTION_GROUP | OPTION_REGION | OPTION_LABEL | OPTION_STATIC |
		 OPTION_REVERSE_FQDN | OPTION_DESCRIPTION | OPTION_TTL | OPTION_TAG |
		 OPTION_DRY_RUN,
	 1, COMMAND_WORDS_MAX, "[GROUP/]NAME [ADDRESS] [KEY=VALUE...]",
	 "make an address, with its PTR if one is given",
	 GROUP_HELP "Without ADDRESS it takes a free one of a pool of its region.\n"},
	{"address delete", command_resource_delete, CALL | OPTION_GROUP | OPTION_DRY_RUN, 1, 1,
	 "[GROUP/]NAME", "remove an address and its PTR", GROUP_HELP},
	{"service create", command_resource_create,
	 CALL | OPTION_JSON | OPTION_DESCRIPTION | OPTION_REVERSE_FQDN | OPTION_TTL | OPTION_TAG |
		 OPTION_DRY_RUN,
	 2, COMMAND_WORDS_MAX, "NAME ADDRESS [KEY=VALUE...]",
	 "make a cloud service, with its PTR if one is given", OWNED_HELP},
	{"service set", command_resource_set,
	 CALL | OPTION_JSON | OPTION_ADDRESS | OPTION_DESCRIPTION | OPTION_REVERSE_FQDN |
		 OPTION_TTL | OPTION_TAG | OPTION_DRY_RUN,
	 1, COMMAND_WORDS_MAX, "NAME [KEY=VALUE...]", "change members of a cloud service",
	 OWNED_HELP},
	{"service delete", command_resource_delete, CALL | OPTION_DRY_RUN, 1, 1, "NAME",
	 "remove a cloud service and its PTR", ""},
	{"state export", command_state_export, CALL, 0, 1, "[FILE]",
	 "write the state of the management API, as JSON", "To standard output without FILE.\n"},
	{"state import", command_state_import, CALL, 1, 1, "FILE",
	 "put an export into the running server, all of it or nothing",
	 "FILE may be - for standard input.\n"},
	{"completion", command_completion, 0, 1, 1, "bash|zsh",
	 "print a script that completes command lines",
	 "For bash: source <(sluice completion bash); the same for zsh, after compinit.\n"},
	{"help", command_help, 0, 0, 2, "[COMMAND|KIND]",
	 "list the commands, or describe one, or a kind of resource", ""},
	{"manual", command_manual, 0, 0, 0, "", "print the manual page sluice.conf(5)",
	 "The page comes from the table of fields that also drives the reader of the file:\n"
	 "    sluice manual | man -l -\n"},
	{.name = NULL},
};

int main(int argc, char **argv)
{
	return command_main(commands, argc, argv);
}
