/* Plays a story line by line. A line that begins at the margin is a step; the lines below it that
 * begin with a blank are its records. See tests/scenarios/README. */
#include <glob.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "resolver/control/config/file.h"
#include "tests/lib/message_text.h"
#include "tests/lib/scenario_internal.h"

bool scenario_fail(struct scenario *s, const char *format, ...)
{
	va_list arguments;

	if (s->trouble[0])
		return false;
	int used = snprintf(s->trouble, sizeof s->trouble, "%s:%u: ", s->path, s->line);
	va_start(arguments, format);
	vsnprintf(s->trouble + used, sizeof s->trouble - (size_t)used, format, arguments);
	va_end(arguments);
	return false;
}

const char *scenario_trouble(const struct scenario *scenario)
{
	return scenario->trouble;
}

/* ---- files ---- */

static char *read_file(const char *path)
{
	FILE *in = fopen(path, "r");
	char *text = NULL;
	size_t room = 0;

	if (!in)
		return NULL;
	if (getdelim(&text, &room, '\0', in) < 0) {
		free(text);
		text = NULL;
	}
	fclose(in);
	return text;
}

bool scenario_title(const char *path, char *title, size_t size)
{
	char *text = read_file(path);
	bool found = text && strncmp(text, "# ", 2) == 0;

	if (found)
		snprintf(title, size, "%.*s", (int)strcspn(text + 2, "\n"), text + 2);
	free(text);
	return found;
}

static char *read_beside(const struct scenario *s, const char *name)
{
	char path[512];
	const char *slash = strrchr(s->path, '/');

	snprintf(path, sizeof path, "%.*s%s", slash ? (int)(slash + 1 - s->path) : 0, s->path,
		 name);
	return read_file(path);
}

/* ---- lines and words ---- */

static bool read_line(struct scenario *s, char *line, size_t size)
{
	size_t length = strcspn(s->at, "\n");

	if (!*s->at)
		return false;
	snprintf(line, size, "%.*s", (int)length, s->at);
	s->at += length + (s->at[length] == '\n');
	s->next_line++;
	return true;
}

/* Splits words at blanks; a quoted text is one word. */
static void split_words(struct scenario *s)
{
	char *at = s->words_text;

	s->word_count = s->used = 0;
	while (*(at += strspn(at, " \t")) && s->word_count < SCENARIO_WORDS) {
		const char *ends = *at == '"' ? "\"" : " \t";

		at += *at == '"';
		s->words[s->word_count++] = at;
		at += strcspn(at, ends);
		if (*at)
			*at++ = '\0';
	}
}

const char *scenario_word(struct scenario *s)
{
	return s->used < s->word_count ? s->words[s->used++] : NULL;
}

bool scenario_take(struct scenario *s, const char *words)
{
	unsigned at = s->used;

	while (*words) {
		size_t length = strcspn(words, " ");

		if (at == s->word_count || strlen(s->words[at]) != length ||
		    strncmp(s->words[at], words, length) != 0)
			return false;
		at++;
		words += length + (words[length] == ' ');
	}
	s->used = at;
	return true;
}

bool scenario_end_of_words(struct scenario *s)
{
	return s->used == s->word_count ||
	       scenario_fail(s, "what is meant by \"%s\"?", s->words[s->used]);
}

char *scenario_records(struct scenario *s)
{
	char line[SCENARIO_LINE], normal[SCENARIO_LINE], *records = NULL;
	size_t length;
	FILE *out = open_memstream(&records, &length);
	bool good = out != NULL;

	while (good && (*s->at == ' ' || *s->at == '\t') && read_line(s, line, sizeof line)) {
		const char *text = line + strspn(line, " \t");

		if (*text == '\0' || *text == '#')
			continue;
		good = record_line_normalise(text, normal, sizeof normal);
		if (good)
			fprintf(out, "%s\n", normal);
		else
			scenario_fail(s, "%u lines below: not a record: %s", s->next_line - s->line,
				      text);
	}
	if (out)
		fclose(out);
	if (good)
		return records;
	free(records);
	return NULL;
}

/* Reads the lines up to "end". */
static bool read_block(struct scenario *s, FILE *out)
{
	char line[SCENARIO_LINE];

	while (read_line(s, line, sizeof line)) {
		if (strcmp(line, "end") == 0)
			return true;
		fprintf(out, "%s\n", line);
	}
	return scenario_fail(s, "\"end\" is missing");
}

/* ---- configuration ---- */

static bool do_base(struct scenario *s)
{
	const char *name = scenario_word(s);

	free(s->base);
	s->base = name ? read_beside(s, name) : NULL;
	return s->base ? scenario_end_of_words(s)
		       : scenario_fail(s, "cannot read %s", name ? name : "nothing");
}

static bool do_zone(struct scenario *s)
{
	const char *name = scenario_word(s);

	if (!name)
		return scenario_fail(s, "which file?");
	FILE *file = config_text_open(&s->config, name);
	bool good = scenario_end_of_words(s) && read_block(s, file);
	fclose(file);
	return good;
}

static bool tell_faults(struct scenario *s)
{
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	if (out) {
		faults_print(&s->config.faults, out);
		fclose(out);
	}
	scenario_fail(s, "the configuration has faults:\n%s", text ? text : "");
	free(text);
	return false;
}

/* A second configuration in the same story is a reload. */
static bool do_config(struct scenario *s)
{
	FILE *file = config_text_open(&s->config, "sluice.conf");

	fputs(s->base ? s->base : "", file);
	bool good = scenario_end_of_words(s) && read_block(s, file);
	fclose(file);
	if (!good)
		return false;
	struct model *model = config_text_read(&s->config, NULL);
	if (!model)
		return tell_faults(s);
	good = stage_load(s->stage, model);
	model_free(model);
	return good || scenario_fail(s, "no policy came of it");
}

/* ---- steps ---- */

static bool pass(struct scenario *s, const char *amount, uint64_t unit_us)
{
	char *end;
	unsigned long n = strtoul(amount, &end, 10);

	if (*end || (!scenario_take(s, "pass") && !scenario_take(s, "passes")))
		return scenario_fail(s, "how much time is meant to pass?");
	stage_pass(s->stage, n * unit_us);
	return scenario_end_of_words(s);
}

static bool ms_pass(struct scenario *s, const char *amount)
{
	return pass(s, amount, 1000);
}

static bool s_pass(struct scenario *s, const char *amount)
{
	return pass(s, amount, 1000 * 1000);
}

static const struct step {
	const char *verb;
	bool (*play)(struct scenario *s, const char *actor);
	bool tells; /* it mentions an earlier event */
} steps[] = {
	{"asks", client_asks, false},
	{"gets", client_gets, true},
	{"is", upstream_is, true},
	{"says", upstream_says, false},
	{"sends", upstream_sends, false},
	{"refuses", upstream_refuses, false},
	{"closes", upstream_closes, false},
	{"can", upstream_can, false},
	{"cannot", upstream_can, false},
	{"ms", ms_pass, false},
	{"s", s_pass, false},
};

static bool everything_is_told(struct scenario *s)
{
	return upstreams_are_told(s) && clients_are_told(s);
}

static bool play_step(struct scenario *s)
{
	static const struct {
		const char *word;
		bool (*play)(struct scenario *s);
	} blocks[] = {{"base", do_base}, {"zone", do_zone}, {"config", do_config}};

	for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++)
		if (scenario_take(s, blocks[i].word))
			return everything_is_told(s) && blocks[i].play(s);
	const char *actor = scenario_word(s), *verb = scenario_word(s);
	for (size_t i = 0; verb && i < sizeof steps / sizeof steps[0]; i++)
		if (strcmp(verb, steps[i].verb) == 0)
			return (steps[i].tells || everything_is_told(s)) &&
			       (steps[i].play(s, actor) || scenario_fail(s, "does not work"));
	return scenario_fail(s, "what is meant by \"%s %s\"?", actor, verb ? verb : "");
}

bool scenario_play(struct scenario *s)
{
	while (read_line(s, s->words_text, sizeof s->words_text)) {
		s->line = s->next_line;
		if (s->words_text[0] == '#')
			continue;
		if (s->words_text[0] == ' ' || s->words_text[0] == '\t')
			return scenario_fail(s, "records without a step they belong to");
		split_words(s);
		if (s->word_count && !play_step(s))
			return false;
	}
	s->line = s->next_line;
	return everything_is_told(s);
}

struct scenario *scenario_new(const char *path)
{
	struct scenario *s = calloc(1, sizeof *s);

	if (!s)
		return NULL;
	s->path = path;
	config_text_init(&s->config);
	s->at = s->text = read_file(path);
	s->base = read_beside(s, "house.conf");
	s->stage = stage_new();
	if (s->text && s->stage)
		return s;
	scenario_free(s);
	return NULL;
}

void scenario_free(struct scenario *s)
{
	if (!s)
		return;
	stage_free(s->stage);
	config_text_release(&s->config);
	free(s->text);
	free(s->base);
	free(s);
}
