/* Response codes by their names (the IANA registry "DNS RCODEs"). */
#ifndef SLUICE_RCODE_H
#define SLUICE_RCODE_H

enum { RCODE_TEXT_MAX = 16 };

/* Parses "NXDOMAIN", in any case, or "RCODE11"; -1: neither. */
int rcode_parse(const char *text);
/* Returns the name, which may be in `text`. */
const char *rcode_print(unsigned rcode, char text[RCODE_TEXT_MAX]);

#endif
