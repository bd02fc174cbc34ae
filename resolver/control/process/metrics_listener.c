/* A place is a URL with an HTTP server of its own, because a reload opens and closes URLs one by
 * one. The place's thread checks each request's head: the path and the client. */
#include "resolver/control/process/metrics_listener.h"

#include <stdlib.h>
#include <string.h>

#include "resolver/control/base/exit.h"
#include "resolver/control/base/json.h"
#include "resolver/control/http/http.h"
#include "resolver/control/http/tls.h"
#include "resolver/control/process/sandbox.h"
#include "resolver/log.h"
#include "rules/err.h"

#define PATH "/metrics"

struct metrics_place {
	struct metrics_place *next;
	char *url;
	struct http *http;
	struct http_certificate *certificate; /* of the model being prepared */
	struct http_hosts *hosts;             /* of the model being prepared */
	bool is_new;                          /* the model being prepared adds it */
	bool wanted;                          /* the model being prepared has it */
};

struct metrics_readers { /* immutable */
	size_t count;
	struct prefix prefixes[];
};

/* ---- requests ---- */

static void reply_text(struct http_request *request, unsigned status, const char *text)
{
	char *body = strdup(text);

	http_reply(request, status, "text/plain; charset=utf-8", body, body ? strlen(body) : 0);
}

/* A client on this machine that connects to one of its addresses comes from that same address. */
static bool is_here(const struct http_request *request)
{
	return address_is_loopback(&request->from) || address_equal(&request->from, &request->at);
}

static bool may_read(struct metrics_listener *listener, const struct http_request *request)
{
	bool may = is_here(request);

	pthread_mutex_lock(&listener->lock);
	const struct metrics_readers *readers = listener->readers;
	for (size_t i = 0; !may && readers && i < readers->count; i++)
		may = prefix_contains(&readers->prefixes[i], &request->from);
	pthread_mutex_unlock(&listener->lock);
	return may;
}

static void on_head(void *context, struct http_request *request)
{
	struct metrics_listener *listener = context;

	request->body_max = 0;
	if (!may_read(listener, request)) {
		reply_text(request, 403,
			   "your address is not in metrics.allow, which says who may read this\n");
	} else if (strcmp(request->path, PATH) != 0) {
		reply_text(request, 404, "there is nothing here but GET " PATH "\n");
	} else if (strcmp(request->method, "GET") != 0 && strcmp(request->method, "HEAD") != 0) {
		http_header(request, "Allow", "GET, HEAD");
		reply_text(request, 405, "metrics are read by GET\n");
	}
}

static void on_request(void *context, struct http_request *request)
{
	struct metrics_listener *listener = context;
	enum metrics_format format = metrics_negotiate(http_request_header(request, "Accept"));
	size_t length;
	char *text = metrics_answer(listener->metrics, format, uv_hrtime() / 1000, &length);

	http_header(request, "Vary", "Accept");
	if (text)
		http_reply(request, 200, metrics_content_type(format), text, length);
	else
		reply_text(request, 503, "out of memory\n");
}

/* Errors of the HTTP server are JSON, like those of the APIs. */
static char *on_error(void *context, const struct http_request *request, unsigned status,
		      const char *text)
{
	json_t *error = json_make("{s:{s:I, s:o}}", "error", "status", (json_int_t)status,
				  "message", json_text(text));
	char *body = json_dumps(error, JSON_INDENT(2));

	(void)context;
	(void)request;
	json_decref(error);
	return body;
}

/* ---- places ---- */

static struct metrics_place *find_place(const struct metrics_listener *listener, const char *url)
{
	struct metrics_place *place = listener->places;

	while (place && strcmp(place->url, url) != 0)
		place = place->next;
	return place;
}

static void close_place(struct metrics_listener *listener, struct metrics_place *place)
{
	struct metrics_place **link = &listener->places;

	while (*link != place)
		link = &(*link)->next;
	*link = place->next;
	http_close(place->http);
	http_certificate_free(place->certificate);
	http_hosts_free(place->hosts);
	free(place->url);
	free(place);
}

/* Makes a place, whose HTTP server has no socket yet. NULL: out of memory. */
static struct metrics_place *new_place(struct metrics_listener *listener, const char *url)
{
	const struct http_handler handler = {.on_head = on_head,
					     .on_request = on_request,
					     .on_error = on_error,
					     .on_thread = sandbox_bare_thread,
					     .context = listener};
	struct metrics_place *place = calloc(1, sizeof *place);

	if (!place)
		return NULL;
	place->next = listener->places;
	listener->places = place;
	place->is_new = true;
	place->url = strdup(url);
	place->http = http_new(listener->loop, &handler);
	if (place->url && place->http)
		return place;
	close_place(listener, place);
	return NULL;
}

/* Loads the model's TLS and host names; use_settings applies them. */
static int load_settings(struct metrics_place *place, const struct management *management,
			 char error[HTTP_ERROR_MAX])
{
	place->hosts = http_hosts_new(management->hosts.items, management->hosts.count);
	snprintf(error, HTTP_ERROR_MAX, "%s", err_text(ERR_NOMEM));
	if (!place->hosts)
		return ERR_NOMEM;
	if (http_origin_of(place->url) != HTTP_TLS)
		return 0;
	place->certificate = http_certificate_load(management->certificate, management->key, error);
	return place->certificate ? 0 : ERR_SYSTEM;
}

static void use_settings(struct metrics_place *place)
{
	if (place->hosts)
		http_use_hosts(place->http, place->hosts);
	if (place->certificate)
		http_use_certificate(place->http, place->certificate);
	place->hosts = NULL;
	place->certificate = NULL;
}

static void drop_settings(struct metrics_place *place)
{
	http_hosts_free(place->hosts);
	http_certificate_free(place->certificate);
	place->hosts = NULL;
	place->certificate = NULL;
}

/* Opens the socket of a new place, and listens unless another server still does. */
static int open_socket(struct metrics_listener *listener, struct metrics_place *place,
		       char error[HTTP_ERROR_MAX])
{
	int fd, err = master_link_open(listener->master, MASTER_HTTP, place->url, &fd, error);

	if (err != 0)
		return err;
	use_settings(place); /* its first settings */
	err = http_add(place->http, place->url, http_origin_of(place->url), fd);
	if (err == 0 && !listener->service->beside)
		return http_listen(place->http, error);
	if (err != 0)
		snprintf(error, HTTP_ERROR_MAX, "%s", err_text(err));
	return err;
}

static void give_up(struct metrics_listener *listener, struct metrics_place *place)
{
	master_link_say(listener->master, MASTER_CLOSE, MASTER_HTTP, place->url);
	close_place(listener, place);
}

/* Finds or makes the place, and loads its settings. On failure `error` says why. */
static int want_place(struct metrics_listener *listener, const char *url,
		      const struct management *management, char error[HTTP_ERROR_MAX])
{
	struct metrics_place *place = find_place(listener, url);
	int err;

	if (!place)
		place = new_place(listener, url);
	snprintf(error, HTTP_ERROR_MAX, "%s", err_text(ERR_NOMEM));
	if (!place)
		return ERR_NOMEM;
	place->wanted = true;
	err = load_settings(place, management, error);
	if (err == 0 && place->is_new)
		err = open_socket(listener, place, error);
	return err;
}

/* ---- a model's settings ---- */

/* NULL: out of memory. */
static struct metrics_readers *new_readers(const struct metrics_settings *settings)
{
	size_t count = settings->allow.count;
	struct metrics_readers *readers =
		malloc(sizeof *readers + count * sizeof *readers->prefixes);

	if (!readers)
		return NULL;
	readers->count = count;
	for (size_t i = 0; i < count; i++)
		readers->prefixes[i] = settings->allow.items[i];
	return readers;
}

static void use_readers(struct metrics_listener *listener)
{
	struct metrics_readers *before;

	pthread_mutex_lock(&listener->lock);
	before = listener->readers;
	listener->readers = listener->next;
	pthread_mutex_unlock(&listener->lock);
	listener->next = NULL;
	free(before);
}

/* Makes all places of the model, up to the first failure: then `index` is the number of its URL,
 * and `error` says why. */
static int want_all(struct metrics_listener *listener, const struct model *model, size_t *index,
		    char error[HTTP_ERROR_MAX])
{
	const struct metrics_settings *settings = &model->metrics;
	int err = 0;

	listener->prepared = true;
	listener->next = new_readers(settings);
	*index = 0;
	snprintf(error, HTTP_ERROR_MAX, "%s", err_text(ERR_NOMEM));
	if (!listener->next)
		return ERR_NOMEM;
	for (struct metrics_place *place = listener->places; place; place = place->next)
		place->wanted = place->is_new = false;
	for (size_t i = 0; i < settings->listen.count && err == 0; i++) {
		*index = i;
		err = want_place(listener, settings->listen.items[i], &model->management, error);
	}
	return err;
}

/* Ends a preparation. `served`: removes the places that the new model lacks; else those that only
 * the new model has. */
static void end_preparation(struct metrics_listener *listener, bool served)
{
	struct metrics_place *place, *next;

	for (place = listener->places; place; place = next) {
		bool stays = served ? place->wanted : !place->is_new;

		next = place->next;
		if (!stays) {
			if (served)
				log_event(LOG_INFO, "http", "no longer metrics at %s", place->url);
			give_up(listener, place);
			continue;
		}
		if (served && place->is_new)
			log_event(LOG_INFO, "http", "metrics at %s" PATH, place->url);
		if (served)
			use_settings(place);
		else
			drop_settings(place);
		place->is_new = false;
	}
	if (served) {
		use_readers(listener);
	} else {
		free(listener->next);
		listener->next = NULL;
	}
	listener->prepared = false;
}

int metrics_listener_open(struct metrics_listener *listener, uv_loop_t *loop,
			  struct service *service, struct tally *tally, struct master_link *master,
			  const struct model *model)
{
	char error[HTTP_ERROR_MAX];
	size_t index;

	listener->loop = loop;
	listener->service = service;
	listener->master = master;
	listener->metrics = metrics_new(service, tally);
	if (!listener->metrics || pthread_mutex_init(&listener->lock, NULL) != 0)
		return exit_fail("%s", err_text(ERR_NOMEM));
	if (want_all(listener, model, &index, error) != 0)
		return exit_fail("metrics.listen[%zu]: %s", index, error);
	end_preparation(listener, true);
	return EXIT_SUCCESS;
}

/* A change of resources cannot change these settings. */
int metrics_listener_prepare(struct metrics_listener *listener, const struct model *model,
			     const struct model *before, struct faults *faults)
{
	char error[HTTP_ERROR_MAX], field[32];
	size_t index;

	if (!before || (model->declared && model->declared == before->declared))
		return 0;
	if (want_all(listener, model, &index, error) == 0)
		return 0;
	snprintf(field, sizeof field, "listen[%zu]", index);
	fault_add(faults, FAULT_ERROR, &model->metrics.origin, field, "%s", error);
	end_preparation(listener, false);
	return ERR_FAULTS;
}

void metrics_listener_finish(struct metrics_listener *listener, bool served)
{
	if (listener->prepared)
		end_preparation(listener, served);
}

void metrics_listener_listen(struct metrics_listener *listener)
{
	char error[HTTP_ERROR_MAX];

	for (const struct metrics_place *place = listener->places; place; place = place->next)
		if (http_listen(place->http, error) != 0)
			log_event(LOG_ERROR, "http", "%s", error);
}

void metrics_listener_pause(struct metrics_listener *listener)
{
	for (const struct metrics_place *place = listener->places; place; place = place->next)
		http_pause(place->http);
}

void metrics_listener_close(struct metrics_listener *listener)
{
	if (!listener->metrics)
		return;
	while (listener->places)
		close_place(listener, listener->places);
	metrics_free(listener->metrics);
	free(listener->readers);
	free(listener->next);
	pthread_mutex_destroy(&listener->lock);
	listener->metrics = NULL;
}
