/* Sends the events (events.h) of the configured level and graver ones to a URL by HTTP POST, in
 * their order. Several events go in one request if they come faster than they are delivered:
 *
 *     {"host": "dns1", "events": [{"id", "time", "level", "event", "text"}]}
 *
 * Events not answered with 2xx are sent again, first after WEBHOOK_RETRY_S, then less and less
 * often, as long as they are kept; by "id" the receiver notices duplicates. A separate thread
 * sends, so that a URL that does not answer delays nothing else. */
#ifndef SLUICE_WEBHOOK_H
#define SLUICE_WEBHOOK_H

#include "resolver/control/observe/events.h"
#include "rules/schema/model.h"

enum {
	WEBHOOK_TIMEOUT_S = 10,
	WEBHOOK_RETRY_S = 1,
	WEBHOOK_RETRY_MAX_S = 60,
	WEBHOOK_EVENTS_MAX = 100, /* at once */
};

/* Applies the settings. The first URL starts the thread, which begins with all kept events.
 * ERR_NOMEM: the previous settings stay. ERR_SYSTEM: the thread cannot be started, so nothing is
 * sent. */
MUST_CHECK int webhook_configure(const struct events_settings *settings);
/* Ends the thread, at the end of the process. */
void webhook_end(void);

#endif
