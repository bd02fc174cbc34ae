/* The management API: what every handler needs. Each API has its own table of routes, and its
 * dialect. A handler runs on the control thread, may look at and change everything in struct
 * service, and answers its request exactly once: before it returns, or later from the same thread
 * (while a question of our own is under way). Until then the request is its own.
 *
 *     http.h bytes ─► who is it, which route is it, may it (401 403 404 405 413: never get here)
 *            ─► body as the route wants it? (400 415) ─► handler ─► api_reply_json | api_fail
 *
 * Paths are matched without regard to case, "//" is as "/", a final '/' counts for nothing, and
 * segments are percent-decoded after they were cut apart. An error is told in the dialect of the
 * API whose path was asked, also where there is no such route. */
#ifndef SLUICE_API_H
#define SLUICE_API_H

#include <jansson.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "resolver/control/http/auth.h"
#include "rules/schema/model.h"

struct api;
struct change_error;
struct service;

enum { API_ID_MAX = 41, API_TEXT_MAX = 1024, API_BASE_MAX = 272 };

#define API_UPLOAD SIZE_MAX
enum { API_LOGIN_BODY_MAX = 16 * 1024 }; /* of anybody, as nobody is logged in yet */

struct api_request {
	struct service *service;
	const char *method; /* "GET" also for HEAD */
	const char *path;   /* decoded, as the client wrote it, for links */
	json_t *body;       /* NULL: nothing was sent. Borrowed: incref what is to be kept */
	const char *text;   /* instead: text/csv to an API_UPLOAD, anything to an API_CHANGE_TEXT */
	size_t text_length;
	const char *if_match, *if_none_match; /* the headers; NULL: not sent */
	const char *client;                   /* who asks, for the log */
	enum client_role role;
	const struct api_dialect *dialect; /* of the path */
	char id[API_ID_MAX];               /* "req-" and a UUID */
	void *state;                       /* the handler's own */
};

/* What a client needs for it. API_FORM: nothing, and what it sends is no JSON but a form (the media
 * type application/x-www-form-urlencoded), which api_form reads. What changes something waits while
 * a longer work is under way (work.h); so does what is API_ALONE, for readers, which is one itself.
 * API_CHANGE_TEXT: its handler has a body that may be very long read in a thread (api_parse). */
enum api_need { API_NOTHING, API_FORM, API_READ, API_ALONE, API_CHANGE, API_CHANGE_TEXT };

struct api_route {
	const char *method;  /* NULL ends the table. HEAD goes where GET does */
	const char *pattern; /* "/v1/addresses/{group}/{name}": a parameter is a whole segment */
	enum api_need need;
	void (*handle)(struct api_request *request);
	size_t body_max; /* 0: HTTP_BODY_MAX, or nothing where it is a GET; API_UPLOAD: of text/csv
			    as much as is configured */
};

/* What went wrong, for whoever puts it into words. */
struct api_error {
	unsigned status;
	const char *code;  /* a short stable word ("not_found", "invalid_object") */
	const char *field; /* of the body or query, as in "ptr.ttl"; NULL: it is about none */
	const char *text;
	const char *id; /* of the request */
};

/* An API: what there is at its paths, and how it says what went wrong. */
struct api_dialect {
	const char *const *roots; /* first segments of its paths, up to a NULL; NULL: no errors of
				     its own */
	const struct api_route *routes;       /* wherever they are */
	const char *(*code)(unsigned status); /* the word where nobody has a better one */
	json_t *(*error)(const struct api_error *error); /* the body; NULL without memory */
	/* Answers with what a change failed of, which is not CHANGE_FINE; NULL: it changes nothing.
	 */
	void (*fail_change)(struct api_request *request, const struct change_error *error,
			    unsigned status);
};

/* A word for each status, for struct api_dialect. The row of status 0 ends the table: of those that
 * are not in it, 400 and 500 have the word. */
struct api_code {
	unsigned status;
	const char *code;
};
const char *api_code_of(const struct api_code *codes, unsigned status);
const char *api_code(unsigned status); /* "not_found", "conflict" */

/* ---- what was asked ---- */

/* The part of the path that stands for {name}, decoded; never NULL, never empty. */
const char *api_parameter(const struct api_request *request, const char *name);
/* ?name=value, decoded; "" when it stands there without a value, NULL when not at all. The first
 * of several counts. */
const char *api_query(const struct api_request *request, const char *name);
/* The first that is none of these, up to a NULL; NULL: there is no such. */
const char *api_query_other(const struct api_request *request, const char *const *known);
/* api_query of a form that was sent. */
const char *api_form(const struct api_request *request, const char *name);
/* A body's JSON, to be released; NULL: it is none, and `error` says so. In any thread. */
json_t *api_parse(const char *text, size_t length, char error[API_TEXT_MAX]);
/* A token for a client's id and secret, which came with the request: http_auth_login, which see.
 * With ERR_LIMIT the answer has a Retry-After, and is 429. */
MUST_CHECK int api_login(struct api_request *request, const struct http_login *login,
			 char token[TOKEN_TEXT_MAX], enum client_role *role);

/* By the control socket, where the kernel says who asks. */
bool api_is_local(const struct api_request *request);
/* "https://dns.example:8443", scheme and host as the client used them, to make links of. NULL: the
 * header Host is missing, or is none; api_base_needed has answered that then. */
const char *api_base(const struct api_request *request, char text[API_BASE_MAX]);
const char *api_base_needed(struct api_request *request, char text[API_BASE_MAX]);

/* ---- the answer; each ends the request ---- */

/* Takes the body over; NULL, or one that json_whole refuses, is a lack of memory. etag is with or
 * without its quotes; NULL: none. A GET whose If-None-Match has it is answered 304 without the body
 * (RFC 9110 section 13.1.2); preconditions of changes are api_require's. */
void api_reply_json(struct api_request *request, unsigned status, json_t *body, const char *etag);
void api_reply_empty(struct api_request *request, unsigned status); /* without a body: 204 */
/* An error in the API's dialect. `code` is as struct api_error has it, NULL: the dialect's for that
 * status; the text says what is wrong and then what would be right. */
void api_fail(struct api_request *request, unsigned status, const char *code, const char *format,
	      ...) __attribute__((format(printf, 4, 5)));
/* The same, of one field of the body or query: `field` is where it stands, as in "ptr.ttl". */
void api_fail_at(struct api_request *request, unsigned status, const char *code, const char *field,
		 const char *format, ...) __attribute__((format(printf, 5, 6)));
void api_fail_memory(struct api_request *request); /* 503 */
void api_fail_ending(struct api_request *request); /* 503: the process is about to end */
/* A header more for the answer, before it is given; both are copied. */
void api_answer_header(struct api_request *request, const char *name, const char *value);

/* ---- the server's side ---- */

struct api {
	struct service *service;
	struct http_auth *auth;
	const struct api_dialect *const *dialects; /* up to a NULL; the last one has all paths that
						      no other has */
	atomic_size_t upload_max;                  /* bytes; listeners read it */
	struct api_answer *held, **held_end;       /* the oldest first; held_end NULL: none yet */
};

/* Answers wait until every worker answers by what was published last (server_is_settled): who is
 * told of a change and asks is answered by it. Whoever learns that it is so calls this, and ahead
 * of the end. */
void api_let_go(struct api *api);

/* What http.h calls; `api` must outlive the listeners. */
struct http_handler api_handler(struct api *api);

#endif
