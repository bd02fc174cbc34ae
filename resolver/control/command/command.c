/* From argv to a command. Options are parsed once for all commands; an option that a command does
 * not list is refused, so that `sluice status --suffix` does not silently do something else. */
#include "resolver/control/command/command.h"

#include <getopt.h>
#include <stdarg.h>
#include <unistd.h>

#include "resolver/control/base/exit.h"
#include "resolver/control/base/json.h"
#include "resolver/control/config/manual.h"
#include "resolver/control/config/resolv_conf.h"
#include "resolver/control/service/load.h"
#include "rules/base.h"
#include "rules/text.h"

enum { WRONG_MAX = 256 };

static const struct {
	const char *name, *argument, *doc;
	char letter; /* 0: none */
	uint64_t bit;
	size_t offset;
} options[] = {
	{"config", "FILE", "the configuration; " COMMAND_CONFIG_DEFAULT " when not given", 'c',
	 OPTION_CONFIG, offsetof(struct command_line, config)},
	{"json", NULL, "print JSON", 0, OPTION_JSON, offsetof(struct command_line, json)},
	{"socket", "PATH", "the running server's control socket; else as the configuration says", 0,
	 OPTION_SOCKET, offsetof(struct command_line, socket)},
	{"resolv-conf", "PATH", "in place of " RESOLV_CONF_PATH, 0, OPTION_RESOLV_CONF,
	 offsetof(struct command_line, resolv_conf)},
	{"vnet", "NETWORK", "whose clients ask; or which gets FILE's links", 0, OPTION_VNET,
	 offsetof(struct command_line, vnet)},
	{"endpoint", "RESOLVER/ENDPOINT", "ask at this inbound endpoint", 0, OPTION_ENDPOINT,
	 offsetof(struct command_line, endpoint)},
	{"from", "ADDRESS", "ask from this source address, at the VNet resolver or --endpoint", 0,
	 OPTION_FROM, offsetof(struct command_line, from)},
	{"ask", NULL, "let the running server resolve NAME, and show each step", 0, OPTION_ASK,
	 offsetof(struct command_line, ask)},
	{"suffix", NULL, "the name and everything below it", 0, OPTION_SUFFIX,
	 offsetof(struct command_line, suffix)},
	{"ttl", "SECONDS", "the records' TTL; a PTR without one has reverse.ttl", 0, OPTION_TTL,
	 offsetof(struct command_line, ttl)},
	{"description", "TEXT", "for people, at most 160 characters", 0, OPTION_DESCRIPTION,
	 offsetof(struct command_line, description)},
	{"group", "GROUP", "the resource group of the address or deployment", 0, OPTION_GROUP,
	 offsetof(struct command_line, group)},
	{"region", "REGION", "the region; else the configuration's", 0, OPTION_REGION,
	 offsetof(struct command_line, region)},
	{"label", "LABEL", "gives it the forward name LABEL.REGION.SUFFIX", 0, OPTION_LABEL,
	 offsetof(struct command_line, label)},
	{"filter", "KEY=VALUE", "only items with this value; q=TEXT: with TEXT in their names", 0,
	 OPTION_FILTER, offsetof(struct command_line, filters)},
	{"limit", "NUMBER", "at most so many", 0, OPTION_LIMIT,
	 offsetof(struct command_line, limit)},
	{"static", NULL, "the address stays, and proves ownership of names that lead to it", 0,
	 OPTION_STATIC, offsetof(struct command_line, is_static)},
	{"address", "ADDRESS", "the service's address", 0, OPTION_ADDRESS,
	 offsetof(struct command_line, address)},
	{"reverse-fqdn", "NAME", "the name that its PTR gives; \"\" for none", 0,
	 OPTION_REVERSE_FQDN, offsetof(struct command_line, reverse_fqdn)},
	{"tag", "NAME=VALUE", "a tag, one for each --tag; they replace all tags", 0, OPTION_TAG,
	 offsetof(struct command_line, tags)},
	{"binary", "PATH", "the new program; else the one that runs this command", 0, OPTION_BINARY,
	 offsetof(struct command_line, binary)},
	{"ns", "NAME", "a name server, one for each --ns; else reverse.name_servers", 0, OPTION_NS,
	 offsetof(struct command_line, servers)},
	{"csv", NULL, "print CSV, as import reads it", 0, OPTION_CSV,
	 offsetof(struct command_line, csv)},
	{"dry-run", NULL, "check everything and change nothing", 0, OPTION_DRY_RUN,
	 offsetof(struct command_line, dry_run)},
	{"all", NULL, "status: also what is fine or zero; else: the whole zone", 0, OPTION_ALL,
	 offsetof(struct command_line, all)},
	{"prune", NULL, "delete items of the state, or imported zone, that FILE lacks", 0,
	 OPTION_PRUNE, offsetof(struct command_line, prune)},
	{"as", "FORM", "libconfig, the default, or json", 0, OPTION_AS,
	 offsetof(struct command_line, as)},
	{"follow", NULL, "wait for new lines, and print them, until interrupted", 0, OPTION_FOLLOW,
	 offsetof(struct command_line, follow)},
	{"exec", "PROGRAM", "run it for each new event, which it reads as JSON", 0, OPTION_EXEC,
	 offsetof(struct command_line, exec)},
	{"confirm", "TIME", "go back after TIME (30s, 10m, 1h), unless `sluice confirm` comes", 0,
	 OPTION_CONFIRM, offsetof(struct command_line, confirm)},
	{"back", NULL, "go back at once", 0, OPTION_BACK, offsetof(struct command_line, back)},
	{"verbose", NULL, "also show items that sluice makes", 'v', OPTION_VERBOSE,
	 offsetof(struct command_line, verbose)},
	{"apply", NULL, "change the running server, as apply does with such a file", 0,
	 OPTION_APPLY, offsetof(struct command_line, apply)},
	{"output", "FILE", "the new file to write; else standard output", 0, OPTION_OUTPUT,
	 offsetof(struct command_line, output)},
	{"interval", "SECONDS", "between two pages, 0.1 to 60; usually 1", 0, OPTION_INTERVAL,
	 offsetof(struct command_line, interval)},
	{"once", NULL, "print one page and end, also on a terminal", 0, OPTION_ONCE,
	 offsetof(struct command_line, once)},
	{"days", "NUMBER", "unused for so many days (usually 30); 0: never used", 0, OPTION_DAYS,
	 offsetof(struct command_line, days)},
	{"generation", "NUMBER", "wait until every worker serves that generation or a later one", 0,
	 OPTION_GENERATION, offsetof(struct command_line, generation)},
	{"revision", "NUMBER", "wait until every worker serves that revision or a later one", 0,
	 OPTION_REVISION, offsetof(struct command_line, revision)},
	{"timeout", "SECONDS", "the longest wait; usually 30", 0, OPTION_TIMEOUT,
	 offsetof(struct command_line, timeout)},
	{"wait", NULL, "wait until all is known, however long that takes", 0, OPTION_WAIT,
	 offsetof(struct command_line, wait)},
	{"offline", NULL, "read the file and the state, whether a server runs or not", 0,
	 OPTION_OFFLINE, offsetof(struct command_line, offline)},
	{"parameter", "NAME=VALUE", "a parameter, or a file of them; one for each -p", 'p',
	 OPTION_PARAMETER, offsetof(struct command_line, parameters)},
	{"what-if", NULL, "print what would change, and change nothing", 0, OPTION_WHAT_IF,
	 offsetof(struct command_line, what_if)},
	{"complete", NULL, "remove items of the group that the template lacks", 0, OPTION_COMPLETE,
	 offsetof(struct command_line, complete)},
	{"zone", "DOMAIN", "the zone; import: the files have all names of DOMAIN, or of a prefix",
	 0, OPTION_ZONE, offsetof(struct command_line, zones)},
	{"no-hosts", NULL, "without the names of this machine's /etc/hosts", 0, OPTION_NO_HOSTS,
	 offsetof(struct command_line, no_hosts)},
	{"make", NULL, "also make a missing address, if one of your pools has it", 0, OPTION_MAKE,
	 offsetof(struct command_line, make)},
	/* Given by the master, not by people. */
	{"master", "FD", NULL, 0, OPTION_MASTER, offsetof(struct command_line, master)},
	{"beside", NULL, NULL, 0, OPTION_BESIDE, offsetof(struct command_line, beside)},
};
static const uint64_t repeated =
	OPTION_NS | OPTION_TAG | OPTION_FILTER | OPTION_PARAMETER | OPTION_ZONE;
enum { OPTION_COUNT = COUNT(options), OPTION_HELP = 1000, OPTION_VERSION };

static void print_option(size_t i, FILE *out)
{
	char text[64], letter[] = {'-', options[i].letter, ',', ' ', '\0'};
	snprintf(text, sizeof text, "%s--%s%s%s", options[i].letter ? letter : "", options[i].name,
		 options[i].argument ? " " : "", options[i].argument ? options[i].argument : "");
	fprintf(out, "  %-28s %s\n", text, options[i].doc);
}

void command_print_usage(const struct command *command, FILE *out)
{
	fprintf(out, "usage: sluice %s", command->name);
	for (size_t i = 0; i < OPTION_COUNT; i++)
		if (command->options & options[i].bit && options[i].doc)
			fprintf(out,
				options[i].bit & repeated ? " [--%s %s]..."
				: options[i].argument     ? " [--%s %s]"
							  : " [--%s]",
				options[i].name, options[i].argument);
	fprintf(out, "%s%s\n", *command->arguments ? " " : "", command->arguments);
}

void command_print_options(const struct command *command, FILE *out)
{
	for (size_t i = 0; i < OPTION_COUNT; i++)
		if (command->options & options[i].bit && options[i].doc)
			fprintf(out, "--%s ", options[i].name);
}

static void print_help(const struct command *command)
{
	command_print_usage(command, stdout);
	printf("\n%s.\n%s", command->summary, command->help);
	if (command->options)
		printf("\n");
	for (size_t i = 0; i < OPTION_COUNT; i++)
		if (command->options & options[i].bit && options[i].doc)
			print_option(i, stdout);
}

/* Whether the name's first word is `word`. *rest: the rest of the name, a blank or the end. */
static bool begins_with_word(const char *name, const char *word, const char **rest)
{
	size_t length = strlen(word);
	*rest = name + length;
	return strncmp(name, word, length) == 0 && (**rest == '\0' || **rest == ' ');
}

/* Prints all commands, or those of two words that begin with `first`. */
static void print_commands(const struct command *commands, const char *first, FILE *out)
{
	const char *rest;
	fprintf(out, "usage: sluice %s%sCOMMAND [OPTION...] [ARGUMENT...]\n\n", first ? first : "",
		first ? " " : "");
	for (const struct command *at = commands; at->name; at++)
		if (at->summary && (!first || begins_with_word(at->name, first, &rest)))
			fprintf(out, "  %-17s  %s\n", at->name, at->summary);
	fprintf(out,
		"\n`sluice help COMMAND` tells more%s; `sluice --version` the version.\n"
		"Where other tools say add, remove or unset, that is taken for create and delete.\n"
		"Exit status: 0 fine, 1 the answer is no, 2 wrong usage.\n",
		first ? "" : ", `sluice help rule` what a rule has");
}

/* Finds the command whose name the words begin with; *used: the number of words in the name. NULL:
 * *used is 1 if the first word begins a name of two words, else 0. */
static const struct command *find_command(const struct command *commands, char *const *words,
					  int count, int *used)
{
	const char *rest;
	*used = 0;
	for (const struct command *at = commands; at->name; at++) {
		if (count < 1 || !begins_with_word(at->name, words[0], &rest))
			continue;
		*used = 1;
		if (*rest == '\0')
			return at;
		if (count > 1 && strcmp(rest + 1, words[1]) == 0) {
			*used = 2;
			return at;
		}
	}
	return NULL;
}

/* Prints help about the kind of that name and, if `known`, the commands of two words that begin
 * with the word. False: there is no such kind, and `known` is false. */
static bool print_about(const struct command *commands, const char *word, bool known, FILE *out)
{
	bool is_kind = command_kind_help(word, out);

	if (is_kind && known)
		fputc('\n', out);
	if (known)
		print_commands(commands, word, out);
	return is_kind || known;
}

/* Replaces other tools' verbs, for kinds and for families of commands: "ptr unset" is "ptr delete",
 * "add rule" is "create rule". */
static void take_aliases(const struct command *commands, char **words, int count)
{
	for (int i = 0; count > 1 && i < 2; i++) {
		const char *verb = command_verb(words[i]), *other = words[1 - i];
		int used;

		find_command(commands, words + 1 - i, 1, &used);
		if (verb && (used > 0 || command_is_kind(other))) {
			words[i] = (char *)(uintptr_t)verb;
			return;
		}
	}
}

/* Finds the command even if the words are other tools', or the kind is before the verb. */
static const struct command *find_any(const struct command *commands, char **words, int count,
				      int *used)
{
	const struct command *command = find_command(commands, words, count, used);

	if (!command) {
		take_aliases(commands, words, count);
		command = find_command(commands, words, count, used);
	}
	if (!command) {
		command_kind_swap(words, count);
		command = find_command(commands, words, count, used);
	}
	return command;
}

struct nearest { /* the best candidate so far */
	const char *wanted;
	char found[32];
	unsigned distance;
};

static void look_at(struct nearest *nearest, const char *word, size_t length)
{
	char copy[sizeof nearest->found];
	unsigned distance;

	snprintf(copy, sizeof copy, "%.*s", (int)length, word);
	distance = text_distance(copy, nearest->wanted);
	if (distance >= nearest->distance)
		return;
	nearest->distance = distance;
	memcpy(nearest->found, copy, sizeof copy);
}

/* The nearest first word of a command or, after `first`, the nearest second word. */
static struct nearest nearest_word(const struct command *commands, const char *first,
				   const char *word)
{
	struct nearest nearest = {.wanted = word, .distance = text_typos_max(word) + 1};
	const char *rest, *kind = first ? NULL : command_kind_near(word);

	for (const struct command *at = commands; at->name; at++)
		if (at->summary && !first)
			look_at(&nearest, at->name, strcspn(at->name, " "));
		else if (at->summary && begins_with_word(at->name, first, &rest) && *rest == ' ')
			look_at(&nearest, rest + 1, strlen(rest + 1));
	for (size_t i = 0; first && command_is_kind(first) && command_verb_at(i); i++)
		look_at(&nearest, command_verb_at(i), strlen(command_verb_at(i)));
	if (kind && *nearest.found == '\0')
		snprintf(nearest.found, sizeof nearest.found, "%s", kind);
	else if (kind)
		look_at(&nearest, kind, strlen(kind));
	return nearest;
}

/* `next`: the word after `word`; NULL: none. If it is a verb, `word` is meant to be a kind. */
static void say_unknown(const struct command *commands, const char *first, const char *word,
			const char *next)
{
	struct nearest near = nearest_word(commands, first, word);
	const char *kind = next && command_verb(next) ? command_kind_near(word) : NULL;
	const char *blank = first ? " " : "";

	if (kind)
		snprintf(near.found, sizeof near.found, "%s", kind);
	first = first ? first : "";
	fprintf(stderr, "sluice: there is no command \"%s%s%s\"; ", first, blank, word);
	if (*near.found)
		fprintf(stderr, "did you mean \"%s%s%s\"? ", first, blank, near.found);
	fprintf(stderr, "`sluice help%s%s` lists them\n", *first ? " " : "", first);
}

static int unknown_command(const struct command *commands, char *const *words, int count, int known)
{
	if (count == 1 && known == 0 && command_kind_help(words[0], stderr))
		return COMMAND_USAGE;
	if (known == 0 && !(count > 1 && command_is_kind(words[0]))) {
		say_unknown(commands, NULL, words[0], count > 1 ? words[1] : NULL);
	} else if (count > 1) {
		say_unknown(commands, words[0], words[1], NULL);
	} else {
		fprintf(stderr, "sluice: \"%s\" is half of a command\n", words[0]);
		print_about(commands, words[0], true, stderr);
	}
	return COMMAND_USAGE;
}

/* Prints help for "rule create" and "create rule". */
static bool is_about_kind(char *const *words)
{
	return command_kind_help(words[0], stdout) || command_kind_help(words[1], stdout);
}

int command_help(const struct command_line *line)
{
	int used, count = line->argument_count;
	char *words[] = {count > 0 ? line->arguments[0] : NULL,
			 count > 1 ? line->arguments[1] : NULL};
	const struct command *command = find_command(line->commands, words, count, &used);
	if (!command) {
		take_aliases(line->commands, words, count);
		command = find_command(line->commands, words, count, &used);
	}
	if (command && used == count)
		print_help(command);
	else if (count == 0)
		print_commands(line->commands, NULL, stdout);
	else if (count == 1 && print_about(line->commands, line->arguments[0], used == 1, stdout))
		return EXIT_SUCCESS;
	else if (count < 2 || !is_about_kind(line->arguments))
		return unknown_command(line->commands, line->arguments, count, used);
	return EXIT_SUCCESS;
}

int command_manual(const struct command_line *line)
{
	(void)line;
	manual_sluice_conf(stdout);
	return EXIT_SUCCESS;
}

int command_fail_at(const struct command_line *line, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	exit_complain(line->command->name, format, arguments);
	va_end(arguments);
	return EXIT_FAILURE;
}

int command_misuse(const struct command_line *line, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	exit_complain(line->command->name, format, arguments);
	va_end(arguments);
	command_print_usage(line->command, stderr);
	if (line->argument_count > 0)
		command_kind_usage(line->command->name, line->arguments[0], stderr);
	return COMMAND_USAGE;
}

/* Stores option i, and adds it to *given. Of several values of a simple option the last counts;
 * false: a repeatable option is given too often. */
static bool take_option(struct command_line *line, size_t i, const char *value, uint64_t *given)
{
	char *base = (char *)line;
	const bool yes = true;
	struct command_words *words = (struct command_words *)(base + options[i].offset);
	if (options[i].bit & repeated && words->count == COMMAND_WORDS_MAX) {
		exit_fail("--%s is given more than %d times", options[i].name, COMMAND_WORDS_MAX);
		return false;
	}
	if (options[i].bit & repeated)
		words->items[words->count++] = value;
	else if (options[i].argument)
		memcpy(base + options[i].offset, &value, sizeof value);
	else
		memcpy(base + options[i].offset, &yes, sizeof yes);
	*given |= options[i].bit;
	return true;
}

/* The option for getopt_long's result, by letter or by place. */
static size_t option_found(int found)
{
	for (size_t i = 0; i < OPTION_COUNT; i++)
		if (options[i].letter && options[i].letter == found)
			return i;
	return (size_t)(found - OPTION_HELP - 100);
}

/* Describes the option at which getopt_long stopped. */
static void say_wrong(int found, char *const *argv, char wrong[WRONG_MAX])
{
	const char *word = argv[optind - 1];
	int length = (int)strcspn(word, "=");

	if (found == ':')
		snprintf(wrong, WRONG_MAX, "%s needs a value behind it", word);
	else if (optopt > 0 && optopt < OPTION_HELP)
		snprintf(wrong, WRONG_MAX, "there is no option -%c", optopt);
	else if (optopt > 0)
		snprintf(wrong, WRONG_MAX, "%.*s takes no value", length, word);
	else
		snprintf(wrong, WRONG_MAX, "there is no option %.*s", length, word);
}

/* Whether the next word is this one's value: "--vnet", "-c". */
static bool takes_value(const char *word)
{
	bool takes = false;

	for (size_t i = 0; !takes && i < OPTION_COUNT; i++)
		if (strncmp(word, "--", 2) == 0)
			takes = options[i].argument && strcmp(word + 2, options[i].name) == 0;
		else
			takes = options[i].letter && options[i].argument && word[0] == '-' &&
				word[1] == options[i].letter && word[2] == '\0';
	return takes;
}

/* Arguments "-/NAME" become "/NAME", which means the same (client_top), because getopt_long would
 * take them for options. */
static void take_off_dashes(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (strncmp(argv[i], "-/", 2) == 0 && !takes_value(argv[i - 1]))
			argv[i]++;
}

/* Parses all options of argv; the command and its arguments remain, from optind on. Returns
 * OPTION_HELP or OPTION_VERSION if one was given, else 0. -1: an option is wrong, and `wrong` says
 * why; if `wrong` is "", the reason has been printed. */
static int parse_options(struct command_line *line, int argc, char **argv, uint64_t *given,
			 char wrong[WRONG_MAX])
{
	struct option table[OPTION_COUNT + 3] = {
		[OPTION_COUNT] = {"help", no_argument, NULL, OPTION_HELP},
		[OPTION_COUNT + 1] = {"version", no_argument, NULL, OPTION_VERSION},
	};
	for (int i = 0; i < OPTION_COUNT; i++)
		table[i] = (struct option){
			options[i].name,
			options[i].argument ? required_argument : no_argument,
			NULL,
			OPTION_HELP + 100 + i,
		};
	take_off_dashes(argc, argv);
	optind = 0; /* glibc: start afresh */
	int found, asked = 0;
	*wrong = '\0';
	while ((found = getopt_long(argc, argv, ":c:hp:v", table, NULL)) != -1) {
		if (found == '?' || found == ':') {
			if (*wrong == '\0')
				say_wrong(found, argv, wrong);
			continue; /* goes on so that the arguments are in order */
		}
		if (found == 'h' || found == OPTION_HELP || found == OPTION_VERSION) {
			asked = found == OPTION_VERSION ? OPTION_VERSION : OPTION_HELP;
			continue; /* goes on so that the arguments are in order */
		}
		if (!take_option(line, option_found(found), optarg, given))
			return -1;
	}
	return *wrong ? -1 : asked;
}

/* `line` has the command, if there is one. */
static int misuse_option(const struct command_line *line, const char *wrong)
{
	const struct command *command = line->command;

	if (!command) {
		exit_fail("%s; `sluice help` lists the commands", wrong);
		return COMMAND_USAGE;
	}
	return command_misuse(line, "%s%s", wrong,
			      strstr(command->arguments, "KEY=VALUE")
				      ? "; a member is KEY=VALUE, without dashes"
				      : "");
}

int command_print_json(const json_t *value)
{
	if (!value)
		return exit_fail("the output cannot be made: %s", err_text(ERR_NOMEM));
	if (json_dumpf(value, stdout, JSON_INDENT(2) | JSON_DECIMAL | JSON_ENSURE_ASCII) != 0)
		return exit_fail("writing to standard output failed");
	putchar('\n');
	return EXIT_SUCCESS;
}

void command_print_warnings(const struct command_line *line, const json_t *answer)
{
	const json_t *warning;
	size_t i;

	json_array_foreach(json_object_get(answer, "warnings"), i, warning)
		command_fail_at(line, "warning: %s", json_string_value(warning));
}

struct model *command_load(const struct command_line *line, struct load *load)
{
	struct faults faults;
	faults_init(&faults);
	struct model *model = load_model(load, NULL, &faults);
	if (!model) {
		faults_print(&faults, stderr);
		if (access(load->config, F_OK) == 0)
			command_fail_at(line, "%s has faults", load->config);
		else
			command_fail_at(line, "there is no %s; give another file by -c FILE",
					load->config);
	}
	/* Without the state the answer may differ from the server's. */
	for (size_t i = 0; model && i < faults.count; i++)
		if (faults.items[i].origin.path &&
		    strcmp(faults.items[i].origin.path, "management.state") == 0)
			command_fail_at(line, "warning: %s", faults.items[i].text);
	faults_release(&faults);
	return model;
}

/* The exit status, unless something could not be printed. */
static int check_output(int status)
{
	if (fflush(stdout) != 0 || ferror(stdout))
		return exit_fail("writing to standard output failed");
	return status;
}

static int dispatch(struct command_line *line, uint64_t given)
{
	const struct command *command = line->command;
	for (size_t i = 0; i < OPTION_COUNT; i++)
		if (given & options[i].bit & ~command->options)
			return command_misuse(line, "--%s has no meaning here", options[i].name);
	if (line->argument_count < command->arguments_min)
		return command_misuse(line, "an argument is missing");
	if (line->argument_count > command->arguments_max) {
		const char *extra = line->arguments[command->arguments_max];
		bool file =
			command->arguments_max == 0 && command->options & ~given & OPTION_CONFIG;
		return command_misuse(line, "\"%s\" is one argument too many%s%s", extra,
				      file ? "; for another configuration, write -c " : "",
				      file ? extra : "");
	}
	return check_output(command->run(line));
}

/* The command named by an option ("--serve"), which has to be the first word; NULL: none. */
static const struct command *find_by_option(const struct command *commands, const char *word)
{
	const struct command *at;

	for (at = commands; at->name; at++)
		if (word && *word == '-' && strcmp(at->name, word) == 0)
			return at;
	return NULL;
}

int command_main(const struct command *commands, int argc, char **argv)
{
	struct command_line line = {
		.commands = commands,
		.config = COMMAND_CONFIG_DEFAULT,
		.resolv_conf = RESOLV_CONF_PATH,
	};
	char wrong[WRONG_MAX];
	uint64_t given = 0;
	const struct command *by_option = argc > 1 ? find_by_option(commands, argv[1]) : NULL;
	if (by_option) { /* it takes the place of the program's name */
		argc--;
		argv++;
	}
	int asked = parse_options(&line, argc, argv, &given, wrong);
	if (asked < 0 && *wrong == '\0')
		return COMMAND_USAGE;
	if (asked == OPTION_VERSION) {
		printf("sluice " SLUICE_VERSION "\n");
		return check_output(EXIT_SUCCESS);
	}
	int used = 0, words = argc - optind;
	line.command = by_option ? by_option : find_any(commands, argv + optind, words, &used);
	if (asked < 0)
		return misuse_option(&line, wrong);
	if (asked == OPTION_HELP) {
		if (line.command && strncmp(line.command->arguments, "KIND", 4) == 0 &&
		    words > used && command_kind_help(argv[optind + used], stdout))
			return check_output(EXIT_SUCCESS);
		if (line.command)
			print_help(line.command);
		else if (words == 0 || !print_about(commands, argv[optind], used == 1, stdout))
			print_commands(commands, NULL, stdout);
		return check_output(EXIT_SUCCESS);
	}
	if (words == 0 && !by_option) {
		print_commands(commands, NULL, stderr);
		return COMMAND_USAGE;
	}
	if (!line.command)
		return unknown_command(commands, argv + optind, words, used);
	line.arguments = argv + optind + used;
	line.argument_count = words - used;
	line.words = argv + 1;
	line.word_count = argc - 1;
	line.given = given;
	return dispatch(&line, given);
}
