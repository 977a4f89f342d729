/*
 * Scoped cleanup: the variable's resource is released when it goes out of scope. For buffers,
 * descriptors and streams inside one function; constructors of objects use a ladder instead.
 */
#ifndef EXHIBIT_CLEANUP_H
#define EXHIBIT_CLEANUP_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline void
cleanup_free(void *p)
{
    free(*(void **)p);
}

static inline void
cleanup_fd(const int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}

static inline void
cleanup_file(FILE **f)
{
    if (*f)
        (void)fclose(*f);
}

static inline void
cleanup_dir(DIR **d)
{
    if (*d)
        (void)closedir(*d);
}

#define AUTO_FREE __attribute__((cleanup(cleanup_free)))
#define AUTO_FD __attribute__((cleanup(cleanup_fd)))
#define AUTO_FILE __attribute__((cleanup(cleanup_file)))
#define AUTO_DIR __attribute__((cleanup(cleanup_dir)))

#endif
