/* Files that are read. A path in a configuration can lead anywhere; opening a FIFO waits until
 * somebody writes to it, and a control thread that waits answers nobody and cannot be stopped. So
 * everything that the control thread reads is opened here, and is a regular file. */
#ifndef SLUICE_REGULAR_FILE_H
#define SLUICE_REGULAR_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "rules/fault.h"

/* Opens the file for reading, never waiting. NULL: *why says the reason, for a text such as
 * "cannot be read: %s"; it is good until the next call. */
FILE *regular_file_open(const char *path, const char **why);

/* Its path from the root, to be freed: for those who are not in the directory where this program
 * was started. NULL without memory. */
char *regular_file_absolute(const char *path);

/* Warns, at the field, when others may open a file that holds a secret. SECRET_OF_GROUP: its group
 * may read it, as is common for the keys of certificates. */
enum secret_of { SECRET_OF_USER, SECRET_OF_GROUP };
void regular_file_warn(const char *path, enum secret_of of, const struct origin *origin,
		       const char *field, struct faults *faults);

struct file_stamp { /* what a file looked like */
	dev_t device;
	ino_t inode;
	off_t size;
	int64_t mtime_ns, ctime_ns; /* a file's owner can set the first one only */
};

/* Of the file at that path, never opening it. False: errno says why, and all of it is zero. */
bool file_stamp_of(struct file_stamp *stamp, const char *path);
bool file_stamp_equal(const struct file_stamp *a, const struct file_stamp *b);
/* The stamp as a number, which is another one where the file has changed. */
uint64_t file_stamp_number(const struct file_stamp *stamp);
/* The same of the file at that path now. 0: there is none. */
uint64_t file_stamp_number_of(const char *path);

/* All of a file of at most so many bytes, to be freed, with a NUL behind; *stamp, of what was read,
 * may be NULL. A file that changes meanwhile, and so may be half old and half new, is read again, a
 * few times. NULL: *why says the reason, as above, and *length is over max if that is the reason.
 */
char *regular_file_read(const char *path, size_t max, struct file_stamp *stamp, size_t *length,
			const char **why);

/* All of the file of that name below the folder, as above, and *path, its path without symbolic
 * links, to be freed. Absolute names are refused. ".." and symbolic links may not lead out of the
 * folder. */
char *regular_file_read_below(const char *folder, const char *name, size_t max, char **path,
			      size_t *length, const char **why);

#endif
