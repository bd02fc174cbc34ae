/* Calls those who want to be told what happens: events (events.h) that are grave enough go to a URL
 * by HTTP POST, in their order, several at once where they come faster than they are taken:
 *
 *     {"host": "dns1", "events": [{"id", "time", "level", "event", "text"}]}
 *
 * What is not answered with 2xx is sent again, first after WEBHOOK_RETRY_S, then ever more seldom,
 * as long as the event is kept; "id" tells what has come twice. A thread of its own does it, which
 * a URL that does not answer holds up, and nothing else. */
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

/* What is configured now; the thread begins with the first URL, with what there is of events then.
 * ERR_NOMEM, ERR_SYSTEM: it cannot be done, and what was before goes on. */
MUST_CHECK int webhook_configure(const struct events_settings *settings);
/* Ends the thread, as the process does. */
void webhook_end(void);

#endif
