/* Rows of the field table (schema/table.c has the map): zones that go out, and the keys of those
 * who get them. */
#include "rules/schema/rows.h"

static const char *const algorithm_names[] = {"hmac-sha256", "hmac-sha1",   "hmac-sha224",
					      "hmac-sha384", "hmac-sha512", NULL};

static const struct field key_fields[] = {
	{.key = "name",
	 .type = FIELD_DOMAIN,
	 AT(tsig_settings, name),
	 .required = true,
	 .doc = "The key's name, the same at the other side; unique among the keys."},
	{.key = "algorithm",
	 .type = FIELD_ENUM,
	 AT(tsig_settings, algorithm),
	 .fallback = "hmac-sha256",
	 .names = algorithm_names,
	 .doc = "What signs with it."},
	{.key = "secret",
	 .type = FIELD_STRING,
	 AT(tsig_settings, secret),
	 .doc = "The secret, in base64. Better in a file that only sluice's user may read: a "
		"configuration that everybody can read is a warning then."},
	{.key = "secret_file",
	 .type = FIELD_PATH,
	 AT(tsig_settings, secret_file),
	 .doc = "A file that holds the secret, in base64, instead. Read anew at every reload."},
};
const struct group schema_key = {
	.name = "key",
	FIELDS(key_fields),
	.size = sizeof(struct tsig_settings),
	.doc = "A TSIG key (RFC 8945): a secret shared with another name server.",
};

static const struct field transfer_fields[] = {
	{.key = "zones",
	 .type = FIELD_STRINGS,
	 AT(transfer_settings, zones),
	 .required = true,
	 .doc = "Which zones: private zones and reverse zones of address pools, by name; \"*\" is "
		"every reverse zone of an address pool but those of private addresses, which have "
		"to be named."},
	{.key = "allow",
	 .type = FIELD_PREFIXES,
	 AT(transfer_settings, allow),
	 .doc = "Who may have them. Absent: whoever has the key."},
	{.key = "key",
	 .type = FIELD_DOMAIN,
	 AT(transfer_settings, key),
	 .doc = "The name of the key that they must sign with, and that NOTIFY is signed with. "
		"Absent: none."},
	{.key = "notify",
	 .type = FIELD_HOSTS,
	 AT(transfer_settings, notify),
	 .doc = "Who is told of every change (RFC 1996), each as ADDRESS or ADDRESS:PORT."},
	{.key = "source",
	 .type = FIELD_ADDRESS,
	 AT(transfer_settings, source),
	 .doc = "The address that they are told from. Absent: the system's choice."},
};
const struct group schema_transfer = {
	.name = "transfer",
	FIELDS(transfer_fields),
	.size = sizeof(struct transfer_settings),
	.doc = "Zones that other name servers may copy (AXFR, RFC 5936; IXFR, RFC 1995), and who. "
	       "Their copies follow every change when they are told of it.",
};
