/* `sluice completion bash|zsh`: prints a script for the shell, made from the table of commands and
 * the kinds of resources. The script asks the running server for names of resources. */
#include "resolver/control/command/command.h"
#include "resolver/control/command/import_row.h"
#include "resolver/control/observe/findings.h"
#include "resolver/control/observe/query_log/query_filter.h"
#include "resolver/control/resource/kind.h"

/* A name may contain anything, for example that of a record from another server. So the script does
 * not use compgen -W, which would run commands in such a name, and it quotes its completions.
 *
 * Completions, by the words before the cursor:
 *
 *     sluice <command or kind>                       sluice help <command or kind>
 *     sluice list|show|... <kind> [<in>] <name>      sluice <kind> list|show|... [<in>] <name>
 *     sluice ptr <set ...>                           -<option of the command>
 *     sluice record set <zone> <name>                sluice zone import <zone>
 */
static const char script[] =
	"_sluice_names() {\n"
	"  sluice list \"$@\" --limit 500 --filter q=\"${cur##*/}\" 2>/dev/null | awk -v "
	"kind=\"$1\" \\\n"
	"    'NR > 1 { print (kind == \"address\" && $2 != \"-\" ? $2 \"/\" : \"\") $1 }'\n"
	"}\n"
	"_sluice() {\n"
	"  local cur=${COMP_WORDS[COMP_CWORD]} verb=${COMP_WORDS[1]} kind=${COMP_WORDS[2]} found=\n"
	"  local verbs=\" $_sluice_verbs\" parent= first=${COMP_WORDS[1]} word=\n"
	"  [[ $verbs == *\" $kind \"* ]] && { verb=$kind; kind=${COMP_WORDS[1]}; }\n"
	"  parent=$(_sluice_parent \"$kind\")\n"
	"  if [[ $cur == -* ]]; then found=$(_sluice_options \"$first\" \"${COMP_WORDS[2]}\")\n"
	"    [[ $found ]] || found=$(_sluice_options \"$verb\" \"$kind\")\n"
	"  elif (( COMP_CWORD == 1 )) || [[ $COMP_CWORD == 2 && $first == help ]]; then\n"
	"    found=\"$_sluice_commands $_sluice_kinds\"\n"
	"  elif [[ $first == log ]]; then\n"
	"    found=$(_sluice_filters); compopt -o nospace 2>/dev/null\n"
	"  elif (( COMP_CWORD == 2 )); then\n"
	"    if [[ $verbs == *\" $verb \"* ]]; then found=$_sluice_kinds\n"
	"    elif [[ \" $_sluice_kinds \" == *\" $verb \"* ]]; then\n"
	"      found=\"$verbs $(_sluice_second \"$verb\")\"\n"
	"    else found=$(_sluice_second \"$verb\"); fi\n"
	"  elif [[ $first == record || \" $(_sluice_second zone) \" == "
	"*[[:space:]]$kind[[:space:]]* "
	"]]; then\n"
	"    if (( COMP_CWORD == 3 )); then found=$(_sluice_names zone)\n"
	"    elif (( COMP_CWORD == 4 )) && [[ $first == record ]]; then\n"
	"      found=$(sluice record list \"${COMP_WORDS[3]}\" 2>/dev/null | awk 'NR > 1 { print "
	"$1 }')\n"
	"    fi\n"
	"  elif [[ $verbs == *\" $verb \"* ]]; then\n"
	"    [[ $verb$kind == listaddress ]] && parent=group\n"
	"    if (( COMP_CWORD == 3 )); then found=$(_sluice_names ${parent:-$kind})\n"
	"    elif (( COMP_CWORD == 4 )) && [[ -n $parent ]]; then\n"
	"      found=$(_sluice_names \"$kind\" \"${COMP_WORDS[3]}\"); fi\n"
	"  elif (( COMP_CWORD == 3 )) && [[ \" $_sluice_kinds \" == *\" $first \"* ]]; then\n"
	"    found=$(_sluice_names \"$first\")\n"
	"  fi\n"
	"  COMPREPLY=()\n"
	"  while read -r word; do\n"
	"    [[ -n $word ]] && printf -v word %q \"$word\"\n"
	"    [[ -n $word && $word == \"$cur\"* ]] && COMPREPLY+=(\"$word\")\n"
	"  done < <(printf '%s\\n' \"$found\" | tr -s ' ' '\\n')\n"
	"}\n"
	"complete -o default -F _sluice sluice\n";

static bool same_first_word(const char *a, const char *b)
{
	size_t length = strcspn(a, " ");

	return length == strcspn(b, " ") && strncmp(a, b, length) == 0;
}

/* Prints each first word once, without kinds, which have a list of their own. */
static void print_commands(const struct command *commands)
{
	char first[32];

	printf("_sluice_commands='");
	for (const struct command *at = commands; at->name; at++) {
		snprintf(first, sizeof first, "%.*s", (int)strcspn(at->name, " "), at->name);
		if (at->summary && !command_is_kind(first) &&
		    (at == commands || !same_first_word(at[-1].name, at->name)))
			printf("%s ", first);
	}
	printf("'\n");
}

static void print_kinds(void)
{
	printf("_sluice_kinds='");
	for (size_t i = 0; i < KINDS_ALL; i++)
		printf("%s ", kinds[i].name);
	printf("'\n_sluice_verbs='");
	for (size_t i = 0; command_verb_at(i); i++)
		printf("%s ", command_verb_at(i));
	printf("'\n_sluice_parent() { case $1 in\n");
	for (size_t i = 0; i < KINDS_ALL; i++)
		if (kinds[i].parent)
			printf("  %s) echo %s;;\n", kinds[i].name, kinds[i].parent->name);
	printf("esac; }\n");
}

/* The filters of `sluice log`. */
static void print_filters(void)
{
	printf("_sluice_filters() { echo");
	for (size_t i = 0; query_filter_keys[i]; i++)
		printf(" %s=", query_filter_keys[i]);
	printf("; }\n");
}

/* Second words: of `ptr ...` and the like, which are neighbours in the table; dialects of import;
 * sections of a report. */
static void print_second_words(const struct command *commands)
{
	printf("_sluice_second() { case $1 in\n");
	for (const struct command *at = commands; at->name; at++) {
		const char *blank = strchr(at->name, ' ');

		if (!blank || !at->summary)
			continue;
		if (at == commands || !same_first_word(at[-1].name, at->name))
			printf("  %.*s) echo", (int)(blank - at->name), at->name);
		printf(" %s", blank + 1);
		if (!at[1].name || !same_first_word(at[1].name, at->name))
			printf(";;\n");
	}
	printf("  import) echo" IMPORT_NAMES ";;\n  report) echo");
	for (unsigned i = 0; i < FINDINGS_SECTIONS; i++)
		printf(" %s", findings_names[i]);
	printf(";;\nesac; }\n");
}

/* A pattern per command works, because no command's name begins with another's. */
static void print_options(const struct command *commands)
{
	printf("_sluice_options() { case \"$1 $2\" in\n");
	for (const struct command *at = commands; at->name; at++) {
		if (!at->summary || !at->options)
			continue;
		printf("  '%s'*) echo ", at->name);
		command_print_options(at, stdout);
		printf(";;\n");
	}
	printf("esac; }\n");
}

int command_completion(const struct command_line *line)
{
	const char *shell = line->arguments[0];

	if (strcmp(shell, "zsh") == 0)
		printf("autoload -U +X bashcompinit && bashcompinit\n");
	else if (strcmp(shell, "bash") != 0)
		return command_misuse(line, "\"%s\" is no shell that is known; give bash or zsh",
				      shell);
	print_commands(line->commands);
	print_kinds();
	print_filters();
	print_second_words(line->commands);
	print_options(line->commands);
	fputs(script, stdout);
	return EXIT_SUCCESS;
}
