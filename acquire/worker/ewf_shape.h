/*
 * What libewf settles by itself about the shape of an E01, and Exhibit wants otherwise. This module
 * stands before functions of the library that it calls through its own symbols. All settings are
 * the calling thread's.
 */
#ifndef EXHIBIT_ACQUIRE_EWF_SHAPE_H
#define EXHIBIT_ACQUIRE_EWF_SHAPE_H

#include <stdint.h>

/* While a set opens that is written on: libewf takes the segment size from the first file, or with
   one file alone has none, and its own setter refuses once the set is open. Bytes; 0: its own. */
void ewf_shape_segment_size(uint64_t size);

/* The most chunks in one sectors section: libewf fills it as far as a table can hold it. 0: that.
 */
void ewf_shape_section_chunks(uint32_t chunks);
/* How many sectors sections have been told to end: the call that writes their last chunk writes
   their descriptor and tables as well, and nothing in the file changes any more. */
uint64_t ewf_shape_sections_ended(void);

#endif
