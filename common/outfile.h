/*
 * Files that appear whole or not at all: written under a temporary name in their directory,
 * fsynced, renamed, their directory fsynced. All relative to a directory descriptor, so that no
 * path is walked twice.
 */
#ifndef EXHIBIT_OUTFILE_H
#define EXHIBIT_OUTFILE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"

/* Writes the n bytes at data to `name` in dirfd. An existing file is an OUTCOME_REFUSED error
   unless replace is true. */
int outfile_write(int dirfd, const char *name, const void *data, size_t n, bool replace,
                  struct err *err);

/* As outfile_write(), for files that come to be together: the name is durable once the directory
   was synced, as with the last of them. */
int outfile_write_one_of(int dirfd, const char *name, const void *data, size_t n, bool replace,
                         struct err *err);

/* Renames within or between directories of one file system, never over an existing name
   (OUTCOME_REFUSED). Where the file system lacks RENAME_NOREPLACE (exFAT, SMB), link() and
   unlink(), or at the last a check before a plain rename, take its place. */
int outfile_move(int from_dir, const char *from, int to_dir, const char *to, struct err *err);

/* fsync of a directory; file systems that cannot are no error. */
int outfile_sync_dir(int dirfd, struct err *err);

/* The whole regular file, at most max bytes; the caller frees it, a NUL follows the *n bytes. */
char *infile_read(int dirfd, const char *name, size_t max, size_t *n, struct err *err);

/* Splits a path into its directory (opened: O_PATH|O_DIRECTORY, the caller closes it) and its last
   component (a pointer into path). A last component that is empty, "." or ".." is OUTCOME_USAGE. */
int path_open_parent(const char *path, const char **base, struct err *err);

#endif
