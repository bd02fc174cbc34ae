/* A row of the state's uses: its key is the client, and when the token would end. */
#include "resolver/control/service/logouts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "resolver/log.h"
#include "rules/array.h"

#define PREFIX "logout\t"

enum { KEY_MAX = sizeof PREFIX + 20 + 1 + HTTP_CLIENT_MAX, ROWS_MAX = 100000 };

bool logouts_is_row(const char *key)
{
	return strncmp(key, PREFIX, sizeof PREFIX - 1) == 0;
}

void logouts_note(struct inventory *inventory, const struct http_logout *logout)
{
	char key[KEY_MAX];
	struct source_use row = {.what = key, .since_s = logout->expires_s};

	snprintf(key, sizeof key, PREFIX "%lld\t%s", (long long)logout->expires_s, logout->client);
	if (inventory_uses(inventory, &row, 1, true) == ERR_SYSTEM)
		log_event(LOG_WARNING, "login",
			  "that client %s has logged out cannot be kept: a restart within the hour "
			  "makes its token good again",
			  logout->client);
}

struct loading {
	struct http_auth *auth;
	int64_t now_s;
	char **over; /* keys of rows that are needed no more */
	size_t count, room;
};

static int on_row(void *context, const struct source_use *use)
{
	struct loading *loading = context;
	struct http_logout logout = {.expires_s = use->since_s};
	const char *client;
	char **over;

	if (!logouts_is_row(use->what))
		return ERR_LIMIT; /* behind them */
	client = strchr(use->what + sizeof PREFIX - 1, '\t');
	if (client && use->since_s > loading->now_s) {
		snprintf(logout.client, sizeof logout.client, "%s", client + 1);
		return http_auth_note_logout(loading->auth, &logout, loading->now_s);
	}
	over = array_grow(loading->over, loading->count, &loading->room, sizeof *over);
	if (!over)
		return ERR_NOMEM;
	loading->over = over;
	over[loading->count] = strdup(use->what);
	return over[loading->count] ? (loading->count++, 0) : ERR_NOMEM;
}

void logouts_load(struct inventory *inventory, struct http_auth *auth, int64_t now_s)
{
	struct loading loading = {.auth = auth, .now_s = now_s};
	int err = inventory_uses_after(inventory, PREFIX, ROWS_MAX, on_row, &loading);

	if (err && err != ERR_LIMIT && err != ERR_NOT_FOUND)
		log_event(LOG_WARNING, "login",
			  "who has logged out cannot be read: within the hour such tokens are good "
			  "again");
	for (size_t i = 0; i < loading.count; i++) {
		struct source_use row = {.what = loading.over[i]};

		(void)!inventory_uses(inventory, &row, 1, true); /* the next start tries again */
		free(loading.over[i]);
	}
	free(loading.over);
}
