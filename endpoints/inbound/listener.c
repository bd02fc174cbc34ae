/* Opening a listener: every socket of every worker, or none.
 *
 *     probe        bind UDP and TCP once without sharing: finds another holder of the port, which
 *                  SO_REUSEPORT would hide if it is another sluice of the same user;
 *                  left out if this program has the port at an overlapping address
 *     receivers    worker 0, 1, 2 ...    places 0, 1, 2 ... of the port's reuseport group
 *     program      DNS id modulo workers: always one of the first places, so a receiver
 *     twins        worker 0, 1, 2 ...    places after them
 *     TCP          one listening socket a worker; the kernel deals connections out
 *
 * The program is attached before the twins exist: clients that were served at 0.0.0.0 may send
 * packets meanwhile, and none of these may reach a twin, which nobody reads. Packets still in a
 * socket when it is closed are lost; the client asks again.
 *
 * An address that no interface has is bound nevertheless (IP_FREEBIND), and served as soon as an
 * interface gets it: virtual addresses come and go.
 *
 * Sockets opened by another process are checked and used as they are: the kernel keeps the group,
 * its order and its program.
 *
 * Not here: sockets handed over by systemd. */
#include "endpoints/inbound/internal.h"

#include <assert.h>
#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "endpoints/socket.h"
#include "rules/base.h"

enum { RECEIVE_BUFFER = 4 << 20, SEND_BUFFER = 1 << 20, BACKLOG = 1024 };

struct opening { /* for the text of a failure */
	const struct host *host;
	const char *transport;
	char *error;
};

static int say(const struct opening *opening, int cause)
{
	char host[HOST_TEXT_MAX];

	host_print(opening->host, host);
	const char *format = "%s (%s): cannot listen: %s";
	const char *detail = strerror(cause);
	if (cause == EADDRINUSE) {
		format = "%s (%s): %s";
		detail = "the port is in use, by another server or another sluice; stop that one, "
			 "or listen on another address or port";
	} else if (cause == EACCES || cause == EPERM) {
		format = "%s (%s): %s";
		detail = "no permission to bind this port; start as root, or give the program "
			 "CAP_NET_BIND_SERVICE";
	} else if (cause == EMFILE || cause == ENFILE) {
		format = "%s (%s): %s";
		detail = "too many open files; raise the limit (LimitNOFILE, ulimit -n)";
	}
	snprintf(opening->error, LISTENER_ERROR_MAX, format, host, opening->transport, detail);
	return ERR_SYSTEM;
}

static int set(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof value);
}

/* With SO_REUSEADDR a TCP bind ignores remains of closed connections, but not a listening socket.
 * For UDP it would share the port, so there it stays off. */
static int probe(const struct opening *opening, bool tcp)
{
	int family = opening->host->address.family;
	int fd = tcp ? socket_tcp(family) : socket_udp(family);

	if (fd < 0)
		return say(opening, errno);
	int err = 0;
	if ((tcp && set(fd, SOL_SOCKET, SO_REUSEADDR, 1) < 0) || socket_bind(fd, opening->host) < 0)
		err = say(opening, errno);
	close(fd);
	return err;
}

/* Sets options that may fail: buffers for bursts, and fragmenting here instead of believing forged
 * reports of a small path MTU. */
static void tune_udp(int fd, int family)
{
	if (set(fd, SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER) < 0)
		(void)set(fd, SOL_SOCKET, SO_RCVBUF, RECEIVE_BUFFER);
	if (set(fd, SOL_SOCKET, SO_SNDBUFFORCE, SEND_BUFFER) < 0)
		(void)set(fd, SOL_SOCKET, SO_SNDBUF, SEND_BUFFER);
	if (family == 4)
		(void)set(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_OMIT);
	else
		(void)set(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_OMIT);
}

static int note_destination(int fd, const struct host *host)
{
	if (!address_is_unspecified(&host->address))
		return 0;
	return host->address.family == 4 ? set(fd, IPPROTO_IP, IP_PKTINFO, 1)
					 : set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
}

static int open_udp(const struct opening *opening, int *fd)
{
	*fd = socket_udp(opening->host->address.family);
	if (*fd < 0)
		return say(opening, errno);
	tune_udp(*fd, opening->host->address.family);
	if (note_destination(*fd, opening->host) < 0 || set(*fd, SOL_SOCKET, SO_REUSEPORT, 1) < 0 ||
	    socket_bind(*fd, opening->host) < 0)
		return say(opening, errno);
	return 0;
}

static int open_tcp(const struct opening *opening, int *fd)
{
	*fd = socket_tcp(opening->host->address.family);
	if (*fd < 0)
		return say(opening, errno);
	if (set(*fd, SOL_SOCKET, SO_REUSEADDR, 1) < 0 ||
	    set(*fd, SOL_SOCKET, SO_REUSEPORT, 1) < 0 || socket_bind(*fd, opening->host) < 0 ||
	    listen(*fd, BACKLOG) < 0)
		return say(opening, errno);
	return 0;
}

/* The kernel runs the program on the packet's payload, which begins with the DNS id. A shorter
 * packet yields 0, the first receiver, which ignores it. */
static int attach_program(const struct opening *opening, int fd, unsigned workers)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 0),
		BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, workers),
		BPF_STMT(BPF_RET | BPF_A, 0),
	};
	struct sock_fprog program;

	memset(&program, 0, sizeof program); /* including padding, because the kernel copies it */
	program.len = COUNT(code);
	program.filter = code;
	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program, sizeof program) < 0)
		return say(opening, errno);
	return 0;
}

static int open_all(const struct host *host, unsigned workers, bool beside_ours,
		    struct listener_sockets *sockets, char *error)
{
	struct opening udp = {.host = host, .transport = "UDP", .error = error};
	struct opening tcp = {.host = host, .transport = "TCP", .error = error};

	if (!beside_ours && (probe(&udp, false) < 0 || probe(&tcp, true) < 0))
		return ERR_SYSTEM;
	for (unsigned i = 0; i < workers; i++)
		if (open_udp(&udp, &sockets[i].udp) < 0)
			return ERR_SYSTEM;
	if (attach_program(&udp, sockets[0].udp, workers) < 0)
		return ERR_SYSTEM;
	for (unsigned i = 0; i < workers; i++)
		if (open_udp(&udp, &sockets[i].twin) < 0)
			return ERR_SYSTEM;
	for (unsigned i = 0; i < workers; i++)
		if (open_tcp(&tcp, &sockets[i].tcp) < 0)
			return ERR_SYSTEM;
	return 0;
}

static void close_one(int fd)
{
	if (fd >= 0)
		close(fd);
}

int listener_open_sockets(const struct host *host, unsigned workers, bool beside_ours,
			  struct listener_sockets *sockets, char error[LISTENER_ERROR_MAX])
{
	assert(workers > 0);
	for (unsigned i = 0; i < workers; i++)
		sockets[i] = (struct listener_sockets){-1, -1, -1};
	int err = open_all(host, workers, beside_ours, sockets, error);
	for (unsigned i = 0; err && i < workers; i++) {
		close_one(sockets[i].udp);
		close_one(sockets[i].twin);
		close_one(sockets[i].tcp);
	}
	return err;
}

static struct listener *listener_new(const struct host *host, unsigned workers)
{
	struct listener *listener = calloc(1, sizeof *listener);

	if (!listener)
		return NULL;
	listener->host = *host;
	listener->shares = calloc(workers, sizeof *listener->shares);
	if (!listener->shares) {
		free(listener);
		return NULL;
	}
	for (; listener->workers < workers; listener->workers++) {
		struct listener_share *share = &listener->shares[listener->workers];
		share->udp = share->twin = share->tcp = -1;
		share->inbound = calloc(1, sizeof *share->inbound);
		if (!share->inbound) {
			listener_close(listener);
			return NULL;
		}
		listener->open++;
	}
	return listener;
}

/* Gives the sockets to the listener. */
static void listener_give(struct listener *listener, const struct listener_sockets *sockets)
{
	for (unsigned i = 0; i < listener->workers; i++) {
		listener->shares[i].udp = sockets[i].udp;
		listener->shares[i].twin = sockets[i].twin;
		listener->shares[i].tcp = sockets[i].tcp;
	}
}

struct listener *listener_open(const struct host *host, unsigned workers, bool beside_ours,
			       char error[LISTENER_ERROR_MAX])
{
	assert(workers > 0);
	struct listener *listener = listener_new(host, workers);
	struct listener_sockets *sockets = calloc(workers, sizeof *sockets);
	int err = listener && sockets ? 0 : ERR_NOMEM;

	if (err)
		snprintf(error, LISTENER_ERROR_MAX, "%s", err_text(ERR_NOMEM));
	else
		err = listener_open_sockets(host, workers, beside_ours, sockets, error);
	if (!err)
		listener_give(listener, sockets);
	else
		listener_close(listener);
	free(sockets);
	return err ? NULL : listener;
}

/* ---- sockets of another process ---- */

static int option(int fd, int level, int name)
{
	int value = -1;
	socklen_t length = sizeof value;

	return getsockopt(fd, level, name, &value, &length) == 0 ? value : -1;
}

static bool is_ours(int fd, int type, const struct host *host)
{
	struct sockaddr_storage storage = {0};
	socklen_t length = sizeof storage;
	struct host bound;

	if (getsockname(fd, (struct sockaddr *)&storage, &length) != 0)
		return false;
	socket_host(&storage, &bound);
	return host_equal(&bound, host) && option(fd, SOL_SOCKET, SO_TYPE) == type &&
	       option(fd, SOL_SOCKET, SO_REUSEPORT) == 1 &&
	       (option(fd, SOL_SOCKET, SO_ACCEPTCONN) == 1) == (type == SOCK_STREAM);
}

struct listener *listener_adopt(const struct host *host, unsigned workers,
				const struct listener_sockets *sockets,
				char error[LISTENER_ERROR_MAX])
{
	char text[HOST_TEXT_MAX];

	assert(workers > 0);
	struct listener *listener = listener_new(host, workers);
	bool fine = listener;
	snprintf(error, LISTENER_ERROR_MAX, "%s: %s", host_print(host, text),
		 listener ? "the sockets handed over do not listen at this address"
			  : err_text(ERR_NOMEM));
	if (listener)
		listener_give(listener, sockets);
	for (unsigned i = 0; i < workers; i++) {
		const struct listener_sockets *at = &sockets[i];
		if (!listener) {
			close_one(at->udp);
			close_one(at->twin);
			close_one(at->tcp);
		}
		fine = fine && is_ours(at->udp, SOCK_DGRAM, host) &&
		       is_ours(at->twin, SOCK_DGRAM, host) && is_ours(at->tcp, SOCK_STREAM, host);
	}
	if (fine)
		return listener;
	listener_close(listener);
	return NULL;
}

/* ---- shares ---- */

struct inbound *listener_take(struct listener *listener, unsigned index)
{
	struct listener_share *share = &listener->shares[index];

	return atomic_exchange(&share->taken, true) ? NULL : share->inbound;
}

void listener_gave_up_share(struct listener *listener)
{
	atomic_fetch_sub(&listener->open, 1);
}

bool listener_is_open(const struct listener *listener)
{
	return atomic_load(&listener->open) > 0;
}

void listener_withdraw(struct listener *listener)
{
	for (unsigned i = 0; i < listener->workers; i++) {
		struct inbound *inbound = listener_take(listener, i);
		if (!inbound)
			continue;
		close_one(listener->shares[i].udp);
		close_one(listener->shares[i].twin);
		close_one(listener->shares[i].tcp);
		free(inbound);
		listener_gave_up_share(listener);
	}
}

void listener_close(struct listener *listener)
{
	if (!listener)
		return;
	listener_withdraw(listener);
	free(listener->shares);
	free(listener);
}
