/* Rows of the field table (schema/table.c has the map): the limits, and the program's own settings.
 */
#include "rules/schema/limit_values.h"
#include "rules/schema/rows.h"

static const char *const log_level_names[] = {"error", "warning", "info", "debug", NULL};
static const char *const log_format_names[] = {"auto", "text", "journal", "json", NULL};
static const char *const client_role_names[] = {"reader", "admin", NULL};
static const char *const excess_names[] = {"drop", "refuse", "truncate", NULL};

#define LIMIT_FIELD(limit_key, azure, least, most, what)                                           \
	{.key = #limit_key,                                                                        \
	 .type = FIELD_UINT,                                                                       \
	 AT(limit_values, limit_key),                                                              \
	 .fallback = #azure,                                                                       \
	 .min = least,                                                                             \
	 .max = most,                                                                              \
	 .doc = what "."},
static const struct field limits_fields[] = {
	LIMITS_MAP(LIMIT_FIELD) /* and what comes of one of them: */
	{.key = "excess",
	 .type = FIELD_ENUM,
	 AT(limit_values, excess),
	 .fallback = "truncate",
	 .names = excess_names,
	 .doc = "What becomes of a query over queries_per_second_per_endpoint at an inbound "
		"endpoint: truncate: an empty answer with TC, so that the client asks again by "
		"TCP, and is proven then (what is proven and over the limit is refused); refuse: "
		"REFUSED; drop: nothing, and the client asks again. Whoever has asked most of "
		"late is over it first."},
};
const struct group schema_limits = {
	.name = "limits",
	FIELDS(limits_fields),
	.size = sizeof(struct limit_values),
	.doc = "Azure's limits, each of which can be changed here. The defaults are Azure's "
	       "numbers.",
};

static const struct field management_client_fields[] = {
	{.key = "id",
	 .type = FIELD_STRING,
	 AT(management_client, id),
	 .required = true,
	 .min = 1,
	 .max = 255,
	 .doc = "Who it is, unique among the clients."},
	{.key = "secret_file",
	 .type = FIELD_PATH,
	 AT(management_client, secret_file),
	 .required = true,
	 .doc = "A file that holds the client's secret: 16 to 1024 printable ASCII characters "
		"without blanks. It is what the client sends as its token."},
	{.key = "role",
	 .type = FIELD_ENUM,
	 AT(management_client, role),
	 .fallback = "reader",
	 .names = client_role_names,
	 .doc = "What it may do: look, or look and change."},
};
static const struct group management_client_group = {
	.name = "management client",
	FIELDS(management_client_fields),
	.size = sizeof(struct management_client),
	.doc = "Somebody who may use the management listeners.",
};

static const struct field management_fields[] = {
	{.key = "socket",
	 .type = FIELD_PATH,
	 AT(management, socket),
	 .fallback = "/run/sluice/control.sock",
	 .doc = "The control socket: the management API for this machine. The peer's user decides: "
		"root and sluice's own may use it."},
	{.key = "listen",
	 .type = FIELD_STRINGS,
	 AT(management, listen),
	 .doc = "URLs where the management API listens: http on loopback addresses only, https "
		"anywhere."},
	{.key = "hosts",
	 .type = FIELD_STRINGS,
	 AT(management, hosts),
	 .doc = "Names and addresses, without a port, by which clients may reach those listeners "
		"besides the address that they are connected to, and localhost on loopback: what "
		"a certificate is for, or a proxy passes on. A request whose Host is another is "
		"refused (421), so that no page in a browser gets here by a name of its own that "
		"leads to our address."},
	{.key = "certificate",
	 .type = FIELD_PATH,
	 AT(management, certificate),
	 .doc = "The certificate for https, with its chain, PEM. Read anew at every reload."},
	{.key = "key",
	 .type = FIELD_PATH,
	 AT(management, key),
	 .doc = "Its private key, PEM, without a password. One that everybody can read is "
		"a warning."},
	{.key = "clients",
	 .type = FIELD_LIST,
	 AT(management, clients),
	 .group = &management_client_group,
	 .doc = "Who may use the listeners."},
	{.key = "state",
	 .type = FIELD_PATH,
	 AT(management, state),
	 .doc = "A database of what is changed through the management API: a path on a local disk, "
		"in a directory that sluice's user may write to. Without it nothing can be "
		"changed but this file."},
	{.key = "upload_max",
	 .type = FIELD_UINT,
	 AT(management, upload_max),
	 .fallback = "67108864",
	 .min = 1024,
	 .max = 1073741824,
	 .unit = "bytes",
	 .doc = "The longest file that an administrator may send, as sluice ptr import does: "
		"64 MiB are more than 500,000 PTRs. Anything else sent is 1 MiB at most, but for "
		"a whole state."},
};
const struct group schema_management = {
	.name = "management",
	FIELDS(management_fields),
	.size = sizeof(struct management),
	.given_offset = offsetof(struct management, given),
	.doc = "How the running program is managed.",
};

static const struct field cache_fields[] = {
	{.key = "size_bytes",
	 .type = FIELD_UINT64,
	 AT(cache_settings, size_bytes),
	 .fallback = "67108864",
	 .min = 0,
	 .max = UINT64_C(1) << 40,
	 .unit = "bytes",
	 .doc = "Memory for answers; 0: nothing is cached. From 2147483648 on the number needs "
		"an L behind it."},
	{.key = "ttl_min",
	 .type = FIELD_UINT,
	 AT(cache_settings, ttl_min),
	 .fallback = "0",
	 .min = 0,
	 .max = TTL_MAX,
	 .unit = "seconds",
	 .doc = "Positive answers are kept at least so long."},
	{.key = "ttl_max",
	 .type = FIELD_UINT,
	 AT(cache_settings, ttl_max),
	 .fallback = "86400",
	 .min = 0,
	 .max = TTL_MAX,
	 .unit = "seconds",
	 .doc = "And at most so long."},
	{.key = "negative_ttl_max",
	 .type = FIELD_UINT,
	 AT(cache_settings, negative_ttl_max),
	 .fallback = "3600",
	 .min = 0,
	 .max = TTL_MAX,
	 .unit = "seconds",
	 .doc = "Answers that something does not exist are kept at most so long (RFC 2308)."},
	{.key = "stale_max",
	 .type = FIELD_UINT,
	 AT(cache_settings, stale_max),
	 .fallback = "86400",
	 .min = 0,
	 .max = TTL_MAX,
	 .unit = "seconds",
	 .doc = "How long past its TTL an answer may still be given while no target answers, or "
		"none within 1.8 s (RFC 8767). 0: never."},
	{.key = "prefetch",
	 .type = FIELD_BOOL,
	 AT(cache_settings, prefetch),
	 .fallback = "true",
	 .doc = "Whether an answer that is given again and again is asked for anew when a tenth of "
		"its time is left, so that no client waits for it. Answers with less than 10 "
		"seconds are not."},
};
const struct group schema_cache = {
	.name = "cache",
	FIELDS(cache_fields),
	.size = sizeof(struct cache_settings),
	.doc = "The cache of what targets answered.",
};

static const struct field udp_fields[] = {
	{.key = "payload_max",
	 .type = FIELD_UINT,
	 AT(udp_settings, payload_max),
	 .fallback = "1232",
	 .min = 512,
	 .max = 4096,
	 .unit = "bytes",
	 .doc = "The longest answer by UDP, and never more than the client advertises. A longer "
		"one is truncated, and the client asks by TCP."},
	{.key = "cookie_secret_file",
	 .type = FIELD_PATH,
	 AT(udp_settings, cookie_secret_file),
	 .doc = "A file with the secret of the DNS cookies that clients get who ask for one (RFC "
		"9018), the same for every server behind one address: 32 hexadecimal digits, and "
		"on a second line perhaps those of the secret before, which is good as well. "
		"Absent: a random one, changed every day."},
};
const struct group schema_udp = {
	.name = "udp",
	FIELDS(udp_fields),
	.size = sizeof(struct udp_settings),
	.doc = "Answers by UDP.",
};

static const struct field outbound_fields[] = {
	{.key = "random_case",
	 .type = FIELD_BOOL,
	 AT(outbound_settings, random_case),
	 .fallback = "true",
	 .doc = "Whether targets are asked in random capitals, so that who has not seen a question "
		"cannot forge its answer, which has to repeat them. One that does not is passed "
		"over, and the question asked by TCP as well. A target that changes letters there, "
		"too, or by UDP for ten questions in a row, is asked in lower case for the next 15 "
		"minutes. What finds nothing in capitals is asked for in lower case, until the "
		"target has answered some questions in capitals with data."},
	{.key = "cookies",
	 .type = FIELD_GONE,
	 .doc = "Was whether targets are sent DNS cookies. They are not any more; clients still "
		"get "
		"theirs. The key is taken with a warning and changes nothing."},
};
const struct group schema_outbound = {
	.name = "outbound",
	FIELDS(outbound_fields),
	.size = sizeof(struct outbound_settings),
	.doc = "What makes questions to targets by UDP hard to answer for anybody else, besides "
	       "random ids and ports.",
};

static const struct field tcp_fields[] = {
	{.key = "connections_max",
	 .type = FIELD_UINT,
	 AT(tcp_settings, connections_max),
	 .fallback = "1000",
	 .min = 1,
	 .max = 1000000,
	 .doc = "Connections of clients, of each worker."},
	{.key = "connections_per_client_max",
	 .type = FIELD_UINT,
	 AT(tcp_settings, connections_per_client_max),
	 .fallback = "100",
	 .min = 1,
	 .max = 1000000,
	 .doc = "Of these, from one client: an IPv4 address, or the /64 of an IPv6 one."},
	{.key = "idle_timeout_ms",
	 .type = FIELD_UINT,
	 AT(tcp_settings, idle_timeout_ms),
	 .fallback = "10000",
	 .min = 1,
	 .max = 3600000,
	 .unit = "milliseconds",
	 .doc = "A connection without a question is closed after so long."},
	{.key = "pipeline_max",
	 .type = FIELD_UINT,
	 AT(tcp_settings, pipeline_max),
	 .fallback = "100",
	 .min = 1,
	 .max = 65535,
	 .doc = "Unanswered questions of one connection; beyond them it is not read."},
};
const struct group schema_tcp = {
	.name = "tcp",
	FIELDS(tcp_fields),
	.size = sizeof(struct tcp_settings),
	.doc = "Clients' connections.",
};

#define RESPONSES_FIELD(kind, what)                                                                \
	{                                                                                          \
		.key = #kind, .type = FIELD_UINT, AT(response_limit_settings, kind),               \
		.fallback = "0", .min = 0, .max = 1000000,                                         \
		.doc = what " to one prefix in a second. 0: any number."                           \
	}
static const struct field response_limit_fields[] = {
	RESPONSES_FIELD(answers_per_second, "Answers that have data,"),
	RESPONSES_FIELD(negatives_per_second, "NXDOMAIN, and answers without data,"),
	RESPONSES_FIELD(errors_per_second, "SERVFAIL, REFUSED and other errors"),
	{.key = "slip",
	 .type = FIELD_UINT,
	 AT(response_limit_settings, slip),
	 .fallback = "2",
	 .min = 0,
	 .max = 1000,
	 .doc = "One in so many answers over the limit is sent all the same, empty and with TC: "
		"who has been impersonated asks again by TCP. 0: none, 1: each."},
	{.key = "ipv4_prefix_length",
	 .type = FIELD_UINT,
	 AT(response_limit_settings, ipv4_prefix_length),
	 .fallback = "24",
	 .min = 0,
	 .max = 32,
	 .doc = "IPv4 clients that have so many first bits in common are counted as one."},
	{.key = "ipv6_prefix_length",
	 .type = FIELD_UINT,
	 AT(response_limit_settings, ipv6_prefix_length),
	 .fallback = "56",
	 .min = 0,
	 .max = 128,
	 .doc = "The same for IPv6 clients."},
};
const struct group schema_response_limit = {
	.name = "response limit",
	FIELDS(response_limit_fields),
	.size = sizeof(struct response_limit_settings),
	.doc = "How many answers by UDP leave for one prefix, so that nobody is flooded by means "
	       "of this server with questions in its name. Off by default: a forwarder is one "
	       "address for a whole company.",
};

static const struct field log_fields[] = {
	{.key = "level",
	 .type = FIELD_ENUM,
	 AT(log_settings, level),
	 .fallback = "info",
	 .names = log_level_names,
	 .doc = "What is logged: this and everything graver."},
	{.key = "format",
	 .type = FIELD_ENUM,
	 AT(log_settings, format),
	 .fallback = "auto",
	 .names = log_format_names,
	 .doc = "auto: journal when standard error is the journal, else text."},
};
const struct group schema_log = {
	.name = "log",
	FIELDS(log_fields),
	.size = sizeof(struct log_settings),
	.doc = "The log, on standard error.",
};

static const struct field identity_fields[] = {
	{.key = "version",
	 .type = FIELD_STRING,
	 AT(identity_settings, version),
	 .min = 1,
	 .max = 255,
	 .doc = "What CH TXT version.bind says. Absent: nothing of interest."},
	{.key = "server",
	 .type = FIELD_STRING,
	 AT(identity_settings, server),
	 .min = 1,
	 .max = 255,
	 .doc = "What CH TXT id.server and NSID (RFC 5001) say. Absent: nothing of interest."},
	{.key = "details",
	 .type = FIELD_BOOL,
	 AT(identity_settings, details),
	 .fallback = "true",
	 .doc = "Whether an extended error (RFC 8914) says in words which rule, target and "
		"endpoint "
		"it is about, and what the target said of it. Only clients in a virtual network, "
		"by its address_space or "
		"client_prefixes, and on this machine are told; all others get the error's "
		"number."},
};
const struct group schema_identity = {
	.name = "identity",
	FIELDS(identity_fields),
	.size = sizeof(struct identity_settings),
	.doc = "What the server tells of itself.",
};
