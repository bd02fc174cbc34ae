/* The texts of err.h's list. They say what failed, not where or why: a caller with a file name or
 * an errno adds it, and errors in a configuration are faults (rules/fault.h). */
#include "rules/err.h"

const char *err_text(int err)
{
	switch (err) {
	case 0: return "fine";
#define X(name, text)                                                                              \
	case ERR_##name: return text;
		ERR_MAP(X)
#undef X
	default: return "an unknown error";
	}
}
