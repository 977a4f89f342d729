/*
 * The names of segment files. E01: .E01 … .E99, .EAA … .EZZ, .FAA … .ZZZ, as EnCase and libewf
 * count (14,971 names). Raw: .raw for one file, else .001 … .999, .1000 and on; read are also the
 * names of other tools.
 */
#ifndef EXHIBIT_SEGNAME_H
#define EXHIBIT_SEGNAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SEGNAME_E01_MAX 14971u
#define SEGNAME_EXT_MAX 16 /* room for an extension with its dot and the NUL */

/* The extension ("." included) of segment `number`, counted from 1. -1 past the last name. */
int segname_e01(uint32_t number, char ext[SEGNAME_EXT_MAX]);
int segname_raw_split(uint32_t number, char ext[SEGNAME_EXT_MAX]);

/* As segname_e01, counting from the letter `first` in its own case: 'E' for .E01, 'e' for .e01,
   's' for the .s01 of SMART. Fewer names the later the letter. */
int segname_ewf(char first, uint32_t number, char ext[SEGNAME_EXT_MAX]);

/* How other tools number the files of a raw image: FILE.001 or .000 (dc3dd, FTK Imager, guymager),
   any number of digits from one to five, also after '_' or '-'; letters as split and dcfldd count,
   FILE.aa or .aaa, and split's own xaa. */
struct segname_split {
    const char *path; /* that was parsed; stays the caller's */
    size_t stem;      /* its length without digits or letters */
    size_t width;     /* of those */
    char zero;        /* '0', 'a' or 'A' */
    char separator;   /* '.', '_', '-', or 'x' */
    uint32_t number;  /* that stands there; "aa" is 0 */
};

/* False where the path does not end like one of a split image. */
bool segname_split_parse(const char *path, struct segname_split *out);

/* The path with another number, for the caller to free: in more digits where they do not suffice;
   or `widened` as split does that, which goes on from .89 with .9000, from .yz with .zaaa. NULL:
   there is none. */
char *segname_split_path(const struct segname_split *at, uint32_t number, bool widened);

#endif
