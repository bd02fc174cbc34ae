/* DNS messages as bytes: reading a client's question (RFC 1035 section 4.1, RFC 6891), walking a
 * target's reply record by record, and writing answers. No allocation, no sockets.
 *
 * A reply is written front to back into one buffer. Its question is always at offset 12, so a
 * record whose owner is the qname has the pointer c0 0c. */
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
	MESSAGE_UPSTREAM_PAYLOAD = 1232, /* what our OPT to targets advertises */
	MESSAGE_COOKIE_CLIENT = 8,       /* bytes of a client cookie (RFC 7873 section 4) */
	MESSAGE_COOKIE_SERVER_MIN = 8,
	MESSAGE_COOKIE_SERVER_MAX = 32,
	MESSAGE_COOKIE_MAX = MESSAGE_COOKIE_CLIENT + MESSAGE_COOKIE_SERVER_MAX,
	MESSAGE_COOKIE_REPLY = MESSAGE_COOKIE_CLIENT + 16, /* for clients (cookie.h) */
	MESSAGE_OPTION = 4, /* bytes of an option's code and length */
	MESSAGE_QUERY_MAX = MESSAGE_HEADER + MESSAGE_QUESTION_MAX + MESSAGE_OPT, /* to targets */
	MESSAGE_EDE_TEXT_MAX = 200,
	MESSAGE_JUMPS = 64,        /* compression pointers followed in any message */
	MESSAGE_JUMPS_RECORD = 16, /* further ones allowed for each record that is read */
};

enum rcode {
	RCODE_NOERROR = 0,
	RCODE_FORMERR = 1,
	RCODE_SERVFAIL = 2,
	RCODE_NXDOMAIN = 3,
	RCODE_NOTIMP = 4,
	RCODE_REFUSED = 5,
	RCODE_YXDOMAIN = 6, /* YXDOMAIN to NOTZONE: RFC 2136 section 2.2 */
	RCODE_YXRRSET = 7,
	RCODE_NXRRSET = 8,
	RCODE_NOTAUTH = 9,
	RCODE_NOTZONE = 10,
	RCODE_BADVERS = 16,
	RCODE_BADTIME = 18, /* in a TSIG (RFC 8945 section 5.2.3); the message has NOTAUTH */
	RCODE_BADCOOKIE = 23,
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

/* The extended errors that we give (RFC 8914; INVALID_TYPE: RFC 9824). */
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
	uint16_t question_length; /* bytes from offset 12; 0: it could not be read */
	bool edns, dnssec_ok, nsid;
	uint8_t edns_version;
	uint16_t payload; /* the client's maximum by UDP, at least 512 */
	uint16_t tsig_at; /* where its TSIG, the last record, begins (RFC 8945); 0: it has none */
	bool has_serial;  /* `serial` is set, from the SOA in an IXFR */
	uint32_t serial;
	bool cookie_answered;  /* `cookie` is the one to answer with, no longer the client's */
	uint8_t cookie_length; /* of the client's; 0: none, and `cookie` is undefined */
	uint8_t cookie[MESSAGE_COOKIE_REPLY]; /* the first bytes of a longer one; must be the last
						 member */
};

/* A request to update has its zone section in the place of the question (RFC 2136 section 2.3). */
static inline bool request_is_update(const struct request *request)
{
	return (request->flags & FLAG_OPCODE) == OPCODE_UPDATE << 11;
}

enum request_state {
	REQUEST_FINE,
	REQUEST_UPDATE, /* a request to update */
	REQUEST_SILENT, /* do not answer: too short for a header, or QR = 1 */
	REQUEST_ERROR,  /* answer with *rcode: FORMERR, NOTIMP, BADVERS; NOERROR: only a cookie */
};

/* Reads only the header, the question and the fixed part of an OPT right after it, however long
 * the packet is: enough to turn a client away. False: do not answer (REQUEST_SILENT). */
bool message_read_question(struct request *request, struct name *name, const struct hash_key *key,
			   const uint8_t *packet, size_t length);
/* Reads a client's packet. REQUEST_FINE: `name` is the qname; there is exactly one question, opcode
 * QUERY, and at most one OPT, of version 0 (RFC 9619, RFC 6891). REQUEST_ERROR: `request` is filled
 * as far as the packet could be read, so that an error can be answered with id, opcode, question
 * and OPT.
 *
 * FORMERR are: records in the answer section; records in the authority section, except an IXFR's
 * one SOA of its zone (RFC 1995 section 3); a compressed qname; bytes after the last record; a
 * second or misplaced OPT; a first cookie of an impossible length (RFC 7873 section 5.2.2);
 * malformed options; and a TSIG that is not the last record. A packet without a question but with a
 * cookie only asks for a cookie: it is an "error" with NOERROR, which the caller turns into
 * BADCOOKIE if the cookie is bad (section 5.4). The caller handles types that are no data (IXFR,
 * AXFR, MAILA, MAILB, OPT, TSIG, TKEY, NXNAME).
 *
 * REQUEST_UPDATE (RFC 2136): there is exactly one zone, whose name, type and class are in `name`
 * and `request`, and at most one OPT, of version 0. If there is a TSIG, it is the last record. All
 * records are within the packet; the caller reads their contents. */
enum request_state message_read_request(struct request *request, struct name *name,
					const struct hash_key *key, const uint8_t *packet,
					size_t length, enum rcode *rcode);

/* Reads an OPT's fixed part (RFC 6891 section 6.1.2): its class is the payload, its TTL holds
 * version and flags. `fields` points to the type; at least nine bytes must follow. */
void message_read_opt_fields(struct request *request, const uint8_t *fields);

/* ---- a target's reply ---- */

/* A walk over a message's records. Names with many pointers in many records would make a message
 * very expensive, so all names of a walk together may have only a number of pointers that grows
 * with the records. */
struct message_walk {
	const uint8_t *packet;
	size_t length, at; /* at: the start of the next record */
	unsigned jumps;    /* pointers that may still be followed */
};

static inline struct message_walk message_walk_from(const uint8_t *packet, size_t length, size_t at)
{
	return (struct message_walk){packet, length, at, MESSAGE_JUMPS};
}

struct record_view {  /* a record in its packet; offsets are from the packet's start */
	size_t owner; /* where its name is, perhaps a pointer */
	uint16_t type, class;
	uint32_t ttl; /* top bit set reads as 0 (RFC 2181 section 8) */
	size_t ttl_at, rdata;
	uint16_t rdata_length;
};

/* Reads the next record. ERR_INVALID when anything is out of bounds, a compression pointer anywhere
 * in it points forward or into the header, or there are too many of them. */
MUST_CHECK int message_read_record(struct message_walk *walk, struct record_view *record);
/* The same for a message that message_read_record has checked before, or that we wrote: checks only
 * bounds. */
MUST_CHECK int message_reread_record(struct message_walk *walk, struct record_view *record);

/* An index of the labels of a name that was sent in random capitals. */
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
/* Lowers labels of the record's owner, and of names in its rdata, that equal labels of our question
 * letter for letter: a server copies these where it does not point to the question (mostly for
 * DNAME and wildcards). Skips rdata whose signature depends on case (RFC 4034 section 6.2 and RFC
 * 6840 section 5.1). `record` must come from message_read_record. */
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
	uint16_t counts[SECTION_COUNT]; /* records written, without the OPT */
	uint16_t question_length;
	bool overflow; /* something did not fit: the message is truncated */
};

struct message_mark { /* a position to rewind to */
	size_t length;
	uint16_t counts[SECTION_COUNT];
	bool overflow;
};

/* Starts a reply in `buffer`: leaves room for the header, and copies the question from offset 12 of
 * the packet, so that its case is preserved. question_length 0: no question. */
void message_begin(struct message *message, uint8_t *buffer, size_t capacity,
		   const uint8_t *question, uint16_t question_length);
struct message_mark message_mark(const struct message *message);
void message_rewind(struct message *message, const struct message_mark *mark);

/* Adds a whole RRset. owner_at: the offset of its owner name in this message (12: the qname), or 0:
 * writes `owner`, an uncompressed wire name. ttl_max caps the TTL. Returns the offset of the first
 * record's rdata, or 0 if it did not fit. */
size_t message_add_rrset(struct message *message, enum section section, const struct rrset *rrset,
			 size_t owner_at, const uint8_t *owner, uint32_t ttl_max);
/* Copies a record from another packet, and decompresses the names that may be compressed
 * (record_layout). Owner and return value as for message_add_rrset; with owner_at 0 and owner NULL
 * the record keeps its owner. `ttl` replaces its TTL. `record` must come from
 * message_read_record. */
size_t message_copy_record(struct message *message, enum section section, const uint8_t *packet,
			   size_t length, const struct record_view *record, size_t owner_at,
			   const uint8_t *owner, uint32_t ttl);
/* Adds one record from its parts. */
size_t message_add_record(struct message *message, enum section section, uint16_t type,
			  uint16_t class, uint32_t ttl, size_t owner_at, const uint8_t *owner,
			  const uint8_t *rdata, size_t rdata_length);

/* Adds a record whose owner is `lead`, labels without a root label, followed by the name at
 * suffix_at. rest: the record from its type on. */
size_t message_add_below(struct message *message, enum section section, const uint8_t *lead,
			 size_t lead_length, size_t suffix_at, const uint8_t *rest,
			 size_t rest_length);

struct message_end {
	enum rcode rcode;
	bool authoritative;
	bool truncated;       /* sets TC although everything fits, so that the client uses TCP */
	bool tcp;             /* the reply goes by TCP (message_opt_room) */
	enum ede ede;         /* only for clients with EDNS, and if it fits */
	const char *ede_text; /* UTF-8, may be NULL */
	const char *nsid;     /* only for clients that ask for it; may be NULL */
	uint16_t payload;     /* that our OPT advertises */
	size_t limit;         /* most bytes that the transport and the client allow */
};

/* How many bytes a reply must keep free for its OPT. By UDP they include the cookie, because a
 * client discards a reply without it (RFC 7873 section 5.3): if the cookie does not fit, the reply
 * gets TC, and the client comes by TCP. By TCP the cookie is left out rather than the records. */
size_t message_opt_room(const struct request *request, bool tcp);

/* Completes the reply. Header: QR, opcode, AD 0; for QUERY also RA, and RD and CD from the request.
 * A reply that overflowed or is over the limit becomes an empty one with TC. If the request had an
 * OPT, adds one with the options that fit: the cookie, EDE and NSID. Returns the message's length.
 */
size_t message_finish(struct message *message, const struct request *request,
		      const struct message_end *end);

/* Writes a question to a target, with RD, and with our OPT unless `edns` is false. Returns the
 * length, at most MESSAGE_QUERY_MAX. */
size_t message_write_query(uint8_t buffer[MESSAGE_QUERY_MAX], uint16_t id, const uint8_t *qname,
			   size_t qname_length, uint16_t type, bool checking_disabled,
			   bool dnssec_ok, bool edns);

#endif
