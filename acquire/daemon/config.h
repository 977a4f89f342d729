/*
 * The laboratory's configuration, exhibitd.conf(5): `key = value`, a line each; a line that begins
 * with '#' is a comment, and a value is all that follows the '=', without the blanks at both ends.
 * What is unknown, given twice or out of bounds is an error that names file and line: a daemon
 * that guards evidence does not guess. libc only.
 */
#ifndef EXHIBIT_ACQUIRE_CONFIG_H
#define EXHIBIT_ACQUIRE_CONFIG_H

#include <stddef.h>

#include "common/err.h"

#define CONFIG_FILE "/etc/exhibit/exhibitd.conf"
#define CONFIG_SIZE_MAX 262144 /* bytes of the file */
#define CONFIG_VALUE_MAX 8192  /* bytes of a value: as long as a text of the command line */
#define CONFIG_MARKS_MAX 256   /* of each kind */
#define CONFIG_DEFAULTS_MAX 64
#define CONFIG_PARALLEL 2 /* jobs at a time where the file says nothing */
#define CONFIG_PARALLEL_MAX 64

/* A list of texts: the strings and the array, which ends with a NULL, belong to the config. */
struct config_list {
    char **v; /* never NULL after config_begin() */
    size_t n;
};

struct config {
    char *socket;                /* absolute path, or NULL: not given */
    char *group;                 /* name, or NULL */
    char *state_dir;             /* absolute path, or NULL */
    char *least;                 /* level of the write block, or NULL */
    unsigned parallel;           /* 1 and up */
    struct config_list evidence; /* marks that device_mark_check() takes */
    struct config_list spare;    /* the same, of disks that are never taken for evidence */
    struct config_list defaults; /* options for exhibit-acquire, a word each: "--examiner=A. B." */
};

/* As an empty file has it. */
void config_begin(struct config *c);
void config_free(struct config *c);

/* Reads the n bytes of text, which `name` stands for in errors ("NAME:LINE: ..."; OUTCOME_USAGE).
 *out needs config_free() whatever comes back. */
int config_parse(const char *text, size_t n, const char *name, struct config *out, struct err *err);

/* The same from a file, which must be root's (or the caller's own) and writable by nobody else.
   One that is not there leaves ENOENT in err->sys. */
int config_load(const char *path, struct config *out, struct err *err);

/* Where the daemon listens for its clients: `given` (or NULL), else $EXHIBIT_SOCKET, what the
   laboratory's configuration says, or where it usually is. The caller frees it. */
char *config_socket(const char *given);

#endif
