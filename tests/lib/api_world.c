#include "tests/lib/api_world.h"

#include <assert.h>
#include <unistd.h>

#include "resolver/log.h"
#include "tests/lib/json_at.h"

void api_world_serve_clients(struct api_world *world, size_t count)
{
	struct management_client clients[] = {
		{.id = "ops", .secret_file = world->admin_file, .role = ROLE_ADMIN},
		{.id = "eye", .secret_file = world->reader_file, .role = ROLE_READER}};
	struct management management = {.clients = {.items = clients, .count = count}};

	http_auth_serve(world->api.auth, http_secrets_load(&management, &world->faults));
	assert(world->faults.count == 0);
}

static void open_port(struct api_world *world)
{
	struct http_handler handler = api_handler(&world->api);
	char url[64];

	handler.idle_ms = handler.exchange_ms = 120 * 1000; /* nobody is too slow */
	http_world_open(&world->http, &handler);
	world->http.port = http_world_free_port();
	snprintf(url, sizeof url, "http://127.0.0.1:%u", world->http.port);
	int err = http_world_listen(&world->http, url);
	assert(err == 0);
	(void)err;
}

struct api_world *api_world_new(const struct api_dialect *const *dialects)
{
	static const struct hash_key key = {1, 2};
	struct api_world *world = calloc(1, sizeof *world);
	struct service *service = &world->service;

	http_world_init(&world->http);
	faults_init(&world->faults);
	log_configure(LOG_ERROR, LOG_TEXT);
	snprintf(world->admin_file, sizeof world->admin_file, "%s/admin", world->http.directory);
	snprintf(world->reader_file, sizeof world->reader_file, "%s/reader", world->http.directory);
	http_world_put_secret(world->admin_file, API_ADMIN);
	http_world_put_secret(world->reader_file, API_READER);
	service->resources = resources_new(&key);
	world->api =
		(struct api){.service = service, .auth = http_auth_new(), .dialects = dialects};
	work_init(&service->work, &world->http.loop, resources_store(service->resources), NULL,
		  NULL);
	api_world_serve_clients(world, 2);
	open_port(world);
	return world;
}

void api_world_free(struct api_world *world)
{
	unlink(world->admin_file);
	unlink(world->reader_file);
	work_finish(&world->service.work); /* frees what is freed after an answer */
	uv_close((uv_handle_t *)&world->service.work.turns.idle, NULL);
	http_world_release(&world->http);
	http_auth_free(world->api.auth);
	resources_free(world->service.resources);
	faults_release(&world->faults);
	free(world);
}

/* ---- asking ---- */

unsigned api_world_ask(struct api_world *world, const char *what, const char *headers,
		       const char *body)
{
	return http_world_call(&world->http, what, headers, body);
}

unsigned api_world_ask_with(struct api_world *world, const char *what, const char *header,
			    const char *value)
{
	char headers[8192];

	snprintf(headers, sizeof headers, "%s: %s\r\n", header, value);
	return api_world_ask(world, what, headers, NULL);
}

const char *api_world_said(struct api_world *world, const char *path)
{
	json_t *all = http_world_json(&world->http);
	const char *text = json_at(all, path);

	json_decref(all);
	return text;
}
