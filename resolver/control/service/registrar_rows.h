/* What clients have registered (registrar.h), as the state keeps it. A row is one record set, a
 * pair of the store (store/pairs.h) and no resource, so that history and exports leave it out.
 *
 *     registered ZONE OWNER TYPE     "SINCE WHO TTL RDATA ...", each rdata as hexadecimal digits;
 *                                    "SINCE WHO/SIGNED ..." where the message was signed
 *
 * ZONE is the full name in lower case. Rows of older versions have no SIGNED, and they show it as a
 * part of the key's name. */
#ifndef SLUICE_REGISTRAR_ROWS_H
#define SLUICE_REGISTRAR_ROWS_H

#include "resolver/control/service/renewals.h"
#include "resolver/control/store/source.h"
#include "resolver/update/judge.h"
#include "rules/policy/registered.h"

enum {
	REGISTRAR_KEY_MAX = 2 * NAME_TEXT_MAX + 32,
	REGISTRAR_BY_MAX = NAME_TEXT_MAX + 16,
};

/* A set as it is stored. */
struct registrar_row {
	const char *key;   /* registrar_key */
	const char *zone;  /* full name */
	const char *owner; /* absolute, as text */
	uint16_t type;
	int64_t since_s;
	uint32_t signed_s; /* by the clock of the client; 0: it did not sign, or nobody knows */
	const char *by;    /* "key NAME.", "address IP" */
	uint32_t ttl;
	const uint8_t *rdata; /* of all records: two bytes of length ahead of each */
	size_t rdata_length, count;
};
/* Which reverse tree the name is in: 0 in-addr.arpa, 1 ip6.arpa; -1: neither. */
int registrar_tree(const struct name *name);
/* Makes "key NAME.", as it is shown, of "key.NAME.", which is stored so because it has no blank. */
void registrar_show_by(char *by);
/* "ZONE OWNER TYPE": by this text rows are in order, of one zone behind "ZONE ". Returns key. */
char *registrar_key(const char *zone, const uint8_t *owner, uint16_t type,
		    char key[REGISTRAR_KEY_MAX]);
/* Calls back with all of them from this key on ("": from the first), in the order of their keys,
 * until a return is not 0, which is returned. ERR_SYSTEM: the store failed; `error` says why. */
MUST_CHECK int registrar_each(struct source *source, const char *from,
			      int (*on_row)(void *context, const struct registrar_row *row),
			      void *context, char error[SOURCE_ERROR_MAX]);
/* What is stored, to be served with a policy (policy_compile_with): one reference, the caller's;
 * and the renewals, into tables that are empty (NULL: they are not wanted). ERR_SYSTEM, ERR_NOMEM:
 * NULL, and `error` says why. */
MUST_CHECK int registrar_read(struct source *source, const struct hash_key *key,
			      struct renewals *renewals, struct registered **registered,
			      char error[SOURCE_ERROR_MAX]);

struct registrar_author {  /* of a message that changes sets */
	const char *who;   /* "key.NAME.", "address.IP" */
	uint32_t signed_s; /* 0: it is not signed */
};

/* By which renewals know the message; `who` as it is stored or shown. */
struct renewal_signature registrar_signature(const struct renewals *renewals,
					     const struct registrar_author *author);

/* To be written, in one transaction. The arena is to be initialized. */
struct registrar_rows {
	struct arena arena;
	struct source_pair *items;
	size_t count, room;
};
/* `word` and `key` are the pair's key; without a value it goes. False without memory. */
MUST_CHECK bool registrar_rows_add(struct registrar_rows *rows, const char *word, const char *key,
				   const char *value);
/* A set that has no records goes (registrar_rows_remove). */
MUST_CHECK bool registrar_rows_add_set(struct registrar_rows *rows, const char *zone,
				       const struct update_set *set,
				       const struct registrar_author *author, uint32_t ttl,
				       int64_t now_s);
/* The set with that key goes, and with it what is stored of its renewals. */
MUST_CHECK bool registrar_rows_remove(struct registrar_rows *rows, const char *key);
void registrar_rows_release(struct registrar_rows *rows);

#endif
