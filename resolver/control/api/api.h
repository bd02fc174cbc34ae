/* The management API: what every handler needs. Each API has its own table of routes, and its
 * dialect. A handler runs on the control thread, may look at and change everything in struct
 * service, and answers its request exactly once: before it returns, or later from the same thread
 * (while a question of our own is under way). Until then the request is the handler's.
 *
 *     http.h bytes ─► who is it, which route is it, may it (401 403 404 405 413: never get here)
 *            ─► body as the route wants it? (400 415) ─► handler ─► api_reply_json | api_fail
 *
 * Paths are matched without regard to case, "//" is as "/", a final '/' counts for nothing, and
 * segments are percent-decoded after they were cut apart. An error is told in the dialect of the
 * API that the path belongs to, also where there is no such route. */
#ifndef SLUICE_API_H
#define SLUICE_API_H

#include <jansson.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "resolver/control/http/auth.h"
#include "resolver/control/service/work.h"
#include "rules/base.h"
#include "rules/schema/model.h"

struct change_error;
struct faults;
struct history;
struct http_stream_source;
struct service;

enum {
	API_ID_MAX = 41,
	API_TEXT_MAX = 1024,
	API_BASE_MAX = 272,
	API_LOGIN_BODY_MAX = 16 * 1024 /* of anybody, as nobody is logged in yet */
};

#define API_UPLOAD SIZE_MAX

/* A command at the control socket sends the user's login in this header. It is shown behind the
 * uid, "uid 0 (says anna)", because nobody has checked it. No client's id begins with "uid ". */
#define API_LOGIN_HEADER "Sluice-Login"
#define API_LOGIN_SAYS   " (says "
enum { API_LOGIN_MAX = 64 };

struct api_request {
	struct service *service;
	const char *method; /* "GET" also for HEAD */
	const char *path;   /* decoded, as the client wrote it, for links */
	json_t *body;       /* NULL: nothing was sent. Borrowed: incref what is to be kept */
	const char *text;   /* in place of body: CSV, or what an API_CHANGE_TEXT reads itself */
	size_t text_length;
	const char *if_match, *if_none_match; /* the headers; NULL: not sent */
	const char *client;                   /* who asks */
	/* The same for people: behind a peer's uid the login that it says it has. The history and
	 * the log have it; it lets nobody do anything. */
	const char *who;
	enum client_role role;
	const struct api_dialect *dialect; /* of the path */
	char id[API_ID_MAX];               /* "req-" and a UUID */
	void *state;                       /* the handler's own */
	struct inventory *aside;           /* that it looks into in a thread; NULL: the service's */
	struct arena arena;                /* what lives as long as the request */
	struct work_waiter waiter;         /* to wait for the end of others' work (work.h) */
};

static inline struct api_request *api_request_of(struct work_waiter *waiter)
{
	return container_of(waiter, struct api_request, waiter);
}

/* Which role a client needs. API_NOTHING: none; API_FORM: none, and the body is a form
 * (application/x-www-form-urlencoded, read by api_form) instead of JSON; API_READ: reader;
 * API_CHANGE: admin. A change waits while a longer work is under way (work.h). API_CHANGE_TEXT is
 * a change whose handler reads a very long body in a thread (api_parse). API_OPERATE is an admin's,
 * too, and waits; but it is handled while a change waits to be confirmed, when others are refused
 * (service/confirmation.h). */
enum api_need {
	API_NOTHING,
	API_FORM,
	API_READ,
	API_CHANGE,
	API_CHANGE_TEXT,
	API_OPERATE,
};

struct api_route {
	const char *method;  /* NULL ends the table. HEAD goes where GET does */
	const char *pattern; /* "/v1/addresses/{group}/{name}": a parameter is a whole segment */
	enum api_need need;
	void (*handle)(struct api_request *request);
	size_t body_max; /* 0: HTTP_BODY_MAX, or nothing where it is a GET; API_UPLOAD: of text/csv
			    as much as is configured */
};

/* What went wrong, for the dialect to put into words. */
struct api_error {
	unsigned status;
	const char *code;  /* a short stable word ("not_found", "invalid_object") */
	const char *field; /* of the body or query, as in "ptr.ttl"; NULL: none */
	const char *text;
	const char *id;              /* of the request */
	const struct faults *faults; /* all that is wrong, of which the text is the first; NULL:
				      * that is all */
};

/* A word for a status. Status 0 ends a table; a status that is not in it has the word of 400 or
 * 500.
 */
struct api_code {
	unsigned status;
	const char *code;
};
extern const struct api_code api_codes[]; /* "not_found", "conflict" */

/* An API: its routes, and how it says what went wrong. */
struct api_dialect {
	const char *const *roots; /* first segments of its paths, up to a NULL; NULL: no errors of
				     its own */
	const struct api_route *routes;                  /* wherever they are */
	const struct api_code *codes;                    /* where the caller has no word */
	json_t *(*error)(const struct api_error *error); /* the body; NULL without memory */
	bool relaxed; /* its bodies need not be strict JSON (base/relaxed_json.h) */
	/* Answers why a change failed (not CHANGE_FINE); NULL: the API changes nothing. */
	void (*fail_change)(struct api_request *request, const struct change_error *error,
			    unsigned status);
};

/* ---- what was asked ---- */

/* The part of the path that stands for {name}, decoded; "" where the route has none. */
const char *api_parameter(const struct api_request *request, const char *name);
/* Segment number `at` of the path, from 0; "" where it has fewer. */
const char *api_segment(const struct api_request *request, size_t at);
/* The path and query of the next page: as they were asked for, with this value of the field that
 * tells where it begins. NULL without memory. */
json_t *api_next_page(const struct api_request *request, const char *field, const char *value);
/* ?name=value, decoded; "" without a value, NULL when it is missing. The first of several counts.
 */
const char *api_query(const struct api_request *request, const char *name);
/* The first field that is not among `known`, which ends with a NULL; NULL: all are. */
const char *api_query_other(const struct api_request *request, const char *const *known);
/* A header of the request; NULL: not sent. */
const char *api_header(const struct api_request *request, const char *name);
/* Whether the client wants its answer in that media type: "Accept" names it. */
bool api_accepts(const struct api_request *request, const char *type);
/* ?confirm=SECONDS: how long the change waits to be confirmed; 0: it was not given. False: it does
 * not fit, or no change can wait now, which has been answered. */
bool api_query_confirm(struct api_request *request, unsigned *wait_s);
/* False: nothing may change now, which has been answered: 409 where a change waits to be confirmed,
 * 503 while an upgrade is under way. */
bool api_may_change(struct api_request *request);
/* api_query of a form that was sent. */
const char *api_form(const struct api_request *request, const char *name);
/* A body's JSON, as strict as the dialect has it, to be released; NULL: it is not JSON, and `error`
 * says where. In any thread. */
json_t *api_parse(const struct api_dialect *dialect, const char *text, size_t length,
		  char error[API_TEXT_MAX]);
/* A token for the client's id and secret that came with the request (http_auth_login). With
 * ERR_LIMIT the answer has a Retry-After, and the caller answers 429. Where a login came too soon
 * and may wait (http_late) it is ERR_NOT_FOUND, and that answer is sent late. */
MUST_CHECK int api_login(struct api_request *request, const struct http_login *login,
			 char token[TOKEN_TEXT_MAX], enum client_role *role);
/* A code for the request's peer at the control socket (http_auth_make_code). ERR_NOMEM. */
MUST_CHECK int api_make_code(struct api_request *request, char code[LOGIN_CODE_MAX]);
/* A token for a code. Errors as of api_login. */
MUST_CHECK int api_login_by_code(struct api_request *request, const char *code,
				 char token[TOKEN_TEXT_MAX], char client[HTTP_CLIENT_MAX]);
/* Whether the request came over HTTP from a loopback address, and was not forwarded by a proxy for
 * another client. */
bool api_is_from_loopback(const struct api_request *request);
/* What was counted when; NULL: nothing is recorded. */
const struct history *api_history(const struct api_request *request);
/* Logins at the management listeners that failed or were refused. */
struct login_counts api_login_counts(const struct api_request *request);

/* Whether the client may still do this. A handler asks behind every wait. False: the client was
 * removed or has another role, which has been answered. */
bool api_still_may(struct api_request *request);
/* http_auth_log_out, by the request's client. */
struct http_logout;
MUST_CHECK int api_log_out(struct api_request *request, const char *token,
			   struct http_logout *logout);

/* All APIs, up to a NULL. */
const struct api_dialect *const *api_dialects(const struct api_request *request);
/* Whether it came by the control socket, where the kernel says who asks. */
bool api_is_local(const struct api_request *request);
/* "https://dns.example:8443", scheme and host as the client used them, for links. NULL: the Host
 * header is missing or is not a host name; api_base_needed has then answered that. */
const char *api_base(const struct api_request *request);
const char *api_base_needed(struct api_request *request);

/* ---- the answer; each ends the request ---- */

/* Takes the body over; NULL, or one that json_whole refuses, means no memory. etag: with its
 * quotes; NULL: none. A GET whose If-None-Match has it is answered 304 without the body (RFC 9110
 * section 13.1.2); preconditions of changes are the handlers'. */
void api_reply_json(struct api_request *request, unsigned status, json_t *body, const char *etag);
/* The same of JSON that is a text already, which is taken over. */
void api_reply_json_text(struct api_request *request, unsigned status, char *text);
/* Answers with a text of this media type; NULL: JSON. Takes over the text. */
void api_reply_text(struct api_request *request, unsigned status, const char *type, char *text,
		    size_t length);
/* Gives the answer this etag, with its quotes. True: the client has that version, and has been
 * answered 304. */
bool api_not_modified(struct api_request *request, const char *etag);
void api_reply_empty(struct api_request *request, unsigned status); /* without a body: 204 */
/* A stream of server-sent events (http/stream.h), whose source is taken over. */
void api_reply_stream(struct api_request *request, const struct http_stream_source *source);
/* An error in the API's dialect. `code` is as in struct api_error, NULL: the dialect's for that
 * status. The text says what is wrong, then what would be right. */
void api_fail(struct api_request *request, unsigned status, const char *code, const char *format,
	      ...) __attribute__((format(printf, 4, 5)));
/* The same about one field of the body or query, as in "ptr.ttl". */
void api_fail_at(struct api_request *request, unsigned status, const char *code, const char *field,
		 const char *format, ...) __attribute__((format(printf, 5, 6)));
/* The same for a configuration that is not allowed: the first error, and how many more there are.
 */
void api_fail_faults(struct api_request *request, unsigned status, const char *code,
		     const struct faults *faults);
void api_fail_memory(struct api_request *request); /* 503 */
void api_fail_ending(struct api_request *request); /* 503: the process is about to end */
/* Adds a header to the answer, before that is given; both texts are copied. */
void api_answer_header(struct api_request *request, const char *name, const char *value);

/* An answer that shows how a change fares is written when all workers serve what was published
 * last, or when one of them hangs for too long: on_served is called then, or at once. The memory is
 * the caller's until then. */
struct api_wait {
	void (*on_served)(struct api_wait *wait);
	struct api_wait *next; /* inside */
};
void api_await_served(struct api_request *request, struct api_wait *wait);
/* The same when all workers serve what is published next, and ahead of the end. It may wait again
 * from there. */
void api_await_change(struct api_request *request, struct api_wait *wait);
void api_await_no_more(struct api_request *request, struct api_wait *wait);

/* ---- the server's side ---- */

struct api {
	struct service *service;
	struct http_auth *auth;
	const struct api_dialect *const *dialects; /* up to a NULL; the last has the other paths */
	const struct history *history;     /* of what was counted; NULL: there is none (yet) */
	atomic_size_t upload_max;          /* bytes; listeners read it */
	struct api_wait *held, **held_end; /* the oldest first; held_end NULL: none yet */
	struct api_wait *next_change;      /* what waits for that */
};

/* Every answer waits until all workers serve what was published last (service_is_settled): a client
 * that is told of a change, and asks, is answered by it. Called when that is so, and ahead of the
 * end. */
void api_let_go(struct api *api);
/* Calls what waits for a change: nothing is to wait for long any more. */
void api_rest(struct api *api);

/* What http.h calls; `api` must outlive the listeners. */
struct http_handler api_handler(struct api *api);

#endif
