#include "acquire/worker/ewf_shape.h"

#include <dlfcn.h>
#include <sys/types.h>

static _Thread_local uint64_t segment_size;
static _Thread_local uint32_t section_chunks;
static _Thread_local uint64_t sections_ended;

void
ewf_shape_segment_size(uint64_t size)
{
    segment_size = size;
}

void
ewf_shape_section_chunks(uint32_t chunks)
{
    section_chunks = chunks;
}

uint64_t
ewf_shape_sections_ended(void)
{
    return sections_ended;
}

/* --- the library's functions of the same names --- */

typedef int size_setter(void *table, uint64_t size, void **error);
size_setter libewf_segment_table_initialize;
size_setter libewf_segment_table_set_maximum_segment_size;

static int
set_size(const char *name, void *table, uint64_t size, void **error)
{
    size_setter *original = NULL;

    *(void **)&original = dlsym(RTLD_NEXT, name);
    return original ? original(table, segment_size ? segment_size : size, error) : -1;
}

int
libewf_segment_table_initialize(void *table, uint64_t size, void **error)
{
    return set_size(__func__, table, size, error);
}

int
libewf_segment_table_set_maximum_segment_size(void *table, uint64_t size, void **error)
{
    return set_size(__func__, table, size, error);
}

/* 1: the open sectors section takes no more chunks. Asked with each chunk. */
typedef int section_test(off64_t section_offset, int64_t segment_left, void *media_values,
                         int64_t media_written, off64_t segment_offset, uint32_t chunks_most,
                         uint32_t chunks_in_section, uint32_t chunks_written,
                         uint32_t chunks_expected, uint8_t format, uint8_t ewf_format,
                         uint8_t any_table, void **error);
section_test libewf_write_io_handle_test_chunks_section_full;

/* The parameters are the library's. NOLINTBEGIN(readability-function-size) */
int
libewf_write_io_handle_test_chunks_section_full(off64_t section_offset, int64_t segment_left,
                                                void *media_values, int64_t media_written,
                                                off64_t segment_offset, uint32_t chunks_most,
                                                uint32_t chunks_in_section, uint32_t chunks_written,
                                                uint32_t chunks_expected, uint8_t format,
                                                uint8_t ewf_format, uint8_t any_table, void **error)
{
    static _Thread_local section_test *original;
    int full;

    if (!original)
        *(void **)&original = dlsym(RTLD_NEXT, __func__);
    if (!original)
        return -1;
    if (section_chunks > 0 && section_chunks < chunks_most)
        chunks_most = section_chunks;
    full = original(section_offset, segment_left, media_values, media_written, segment_offset,
                    chunks_most, chunks_in_section, chunks_written, chunks_expected, format,
                    ewf_format, any_table, error);
    sections_ended += full == 1;
    return full;
}
/* NOLINTEND(readability-function-size) */
