/* The interface of the management API's handlers. Each API has its own table of routes and its
 * dialect. A handler runs on the control thread and may read and change everything in struct
 * service. It answers its request exactly once: before it returns, or later from the same thread,
 * for example when a DNS query of the server's own has its answer. Until then it may use the
 * request.
 *
 *     http.h bytes ─► route, client and its rights (else 400 401 403 404 405 413 429 503)
 *            ─► body in the route's form, and the rights again (else 400 401 403 409 415 503)
 *            ─► handler ─► api_reply_json | api_fail
 *
 * Paths are matched without regard to case, "//" equals "/", a final '/' is ignored, and segments
 * are percent-decoded after the path is split. An error has the form of the API that the path
 * belongs to, even if the route does not exist. */
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
	API_LOGIN_BODY_MAX = 16 * 1024 /* small: the client has not logged in yet */
};

#define API_UPLOAD SIZE_MAX

/* A command at the control socket sends its user's login name in this header. Nobody has checked
 * the name, so it is shown after the user id: "uid 0 (says anna)". No client's id begins with "uid
 * ". */
#define API_LOGIN_HEADER "Sluice-Login"
#define API_LOGIN_SAYS   " (says "
enum { API_LOGIN_MAX = 64 };

struct api_request {
	struct service *service;
	const char *method; /* "GET" also for HEAD */
	const char *path;   /* decoded, in the client's spelling, for links */
	json_t *body;       /* NULL: none was sent. Borrowed: call json_incref to keep a value */
	const char *text;   /* instead of body: CSV, or the text of API_CHANGE_TEXT */
	size_t text_length;
	const char *if_match, *if_none_match; /* the headers; NULL: not sent */
	const char *client;                   /* its id */
	/* The client's name for people; at the control socket: the peer's user id and the login
	 * name that it claims. For the history and the log only; rights depend on `client` and
	 * `role`. */
	const char *who;
	enum client_role role;
	const struct api_dialect *dialect; /* that of the path */
	char id[API_ID_MAX];               /* "req-" and a UUID */
	void *state;                       /* belongs to the handler */
	struct resources *aside;   /* a thread's view, or a draft; NULL: the service's resources */
	struct arena arena;        /* freed with the request */
	struct work_waiter waiter; /* waits until the work of others ends (work.h) */
};

static inline struct api_request *api_request_of(struct work_waiter *waiter)
{
	return container_of(waiter, struct api_request, waiter);
}

/* The role that a client needs. API_NOTHING: none. API_FORM: none, and the body is a form
 * (application/x-www-form-urlencoded, read by api_form) instead of JSON. API_READ: reader.
 * API_CHANGE: admin; the change waits while a large change is under way (work.h). API_CHANGE_TEXT:
 * the same, and the handler parses a very long body in a thread (api_parse). API_OPERATE: the same
 * as API_CHANGE, but also allowed while a change waits to be confirmed (service/confirmation.h) and
 * during an upgrade; a handler that must not run then checks for itself (api_may_change). */
enum api_need {
	API_NOTHING,
	API_FORM,
	API_READ,
	API_CHANGE,
	API_CHANGE_TEXT,
	API_OPERATE,
};

struct api_route {
	const char *method;  /* NULL ends the table. HEAD uses the first row for HEAD or GET */
	const char *pattern; /* "/v1/addresses/{group}/{name}": a parameter is a whole segment */
	enum api_need need;
	void (*handle)(struct api_request *request);
	size_t body_max; /* 0: HTTP_BODY_MAX, no body for GET; API_UPLOAD: as configured, for CSV */
	/* The query fields that the route knows, up to a NULL; others are refused, because a
	 * misspelt dry_run must change nothing. NULL: all are passed on to the handler. */
	const char *const *fields;
};

#define API_FIELDS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define API_NO_FIELDS   ((const char *const[]){NULL})

/* A failure, for the dialect to put into words. */
struct api_error {
	unsigned status;
	const char *code;  /* a short stable word ("not_found", "invalid_object") */
	const char *field; /* a member of the body or query, such as "ptr.ttl"; NULL: none */
	const char *text;
	const char *id;              /* of the request */
	const struct faults *faults; /* all faults; the text is the first; NULL: no others */
};

/* The code of a status. Status 0 ends a table; a status that is not in it has the code of 400 or
 * 500. */
struct api_code {
	unsigned status;
	const char *code;
};
extern const struct api_code api_codes[]; /* "not_found", "conflict" */

/* An API: its routes, and the form of its errors. */
struct api_dialect {
	const char *const *roots; /* first segments of its paths, up to a NULL; NULL: all others */
	const struct api_route *routes;                  /* at any path */
	const struct api_code *codes;                    /* for errors without a code */
	json_t *(*error)(const struct api_error *error); /* makes the body; NULL without memory */
	bool relaxed; /* accepts bodies of relaxed JSON (base/relaxed_json.h) */
	/* Answers a change that failed (not CHANGE_FINE); NULL: the API has no changes. */
	void (*fail_change)(struct api_request *request, const struct change_error *error,
			    unsigned status);
};

/* ---- the request ---- */

/* The decoded segment at {name} of the route's pattern; "" if the pattern has none. */
const char *api_parameter(const struct api_request *request, const char *name);
/* Segment number `at` of the path, from 0; "" if the path has fewer. */
const char *api_segment(const struct api_request *request, size_t at);
/* The path and query of the next page: those of this request, with `field`, which tells where a
 * page begins, set to `value`. NULL without memory. */
json_t *api_next_page(const struct api_request *request, const char *field, const char *value);
/* The decoded value of a query field; "" if it has none, NULL if the field is missing. No query has
 * a field twice: it was refused. */
const char *api_query(const struct api_request *request, const char *name);
/* The first query field that `known` lacks; NULL: none. `known` ends with a NULL. */
const char *api_query_other(const struct api_request *request, const char *const *known);
/* Reads a query field that is true ("", "true", "1") or false (missing, "false", "0"). False: it is
 * neither, and the request has been answered. */
bool api_query_flag(struct api_request *request, const char *name, bool *flag);
/* A header of the request; NULL: it was not sent. */
const char *api_header(const struct api_request *request, const char *name);
/* Does the "Accept" header name that media type? */
bool api_accepts(const struct api_request *request, const char *type);
/* Reads ?confirm=SECONDS, how long the change waits to be confirmed; 0: it was not given. False: it
 * is invalid, or no change can wait now, and the request has been answered. */
bool api_query_confirm(struct api_request *request, unsigned *wait_s);
/* False: no change is allowed now, and the request has been answered: 409 while a change waits to
 * be confirmed, 503 during an upgrade. */
bool api_may_change(struct api_request *request);
/* The decoded value of a field of the form in the body, like api_query. */
const char *api_form(const struct api_request *request, const char *name);
/* Parses a body, as strictly as the dialect demands; the caller releases the result. NULL: it is
 * not JSON, and `error` tells where. Any thread. */
json_t *api_parse(const struct api_dialect *dialect, const char *text, size_t length,
		  char error[API_TEXT_MAX]);
/* Makes a token for a client's id and secret that came with the request (http_auth_login).
 * ERR_LIMIT: too many have failed; the answer has a Retry-After, and the caller answers 429.
 * ERR_NOT_FOUND: they are wrong; after too many failures that answer is sent late (http_late). */
MUST_CHECK int api_login(struct api_request *request, const struct http_login *login,
			 char token[TOKEN_TEXT_MAX], enum client_role *role);
/* Makes a code for the request's peer at the control socket (http_auth_make_code). ERR_NOMEM. */
MUST_CHECK int api_make_code(struct api_request *request, char code[LOGIN_CODE_MAX]);
/* Makes a token for a code. Errors are those of api_login. */
MUST_CHECK int api_login_by_code(struct api_request *request, const char *code,
				 char token[TOKEN_TEXT_MAX], char client[HTTP_CLIENT_MAX]);
/* Did the request come over HTTP from a loopback address, and not through a proxy from another
 * client? */
bool api_is_from_loopback(const struct api_request *request);
/* Recorded counters (observe/history.h); NULL: nothing is recorded. */
const struct history *api_history(const struct api_request *request);
/* Logins at the management listeners that failed or were refused. */
struct login_counts api_login_counts(const struct api_request *request);

/* May the client still do this? A handler calls this after every wait. False: the client's
 * credentials have ended, or it is no admin any more, and the request has been answered. */
bool api_still_may(struct api_request *request);
/* Logs out as the request's client (http_auth_log_out), and ends the streams of the client that the
 * token was for. Errors are those of http_auth_log_out. */
struct http_logout;
MUST_CHECK int api_log_out(struct api_request *request, const char *token,
			   struct http_logout *logout);

/* All APIs, up to a NULL. */
const struct api_dialect *const *api_dialects(const struct api_request *request);
/* Did the request come by the control socket, where the kernel identifies the peer? */
bool api_is_local(const struct api_request *request);
/* "https://dns.example:8443": scheme and host for links, as the client used them. NULL: the Host
 * header is missing or is not a host name; api_base_needed then answers the request. */
const char *api_base(const struct api_request *request);
const char *api_base_needed(struct api_request *request);

/* ---- answers; each ends the request ---- */

/* Answers with JSON and takes ownership of it; NULL, or JSON that json_whole refuses, is answered
 * as out of memory. etag: with its quotes; NULL: none. A GET whose If-None-Match has the etag is
 * answered 304 without a body (RFC 9110 section 13.1.2). Handlers check the preconditions of
 * changes. */
void api_reply_json(struct api_request *request, unsigned status, json_t *body, const char *etag);
/* Answers with JSON as text; takes ownership of the text. */
void api_reply_json_text(struct api_request *request, unsigned status, char *text);
/* Answers with a text of this media type; NULL: JSON. Takes ownership of the text. */
void api_reply_text(struct api_request *request, unsigned status, const char *type, char *text,
		    size_t length);
/* Sets the answer's etag, given with its quotes. True: the client has that version, and the request
 * has been answered 304. */
bool api_not_modified(struct api_request *request, const char *etag);
void api_reply_empty(struct api_request *request, unsigned status); /* without a body: 204 */
/* Answers with a stream of server-sent events (http/stream.h); takes ownership of the source. */
void api_reply_stream(struct api_request *request, const struct http_stream_source *source);
/* Answers with an error in the API's dialect. `code` is as in struct api_error; NULL: the dialect's
 * code for that status. The text tells what is wrong, then what would be right. */
void api_fail(struct api_request *request, unsigned status, const char *code, const char *format,
	      ...) __attribute__((format(printf, 4, 5)));
/* Answers with an error about one field of the body or query, such as "ptr.ttl". */
void api_fail_at(struct api_request *request, unsigned status, const char *code, const char *field,
		 const char *format, ...) __attribute__((format(printf, 5, 6)));
/* Answers with the first error of a configuration that is not allowed, and the number of others. */
void api_fail_faults(struct api_request *request, unsigned status, const char *code,
		     const struct faults *faults);
void api_fail_memory(struct api_request *request); /* 503 */
void api_fail_ending(struct api_request *request); /* 503: the process is about to end */
/* Adds a header to the answer; call it before the function that answers. Both texts are copied. */
void api_answer_header(struct api_request *request, const char *name, const char *value);

/* Waits until all workers serve the last published change, or one of them hangs for too long; then
 * calls on_served, perhaps at once. An answer that shows the state of a change waits for this. The
 * caller keeps `wait` until then. */
struct api_wait {
	void (*on_served)(struct api_wait *wait);
	struct api_wait *next; /* private */
};
void api_await_served(struct api_request *request, struct api_wait *wait);
/* Waits until all workers serve the next published change, or the process is about to end; then
 * calls on_served, which may wait again. api_await_no_more cancels a wait that has not ended. */
void api_await_change(struct api_request *request, struct api_wait *wait);
void api_await_no_more(struct api_request *request, struct api_wait *wait);

/* ---- the server's side ---- */

struct api {
	struct service *service;
	struct http_auth *auth;
	const struct api_dialect *const
		*dialects;                 /* up to a NULL; the last takes all other paths */
	const struct history *history;     /* recorded counters; NULL: none (yet) */
	atomic_size_t upload_max;          /* bytes; listeners' threads read it */
	struct api_wait *held, **held_end; /* the oldest first; held_end NULL: none yet */
	struct api_wait *next_change;      /* waits for the next change */
};

/* Sends the answers that wait until all workers serve the last published change
 * (service_all_adopted), so that a client that knows of a change gets DNS answers with it. Also
 * ends the waits for the next change (api_rest). Call this when all workers serve the change, and
 * before the process ends. */
void api_let_go(struct api *api);
/* Ends all waits for the next change: a change is served, or the process is about to end. */
void api_rest(struct api *api);

/* The functions for http.h; `api` must outlive the listeners. */
struct http_handler api_handler(struct api *api);

#endif
