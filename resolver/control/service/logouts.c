/* Rows among the state's uses:
 *
 *     "logout" END ID CLIENT      with tabs between; ID is the token's. For a token without an id:
 *                                 "logout" END CLIENT
 *
 * Rows are sorted by their ends, so expired rows come first, and a start reads only the others. A
 * row expires HTTP_LOGOUT_KEPT_S after its token. Expired rows are removed by a later logout, by a
 * start, and by the sweep of use_book.c. */
#include "resolver/control/service/logouts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "resolver/log.h"
#include "rules/array.h"

#define PREFIX "logout\t"

enum {
	KEY_MAX = sizeof PREFIX + 20 + 1 + TOKEN_ID_MAX + 1 + HTTP_CLIENT_MAX,
	ROWS_MAX = 1000 * 1000,     /* rows of each of the two reads at a start (logouts_load) */
	OVER_MAX = 16,              /* expired rows removed with each new row */
	OVER_AT_START_MAX = 100000, /* expired rows removed at the start */
};

static bool is_row(const struct pairs_use *use)
{
	return strncmp(use->what, PREFIX, sizeof PREFIX - 1) == 0;
}

bool logouts_counts(const struct pairs_use *use, int64_t now_s)
{
	return is_row(use) && use->since_s > now_s - HTTP_LOGOUT_KEPT_S;
}

/* ---- expired rows ---- */

struct over {
	int64_t now_s;
	char **keys;
	size_t count, room;
};

static int on_over(void *context, const struct pairs_use *use)
{
	struct over *over = context;
	char **keys;

	if (!is_row(use) || logouts_counts(use, over->now_s))
		return ERR_LIMIT; /* after the expired rows */
	keys = array_grow(over->keys, over->count, &over->room, sizeof *keys);
	if (!keys)
		return ERR_NOMEM;
	over->keys = keys;
	keys[over->count] = strdup(use->what);
	return keys[over->count] ? (over->count++, 0) : ERR_NOMEM;
}

/* Writes the row (NULL: none) and removes up to `most` expired rows, in one transaction. If these
 * cannot be read now, a later call removes them. */
static int put_row(struct store *store, const struct pairs_use *row, size_t most, int64_t now_s)
{
	struct over over = {.now_s = now_s};
	struct source *source = store->source;
	char error[SOURCE_ERROR_MAX];

	(void)!pairs_uses_after(source, PREFIX, most, on_over, &over, error);
	size_t count = 0;
	struct pairs_use *rows = calloc(1 + over.count, sizeof *rows);
	int err = rows ? 0 : ERR_NOMEM;

	if (rows && row)
		rows[count++] = *row;
	for (size_t i = 0; rows && i < over.count; i++)
		rows[count++] = (struct pairs_use){.what = over.keys[i]};
	if (count > 0)
		err = pairs_write_uses(source, rows, count, error);
	for (size_t i = 0; i < over.count; i++)
		free(over.keys[i]);
	free(over.keys);
	free(rows);
	return err;
}

int logouts_note(struct store *store, const struct http_logout *logout, int64_t now_s)
{
	char key[KEY_MAX];
	const struct pairs_use row = {.what = key, .since_s = logout->expires_s};

	snprintf(key, sizeof key, PREFIX "%lld\t%s%s%s", (long long)logout->expires_s, logout->id,
		 *logout->id ? "\t" : "", logout->client);
	int err = put_row(store, &row, OVER_MAX, now_s);
	if (!err || err == ERR_NOT_FOUND)
		return 0;
	log_event_guarded(LOG_WARNING, "login",
			  "that a client has logged out cannot be kept in the state: a restart "
			  "within the hour makes its token good again",
			  "that client %s has logged out cannot be kept in the state: a restart "
			  "within the hour makes its token good again",
			  logout->client);
	return err;
}

/* ---- loading at the start ---- */

struct logout_reader {
	struct http_auth *auth;
	int64_t now_s;
};

static int on_row(void *context, const struct pairs_use *use)
{
	const struct logout_reader *reader = context;
	struct http_logout logout = {.expires_s = use->since_s};

	if (!is_row(use))
		return ERR_LIMIT; /* after the logouts */
	const char *end = strchr(use->what + sizeof PREFIX - 1, '\t');
	const char *client = end ? strchr(end + 1, '\t') : NULL;
	if (!end || !logouts_counts(use, reader->now_s))
		return 0;
	if (client)
		snprintf(logout.id, sizeof logout.id, "%.*s", (int)(client - end - 1), end + 1);
	snprintf(logout.client, sizeof logout.client, "%s", (client ? client : end) + 1);
	return http_auth_note_logout(reader->auth, &logout);
}

/* Reads logouts of tokens that expire at from_s or later. */
static int load_from(struct store *store, struct logout_reader *reader, int64_t from_s)
{
	char from[KEY_MAX], error[SOURCE_ERROR_MAX];

	snprintf(from, sizeof from, PREFIX "%lld", (long long)from_s);
	int err = pairs_uses_after(store->source, from, ROWS_MAX, on_row, reader, error);
	return err == ERR_LIMIT || err == ERR_NOT_FOUND ? 0 : err;
}

/* Reads the logouts of valid tokens first, because the logouts of expired tokens alone may be more
 * than ROWS_MAX. */
void logouts_load(struct store *store, struct http_auth *auth, int64_t now_s)
{
	struct logout_reader reader = {.auth = auth, .now_s = now_s};
	int err = load_from(store, &reader, now_s);

	if (!err)
		err = load_from(store, &reader, now_s - HTTP_LOGOUT_KEPT_S);
	if (err)
		log_event(LOG_WARNING, "login",
			  "who has logged out cannot be read: within the hour such tokens are good "
			  "again");
	(void)!put_row(store, NULL, OVER_AT_START_MAX, now_s); /* use_book.c tries again */
}
