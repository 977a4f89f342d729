/*
 * The segment files of an image, opened read-only and read by position. Part of the image reader;
 * its users see common/image.h.
 */
#ifndef EXHIBIT_IMAGE_FILES_H
#define EXHIBIT_IMAGE_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/err.h"

struct image_file {
    char *path; /* as it was given */
    int fd;     /* -1: missing, or opened anew for each read (see below) */
    bool present;
    uint64_t size; /* bytes, as it was when opened */
    dev_t dev;     /* with ino: what a later opening must find again */
    ino_t ino;
    size_t dir; /* index into dirs, for those that are opened anew */
};

/* Files past the limit of open descriptors are opened for each read through a descriptor of their
   directory, so that a sandbox entered later does not stand in the way. */
struct image_files {
    struct image_file *v;
    size_t n;
    int *dirs;
    char **dir_names;
    size_t n_dirs;
    size_t max_open; /* how many may stay open */
};

/* Raises the limit of open files as far as it goes. */
void image_files_init(struct image_files *files);
void image_files_free(struct image_files *files);

/* Opens the file, checks that it is a regular one and appends it. */
int image_files_add(struct image_files *files, const char *path, struct err *err);
/* The same of a path that starts in the directory `dir` (AT_FDCWD: where the process is). */
int image_files_add_at(struct image_files *files, int dir, const char *path, struct err *err);

/* Appends one that is not there. */
void image_files_add_missing(struct image_files *files, const char *path);

/* Reads until n bytes or the end of the file. -1 with errno. */
ssize_t image_files_read(const struct image_files *files, size_t i, void *buf, size_t n,
                         uint64_t offset);

/* A descriptor of file i for a short while: *own is -1, or what the caller must close. -1: errno.
 */
int image_files_fd(const struct image_files *files, size_t i, int *own);

#endif
