/* GET /readyz: is DNS answered, and by which configuration?
 *
 *     ?generation=N    wait until every worker serves that generation, or a later one
 *     ?revision=N      wait until every worker serves that revision of the state, or a later one
 *     &wait=SECONDS    wait for so long at most, and never longer than READY_WAIT_S; then it is 503
 *
 * No credentials are needed, because load balancers have none. So only a limited number of answers
 * may wait, and few of them at URLs: a request that waits keeps its connection from others
 * (http.h). */
#include <errno.h>
#include <stdlib.h>

#include "resolver/control/api/v1/api_v1.h"
#include "resolver/control/base/json.h"
#include "resolver/control/service/service.h"

enum { READY_WAIT_S = 10, READY_WAITS_MAX = 64, READY_WAITS_AT_URLS = 8 };

static unsigned waits, waits_at_urls; /* answers that wait: all, and those at URLs */

struct ready_wait {
	struct api_wait wait; /* first */
	struct api_request *request;
	uint64_t generation, revision; /* 0: any */
	uint64_t wait_s;
	bool at_url;
	uv_timer_t timer;
};

/* The state's revision, as far as this process knows; 0: there is no state. */
static uint64_t revision_now(const struct api_request *request)
{
	struct source *source = request->service->resources
					? resources_store(request->service->resources)->source
					: NULL;
	struct source_about about = {0};

	if (source)
		source_about(source, &about);
	return about.revision;
}

static bool is_reached(const struct ready_wait *wait)
{
	const struct service *service = wait->request->service;

	return service->server.current && server_all_adopted(&service->server) &&
	       service->server.generation >= wait->generation &&
	       revision_now(wait->request) >= wait->revision;
}

static void answer_ready(struct api_request *request)
{
	api_reply_json(request, 200,
		       json_make("{s:s, s:I, s:I}", "status", "ready", "generation",
				 (json_int_t)request->service->server.generation, "revision",
				 (json_int_t)revision_now(request)),
		       NULL);
}

static void answer_not(struct api_request *request)
{
	const struct server *server = &request->service->server;

	if (!server->current)
		api_fail(request, 503, NULL, "nothing is served yet");
	else
		api_fail(request, 503, NULL,
			 "generation %llu and revision %llu are served, and that is not enough yet",
			 (unsigned long long)server->generation,
			 (unsigned long long)revision_now(request));
}

static void on_closed(uv_handle_t *timer)
{
	free(container_of((uv_timer_t *)timer, struct ready_wait, timer));
}

static void end(struct ready_wait *wait)
{
	if (is_reached(wait))
		answer_ready(wait->request);
	else
		answer_not(wait->request);
	waits--;
	waits_at_urls -= wait->at_url;
	uv_close((uv_handle_t *)&wait->timer, on_closed);
}

static void on_late(uv_timer_t *timer)
{
	struct ready_wait *wait = container_of(timer, struct ready_wait, timer);

	api_await_no_more(wait->request, &wait->wait);
	end(wait);
}

static void on_change(struct api_wait *served)
{
	struct ready_wait *wait = container_of(served, struct ready_wait, wait);

	if (is_reached(wait) || wait->request->service->resting)
		end(wait);
	else
		api_await_change(wait->request, &wait->wait);
}

static void begin(const struct ready_wait *wanted)
{
	struct ready_wait *wait = malloc(sizeof *wait);

	if (!wait) {
		api_fail_memory(wanted->request);
		return;
	}
	*wait = *wanted;
	wait->wait.on_served = on_change;
	waits++;
	waits_at_urls += wait->at_url;
	uv_timer_init(wanted->request->service->bell.poll.loop, &wait->timer);
	uv_timer_start(&wait->timer, on_late, 1000 * wait->wait_s, 0);
	api_await_change(wait->request, &wait->wait);
}

/* A number that is not given stays as it is. False: it is no number, and the request has been
 * answered. */
static bool read_number(struct api_request *request, const char *name, uint64_t *number)
{
	const char *text = api_query(request, name);
	char *end = NULL;

	if (!text)
		return true;
	errno = 0;
	*number = strtoull(text, &end, 10);
	if (*text >= '0' && *text <= '9' && *end == '\0' && errno == 0)
		return true;
	api_fail_at(request, 400, NULL, name, "\"%.32s\" does not fit; give a number", text);
	return false;
}

void api_ready(struct api_request *request)
{
	struct ready_wait wait = {
		.request = request, .at_url = !api_is_local(request), .wait_s = READY_WAIT_S};

	if (!read_number(request, "generation", &wait.generation) ||
	    !read_number(request, "revision", &wait.revision) ||
	    !read_number(request, "wait", &wait.wait_s))
		return;
	if (wait.wait_s > READY_WAIT_S)
		wait.wait_s = READY_WAIT_S;
	if (!wait.generation && !wait.revision) {
		if (request->service->server.current)
			answer_ready(request);
		else
			answer_not(request);
	} else if (is_reached(&wait)) {
		answer_ready(request);
	} else if (request->service->resting || waits >= READY_WAITS_MAX ||
		   (wait.at_url && waits_at_urls >= READY_WAITS_AT_URLS)) {
		answer_not(request);
	} else {
		begin(&wait);
	}
}
