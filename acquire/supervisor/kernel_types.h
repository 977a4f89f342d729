/*
 * What guard and monitor both ask of the running kernel's description of itself (BTF), by libbpf.
 */
#ifndef EXHIBIT_ACQUIRE_KERNEL_TYPES_H
#define EXHIBIT_ACQUIRE_KERNEL_TYPES_H

#include <stdbool.h>
#include <stdint.h>

struct btf;

/* Whether the kernel or, if it is not NULL, its module knows a type of this name and kind
   (BTF_KIND_…). */
bool kernel_has_type(const struct btf *kernel, const char *module, const char *name, uint32_t kind);

/* Keeps libbpf from printing: what it has to say stands in the errors of those who call it. */
void kernel_types_be_quiet(void);

#endif
