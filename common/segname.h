/*
 * The names of segment files. E01: .E01 … .E99, .EAA … .EZZ, .FAA … .ZZZ, as EnCase and libewf
 * count (14,971 names). Raw: .raw for one file, else .001 … .999, .1000 and on.
 */
#ifndef EXHIBIT_SEGNAME_H
#define EXHIBIT_SEGNAME_H

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

#endif
