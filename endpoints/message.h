/* DNS messages as bytes: reading a client's question (RFC 1035 section 4.1, RFC 6891), walking a
 * target's reply record by record, and writing answers. No allocation, no sockets.
 *
 * A reply is written front to back into one buffer, always with the question at offset 12, so that
 * a record whose owner is the qname has the pointer c0 0c. */
#ifndef SLUICE_MESSAGE_H
#define SLUICE_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/err.h"
#include "rules/name.h"
#include "rules/wire.h"
#include "rules/zone/record.h"

enum {
	MESSAGE_HEADER = WIRE_HEADER,
	MESSAGE_MAX = 65535,
	MESSAGE_UDP_MIN = 512,           /* without EDNS (RFC 1035 section 2.3.4) */
	MESSAGE_QUESTION_MAX = 260,      /* bytes: name, type, class */
	MESSAGE_OPT = 11,                /* bytes of an OPT without options */
	MESSAGE_UPSTREAM_PAYLOAD = 1232, /* what our own OPT advertises */
	MESSAGE_COOKIE_CLIENT = 8,       /* bytes of a client cookie (RFC 7873 section 4) */
	MESSAGE_COOKIE_SERVER_MIN = 8,
	MESSAGE_COOKIE_SERVER_MAX = 32,
	MESSAGE_COOKIE_MAX = MESSAGE_COOKIE_CLIENT + MESSAGE_COOKIE_SERVER_MAX,
	MESSAGE_COOKIE_REPLY = MESSAGE_COOKIE_CLIENT + 16, /* what clients get: cookie.h */
	MESSAGE_OPTION = 4, /* bytes of an option's code and length */
	MESSAGE_QUERY_MAX = MESSAGE_HEADER + MESSAGE_QUESTION_MAX + MESSAGE_OPT, /* what we send
										    upstream */
	MESSAGE_EDE_TEXT_MAX = 200,
	MESSAGE_JUMPS = 64,        /* compression pointers that are followed in a message, */
	MESSAGE_JUMPS_RECORD = 16, /* and so many more for each record that is read */
};

enum rcode {
	RCODE_NOERROR = 0,
	RCODE_FORMERR = 1,
	RCODE_SERVFAIL = 2,
	RCODE_NXDOMAIN = 3,
	RCODE_NOTIMP = 4,
	RCODE_REFUSED = 5,
	RCODE_YXDOMAIN = 6, /* this and those up to NOTZONE: RFC 2136 section 2.2 */
	RCODE_YXRRSET = 7,
	RCODE_NXRRSET = 8,
	RCODE_NOTAUTH = 9,
	RCODE_NOTZONE = 10,
	RCODE_BADVERS = 16,
	RCODE_BADTIME = 18, /* a TSIG's error (RFC 8945 section 5.2.3); the message has NOTAUTH */
};
enum { OPCODE_QUERY = 0, OPCODE_NOTIFY = 4, OPCODE_UPDATE = 5 };

enum {
	FLAG_QR = 0x8000,
	FLAG_AA = 0x0400,
	FLAG_TC = 0x0200,
	FLAG_RD = 0x0100,
	FLAG_RA = 0x0080,
	FLAG_AD = 0x0020,
	FLAG_CD = 0x0010,
	FLAG_OPCODE = 0x7800,
	FLAG_RCODE = 0x000f
};

enum { OPTION_NSID = 3, OPTION_COOKIE = 10, OPTION_EDE = 15 }; /* RFC 5001, 7873, 8914 */

enum section { SECTION_ANSWER, SECTION_AUTHORITY, SECTION_ADDITIONAL, SECTION_COUNT };

/* RFC 8914, the ones we give. */
enum ede {
	EDE_NONE = -1,
	EDE_OTHER = 0,
	EDE_STALE = 3,
	EDE_CACHED_ERROR = 13,
	EDE_NOT_READY = 14,
	EDE_PROHIBITED = 18,
	EDE_STALE_NXDOMAIN = 19,
	EDE_NOT_AUTHORITATIVE = 20,
	EDE_NOT_SUPPORTED = 21,
	EDE_NO_REACHABLE_AUTHORITY = 22,
	EDE_NETWORK_ERROR = 23,
	EDE_INVALID_TYPE = 30,
};

/* ---- a client's question ---- */

struct request {
	uint16_t id;
	uint16_t flags; /* as they came */
	uint16_t type, class;
	uint16_t question_length; /* bytes from offset 12; 0: none could be read */
	bool edns, dnssec_ok, nsid;
	uint8_t edns_version;
	uint16_t payload; /* what the client takes by UDP: at least 512 */
	uint16_t tsig_at; /* where its TSIG begins, the last record (RFC 8945); 0: it has none */
	bool has_serial;  /* of the SOA that IXFR brings */
	uint32_t serial;
	bool cookie_answered;  /* the cookie is one to answer with, and not yet what came */
	uint8_t cookie_length; /* that came; 0: none, and then the bytes are any */
	uint8_t cookie[MESSAGE_COOKIE_REPLY]; /* of a longer one the first bytes; the last member */
};

/* The zone section of a request to update is where others have their question (RFC 2136 section
 * 2.3). */
static inline bool request_is_update(const struct request *request)
{
	return (request->flags & FLAG_OPCODE) == OPCODE_UPDATE << 11;
}

enum request_state {
	REQUEST_FINE,
	REQUEST_UPDATE, /* a request to update */
	REQUEST_SILENT, /* not to be answered: too short for a header, or QR = 1 */
	REQUEST_ERROR,  /* to be answered with *rcode: FORMERR, NOTIMP, BADVERS */
};

/* Reads header and question only, however much is behind them, and what an OPT that stands right
 * there says of itself: enough to turn somebody away. False: not to be answered (REQUEST_SILENT).
 */
bool message_read_question(struct request *request, struct name *name, const struct hash_key *key,
			   const uint8_t *packet, size_t length);
/* Reads a packet that a client sent. On REQUEST_FINE name holds the qname; there is exactly one
 * question, opcode QUERY, at most one OPT, version 0 (RFC 9619, RFC 6891). On REQUEST_ERROR as much
 * of request is filled as could be read, so that an error can be answered with id, opcode, question
 * and OPT. Records in the answer section are FORMERR, as are any in the authority section but the
 * one SOA of its zone that IXFR brings (RFC 1995 section 3), a compressed qname, bytes behind the
 * last record, a second OPT, one out of its place, a cookie of a length that none has (RFC 7873
 * section 5.2.2), options that do not add up, and a TSIG that is not the last record. A packet
 * without a question that has a cookie only wants one: an "error" to be answered with NOERROR
 * (section 5.4). Types that are no data (IXFR, AXFR, MAILA, MAILB, OPT, TSIG, TKEY, NXNAME)
 * are left to the caller.
 *
 * On REQUEST_UPDATE (RFC 2136) there is exactly one zone, which `name` and the request's type and
 * class are of, at most one OPT, version 0, and a TSIG is the last record. All records are within
 * the packet; what they say is left to the caller. */
enum request_state message_read_request(struct request *request, struct name *name,
					const struct hash_key *key, const uint8_t *packet,
					size_t length, enum rcode *rcode);

/* An OPT's fixed part (RFC 6891 section 6.1.2): its class is the payload, its TTL holds version and
 * flags. `fields` points to the type, nine bytes that are there. */
void message_read_opt_fields(struct request *request, const uint8_t *fields);

/* ---- a target's reply ---- */

/* A walk over a message's records. A name may have many pointers and many records that name, which
 * would make a message cost the product of both: what all names of the walk may have together
 * grows with the records only. */
struct message_walk {
	const uint8_t *packet;
	size_t length, at; /* at: where the next record begins */
	unsigned jumps;    /* pointers that may still be followed */
};

static inline struct message_walk message_walk_from(const uint8_t *packet, size_t length, size_t at)
{
	return (struct message_walk){packet, length, at, MESSAGE_JUMPS};
}

struct record_view {  /* a record where it stands; offsets are into the packet */
	size_t owner; /* of its name, perhaps a pointer */
	uint16_t type, class;
	uint32_t ttl; /* top bit set reads as 0 (RFC 2181 section 8) */
	size_t ttl_at, rdata;
	uint16_t rdata_length;
};

/* Reads the next record. ERR_INVALID when anything is out of bounds, a compression pointer anywhere
 * in it points forward or into the header, or there are too many of them. */
MUST_CHECK int message_read_record(struct message_walk *walk, struct record_view *record);
/* The same where message_read_record has been over the message before, or we have written it: only
 * bounds are looked at once more. */
MUST_CHECK int message_reread_record(struct message_walk *walk, struct record_view *record);

/* The labels of a name that was sent in random capitals. */
struct message_letters {
	const uint8_t *name;
	bool indexed;
	uint8_t slots[256]; /* offset + 1, by hash; valid when indexed */
};
static inline void message_letters_init(struct message_letters *letters, const uint8_t *name)
{
	letters->name = name;
	letters->indexed = false;
}
/* Brings those labels of the record's owner, and of names in its rdata, to lower case that are,
 * letter for letter, labels of ours: a server copies them where it does not point to the question
 * (DNAME and wildcards above all). Only where a signature does not depend on it (RFC 4034
 * section 6.2 and RFC 6840 section 5.1). The view must be one that message_read_record gave. */
void message_lower_letters(struct message_letters *letters, uint8_t *packet,
			   const struct record_view *record);

static inline uint16_t message_flags(const uint8_t *packet)
{
	return wire_u16(packet + 2);
}

/* ---- writing ---- */

struct message {
	uint8_t *wire;
	size_t length, capacity;
	uint16_t counts[SECTION_COUNT]; /* records written; OPT is counted by message_finish */
	uint16_t question_length;
	bool overflow; /* something did not fit: the message will be truncated */
};

struct message_mark { /* a place to go back to */
	size_t length;
	uint16_t counts[SECTION_COUNT];
	bool overflow;
};

/* Starts a reply in `buffer`: header space and the question's bytes (from offset 12 of the packet,
 * as they came: case is preserved). question_length 0: no question. */
void message_begin(struct message *message, uint8_t *buffer, size_t capacity,
		   const uint8_t *question, uint16_t question_length);
struct message_mark message_mark(const struct message *message);
void message_rewind(struct message *message, const struct message_mark *mark);

/* Adds a whole RRset. owner_at: where in this message its owner name stands (12: the qname), or 0:
 * `owner`, uncompressed wire, is written out. ttl_max caps the TTL. Returns where the first
 * record's rdata stands, 0 when it did not fit. */
size_t message_add_rrset(struct message *message, enum section section, const struct rrset *rrset,
			 size_t owner_at, const uint8_t *owner, uint32_t ttl_max);
/* Copies a record out of another packet, with its names decompressed where they may be compressed
 * (record_layout). Owner and return as above, and with owner_at 0 and no `owner` it keeps its own.
 * `ttl` replaces its TTL. The view must be one that message_read_record gave. */
size_t message_copy_record(struct message *message, enum section section, const uint8_t *packet,
			   size_t length, const struct record_view *record, size_t owner_at,
			   const uint8_t *owner, uint32_t ttl);
/* Adds one record from parts: rdata as given. */
size_t message_add_record(struct message *message, enum section section, uint16_t type,
			  uint16_t class, uint32_t ttl, size_t owner_at, const uint8_t *owner,
			  const uint8_t *rdata, size_t rdata_length);

/* Adds a record whose owner is `lead`, labels without an end, and behind it the name that stands at
 * suffix_at. rest: the record from its type on. */
size_t message_add_below(struct message *message, enum section section, const uint8_t *lead,
			 size_t lead_length, size_t suffix_at, const uint8_t *rest,
			 size_t rest_length);

struct message_end {
	enum rcode rcode;
	bool authoritative;
	bool truncated;       /* TC set although everything fits: it is to be asked for by TCP */
	enum ede ede;         /* sent only to clients with EDNS, and dropped when it does not fit */
	const char *ede_text; /* UTF-8, may be NULL */
	const char *nsid;     /* sent when asked for; may be NULL */
	uint16_t payload;     /* what our OPT advertises */
	size_t limit;         /* bytes that the transport and the client allow */
};

/* Completes the reply: header (QR, opcode, AD 0; RA, and RD and CD from the request, which are
 * QUERY's, and not set for another opcode), truncation to an empty one with TC when it is over the
 * limit or overflowed, OPT when the request had one (with EDE, NSID). Returns the message's length.
 */
size_t message_finish(struct message *message, const struct request *request,
		      const struct message_end *end);

/* The question as we send it upstream: RD, CD as said, our OPT unless `edns` is false. Id as given.
 * Returns the length, at most MESSAGE_QUERY_MAX. */
size_t message_write_query(uint8_t buffer[MESSAGE_QUERY_MAX], uint16_t id, const uint8_t *qname,
			   size_t qname_length, uint16_t type, bool checking_disabled,
			   bool dnssec_ok, bool edns);

#endif
