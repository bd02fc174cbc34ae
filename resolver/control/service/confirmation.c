/* A record is one line of JSON. It is written under another name and renamed, so that it is
 * always whole or missing. */
#include "resolver/control/service/confirmation.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "resolver/control/base/json.h"
#include "resolver/control/base/regular_file.h"
#include "resolver/control/config/copy.h"
#include "resolver/control/resource/kind.h"
#include "resolver/control/store/source.h"
#include "resolver/log.h"

enum { RECORD_MAX = 64 * 1024, SAME_TIME_S = 60 };

static const char *const kind_names[] = {
	[UNCONFIRMED_RELOAD] = "reload", [UNCONFIRMED_CHANGE] = "change"};

static int fail(const char *path, const char *what, int number, char error[CONFIRMATION_TEXT_MAX])
{
	snprintf(error, CONFIRMATION_TEXT_MAX, "%s cannot be %s: %s", path, what, strerror(number));
	return ERR_SYSTEM;
}

static int fail_memory(char error[CONFIRMATION_TEXT_MAX])
{
	snprintf(error, CONFIRMATION_TEXT_MAX, "%s", err_text(ERR_NOMEM));
	return ERR_NOMEM;
}

/* ---- place ---- */

void confirmation_release(struct confirmation *confirmation)
{
	free(confirmation->directory);
	free(confirmation->copy);
	free(confirmation->copy_file);
	confirmation->directory = confirmation->copy = confirmation->copy_file = NULL;
}

int confirmation_place(struct confirmation *confirmation, const char *state)
{
	const char *file = source_file(state);

	confirmation_release(confirmation);
	if (!file)
		return 0;
	if (asprintf(&confirmation->directory, "%s.unconfirmed", file) < 0)
		confirmation->directory = NULL;
	else if (asprintf(&confirmation->copy, "%s.unconfirmed/before", file) < 0)
		confirmation->copy = NULL;
	else if (asprintf(&confirmation->copy_file, "%s.unconfirmed/before/" CONFIG_COPY_FILE,
			  file) < 0)
		confirmation->copy_file = NULL;
	if (confirmation->copy_file)
		return 0;
	confirmation_release(confirmation);
	return ERR_NOMEM;
}

static void on_timer(uv_timer_t *timer)
{
	struct confirmation *confirmation = timer->data;

	confirmation->on_due(confirmation->context);
}

void confirmation_open(struct confirmation *confirmation, uv_loop_t *loop,
		       void (*on_due)(void *context), void *context)
{
	uv_timer_init(loop, &confirmation->timer);
	confirmation->timer.data = confirmation;
	confirmation->on_due = on_due;
	confirmation->context = context;
}

/* ---- texts ---- */

static const char *time_text(int64_t at_s, char text[32])
{
	time_t at = (time_t)at_s;
	struct tm parts;

	gmtime_r(&at, &parts);
	strftime(text, 32, "%Y-%m-%d %H:%M:%S UTC", &parts);
	return text;
}

const char *unconfirmed_name(const struct unconfirmed *unconfirmed, bool guarded,
			     char text[UNCONFIRMED_NAME_MAX])
{
	const char *by = guarded ? "" : " by ", *who = guarded ? "" : unconfirmed->who;

	if (unconfirmed->kind == UNCONFIRMED_RELOAD)
		snprintf(text, UNCONFIRMED_NAME_MAX, "the reload%s%s", by, who);
	else
		snprintf(text, UNCONFIRMED_NAME_MAX, "the change of revision %" PRIu64 "%s%s",
			 unconfirmed->revision, by, who);
	return text;
}

/* Hides the error from readers, because its text may name other clients (management.clients). */
static const char *error_for(const char *error, bool guarded)
{
	return guarded ? "the server's log says why" : error;
}

const char *confirmation_waits(const struct confirmation *confirmation, bool guarded,
			       char text[CONFIRMATION_TEXT_MAX])
{
	char until[32], what[UNCONFIRMED_NAME_MAX];

	if (!confirmation->waits)
		return NULL;
	unconfirmed_name(&confirmation->waiting, guarded, what);
	if (confirmation->error[0] != '\0')
		snprintf(text, CONFIRMATION_TEXT_MAX,
			 "%s could not go back and is still served, which is tried again: %s", what,
			 error_for(confirmation->error, guarded));
	else
		snprintf(text, CONFIRMATION_TEXT_MAX,
			 "%s goes back at %s unless it is confirmed; `sluice confirm` keeps it, "
			 "`sluice confirm --back` takes it back now",
			 what, time_text(confirmation->waiting.until_s, until));
	return text;
}

const char *confirmation_is_back(const struct confirmation *confirmation, bool guarded,
				 char text[CONFIRMATION_TEXT_MAX])
{
	char at[32], what[UNCONFIRMED_NAME_MAX];

	if (!confirmation->is_back)
		return NULL;
	unconfirmed_name(&confirmation->gone, guarded, what);
	snprintf(text, CONFIRMATION_TEXT_MAX,
		 "%s of %s was not confirmed; what was before it is served, not the configuration "
		 "file, until `sluice reload`",
		 what, time_text(confirmation->gone.at_s, at));
	return text;
}

void confirmation_log_waits(const struct confirmation *confirmation)
{
	char text[CONFIRMATION_TEXT_MAX], shown[CONFIRMATION_TEXT_MAX];

	if (confirmation_waits(confirmation, false, text))
		log_event_guarded(LOG_ERROR, "confirm",
				  confirmation_waits(confirmation, true, shown), "%s", text);
}

void confirmation_log_is_back(const struct confirmation *confirmation)
{
	char text[CONFIRMATION_TEXT_MAX], shown[CONFIRMATION_TEXT_MAX];

	if (confirmation_is_back(confirmation, false, text))
		log_event_guarded(LOG_WARNING, "confirm",
				  confirmation_is_back(confirmation, true, shown), "%s", text);
}

const char *confirmation_refusal(const struct confirmation *confirmation,
				 char text[CONFIRMATION_TEXT_MAX])
{
	if (confirmation_waits(confirmation, false, text))
		return text;
	if (!confirmation->directory)
		snprintf(text, CONFIRMATION_TEXT_MAX,
			 "there is no state beside which to keep what was before; name a file for "
			 "it in the configuration, management = { state = "
			 "\"/var/lib/sluice/state.db\"; }, and restart");
	else
		return NULL;
	return text;
}

static uint64_t now_ms(void)
{
	return uv_hrtime() / 1000000;
}

/* Seconds until the change goes back. Uses the monotonic clock, unless the change began to wait in
 * another process. */
static int64_t left_s(const struct unconfirmed *unconfirmed)
{
	int64_t left = unconfirmed->end_ms
			       ? ((int64_t)unconfirmed->end_ms - (int64_t)now_ms() + 999) / 1000
			       : unconfirmed->until_s - time(NULL);

	return left > 0 ? left : 0;
}

json_t *unconfirmed_json(const struct unconfirmed *unconfirmed, const char *error, bool guarded)
{
	bool is_change = unconfirmed->kind == UNCONFIRMED_CHANGE;

	return json_make("{s:s, s:o, s:o, s:o, s:I, s:o, s:o}", "what",
			 kind_names[unconfirmed->kind], "who",
			 json_text(guarded ? NULL : unconfirmed->who), "at",
			 json_time(unconfirmed->at_s), "until", json_time(unconfirmed->until_s),
			 "left_s", (json_int_t)left_s(unconfirmed), "revision",
			 is_change ? json_integer((json_int_t)unconfirmed->revision) : json_null(),
			 "error", json_text(error && *error ? error_for(error, guarded) : NULL));
}

struct unconfirmed unconfirmed_now(enum unconfirmed_kind kind, const char *who, unsigned wait_s)
{
	struct unconfirmed unconfirmed = {.kind = kind, .at_s = time(NULL)};

	unconfirmed.until_s = unconfirmed.at_s + wait_s;
	snprintf(unconfirmed.who, sizeof unconfirmed.who, "%s", who);
	return unconfirmed;
}

/* ---- records ---- */

/* To be freed; NULL without memory. */
static char *path_of(const struct confirmation *confirmation, const char *name)
{
	char *path;

	return asprintf(&path, "%s/%s", confirmation->directory, name) < 0 ? NULL : path;
}

static int sync_directory(const char *path, char error[CONFIRMATION_TEXT_MAX])
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int err = fd >= 0 && fsync(fd) == 0 ? 0 : fail(path, "written", errno, error);

	if (fd >= 0)
		close(fd);
	return err;
}

static int sync_parent(const char *path, char error[CONFIRMATION_TEXT_MAX])
{
	const char *slash = strrchr(path, '/');
	char *parent = !slash          ? strdup(".")
		       : slash == path ? strdup("/")
				       : strndup(path, (size_t)(slash - path));
	int err = parent ? sync_directory(parent, error) : fail_memory(error);

	free(parent);
	return err;
}

static int make_directory(const char *path, char error[CONFIRMATION_TEXT_MAX])
{
	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		return fail(path, "made", errno, error);
	return sync_parent(path, error);
}

static int write_text(const char *path, const char *text, char error[CONFIRMATION_TEXT_MAX])
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	size_t length = strlen(text);
	int err = 0;

	errno = fd < 0 ? errno : ENOSPC; /* a short write sets no errno */
	if (fd < 0 || write(fd, text, length) != (ssize_t)length || fsync(fd) != 0)
		err = fail(path, "written", errno, error);
	if (fd >= 0)
		close(fd);
	return err;
}

int confirmation_make_room(const struct confirmation *confirmation,
			   char error[CONFIRMATION_TEXT_MAX])
{
	return make_directory(confirmation->directory, error);
}

int confirmation_write(const struct confirmation *confirmation,
		       const struct unconfirmed *unconfirmed, char error[CONFIRMATION_TEXT_MAX])
{
	json_t *record = json_whole(
		json_make("{s:o, s:I, s:I, s:I}", "who", json_text(unconfirmed->who), "at",
			  (json_int_t)unconfirmed->at_s, "until", (json_int_t)unconfirmed->until_s,
			  "revision", (json_int_t)unconfirmed->revision));
	char *text = record ? json_dumps(record, JSON_COMPACT) : NULL;
	char *path = path_of(confirmation, kind_names[unconfirmed->kind]);
	char *fresh = path_of(confirmation, "new");
	int err = text && path && fresh ? 0 : fail_memory(error);
	bool is_there = false;

	if (!err)
		err = make_directory(confirmation->directory, error);
	if (!err)
		err = write_text(fresh, text, error);
	if (!err && rename(fresh, path) != 0)
		err = fail(path, "written", errno, error);
	if (!err) {
		is_there = true;
		err = sync_directory(confirmation->directory, error);
	}
	if (err && fresh)
		(void)unlink(fresh);
	/* After a reload has gone back, its record stays: the next start must go back, too. */
	if (err && is_there && !confirmation->is_back)
		(void)unlink(path);
	free(fresh);
	free(path);
	free(text);
	json_decref(record);
	return err;
}

static bool read_record(const char *text, struct unconfirmed *found)
{
	json_t *record = json_loads(text, 0, NULL);
	json_int_t at_s, until_s, revision;
	const char *who;
	bool fine = json_unpack(record, "{s:s, s:I, s:I, s:I}", "who", &who, "at", &at_s, "until",
				&until_s, "revision", &revision) == 0;

	if (fine) {
		found->at_s = at_s;
		found->until_s = until_s;
		found->revision = (uint64_t)revision;
		snprintf(found->who, sizeof found->who, "%s", who);
	}
	json_decref(record);
	return fine;
}

bool confirmation_find(const struct confirmation *confirmation, enum unconfirmed_kind kind,
		       struct unconfirmed *found)
{
	const char *why;
	char *path, *text;
	size_t length;
	bool fine;

	*found = (struct unconfirmed){.kind = kind};
	path = confirmation->directory ? path_of(confirmation, kind_names[kind]) : NULL;
	if (!path || access(path, F_OK) != 0) {
		free(path);
		return false;
	}
	text = regular_file_read(path, RECORD_MAX, NULL, &length, &why);
	fine = text && read_record(text, found);
	if (!fine)
		log_event(LOG_ERROR, "confirm",
			  "%s cannot be read, so nothing goes back: %s; remove it", path,
			  text ? "it is not what sluice writes" : why);
	free(text);
	free(path);
	return fine;
}

int confirmation_remove(const struct confirmation *confirmation, enum unconfirmed_kind kind,
			char error[CONFIRMATION_TEXT_MAX])
{
	char *path = path_of(confirmation, kind_names[kind]);
	/* The directory is opened first: once the record is removed, the next start does not go
	 * back, and this function must not report an error any more. */
	int fd = open(confirmation->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC), err = 0;

	if (fd < 0 && errno != ENOENT)
		err = fail(confirmation->directory, "opened", errno, error);
	else if (!path)
		err = fail_memory(error);
	else if (unlink(path) != 0 && errno != ENOENT)
		err = fail(path, "removed", errno, error);
	else if (fd >= 0 && fsync(fd) != 0)
		log_event(LOG_WARNING, "confirm",
			  "%s is removed, but could come back if the power failed now: %s", path,
			  strerror(errno));
	if (fd >= 0)
		close(fd);
	free(path);
	if (err)
		return err;
	if (kind == UNCONFIRMED_RELOAD)
		config_copy_remove(confirmation->copy);
	(void)rmdir(confirmation->directory); /* fails if the other kind has a record there */
	return 0;
}

void confirmation_forget_copy(const struct confirmation *confirmation)
{
	if (confirmation->is_back || confirmation->waits)
		return;
	config_copy_remove(confirmation->copy);
	(void)rmdir(confirmation->directory);
}

/* ---- rows that a change wrote ---- */

struct change_history {
	json_t *rows; /* by kind and path: the values before the change's first edit */
	const struct unconfirmed *unconfirmed;
	bool is_another; /* another change has this revision */
};

static bool is_of(const struct source_change *change, const struct unconfirmed *unconfirmed)
{
	int64_t apart_s = change->at_s - unconfirmed->at_s;

	return strcmp(change->who, unconfirmed->who) == 0 && apart_s <= SAME_TIME_S &&
	       apart_s >= -SAME_TIME_S;
}

/* The row's values before the change. JSON's null: there was no row, or another program wrote one
 * that is not JSON, so a rollback removes the row. NULL: out of memory, the only error for which
 * jansson's text is empty. */
static json_t *values_before(const struct source_change *change)
{
	json_error_t error = {.text = ""};
	json_t *values = change->before ? json_loads(change->before, 0, &error) : json_null();

	return values || !*error.text ? values : json_null();
}

static int on_change(void *context, const struct source_change *change)
{
	struct change_history *history = context;
	char *key = NULL;
	int err = asprintf(&key, "%u %s", change->kind, change->path) < 0 ? ERR_NOMEM : 0;

	if (err)
		return err;
	if (change->revision != history->unconfirmed->revision)
		(void)json_object_del(history->rows, key);
	else if (!is_of(change, history->unconfirmed))
		history->is_another = true;
	else if (!json_object_get(history->rows, key))
		json_put(history->rows, key,
			 json_make("{s:I, s:o, s:o}", "kind", (json_int_t)change->kind, "path",
				   json_text(change->path), "values", values_before(change)));
	free(key);
	return 0;
}

json_t *confirmation_rows(struct source *source, const struct unconfirmed *unconfirmed,
			  char error[CONFIRMATION_TEXT_MAX])
{
	struct change_history history = {.rows = json_object(), .unconfirmed = unconfirmed};
	char why[SOURCE_ERROR_MAX] = "";
	json_t *rows = json_array(), *row;
	const char *key;
	int err = ERR_NOMEM;

	if (history.rows)
		err = source->calls->changes(source, source_after(unconfirmed->revision - 1),
					     on_change, &history, why);
	if (!history.is_another)
		json_object_foreach(history.rows, key, row) json_add(rows, json_incref(row));
	json_decref(history.rows);
	rows = json_whole(rows);
	if (!err && rows)
		return rows;
	snprintf(error, CONFIRMATION_TEXT_MAX, "%s", *why ? why : err_text(err ? err : ERR_NOMEM));
	json_decref(rows);
	return NULL;
}

void unconfirmed_who(const struct unconfirmed *unconfirmed, char text[UNCONFIRMED_WHO_MAX])
{
	snprintf(text, UNCONFIRMED_WHO_MAX, "%s, not confirmed", unconfirmed->who);
}

static int put_row(struct source *source, const json_t *row, char error[SOURCE_ERROR_MAX])
{
	const json_t *values = json_object_get(row, "values");
	unsigned kind = (unsigned)json_integer_value(json_object_get(row, "kind"));
	const char *path = json_string_value(json_object_get(row, "path"));
	char *text = json_is_null(values) ? NULL : json_dumps(values, JSON_COMPACT);
	int err = text || json_is_null(values)
			  ? source->calls->put(source, kind, path, text, NULL, error)
			  : ERR_NOMEM;

	free(text);
	return err;
}

static int restore(struct source *source, const json_t *rows, const char *who,
		   char error[SOURCE_ERROR_MAX])
{
	uint64_t revision;
	int err = source->calls->begin(source, who, &revision, error);
	const json_t *row;
	size_t i;

	json_array_foreach(rows, i, row) if (!err) err = put_row(source, row, error);
	if (!err && source->calls->commit(source, error) != COMMIT_YES)
		err = ERR_SYSTEM; /* even if COMMIT_UNKNOWN: the caller loads the state again */
	source->calls->roll_back(source);
	return err;
}

/* Whether some rows are of kinds beside the model. Only a running service can restore such rows,
 * because their indexes need more than the values. */
static bool has_rows_beside(const json_t *rows)
{
	const struct kind *kind;
	const json_t *row;
	size_t i;

	json_array_foreach(rows, i, row)
	{
		kind = kind_of_id((unsigned)json_integer_value(json_object_get(row, "kind")));
		if (kind && kind_is_beside(kind))
			return true;
	}
	return false;
}

/* confirmation_restore with the state open. */
static int restore_in(struct source *source, const struct unconfirmed *unconfirmed,
		      char error[CONFIRMATION_TEXT_MAX])
{
	char why[SOURCE_ERROR_MAX] = "", who[UNCONFIRMED_WHO_MAX];
	int err = source->calls->sync(source, why); /* required before a change */
	json_t *rows;

	if (!err) {
		rows = confirmation_rows(source, unconfirmed, error);
		if (!rows)
			return ERR_SYSTEM;
		unconfirmed_who(unconfirmed, who);
		if (has_rows_beside(rows))
			err = ERR_EXISTS;
		else if (json_array_size(rows) > 0)
			err = restore(source, rows, who, why);
		json_decref(rows);
	}
	*error = '\0';
	if (err == ERR_EXISTS)
		return err;
	if (err)
		snprintf(error, CONFIRMATION_TEXT_MAX, "%s", *why ? why : err_text(err));
	return err;
}

int confirmation_restore(const struct confirmation *confirmation, const char *state,
			 const struct unconfirmed *unconfirmed, char error[CONFIRMATION_TEXT_MAX])
{
	struct source *source = source_open(state, SOURCE_WRITE, error);
	int err = source ? restore_in(source, unconfirmed, error) : ERR_SYSTEM;

	source_close(source);
	return err ? err : confirmation_remove(confirmation, UNCONFIRMED_CHANGE, error);
}

/* ---- in memory ---- */

void confirmation_begin(struct confirmation *confirmation, const struct unconfirmed *unconfirmed)
{
	int64_t wait_s = unconfirmed->until_s - unconfirmed->at_s;

	/* The wait begins now, because a large change may have begun minutes ago. */
	confirmation->waits = true;
	confirmation->waiting = *unconfirmed;
	confirmation->waiting.until_s = time(NULL) + wait_s;
	confirmation->waiting.end_ms = now_ms() + (uint64_t)wait_s * 1000;
	confirmation->error[0] = '\0';
	uv_timer_start(&confirmation->timer, on_timer, (uint64_t)wait_s * 1000, 0);
}

void confirmation_end(struct confirmation *confirmation, bool back)
{
	bool is_reload = confirmation->waiting.kind == UNCONFIRMED_RELOAD;

	uv_timer_stop(&confirmation->timer);
	confirmation->waits = false;
	confirmation->error[0] = '\0';
	if (is_reload && back)
		confirmation->gone = confirmation->waiting;
	if (is_reload)
		confirmation->is_back = back;
}

void confirmation_try_again(struct confirmation *confirmation, unsigned wait_ms)
{
	uv_timer_start(&confirmation->timer, on_timer, wait_ms, 0);
}
