/* For tests that listen: a port that was free a moment ago. */
#ifndef SLUICE_TESTS_FREE_PORT_H
#define SLUICE_TESTS_FREE_PORT_H

#include <arpa/inet.h>
#include <unistd.h>

/* A port of this loopback address; type: SOCK_STREAM or SOCK_DGRAM. 0: none. */
static inline unsigned free_port(const char *home, int type)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = inet_addr(home)};
	socklen_t length = sizeof in;
	int fd = socket(AF_INET, type, 0), failed;

	failed = bind(fd, (struct sockaddr *)&in, sizeof in) != 0 ||
		 getsockname(fd, (struct sockaddr *)&in, &length) != 0;
	close(fd);
	return failed ? 0 : ntohs(in.sin_port);
}

#endif
