#include "resolver/control/store/pairs.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "endpoints/entropy.h"
#include "rules/arena.h"

#define SECRET  "secret "
#define SERIAL  "serial "
#define USE     "use "
#define CHANGED "changed "

static int fail_memory(char error[SOURCE_ERROR_MAX])
{
	snprintf(error, SOURCE_ERROR_MAX, "%s", err_text(ERR_NOMEM));
	return ERR_NOMEM;
}

/* ---- reading one ---- */

/* Reads a value into the row. ERR_INVALID: the value does not have its kind's form. */
typedef int read_value(void *row, const char *value);

struct pair_reader {
	const char *key;
	read_value *read;
	void *row;
	bool found;
};

static int complain(struct source *source, const char *key, char error[SOURCE_ERROR_MAX])
{
	struct source_about about;

	source_about(source, &about);
	snprintf(error, SOURCE_ERROR_MAX,
		 "the state %s has a record \"%s\" that was not written by sluice; repair or "
		 "remove it",
		 about.place, key);
	return ERR_SYSTEM;
}

static int on_pair(void *context, const struct source_pair *pair)
{
	struct pair_reader *reader = context;

	reader->found = strcmp(pair->key, reader->key) == 0;
	return reader->found ? reader->read(reader->row, pair->value) : 0;
}

static int read_one(struct source *source, const char *prefix, const char *name, read_value *read,
		    void *row, bool *found, char error[SOURCE_ERROR_MAX])
{
	char *key = NULL;
	int err;

	*found = false;
	if (!source)
		return ERR_NOT_FOUND;
	if (asprintf(&key, "%s%s", prefix, name) < 0)
		return fail_memory(error);
	struct pair_reader reader = {key, read, row, false};
	err = source->calls->pairs(source, key, 1, on_pair, &reader, error);
	*found = !err && reader.found;
	if (err == ERR_INVALID)
		err = complain(source, key, error);
	free(key);
	return err;
}

/* ---- writing several ---- */

struct pair_writer {
	struct arena arena;
	struct source_pair *rows; /* NULL: out of memory */
	size_t count;
};

static void begin_writing(struct pair_writer *writer, size_t most)
{
	arena_init(&writer->arena);
	writer->rows = arena_alloc_array(&writer->arena, most, sizeof *writer->rows);
	writer->count = 0;
}

/* `value` must live until end_writing; NULL: removes the row. */
static void add_row(struct pair_writer *writer, const char *prefix, const char *name,
		    const char *value)
{
	const char *key = arena_printf(&writer->arena, "%s%s", prefix, name);

	if (key && writer->rows)
		writer->rows[writer->count++] = (struct source_pair){key, value};
	else
		writer->rows = NULL;
}

static int end_writing(struct pair_writer *writer, struct source *source, bool durable,
		       char error[SOURCE_ERROR_MAX])
{
	int err = ERR_NOT_FOUND;

	if (!writer->rows)
		err = fail_memory(error);
	else if (source)
		err = source->calls->put_pairs(source, writer->rows, writer->count, durable, error);

	arena_release(&writer->arena);
	return err;
}

/* Formats a row's value. If memory is short, end_writing fails. */
static const char *value_text(struct pair_writer *writer, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	const char *text = arena_vprintf(&writer->arena, format, arguments);
	va_end(arguments);
	if (!text)
		writer->rows = NULL;
	return text;
}

/* ---- secrets ---- */

enum { SECRET_TEXT_MAX = 2 * PAIRS_SECRET_BYTES + 1 };

static int read_secret(void *row, const char *value)
{
	uint8_t *bytes = row;

	if (strlen(value) != SECRET_TEXT_MAX - 1 ||
	    strspn(value, "0123456789abcdefABCDEF") != SECRET_TEXT_MAX - 1)
		return ERR_INVALID;
	for (size_t i = 0; i < PAIRS_SECRET_BYTES; i++)
		if (sscanf(value + 2 * i, "%2hhx", &bytes[i]) != 1)
			return ERR_INVALID;
	return 0;
}

static int draw_secret(struct source *source, const char *name, char error[SOURCE_ERROR_MAX])
{
	uint8_t drawn[PAIRS_SECRET_BYTES];
	char value[SECRET_TEXT_MAX];
	struct pair_writer writer;

	entropy_read(drawn, sizeof drawn);
	for (size_t i = 0; i < sizeof drawn; i++)
		snprintf(value + 2 * i, 3, "%02x", drawn[i]);
	begin_writing(&writer, 1);
	add_row(&writer, SECRET, name, value);
	return end_writing(&writer, source, true, error);
}

/* Reads a new secret back, because signatures must match the stored secret. No other server draws
 * one meanwhile: only one server writes. */
int pairs_secret(struct source *source, const char *name, uint8_t bytes[PAIRS_SECRET_BYTES],
		 char error[SOURCE_ERROR_MAX])
{
	bool found;
	int err = read_one(source, SECRET, name, read_secret, bytes, &found, error);

	if (err || found)
		return err;
	err = draw_secret(source, name, error);
	if (!err)
		err = read_one(source, SECRET, name, read_secret, bytes, &found, error);
	return err || found ? err : ERR_NOT_FOUND;
}

/* ---- serials ---- */

static int read_serial(void *row, const char *value)
{
	struct pairs_serial *serial = row;
	int end = 0;

	return sscanf(value, "%" SCNu32 " %" SCNu32 " %" SCNu64 "%n", &serial->serial,
		      &serial->reserved, &serial->digest, &end) == 3 &&
			       value[end] == '\0'
		       ? 0
		       : ERR_INVALID;
}

int pairs_read_serials(struct source *source, struct pairs_serial *rows, size_t count,
		       char error[SOURCE_ERROR_MAX])
{
	int err = 0;

	for (size_t i = 0; !err && i < count; i++)
		err = read_one(source, SERIAL, rows[i].zone, read_serial, &rows[i], &rows[i].found,
			       error);
	return err;
}

int pairs_write_serials(struct source *source, const struct pairs_serial *rows, size_t count,
			char error[SOURCE_ERROR_MAX])
{
	struct pair_writer writer;

	begin_writing(&writer, count);
	for (size_t i = 0; i < count; i++)
		add_row(&writer, SERIAL, rows[i].zone,
			value_text(&writer, "%" PRIu32 " %" PRIu32 " %" PRIu64, rows[i].serial,
				   rows[i].reserved, rows[i].digest));
	return end_writing(&writer, source, true, error);
}

/* ---- the latest change ---- */

static int read_changed(void *row, const char *value)
{
	uint64_t *revision = row;
	int end = 0;

	return sscanf(value, "%" SCNu64 "%n", revision, &end) == 1 && value[end] == '\0'
		       ? 0
		       : ERR_INVALID;
}

int pairs_read_changed(struct source *source, uint64_t *revision, char error[SOURCE_ERROR_MAX])
{
	bool found;

	*revision = 0;
	return read_one(source, CHANGED, "addresses", read_changed, revision, &found, error);
}

int pairs_note_changed(struct source *source, uint64_t revision, char error[SOURCE_ERROR_MAX])
{
	struct pair_writer writer;

	begin_writing(&writer, 1);
	add_row(&writer, CHANGED, "addresses", value_text(&writer, "%" PRIu64, revision));
	return end_writing(&writer, source, true, error);
}

/* ---- uses ---- */

static int read_use(void *row, const char *value)
{
	struct pairs_use *use = row;
	int end = 0;

	return sscanf(value, "%" SCNd64 " %" SCNd64 "%n", &use->since_s, &use->used_s, &end) == 2 &&
			       value[end] == '\0'
		       ? 0
		       : ERR_INVALID;
}

int pairs_read_uses(struct source *source, struct pairs_use *rows, size_t count,
		    char error[SOURCE_ERROR_MAX])
{
	int err = 0;

	for (size_t i = 0; !err && i < count; i++)
		err = read_one(source, USE, rows[i].what, read_use, &rows[i], &rows[i].found,
			       error);
	return err;
}

int pairs_write_uses(struct source *source, const struct pairs_use *rows, size_t count,
		     char error[SOURCE_ERROR_MAX])
{
	struct pair_writer writer;

	begin_writing(&writer, count);
	for (size_t i = 0; i < count; i++)
		add_row(&writer, USE, rows[i].what,
			rows[i].since_s == 0 ? NULL
					     : value_text(&writer, "%" PRId64 " %" PRId64,
							  rows[i].since_s, rows[i].used_s));
	return end_writing(&writer, source, false, error);
}

struct use_page {
	const char *behind; /* the key before the first use */
	size_t left;
	int (*on_use)(void *context, const struct pairs_use *use);
	void *context;
	char *wrong; /* the key of a malformed value, allocated */
};

static int on_listed(void *context, const struct source_pair *pair)
{
	struct use_page *uses = context;
	struct pairs_use use = {.what = pair->key + sizeof USE - 1, .found = true};

	if (strncmp(pair->key, USE, sizeof USE - 1) != 0)
		uses->left = 0;
	if (uses->left == 0 || strcmp(pair->key, uses->behind) == 0)
		return 0;
	uses->left--;
	if (read_use(&use, pair->value) == 0)
		return uses->on_use(uses->context, &use);
	uses->wrong = strdup(pair->key);
	return ERR_INVALID;
}

int pairs_uses_after(struct source *source, const char *what, size_t limit,
		     int (*on_use)(void *context, const struct pairs_use *use), void *context,
		     char error[SOURCE_ERROR_MAX])
{
	char *key = NULL;
	int err;

	if (!source)
		return ERR_NOT_FOUND;
	if (asprintf(&key, USE "%s", what) < 0)
		return fail_memory(error);
	struct use_page uses = {key, limit, on_use, context, NULL};
	/* One more than `limit`: the first pair may be the key itself. */
	err = source->calls->pairs(source, key, limit + 1, on_listed, &uses, error);
	if (uses.wrong)
		err = complain(source, uses.wrong, error);
	free(uses.wrong);
	free(key);
	return err;
}

/* ---- all with a prefix ---- */

enum { ROWS_AT_ONCE = 1000 };

struct each {
	const char *prefix;
	int (*on_row)(void *context, const struct source_pair *pair);
	void *context;
	size_t count;
	bool over, is_behind; /* is_behind: resume after `last` */
	char last[PAIRS_KEY_MAX];
};

static int on_each(void *context, const struct source_pair *pair)
{
	struct each *each = context;

	if (strncmp(pair->key, each->prefix, strlen(each->prefix)) != 0) {
		each->over = true;
		return 0;
	}
	if (each->is_behind && strcmp(pair->key, each->last) == 0)
		return 0;
	each->count++;
	snprintf(each->last, sizeof each->last, "%s", pair->key);
	return each->on_row(each->context, pair);
}

int pairs_each(struct source *source, const char *prefix, const char *from,
	       int (*on_row)(void *context, const struct source_pair *pair), void *context,
	       char error[SOURCE_ERROR_MAX])
{
	struct each each = {.prefix = prefix, .on_row = on_row, .context = context};
	int err = 0;

	if (!source)
		return ERR_NOT_FOUND;
	snprintf(each.last, sizeof each.last, "%s%s", prefix, from);
	do {
		each.count = 0;
		err = source->calls->pairs(source, each.last, ROWS_AT_ONCE, on_each, &each, error);
		each.is_behind = true;
	} while (!err && !each.over && each.count > 0);
	return err;
}
