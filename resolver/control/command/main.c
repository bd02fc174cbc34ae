/* `sluice`: the table of its commands. Each command is a function in a file beside this one; usage,
 * help and the allowed options come from the table. */
#include "resolver/control/command/command.h"
#include "resolver/control/command/import_row.h"
#include "resolver/control/observe/findings.h"

#define CALL       (OPTION_CONFIG | OPTION_SOCKET) /* asks the running server */
#define PTR_HELP   "ADDRESS|ID: the address, its id, or REGION:ID.\n"
#define GROUP_HELP "An address of no group is NAME alone; GROUP may be told by --group, too.\n"
#define KIND_HELP                                                                                  \
	"KIND is network, subnet, peering, resolver, inbound-endpoint, outbound-endpoint,\n"       \
	"zone, zone-link, record-set, ruleset, ruleset-link, target-group, rule,\n"                \
	"network-interface, private-endpoint, zone-group, address-pool, key, transfer,\n"          \
	"client, address, service, ptr or group; it may stand first (`sluice rule list\n"          \
	"office`).\n"                                                                              \
	"IN is the network, resolver, zone, ruleset or private endpoint that it is inside, and "   \
	"a\n"                                                                                      \
	"list without it has all of them;\n"                                                       \
	"what is inside nothing is NAME, or GROUP/NAME in a resource group, or -/NAME in none;\n"  \
	"a PTR is its address or id. `sluice help rule` has a rule's members.\n"
#define LIST_HELP                                                                                  \
	"`list address GROUP` has those of a group. --filter and --limit are the API's:\n"         \
	"--filter q=mail --filter region=westeurope.\n"
#define MEMBER_HELP                                                                                \
	"Members are those of sluice.conf(5): domain=contoso.corp., "                              \
	"targets=10.0.0.5,10.0.0.6:5353,\n"                                                        \
	"address_space=10.0.0.0/16, tags=team=mail, or JSON. KEY= takes one away. With --dry-run " \
	"it is checked\n"                                                                          \
	"and shown, and nothing changes.\n"
#define RECORD_HELP                                                                                \
	"NAME is relative to the zone, @ the zone itself; it is the record-set NAME:TYPE.\n"
#define OWNED_HELP                                                                                 \
	"A reverse name has to belong to the subscription: the name of one of its addresses or\n"  \
	"services, or one that leads there. That is looked up once, when it is set.\n"

static const struct command commands[] = {
	{"run", command_run, OPTION_CONFIG | OPTION_RESOLV_CONF | OPTION_MASTER, 0, 0, "",
	 "serve DNS as the configuration says",
	 "Stays in the foreground and logs to stderr. SIGHUP reloads, SIGTERM and SIGINT stop.\n"
	 "A configuration with faults is not started, and never replaces one that is served.\n"
	 "This is the master, which has the sockets; its child serves, and is started again when\n"
	 "it ends by itself.\n"},
	/* Executed by the master. Named like options, because no interpreter takes an option for a
	 * file; masters of earlier versions use "serve". */
	{"--run", command_run, OPTION_CONFIG | OPTION_RESOLV_CONF | OPTION_MASTER, 0, 0, "", NULL,
	 ""},
	{"--serve", command_serve,
	 OPTION_CONFIG | OPTION_RESOLV_CONF | OPTION_MASTER | OPTION_BESIDE, 0, 0, "", NULL, ""},
	{"serve", command_serve, OPTION_CONFIG | OPTION_RESOLV_CONF | OPTION_MASTER | OPTION_BESIDE,
	 0, 0, "", NULL, ""},
	{"check", command_check, OPTION_CONFIG | OPTION_JSON | OPTION_RESOLV_CONF | OPTION_VERBOSE,
	 0, 0, "", "print everything that is wrong with the configuration",
	 "One line per fault: file:line: where: what is wrong and what would be right. Exits 1\n"
	 "when there is an error; warnings alone are fine. With -v also what is made because it\n"
	 "is needed and nobody named it.\n"},
	{"init", command_init, 0, 0, 1, "[FILE]",
	 "write a first configuration, commented, that answers at once",
	 "To standard output without FILE, which must not be there yet.\n"},
	IMPORT_ROW(command_import),
	{"explain", command_explain,
	 OPTION_CONFIG | OPTION_JSON | OPTION_SOCKET | OPTION_RESOLV_CONF | OPTION_VNET |
		 OPTION_ENDPOINT | OPTION_FROM | OPTION_ASK | OPTION_OFFLINE,
	 1, 2, "NAME [TYPE]", "say who would answer a name, how, and why",
	 "The running server says what it would do, and sends nothing. With --ask it resolves the\n"
	 "name as for such a client, and what each target said is shown, and when. With "
	 "--offline,\n"
	 "where no server listens, and where -c names another file than the server's, the file "
	 "and\n"
	 "the state are read instead. The first line says which it was.\n"
	 "--vnet, or --endpoint or --from or both, say where the question arrives; with a single\n"
	 "network they may be left out, which is --vnet. An address as NAME is its reverse name,\n"
	 "whose PTR is asked for.\n"},
	{"upgrade", command_upgrade, CALL | OPTION_BINARY, 0, 0, "",
	 "have a new process take over from the running server, without losing a query",
	 "The master starts the new process on the same sockets. When it serves, the old one\n"
	 "answers what it holds and ends; when it fails, the old one goes on, and this exits 1.\n"
	 "The number of workers has to be the same.\n"},
	{"reload", command_reload, OPTION_CONFIG | OPTION_JSON | OPTION_SOCKET | OPTION_CONFIRM, 0,
	 0, "", "have the running server read its configuration again",
	 "Faults are printed as by check, and the server keeps what it has; exits 1 then. With\n"
	 "--confirm it serves what it served before, when nobody confirms in time, whatever "
	 "happens\n"
	 "to it meanwhile. The file stays as it is.\n"},
	{"confirm", command_confirm, CALL | OPTION_JSON | OPTION_BACK, 0, 0, "",
	 "keep what reload --confirm or apply --confirm has changed, or go back at once",
	 "`sluice status` says what waits, and until when.\n"},
	{"status", command_status, OPTION_CONFIG | OPTION_JSON | OPTION_SOCKET | OPTION_ALL, 0, 0,
	 "", "show what is wrong, what the running server serves, and what it has counted",
	 "The worst comes first; what is fine in large numbers is a number. With --all it is all\n"
	 "there, the zeros too.\n"},
	{"top", command_top, CALL | OPTION_INTERVAL | OPTION_ONCE, 0, 0, "",
	 "watch the running server: queries, targets, failing rules, events",
	 "Anew each second, until q or ^C. The keys r, t, n, s, d and e give all the room to "
	 "rules\n"
	 "without a target, targets, endpoints, sources of answers, who decides, or events; o "
	 "goes\n"
	 "back. Where standard output is no terminal, one page is printed. NO_COLOR is "
	 "respected.\n"},
	{"events", command_events, CALL | OPTION_JSON | OPTION_FOLLOW | OPTION_EXEC, 0, 0, "",
	 "list what has happened: targets that fail, changes, reloads, trouble",
	 "The latest 1000 lines of the log, which the server has in memory. With --exec the\n"
	 "program is run for one after the other, with the event's words in $SLUICE_LEVEL,\n"
	 "$SLUICE_EVENT and $SLUICE_TEXT, too. events.webhook has the server call a URL.\n"},
	{"names", command_names, CALL | OPTION_JSON | OPTION_LIMIT, 0, 0, "",
	 "list the names that the running server is asked for most, and who decides them",
	 "Those of the last 12 to 24 hours that a target was asked for, and those of zones by one\n"
	 "answer in 16; answers from the cache are not counted. count_names = false stops it.\n"},
	{"dashboard", command_dashboard, CALL | OPTION_JSON, 0, 0, "",
	 "print a link that opens the dashboard, logged in",
	 "It logs in once, within a minute, in a browser on the server's own machine, as who runs "
	 "the\n"
	 "command. It needs a loopback address in management.listen, and no client.\n"},
	{"wait", command_wait,
	 CALL | OPTION_JSON | OPTION_GENERATION | OPTION_REVISION | OPTION_TIMEOUT, 0, 0, "",
	 "wait until the server answers DNS by what was changed",
	 "Also for a server that is not there yet. With --generation or --revision (which reload,\n"
	 "changes and status print) it waits until every worker serves that one or a later one.\n"
	 "Exits 1 where that does not come in time.\n"},
	{"flush", command_flush, OPTION_CONFIG | OPTION_JSON | OPTION_SOCKET | OPTION_SUFFIX, 0, 1,
	 "[NAME]", "empty the running server's cache, or drop a name from it", ""},
	{"list", command_resource_list, CALL | OPTION_JSON | OPTION_FILTER | OPTION_LIMIT, 1, 2,
	 "KIND [IN]",
	 "list resources of a kind: networks, rulesets, rules, addresses and their like",
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
	 "KIND [IN] NAME", "remove a resource, with all that is inside it", KIND_HELP},
	{"apply", command_apply,
	 CALL | OPTION_VNET | OPTION_DRY_RUN | OPTION_PRUNE | OPTION_CONFIRM, 1, 1, "FILE",
	 "make the running server's resources what a file says, all of it or nothing",
	 "FILE is a configuration file. The plan is printed first. What the server's own file\n"
	 "declares, and settings that are no resources, can be changed there only; those that "
	 "FILE\n"
	 "has otherwise are printed. With --confirm it all goes back, when nobody confirms in "
	 "time.\n"},
	{"diff", command_diff, CALL | OPTION_VNET | OPTION_PRUNE, 1, 1, "FILE",
	 "print what apply would do, and change nothing",
	 "Exits 0 whether something would change or not.\n"},
	{"deploy", command_deploy,
	 CALL | OPTION_JSON | OPTION_GROUP | OPTION_REGION | OPTION_PARAMETER | OPTION_WHAT_IF |
		 OPTION_COMPLETE,
	 1, 1, "FILE", "deploy one of Azure's templates, all of it or nothing",
	 "FILE is a template in JSON, as Bicep compiles to; with parameters by -p, or in a file "
	 "of\n"
	 "parameters. The deployment is called like FILE. --what-if prints + for what it would\n"
	 "create, ~ change, - delete, = leave as it is, and * for what the group has besides.\n"},
	{"plan", command_plan, CALL | OPTION_JSON | OPTION_LIMIT | OPTION_RESOLV_CONF, 1, 1, "FILE",
	 "tell which names that are asked for another configuration would decide otherwise",
	 "FILE is a configuration file, read with the state that it names, as check does; from an\n"
	 "edited export leave management.state out. Of the names that `sluice names` lists, those\n"
	 "are printed that would have another answer, or be asked of others: - is as it is, + as "
	 "it\n"
	 "would be. Nothing changes.\n"},
	{"report", command_report, CALL | OPTION_JSON | OPTION_DAYS | OPTION_LIMIT | OPTION_WAIT, 0,
	 FINDINGS_SECTIONS, "[SECTION...]",
	 "tell what to look at: what is not used, what leaves, what does not lead back",
	 "SECTION is rules, targets (not used for so many days), leaving (internal names that the\n"
	 "default resolver is asked for), ptrs, delegations (which ask the network, 100 questions "
	 "a\n"
	 "second), names (asked for most) or slow (rules with slow targets). It waits half a "
	 "minute\n"
	 "for answers of the network, and prints what is known by then; --wait for all of them.\n"},
	{"export", command_export, CALL | OPTION_AS, 0, 0, "",
	 "print the running server's configuration, with the resources of the state",
	 "As libconfig it is a configuration file of its own, with the secrets that stand in the\n"
	 "original; as json the edits that make its resources, for POST /v1/changes.\n"},
	{"log", command_log, CALL | OPTION_JSON | OPTION_FOLLOW, 0, COMMAND_WORDS_MAX,
	 "[KEY=VALUE...]", "show the latest queries, with what decided them, or watch them come",
	 "suffix=NAME, client=PREFIX, network=NAME, rcode=NAME and slower_than_ms=N are filters, "
	 "and\n"
	 "all must fit; of several values with commas, one. With --follow it is what comes from "
	 "now\n"
	 "on, whether the configuration has a query_log or not. With --json it is one JSON object "
	 "a\n"
	 "line.\n"},
	{"history", command_history, CALL | OPTION_JSON | OPTION_FOLLOW | OPTION_LIMIT, 0, 1,
	 "[REVISION]", "list what was changed in a week, when and by whom",
	 "A line for each change, the latest last; with --limit the latest so many. With a\n"
	 "REVISION, what was before it and what is after. \"uid 0 (says anna)\" is what the "
	 "command\n"
	 "said of its login, which nobody checks. With --follow it is a line for each resource, "
	 "and\n"
	 "with --json too one JSON object a line.\n"},
	{"undo", command_undo, CALL | OPTION_DRY_RUN, 1, 1, "REVISION",
	 "restore what was before a change",
	 "Refused when something of it has changed since, with who did that.\n"},
	{"rule list", command_rule_list,
	 CALL | OPTION_JSON | OPTION_CSV | OPTION_FILTER | OPTION_LIMIT, 0, 1, "[[GROUP/]RULESET]",
	 "list the rules of a ruleset, or of all",
	 "With --csv the list is what `sluice rule import` reads.\n"},
	{"rule import", command_rule_import, CALL | OPTION_JSON | OPTION_DRY_RUN, 1, 2,
	 "[[GROUP/]RULESET] FILE.csv", "make or change many rules at once, all of them or none",
	 "The first line names the columns: domain and targets, and, if wanted, name, ruleset,\n"
	 "state, target_group, description and other members of a rule. Fields are separated by\n"
	 "commas, or all by semicolons or tabs; targets by commas, semicolons or blanks, in\n"
	 "quotes where that separates fields. A row is the rule of its name, else the one for its "
	 "domain,\n"
	 "else a new one, called after its domain. RULESET may be left out where there is one "
	 "only.\n"
	 "Rules that the file does not have stay. FILE.csv may be - for standard input.\n"},
	{"record list", command_record_list, CALL | OPTION_JSON, 1, 1, "ZONE",
	 "list the record sets of a zone that has no file",
	 "The records of a zone file are no resources; `sluice zone export` prints any zone.\n"},
	{"record show", command_record_show, CALL | OPTION_JSON, 3, 3, "ZONE NAME TYPE",
	 "show a record set", RECORD_HELP},
	{"record create", command_record_create, CALL | OPTION_JSON | OPTION_TTL | OPTION_DRY_RUN,
	 4, COMMAND_WORDS_MAX, "ZONE NAME TYPE DATA...", "make a record set that is not there yet",
	 RECORD_HELP "DATA is as of `sluice record set`.\n"},
	{"record set", command_record_set, CALL | OPTION_JSON | OPTION_TTL | OPTION_DRY_RUN, 4,
	 COMMAND_WORDS_MAX, "ZONE NAME TYPE DATA...", "make a record set, or give it other records",
	 RECORD_HELP
	 "DATA is that of one record each, as in a master file; of several words it is quoted:\n"
	 "    sluice record set corp.internal @ MX '10 mail' '20 backup'\n"
	 "These are all of its records from then on. A TTL that is not given stays as it is, or "
	 "is\n"
	 "3600; so do the metadata. With --dry-run it is checked and shown, and nothing "
	 "changes.\n"},
	{"record delete", command_record_delete, CALL | OPTION_DRY_RUN, 3, 3, "ZONE NAME TYPE",
	 "remove a record set", RECORD_HELP},
	{"zone import", command_zone_import, CALL | OPTION_DRY_RUN | OPTION_PRUNE, 2, 2,
	 "ZONE FILE", "put a master file's records into a zone, all of them or none",
	 "A zone that is not there is made; `sluice create zone-link` makes it visible. The plan "
	 "is\n"
	 "printed first. Record sets of the zone that FILE does not have stay, unless --prune is\n"
	 "given. FILE may be - for standard input.\n"},
	{"zone export", command_zone_export, CALL, 1, 1, "ZONE",
	 "print a zone as a master file, whether it has a file or record sets", ""},
	{"registration list", command_registration_list, CALL | OPTION_JSON, 0, 1, "[ZONE]",
	 "list what machines and clients have registered in private zones",
	 "A machine is a network interface in a network that is linked to a zone with\n"
	 "registration; a client registers by DNS UPDATE. A record is not served where the\n"
	 "zone has one of its own by that name, nor a client's where a machine has one.\n"},
	{"registration delete", command_registration_delete,
	 CALL | OPTION_JSON | OPTION_DRY_RUN | OPTION_ZONE | OPTION_ALL, 0, 2, "[NAME [TYPE]]",
	 "remove what clients have registered: a name, or with --all all of a zone",
	 "NAME is whole, as in the list; its PTRs that lead back to it go with it. A machine's\n"
	 "record goes with its network interface. A client that is still there registers again.\n"
	 "The zone need not be in the configuration. No history has it, and no undo.\n"},
	{"ptr list", command_ptr_list,
	 CALL | OPTION_JSON | OPTION_CSV | OPTION_FILTER | OPTION_LIMIT, 0, 0, "",
	 "list every address with the name that its PTR gives",
	 "With --csv the list is what `sluice ptr import` reads.\n"},
	{"ptr set", command_ptr_set,
	 CALL | OPTION_JSON | OPTION_TTL | OPTION_DESCRIPTION | OPTION_DRY_RUN | OPTION_MAKE, 2,
	 COMMAND_WORDS_MAX, "ADDRESS|ID [NAME] [KEY=VALUE...]",
	 "set the name that an address's PTR gives",
	 PTR_HELP
	 "With a NAME, TTL and description are those given, or none. A name that does not lead "
	 "back\n"
	 "to the address is set with a warning; but a cloud service's has to belong to the\n"
	 "subscription. An address that is not there is refused; with --make it is made, called\n"
	 "like itself, if a pool of ours has it. Returns when the PTR is served.\n"},
	{"ptr delete", command_resource_delete, CALL | OPTION_DRY_RUN, 1, 1, "ADDRESS|ID",
	 "remove the PTR of an address", PTR_HELP},
	{"ptr import", command_ptr_import, CALL | OPTION_JSON | OPTION_DRY_RUN | OPTION_MAKE, 1, 1,
	 "FILE.csv", "set and remove many PTRs at once, all of them or none",
	 "The first line names the columns: address, reverse_fqdn (or ptrdname), and, if wanted,\n"
	 "description and ttl. A row gives the whole PTR of its address; without a name it\n"
	 "removes it. FILE.csv may be - for standard input. What does not fit is reported by\n"
	 "line, and then nothing changes. With --make, addresses that are not there are made, as\n"
	 "by ptr set. Returns when the PTRs are served.\n"},
	{"ptr check", command_ptr_check, CALL | OPTION_JSON | OPTION_VNET, 1, 1, "ADDRESS|NAME",
	 "see whether an address's name leads back to it, as mail servers do",
	 "Works for any address or name, through the running server's resolver. Exits 0 only when\n"
	 "it is confirmed. --vnet asks as that network sees the names; without it, a private\n"
	 "address is asked for in its own network, and anything else of the default resolver.\n"},
	{"ptr delegation", command_ptr_delegation,
	 OPTION_CONFIG | OPTION_JSON | OPTION_RESOLV_CONF | OPTION_NS, 1, 1, "PREFIX",
	 "print what to ask a prefix's provider for: delegations, and CNAMEs",
	 "Works on the file, and needs no server. What is printed are lines for the zone above: "
	 "NS\n"
	 "records for each reverse zone of the prefix, and the CNAMEs of RFC 2317 where it has a\n"
	 "part of an octet. A prefix that is not ours is warned of.\n"},
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
	 "write what the management API keeps, as JSON", "To standard output without FILE.\n"},
	{"state import", command_state_import, CALL, 1, 1, "FILE",
	 "put what was exported into the running server, all of it or nothing",
	 "FILE may be - for standard input.\n"},
	{"completion", command_completion, 0, 1, 1, "bash|zsh",
	 "print a script that completes command lines",
	 "For bash: source <(sluice completion bash); the same for zsh, behind compinit.\n"},
	{"help", command_help, 0, 0, 2, "[COMMAND|KIND]",
	 "list the commands, or tell about one, or about a kind of resource", ""},
	{"manual", command_manual, 0, 0, 0, "", "print the manual page sluice.conf(5)",
	 "Made from the table of fields that also drives the reader of the file:\n"
	 "    sluice manual | man -l -\n"},
	{.name = NULL},
};

int main(int argc, char **argv)
{
	return command_main(commands, argc, argv);
}
