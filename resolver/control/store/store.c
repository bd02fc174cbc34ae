#include "resolver/control/store/store.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "resolver/log.h"
#include "rules/text.h"

enum { TRY_MS = 2000 };

/* ---- opening ---- */

void store_init(struct store *store, enum source_mode mode)
{
	*store = (struct store){.mode = mode};
}

/* Whether the state is only read, because another process writes to it. */
static bool is_beside(const struct store *store)
{
	return store->mode != SOURCE_WRITE;
}

/* ERR_SYSTEM: store->error says why. */
static int open_source(struct store *store)
{
	char error[SOURCE_ERROR_MAX];

	store->source = source_open(store->url, store->mode, error);
	if (store->source) {
		/* While the empty source is open, it keeps the file's rows in memory. */
		source_close(store->empty);
		store->empty = NULL;
		store->error[0] = '\0';
		return 0;
	}
	if (!*error)
		snprintf(error, sizeof error, "the state %.400s is not there; restart to begin one",
			 store->url);
	store_say_unread(store, error);
	return ERR_SYSTEM;
}

int store_follow(struct store *store, const char *url, const struct origin *origin,
		 struct faults *faults)
{
	const char *rest = "; changes are refused until then";
	bool is_first = !store->followed;

	store->followed = true;
	if (is_first) {
		snprintf(store->url, sizeof store->url, "%s", url ? url : "");
		store->stale = url;
	} else if (!text_equal(url ? url : "", store->url)) {
		fault_add(faults, FAULT_WARNING, origin, "state",
			  "another state takes a restart; still %s",
			  *store->url ? store->url : "none");
	}
	if (!*store->url || store->source || open_source(store) == 0)
		return 0;
	if (is_beside(store))
		rest = "";
	else if (is_first)
		rest = "; what the file says is served, and changes are refused until then";
	fault_add(faults, is_beside(store) ? FAULT_ERROR : FAULT_WARNING, origin, "state", "%s%s",
		  store->error, rest);
	return is_beside(store) ? ERR_FAULTS : 0;
}

/* sluice creates the state but not its folder, so check the folder. */
static void check_folder(const char *url, const struct origin *origin, struct faults *faults)
{
	const char *file = source_file(url), *folder;
	char copy[PATH_MAX];

	snprintf(copy, sizeof copy, "%s", file ? file : "");
	folder = dirname(copy);
	if (!file || faccessat(AT_FDCWD, folder, W_OK | X_OK, AT_EACCESS) == 0)
		return;
	if (errno == ENOENT)
		fault_add(faults, FAULT_WARNING, origin, "state",
			  "the folder %s does not exist; create it, as the user's own that sluice "
			  "runs as",
			  folder);
	else
		fault_add(faults, FAULT_WARNING, origin, "state",
			  "%s cannot be made: the folder %s cannot be written: %s; make it the "
			  "user's own that sluice runs as (chown)",
			  file, folder, strerror(errno));
}

bool store_look(struct store *store, const char *url, const struct origin *origin,
		struct faults *faults)
{
	char error[SOURCE_ERROR_MAX];

	store_init(store, SOURCE_READ_APART);
	store->followed = store->stale = true;
	snprintf(store->url, sizeof store->url, "%s", url ? url : "");
	store->source = url ? source_open(url, store->mode, error) : NULL;
	if (store->source || !url)
		return store->source;
	if (*error)
		fault_add(faults, FAULT_WARNING, origin, "state",
			  "%s; what the file says is served, and changes are refused until then",
			  error);
	else
		check_folder(url, origin, faults);
	return false;
}

struct source *store_empty(struct store *store)
{
	char unused[SOURCE_ERROR_MAX];

	if (store->of && store->how == STORE_SAME)
		return store_empty(store->of);
	if (!store->empty)
		store->empty = source_open_empty(unused);
	return store->empty;
}

void store_close(struct store *store)
{
	const struct store *of = store->of;

	source_close(store->empty);
	store->empty = NULL;
	if (of && store->how == STORE_ASIDE && store->source)
		of->source->calls->join(of->source, store->source);
	else if (!of || store->how == STORE_VIEW)
		source_close(store->source);
	store->source = NULL;
}

void store_take(struct store *store)
{
	store_close(store);
	store->mode = SOURCE_WRITE;
	store->stale = true;
}

void store_hand_over(struct store *store)
{
	if (!store->source)
		return;
	store_close(store);
	snprintf(store->error, sizeof store->error,
		 "the state %.400s is being handed over to another process", store->url);
}

/* ---- for threads ---- */

void store_hold(struct store *store, bool held)
{
	assert(store->held != held);
	store->held = held;
}

void store_copy(struct store *copy, struct store *of, enum store_copy how)
{
	*copy = *of;
	copy->of = of;
	copy->how = how;
	copy->held = false;
	copy->empty = NULL; /* a connection is one thread's */
	if (how != STORE_SAME && of->source)
		copy->source = how == STORE_VIEW
				       ? of->source->calls->view(of->source, copy->error)
				       : of->source->calls->another(of->source, copy->error);
}

/* ---- errors ---- */

void store_note_error(struct store *store, const char *error, bool unread)
{
	bool was_well = !*store->error, was_unread = store->unread;

	store->unread = unread;
	snprintf(store->error, sizeof store->error, "%s", error ? error : "");
	if (error)
		log_event(LOG_ERROR, "state", "%s", error);
	else if (!was_well)
		log_event(LOG_INFO, "state", "%s",
			  was_unread ? "the state can be read again"
				     : "the state takes changes again");
}

/* Begins a change as well, because that finds what another program has written. */
static int try_to_write(struct source *source, char error[SOURCE_ERROR_MAX])
{
	static const struct source_pair row[] = {{"try", ""}, {"try", NULL}};
	uint64_t revision;
	int err = source->calls->begin(source, "", &revision, error);

	if (err)
		return err;
	source->calls->roll_back(source);
	return source->calls->put_pairs(source, row, 2, true, error);
}

void store_try(struct store *store, uint64_t now_ms)
{
	char error[SOURCE_ERROR_MAX];

	if (!*store->error || store->unread || !store->source || store->stale || store->held ||
	    is_beside(store) || now_ms < store->try_ms)
		return;
	store->try_ms = now_ms + TRY_MS;
	if (try_to_write(store->source, error) == 0)
		store_note_error(store, NULL, false);
	else
		snprintf(store->error, sizeof store->error, "%s", error);
}

void store_say_unread(struct store *store, const char *why)
{
	snprintf(store->error, sizeof store->error, "%s; then reload the configuration", why);
}
