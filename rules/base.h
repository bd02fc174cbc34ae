/* Macros that C lacks. */
#ifndef SLUICE_BASE_H
#define SLUICE_BASE_H

#include <stddef.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* The struct that contains the member at this address. */
#define container_of(pointer, type, member)                                                        \
	((type *)(void *)((char *)(pointer)-offsetof(type, member)))

#endif
