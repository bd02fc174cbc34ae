/* How a command at the control socket opens the dashboard: it gets a link with a code, and the
 * link's page sends the code back for a token. The code is behind the link's '#', a part that
 * browsers send to no server, and works once, from this machine (http/login_code.h). */
#include "resolver/control/api/v1/api_v1.h"
#include "resolver/control/base/json.h"
#include "resolver/control/service/service.h"
#include "resolver/log.h"

enum { LINK_MAX = 320 };

/* A browser cannot open 0.0.0.0 or ::, but a listener there accepts loopback addresses as well. */
static void make_loopback(struct address *address)
{
	if (!address_is_unspecified(address))
		return;
	if (address->family == 4)
		address->bytes[0] = 127;
	address->bytes[address->family == 4 ? 3 : 15] = 1;
}

/* Makes a URL such as "http://127.0.0.1:8053", at which a browser on this machine reaches the
 * listener. False: the listener is at no loopback address. */
static bool reach(const char *url, char base[LINK_MAX])
{
	char text[HOST_TEXT_MAX];
	struct host host;

	if (http_url_host(url, &host) != 0)
		return false;
	make_loopback(&host.address);
	snprintf(base, LINK_MAX, "%s://%s", http_origin_of(url) == HTTP_TLS ? "https" : "http",
		 host_print(&host, text));
	return address_is_loopback(&host.address);
}

static bool find_base(const struct management *management, char base[LINK_MAX])
{
	for (size_t i = 0; i < management->listen.count; i++)
		if (reach(management->listen.items[i], base))
			return true;
	return false;
}

/* POST /v1/login_links: {"url", "expires_s"}; only at the control socket. */
void api_login_link(struct api_request *request)
{
	char base[LINK_MAX], code[LOGIN_CODE_MAX], url[LINK_MAX + LOGIN_CODE_MAX + 16];

	if (!api_is_local(request)) {
		api_fail(request, 403, NULL,
			 "links that log in are made at the control socket alone; run `sluice "
			 "dashboard` on the server");
		return;
	}
	if (!find_base(&request->service->server.model->management, base)) {
		api_fail(request, 409, "no_listener",
			 "the dashboard is at no loopback address; set management.listen = [ "
			 "\"http://127.0.0.1:8053\" ] and restart");
		return;
	}
	if (api_make_code(request, code) != 0) {
		api_fail_memory(request);
		return;
	}
	snprintf(url, sizeof url, "%s/ui/#login=%s", base, code);
	api_reply_json(request, 201,
		       json_make("{s:s, s:i}", "url", url, "expires_s", LOGIN_CODE_LIFE_S), NULL);
}

static void fail_login(struct api_request *request, int err)
{
	if (err == ERR_LIMIT)
		api_fail(request, 429, NULL, HTTP_TOO_MANY_TEXT);
	else if (err == ERR_NOT_FOUND)
		api_fail(request, 401, NULL,
			 "the code is wrong, was used or is older than %d seconds; `sluice "
			 "dashboard` makes another one",
			 LOGIN_CODE_LIFE_S);
	else
		api_fail_memory(request);
}

/* POST /v1/login {"code"}: {"client", "role", "token", "expires_s"}. */
void api_login_with_code(struct api_request *request)
{
	const char *code = json_string_value(json_object_get(request->body, "code"));
	char token[TOKEN_TEXT_MAX], client[HTTP_CLIENT_MAX];
	int err;

	if (!api_is_from_loopback(request)) {
		api_fail(request, 403, NULL,
			 "a code logs in on the server's own machine alone, by its loopback "
			 "address");
		return;
	}
	if (!code) {
		api_fail_at(request, 400, NULL, "code", "is missing, or not a string");
		return;
	}
	err = api_login_by_code(request, code, token, client);
	if (err != 0) {
		fail_login(request, err);
		return;
	}
	log_event_guarded(LOG_INFO, "login", "somebody has logged in at the dashboard by a link",
			  "%s has logged in at the dashboard by a link", client);
	api_answer_header(request, "Cache-Control", "no-store");
	api_reply_json(request, 201,
		       json_make("{s:o, s:s, s:s, s:i}", "client", json_text(client), "role",
				 "admin", "token", token, "expires_s", TOKEN_LIFE_S),
		       NULL);
}
