#include "rules/rcode.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "rules/base.h"

enum { RCODES = 4096 }; /* 12 bits (RFC 6891 section 6.1.3) */

static const char *const names[] = {
	"NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP",    "REFUSED",        "YXDOMAIN",
	"YXRRSET", "NXRRSET", "NOTAUTH",  "NOTZONE",  "DSOTYPENI", [16] = "BADVERS", "BADKEY",
	"BADTIME", "BADMODE", "BADNAME",  "BADALG",   "BADTRUNC",  "BADCOOKIE",
};

int rcode_parse(const char *text)
{
	char *end;
	unsigned long number;

	for (size_t i = 0; i < COUNT(names); i++)
		if (names[i] && strcasecmp(text, names[i]) == 0)
			return (int)i;
	if (strncasecmp(text, "RCODE", 5) != 0 || text[5] < '0' || text[5] > '9')
		return -1;
	number = strtoul(text + 5, &end, 10);
	return *end == '\0' && number < RCODES ? (int)number : -1;
}

const char *rcode_print(unsigned rcode, char text[RCODE_TEXT_MAX])
{
	if (rcode < COUNT(names) && names[rcode])
		return names[rcode];
	snprintf(text, RCODE_TEXT_MAX, "RCODE%u", rcode % RCODES);
	return text;
}
