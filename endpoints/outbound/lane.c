/* Lanes: own ports for the most asked targets. A connected socket needs no routing lookup, and
 * sending by a socket that nobody watches wakes nobody; together this saves 6 % of the cost of
 * forwarding. So a lane's port is two sockets on one address and port, both connected to the
 * target:
 *
 *     twin   bound and connected first    sends
 *     fd     bound and connected last     receives, is watched
 *
 * If two sockets match a packet equally well, Linux gives it to the newer one. This has always been
 * so but is promised nowhere. So it is tried on loopback before the first lane is opened, and a
 * kernel that behaves differently gets no lanes. The trial uses IPv4. If only IPv6 behaves
 * differently, a lane to an IPv6 target receives nothing and is given up.
 *
 * The most asked targets are counted for a second at a time in a small table (Misra and Gries
 * 1982): a target without a place takes one point from each target that has one, so that only
 * targets with a large part of all questions stay. */
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "endpoints/outbound/udp.h"
#include "endpoints/socket.h"

enum {
	TRAFFIC_US = 1000000,
	TRIAL_MS = 5, /* how long the trial waits for its packet */
};

/* ---- the two sockets ---- */

static bool share(int fd, int on)
{
	return setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0;
}

/* A socket at `local` that is connected to the target, or -1. The first of the two takes a free
 * port, sets it in *local, and only then lets it be shared. */
static int connected_socket(struct sockaddr_storage *local, socklen_t length, bool first,
			    const struct host *peer)
{
	struct sockaddr_storage to;
	socklen_t to_length = socket_address(peer, &to);
	int fd = socket_udp(peer->address.family);

	if (fd < 0)
		return -1;
	if ((first || share(fd, 1)) && bind(fd, (struct sockaddr *)local, length) == 0 &&
	    getsockname(fd, (struct sockaddr *)local, &length) == 0 && share(fd, 1) &&
	    connect(fd, (struct sockaddr *)&to, to_length) == 0)
		return fd;
	close(fd);
	return -1;
}

static bool open_pair(const struct address *source, const struct host *peer, int *fd, int *twin)
{
	struct host any = {.address = *source};
	struct sockaddr_storage local;

	any.address.family = peer->address.family;
	socklen_t length = socket_address(&any, &local);
	*twin = connected_socket(&local, length, true, peer);
	*fd = *twin < 0 ? -1 : connected_socket(&local, length, false, peer);
	return *fd >= 0 && share(*fd, 0) && share(*twin, 0);
}

/* Which socket received the trial's packet: WORK for fd, FAIL for the twin; UNTRIED if none came in
 * time. */
static enum outbound_lanes who_receives(int fd, int twin)
{
	struct pollfd polled[] = {{.fd = fd, .events = POLLIN}, {.fd = twin, .events = POLLIN}};

	if (poll(polled, 2, TRIAL_MS) <= 0)
		return LANES_UNTRIED;
	return polled[1].revents ? LANES_FAIL : LANES_WORK;
}

static enum outbound_lanes try_lanes(void)
{
	const struct host any = {.address = {.family = 4, .bytes = {127, 0, 0, 1}}};
	struct sockaddr_storage at, from;
	socklen_t length = socket_address(&any, &at), from_length = sizeof from;
	enum outbound_lanes lanes = LANES_UNTRIED;
	struct host peer;
	int server = socket_udp(4), fd = -1, twin = -1;
	char byte = 0;

	bool ready = server >= 0 && bind(server, (struct sockaddr *)&at, length) == 0 &&
		     getsockname(server, (struct sockaddr *)&at, &length) == 0;
	if (ready) {
		socket_host(&at, &peer);
		ready = open_pair(&any.address, &peer, &fd, &twin) &&
			getsockname(twin, (struct sockaddr *)&from, &from_length) == 0 &&
			sendto(server, &byte, 1, 0, (struct sockaddr *)&from, from_length) == 1;
	}
	if (ready)
		lanes = who_receives(fd, twin);
	const int fds[] = {server, fd, twin};
	for (unsigned i = 0; i < 3; i++) {
		if (fds[i] >= 0)
			close(fds[i]);
	}
	return lanes;
}

/* Discards packets from before the connect, which anybody may have sent. */
static void forget_received(int fd)
{
	char byte;

	while (recv(fd, &byte, 1, MSG_DONTWAIT) >= 0)
		;
}

bool lane_open_port(const struct outbound_pool *pool, int *fd, int *twin)
{
	if (!open_pair(&pool->source, &pool->peer, fd, twin))
		return false;
	forget_received(*fd);
	outbound_report_errors(*fd, pool->family);
	return true;
}

/* ---- which targets earn a lane ---- */

/* A trial without a result is repeated, but at most once a second, because it may take TRIAL_MS. */
static bool lanes_work(struct outbound *outbound)
{
	if (outbound->lanes == LANES_UNTRIED && !outbound->traffic.tried) {
		outbound->traffic.tried = true;
		outbound->lanes = try_lanes();
	}
	return outbound->lanes == LANES_WORK;
}

bool lane_earned(struct outbound *outbound, const struct upstream *upstream, uint64_t now_us)
{
	struct outbound_traffic *traffic = &outbound->traffic;
	unsigned free = OUTBOUND_CANDIDATES;

	if (now_us - traffic->since_us >= TRAFFIC_US) {
		memset(traffic, 0, sizeof *traffic);
		traffic->since_us = now_us;
	}
	for (unsigned i = 0; i < OUTBOUND_CANDIDATES; i++) {
		if (traffic->targets[i].questions == 0)
			free = i;
		else if (host_equal(&traffic->targets[i].host, &upstream->host) &&
			 address_equal(&traffic->targets[i].source, &upstream->source))
			return ++traffic->targets[i].questions >= outbound->lane_questions &&
			       lanes_work(outbound);
	}
	if (free < OUTBOUND_CANDIDATES) {
		traffic->targets[free].source = upstream->source;
		traffic->targets[free].host = upstream->host;
		traffic->targets[free].questions = 1;
		return false;
	}
	for (unsigned i = 0; i < OUTBOUND_CANDIDATES; i++)
		traffic->targets[i].questions--;
	return false;
}
