/* UPDATE messages as text, for tests, with owners compressed as by clients. */
#ifndef SLUICE_TESTS_UPDATE_TEXT_H
#define SLUICE_TESTS_UPDATE_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "endpoints/message.h"

/* Writes an update of the zone, "corp.test", and returns its length. A record is a line, beginning
 * with "?" as a prerequisite and with "!" as an update, of owner, class and type, and rdata as in a
 * master file. Names without a final dot are relative to the zone; "@" is the zone. Additions have
 * a TTL of 600.
 *
 *     ? pc NONE ANY
 *     ! pc IN A 10.1.0.5
 *
 * A wrong line ends the test. */
size_t update_write(uint8_t wire[MESSAGE_MAX], const char *zone, const char *records);

#endif
