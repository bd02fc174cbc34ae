/* Opens and reads regular files only. A path in a configuration can lead anywhere, and opening a
 * FIFO waits until somebody writes to it: a control thread that waits answers nobody and cannot be
 * stopped. So the control thread reads zones, secrets and configuration files only by these
 * functions. */
#ifndef SLUICE_REGULAR_FILE_H
#define SLUICE_REGULAR_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "rules/fault.h"

/* Opens the file for reading, never waiting. NULL: *why is the reason, for a text such as "cannot
 * be read: %s"; it is valid until the next call. */
FILE *regular_file_open(const char *path, const char **why);

/* The path made absolute, to be freed: for programs that run in another directory than this one.
 * NULL without memory. */
char *regular_file_absolute(const char *path);

/* Adds a warning at the field if other users may open a file that holds a secret. SECRET_OF_GROUP:
 * the file's group may open it, as is usual for keys of certificates. */
enum secret_of { SECRET_OF_USER, SECRET_OF_GROUP };
void regular_file_warn(const char *path, enum secret_of of, const struct origin *origin,
		       const char *field, struct faults *faults);

struct file_stamp { /* tells whether a file has changed */
	dev_t device;
	ino_t inode;
	off_t size;
	int64_t mtime_ns, ctime_ns; /* a file's owner can set mtime, but not ctime */
};

/* Fills in the stamp of the file at that path without opening it. False: errno is the reason, and
 * the stamp is all zero. */
bool file_stamp_of(struct file_stamp *stamp, const char *path);
bool file_stamp_equal(const struct file_stamp *a, const struct file_stamp *b);
/* A hash of the stamp: the number changes when the file does. */
uint64_t file_stamp_number(const struct file_stamp *stamp);
/* The hash of the stamp that the file at that path has now. 0: there is no file. */
uint64_t file_stamp_number_of(const char *path);

/* Reads a whole file of at most `max` bytes and adds a NUL; to be freed. `stamp`, which may be
 * NULL, becomes that of the bytes read. A file that changes meanwhile may be half old and half new,
 * so it is read again, a few times. NULL: *why is the reason, as for regular_file_open; *length is
 * over max if the file is too large. */
char *regular_file_read(const char *path, size_t max, struct file_stamp *stamp, size_t *length,
			const char **why);

/* Reads a file below the folder like regular_file_read; *path becomes its path without symbolic
 * links, to be freed. Absolute names are refused, and ".." and symbolic links may not lead out of
 * the folder. */
char *regular_file_read_below(const char *folder, const char *name, size_t max, char **path,
			      size_t *length, const char **why);

#endif
