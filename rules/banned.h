/* Banned calls, which do not compile. The Makefile includes this header before every file. The
 * system's declarations come first, because the macros below would break them. */
#ifndef SLUICE_BANNED_H
#define SLUICE_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Without this, uthash.h's macros end the process when there is no memory. With it, the entry's
 * `tbl` is NULL then. */
#define HASH_NONFATAL_OOM 1

#define SLUICE_BANNED(call, use) sluice_banned_##call##_use_##use

#undef strcpy
#define strcpy(...) SLUICE_BANNED(strcpy, memcpy_with_a_length)
#undef strcat
#define strcat(...) SLUICE_BANNED(strcat, text_append)
#undef strncpy
#define strncpy(...) SLUICE_BANNED(strncpy, snprintf)
#undef strncat
#define strncat(...) SLUICE_BANNED(strncat, text_append)
#undef sprintf
#define sprintf(...) SLUICE_BANNED(sprintf, snprintf)
#undef vsprintf
#define vsprintf(...) SLUICE_BANNED(vsprintf, vsnprintf)
#undef strtok
#define strtok(...) SLUICE_BANNED(strtok, strcspn)
#undef gets
#define gets(...) SLUICE_BANNED(gets, getline)
#undef atoi
#define atoi(...) SLUICE_BANNED(atoi, strtol)
#undef rand
#define rand(...) SLUICE_BANNED(rand, random_u64)
#undef localtime
#define localtime(...) SLUICE_BANNED(localtime, localtime_r)
#undef gmtime
#define gmtime(...) SLUICE_BANNED(gmtime, gmtime_r)
#undef alloca
#define alloca(...) SLUICE_BANNED(alloca, arena_alloc)

#endif
