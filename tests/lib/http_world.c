#include "tests/lib/http_world.h"

#include <assert.h>
#include <netinet/in.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "resolver/control/http/unix_socket.h"

static void on_done(uv_async_t *done)
{
	uv_stop(done->loop);
}

void http_world_init(struct http_world *world)
{
	*world = (struct http_world){.directory = "/tmp/sluice-test-XXXXXX"};
	char *made = mkdtemp(world->directory);
	assert(made);
	(void)made;
	snprintf(world->path, sizeof world->path, "%s/control.sock", world->directory);
	int err = uv_loop_init(&world->loop);
	assert(err == 0);
	(void)err;
	uv_async_init(&world->loop, &world->done, on_done);
}

void http_world_release(struct http_world *world)
{
	http_close(world->http);
	uv_close((uv_handle_t *)&world->done, NULL);
	uv_run(&world->loop, UV_RUN_DEFAULT);
	int err = uv_loop_close(&world->loop);
	assert(err == 0);
	(void)err;
	unlink(world->path);
	rmdir(world->directory);
}

void http_world_open(struct http_world *world, const struct http_handler *handler)
{
	world->http = http_new(&world->loop, handler);
	assert(world->http);
	struct unix_socket socket;
	int fd, err = unix_socket_open(&socket, world->path, &fd, world->error);
	if (err == 0)
		err = http_add(world->http, world->path, HTTP_UNIX, fd);
	if (err == 0)
		err = http_listen(world->http, world->error);
	assert(err == 0);
	(void)err;
}

int http_world_listen(struct http_world *world, const char *url)
{
	int fd, err = http_open(url, false, &fd, world->error);
	if (err == 0)
		err = http_add(world->http, url, http_origin_of(url), fd);
	return err == 0 ? http_listen(world->http, world->error) : err;
}

unsigned http_world_free_port(void)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof in;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	int err = bind(fd, (struct sockaddr *)&in, sizeof in);
	err = err == 0 ? getsockname(fd, (struct sockaddr *)&in, &length) : err;
	assert(err == 0);
	(void)err;
	close(fd);
	return ntohs(in.sin_port);
}

static void run_client(void *context)
{
	struct http_world *world = context;
	world->client(world);
	uv_async_send(&world->done);
}

void http_world_serve(struct http_world *world, void (*client)(struct http_world *world))
{
	uv_thread_t thread;
	world->client = client;
	int err = uv_thread_create(&thread, run_client, world);
	assert(err == 0);
	(void)err;
	uv_run(&world->loop, UV_RUN_DEFAULT);
	uv_thread_join(&thread);
}

/* ---- a client ---- */

static int connect_to(const struct sockaddr *address, socklen_t length)
{
	struct timeval patience = {.tv_sec = 60};
	int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
	if (connect(fd, address, length) == 0)
		return fd;
	close(fd);
	return -1;
}

int http_world_connect(const struct http_world *world)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	struct sockaddr_in in = {.sin_family = AF_INET,
				 .sin_port = htons((uint16_t)world->port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	memcpy(un.sun_path, world->path, strlen(world->path) + 1);
	return world->port ? connect_to((struct sockaddr *)&in, sizeof in)
			   : connect_to((struct sockaddr *)&un, sizeof un);
}

void http_world_send(int fd, const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t sent = send(fd, bytes, length, MSG_NOSIGNAL);
		if (sent <= 0)
			return;
		bytes += sent;
		length -= (size_t)sent;
	}
}

void http_world_receive(struct http_world *world, int fd)
{
	size_t at = 0;
	for (ssize_t got; at < sizeof world->answer - 1; at += (size_t)got)
		if ((got = recv(fd, world->answer + at, sizeof world->answer - 1 - at, 0)) <= 0)
			break;
	world->answer[at] = '\0';
	world->answer_length = at;
	close(fd);
}

unsigned http_world_ask(struct http_world *world, const char *what, const char *headers,
			const char *body)
{
	char head[8192];
	int fd = http_world_connect(world);
	int length = snprintf(head, sizeof head,
			      "%s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%s", what,
			      headers);
	if (body)
		length += snprintf(
			head + length, sizeof head - (size_t)length, "%sContent-Length: %zu\r\n",
			strcasestr(headers, "Content-Type:") ? ""
							     : "Content-Type: application/json\r\n",
			strlen(body));
	http_world_send(fd, head, (size_t)length);
	http_world_send(fd, "\r\n", 2);
	if (body)
		http_world_send(fd, body, strlen(body));
	http_world_receive(world, fd);
	return http_world_status(world);
}

unsigned http_world_status(const struct http_world *world)
{
	unsigned status = 0;
	return sscanf(world->answer, "HTTP/1.1 %u", &status) == 1 ? status : 0;
}

const char *http_world_header(const struct http_world *world, const char *name)
{
	static _Thread_local char value[1024];
	size_t length = strlen(name);
	const char *end = strstr(world->answer, "\r\n\r\n");
	for (const char *line = strstr(world->answer, "\r\n"); line && line < end;
	     line = strstr(line + 2, "\r\n"))
		if (strncasecmp(line + 2, name, length) == 0 && line[2 + length] == ':') {
			line += 3 + length;
			line += strspn(line, " ");
			snprintf(value, sizeof value, "%.*s", (int)strcspn(line, "\r\n"), line);
			return value;
		}
	return NULL;
}

const char *http_world_body(const struct http_world *world)
{
	const char *end = strstr(world->answer, "\r\n\r\n");
	return end ? end + 4 : "";
}

json_t *http_world_json(const struct http_world *world)
{
	return json_loads(http_world_body(world), JSON_DECODE_ANY, NULL);
}

static void call(struct http_world *world)
{
	http_world_ask(world, world->what, world->headers, world->body);
}

unsigned http_world_call(struct http_world *world, const char *what, const char *headers,
			 const char *body)
{
	world->what = what;
	world->headers = headers;
	world->body = body;
	http_world_serve(world, call);
	return http_world_status(world);
}

static void call_raw(struct http_world *world)
{
	int fd = http_world_connect(world);
	http_world_send(fd, world->what, strlen(world->what));
	http_world_receive(world, fd);
}

unsigned http_world_call_raw(struct http_world *world, const char *bytes)
{
	world->what = bytes;
	http_world_serve(world, call_raw);
	return http_world_status(world);
}

void http_world_put_secret(const char *path, const char *secret)
{
	FILE *file = fopen(path, "w");

	fprintf(file, "%s\n", secret);
	fclose(file);
	chmod(path, 0600);
}
