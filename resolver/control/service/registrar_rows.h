/* Registered sets (registrar.h) as rows of the state. Each record set is a row, stored as a pair
 * (store/pairs.h) and not as a resource, so that history and exports leave it out.
 *
 *     registered ZONE OWNER TYPE     "SINCE WHO TTL RDATA ...", each rdata as hexadecimal digits;
 *                                    "SINCE WHO/SIGNED ..." where the message was signed
 *
 * ZONE is the full name in lower case. Rows of older versions have no SIGNED; older versions show
 * SIGNED as a part of the key's name. */
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

/* A stored set. */
struct registrar_row {
	const char *key;   /* registrar_key */
	const char *zone;  /* full name */
	const char *owner; /* absolute, as text */
	uint16_t type;
	int64_t since_s;
	uint32_t signed_s; /* by the client's clock; 0: not signed, or unknown */
	const char *by;    /* "key NAME.", "address IP" */
	uint32_t ttl;
	const uint8_t *rdata; /* of all records, each after two bytes of its length */
	size_t rdata_length, count;
};
/* The reverse tree that the name is in: 0 in-addr.arpa, 1 ip6.arpa; -1: neither. */
int registrar_tree(const struct name *name);
/* Turns the stored form "key.NAME.", which has no blank, into "key NAME.", the form to show. */
void registrar_show_by(char *by);
/* Prints "ZONE OWNER TYPE", the sort key of rows; all keys of a zone begin with "ZONE ". Returns
 * key. */
char *registrar_key(const char *zone, const uint8_t *owner, uint16_t type,
		    char key[REGISTRAR_KEY_MAX]);
/* Calls back with all rows from this key on ("": from the first), sorted by key, until a callback
 * returns anything but 0, which is the result. ERR_SYSTEM: the store failed; `error` says why.
 * ERR_NOT_FOUND: the source is NULL; ERR_NOMEM; with these two `error` may be unset. */
MUST_CHECK int registrar_each(struct source *source, const char *from,
			      int (*on_row)(void *context, const struct registrar_row *row),
			      void *context, char error[SOURCE_ERROR_MAX]);
/* Reads the stored sets, to be served with a policy (policy_compile_with), and the renewals into
 * empty tables (NULL: not wanted). The caller gets one reference to the sets. ERR_SYSTEM,
 * ERR_NOMEM: *registered is NULL, and `error` says why. */
MUST_CHECK int registrar_read(struct source *source, const struct hash_key *key,
			      struct renewals *renewals, struct registered **registered,
			      char error[SOURCE_ERROR_MAX]);

struct registrar_author {  /* the sender of a message that changes sets */
	const char *who;   /* "key.NAME.", "address.IP" */
	uint32_t signed_s; /* 0: not signed */
};

/* The message's identity for renewals; `who` as stored or as shown. */
struct renewal_signature registrar_signature(const struct renewals *renewals,
					     const struct registrar_author *author);

/* Rows to be written in one transaction. The caller initializes the arena. */
struct registrar_rows {
	struct arena arena;
	struct source_pair *items;
	size_t count, room;
};
/* Adds a pair whose key is `word` followed by `key`; without a value the pair is deleted. False
 * without memory. */
MUST_CHECK bool registrar_rows_add(struct registrar_rows *rows, const char *word, const char *key,
				   const char *value);
/* Adds a row for the set; one without records is deleted (registrar_rows_remove). */
MUST_CHECK bool registrar_rows_add_set(struct registrar_rows *rows, const char *zone,
				       const struct update_set *set,
				       const struct registrar_author *author, uint32_t ttl,
				       int64_t now_s);
/* Deletes the set with that key, and its stored renewal. */
MUST_CHECK bool registrar_rows_remove(struct registrar_rows *rows, const char *key);
void registrar_rows_release(struct registrar_rows *rows);

#endif
