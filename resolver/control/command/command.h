/* A subcommand of `sluice`, and its parsed command line. Dispatch, usage lines, `sluice help` and
 * the refusal of unfit options come from one table of commands, in main.c. */
#ifndef SLUICE_COMMAND_H
#define SLUICE_COMMAND_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define COMMAND_CONFIG_DEFAULT "/etc/sluice/sluice.conf"

enum { COMMAND_USAGE = 2 }; /* an exit status besides EXIT_SUCCESS and EXIT_FAILURE */

/* Options; a command names the ones it takes. */
#define OPTION(number)      (UINT64_C(1) << (number))
#define OPTION_CONFIG       OPTION(0)
#define OPTION_JSON         OPTION(1)
#define OPTION_SOCKET       OPTION(2)
#define OPTION_RESOLV_CONF  OPTION(3)
#define OPTION_VNET         OPTION(4)
#define OPTION_ENDPOINT     OPTION(5)
#define OPTION_FROM         OPTION(6)
#define OPTION_SUFFIX       OPTION(7)
#define OPTION_TTL          OPTION(8)
#define OPTION_DESCRIPTION  OPTION(9)
#define OPTION_GROUP        OPTION(10)
#define OPTION_REGION       OPTION(11)
#define OPTION_LABEL        OPTION(12)
#define OPTION_STATIC       OPTION(13)
#define OPTION_ADDRESS      OPTION(14)
#define OPTION_REVERSE_FQDN OPTION(15)
#define OPTION_NS           OPTION(16)
#define OPTION_CSV          OPTION(17)
#define OPTION_DRY_RUN      OPTION(18)
#define OPTION_TAG          OPTION(19)
#define OPTION_BINARY       OPTION(20)
#define OPTION_ALL          OPTION(21)
#define OPTION_MASTER       OPTION(22)
#define OPTION_BESIDE       OPTION(23)
#define OPTION_PRUNE        OPTION(24)
#define OPTION_AS           OPTION(25)
#define OPTION_FOLLOW       OPTION(26)
#define OPTION_CONFIRM      OPTION(27)
#define OPTION_BACK         OPTION(28)
#define OPTION_VERBOSE      OPTION(29)
#define OPTION_FILTER       OPTION(30)
#define OPTION_LIMIT        OPTION(31)
#define OPTION_EXEC         OPTION(32)
#define OPTION_APPLY        OPTION(33)
#define OPTION_OUTPUT       OPTION(34)
#define OPTION_ASK          OPTION(35)
#define OPTION_INTERVAL     OPTION(36)
#define OPTION_ONCE         OPTION(37)
#define OPTION_DAYS         OPTION(38)
#define OPTION_WAIT         OPTION(39)
#define OPTION_OFFLINE      OPTION(40)
#define OPTION_GENERATION   OPTION(41)
#define OPTION_REVISION     OPTION(42)
#define OPTION_TIMEOUT      OPTION(43)
#define OPTION_PARAMETER    OPTION(44)
#define OPTION_WHAT_IF      OPTION(45)
#define OPTION_COMPLETE     OPTION(46)
#define OPTION_ZONE         OPTION(47)
#define OPTION_NO_HOSTS     OPTION(48)
#define OPTION_MAKE         OPTION(49)

/* Ends the line that says what would be done without --dry-run. */
#define COMMAND_NOT_DONE "; nothing was done (--dry-run)"

enum { COMMAND_WORDS_MAX = 50 };
struct command;
struct load;
struct model;

struct command_line {
	const struct command *commands;              /* the whole table */
	const struct command *command;               /* the one that runs */
	uint64_t given;                              /* OPTION_ bits of the given options */
	const char *config;                          /* never NULL */
	const char *resolv_conf;                     /* never NULL */
	const char *socket, *vnet, *endpoint, *from; /* NULL: not given */
	/* Members of resources; NULL: not given. */
	const char *ttl, *description, *group, *region, *label, *address, *reverse_fqdn;
	const char *binary;  /* of an upgrade; NULL: not given */
	const char *as;      /* of an export; NULL: not given */
	const char *output;  /* of an import; NULL: standard output */
	const char *limit;   /* of a list; NULL: not given */
	const char *confirm; /* how long to wait for it, as written; NULL: not given */
	const char *exec;    /* runs for each event; NULL: nothing */
	const char *days;    /* of a report; NULL: not given */
	const char *master;  /* a descriptor that the master hands over; NULL: not given */
	struct command_words {
		const char *items[COMMAND_WORDS_MAX];
		int count;
	} tags, servers, filters, parameters, zones; /* which may be repeated: --tag, --ns,
						      * --filter, --parameter and --zone */
	const char *interval;                        /* of top, in seconds; NULL: not given */
	const char *generation, *revision, *timeout; /* of wait; NULL: not given */
	bool json, suffix, is_static, csv, dry_run, all, beside, prune, follow, back, verbose,
		apply, ask, once, wait, offline, what_if, complete, no_hosts, make;
	char *const *arguments;
	int argument_count;
	char *const *words; /* all arguments, including the command's name and options */
	int word_count;
};

struct command {
	const char *name; /* one word, or two with a blank between; NULL ends the table */
	int (*run)(const struct command_line *line);
	uint64_t options;
	int arguments_min, arguments_max;
	const char *arguments; /* for the usage line: "NAME [TYPE]" */
	const char *summary;   /* one line, without a final dot; NULL: an internal command */
	const char *help;      /* added by `sluice help NAME`, whole lines */
};

/* Parses, finds the command, runs it; returns the exit status. */
int command_main(const struct command *commands, int argc, char **argv);
/* Like exit_fail, with the command's name. */
int command_fail_at(const struct command_line *line, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Like command_fail_at, and prints the usage line; returns COMMAND_USAGE. */
int command_misuse(const struct command_line *line, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Prints the value for --json; NULL: out of memory. Returns the exit status. */
int command_print_json(const json_t *value);
/* Loads the configuration; NULL: it has faults, which have been printed. */
struct model *command_load(const struct command_line *line, struct load *load);
void command_print_usage(const struct command *command, FILE *out);
/* Prints the command's options: "--config --json". */
void command_print_options(const struct command *command, FILE *out);

int command_run(const struct command_line *line);
int command_serve(const struct command_line *line);
int command_upgrade(const struct command_line *line);
int command_check(const struct command_line *line);
int command_explain(const struct command_line *line);
int command_reload(const struct command_line *line);
int command_status(const struct command_line *line);
int command_wait(const struct command_line *line);
int command_dashboard(const struct command_line *line);
int command_top(const struct command_line *line);
int command_flush(const struct command_line *line);
int command_registration_list(const struct command_line *line);
int command_registration_delete(const struct command_line *line);
int command_ptr_list(const struct command_line *line);
int command_ptr_list_csv(const struct command_line *line); /* like ptr list --csv */
int command_ptr_import(const struct command_line *line);
int command_ptr_set(const struct command_line *line);
int command_ptr_check(const struct command_line *line);
int command_ptr_delegation(const struct command_line *line);
int command_state_export(const struct command_line *line);
int command_state_import(const struct command_line *line);
int command_resource_list(const struct command_line *line);
int command_resource_show(const struct command_line *line);
int command_resource_create(const struct command_line *line);
int command_resource_set(const struct command_line *line);
/* Makes the resource what the command line says, whether it exists or not. */
int command_resource_put(const struct command_line *line);
int command_resource_delete(const struct command_line *line);
int command_rule_list(const struct command_line *line);
int command_rule_import(const struct command_line *line);
int command_record_list(const struct command_line *line);
int command_record_show(const struct command_line *line);
int command_record_set(const struct command_line *line);
int command_record_create(const struct command_line *line);
int command_record_delete(const struct command_line *line);
int command_zone_import(const struct command_line *line);
int command_zone_export(const struct command_line *line);
/* `sluice subnet list hub` means `sluice list subnet hub`: puts the verb before a kind. */
void command_kind_swap(char **words, int count);
bool command_is_kind(const char *word);
/* The kind nearest to a word that is no kind; NULL: none is near. */
const char *command_kind_near(const char *word);
/* The verb for the word, which may be another tool's ("add" for create); NULL: no verb. */
const char *command_verb(const char *word);
/* The verb number `place`; NULL after the last. */
const char *command_verb_at(size_t place);
/* Refuses an empty name, as in "office/": in a path of the API it would name something else.
 * Returns COMMAND_USAGE. */
int command_no_name(const struct command_line *line, const char *noun, const char *text);
/* Prints the usage line of that verb for that kind; nothing for other words. */
void command_kind_usage(const char *verb, const char *word, FILE *out);
/* Prints a kind's commands and members; false: there is no such kind. */
bool command_kind_help(const char *kind, FILE *out);
int command_confirm(const struct command_line *line);
/* The query that --confirm adds to a path: "" or "?confirm=600". False: not a time; prints why. */
enum { COMMAND_CONFIRM_MAX = 40 };
bool command_confirm_query(const struct command_line *line, char query[COMMAND_CONFIRM_MAX]);
/* Prints an answer's warnings to stderr. */
void command_print_warnings(const struct command_line *line, const json_t *answer);
/* Prints until when the change waits to be confirmed, if the server's answer says so. */
void command_print_unconfirmed(const json_t *answer);
int command_apply(const struct command_line *line);
int command_diff(const struct command_line *line);
int command_deploy(const struct command_line *line);
int command_completion(const struct command_line *line);
int command_init(const struct command_line *line);
int command_import(const struct command_line *line);
int command_history(const struct command_line *line);
int command_log(const struct command_line *line);
int command_events(const struct command_line *line);
int command_names(const struct command_line *line);
int command_plan(const struct command_line *line);
int command_report(const struct command_line *line);
int command_undo(const struct command_line *line);
int command_export(const struct command_line *line);
int command_help(const struct command_line *line);
int command_manual(const struct command_line *line);

#endif
