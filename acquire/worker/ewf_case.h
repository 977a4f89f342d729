/*
 * The case data in an E01's first segment: the data of its "header2" (UTF-16) and "header" (ASCII)
 * sections, each a zlib stream of lines of tab-separated values.
 */
#ifndef EXHIBIT_ACQUIRE_EWF_CASE_H
#define EXHIBIT_ACQUIRE_EWF_CASE_H

#include <stddef.h>
#include <stdint.h>

#include "acquire/worker/sink.h"
#include "common/err.h"

/* The caller frees them; NULL without memory. What a value cannot hold (tabs, line ends, bytes that
   are no UTF-8) is replaced, and what is longer than readers take is cut: the manifest has it all.
 */
uint8_t *ewf_case_header2(const struct e01_spec *e01, size_t *n, struct err *err);
uint8_t *ewf_case_header(const struct e01_spec *e01, size_t *n, struct err *err);

#endif
