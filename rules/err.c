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
