/*
 * What guard and monitor both ask of the running kernel's description of itself (BTF), and libbpf's
 * silence.
 */
#ifndef EXHIBIT_ACQUIRE_KERNEL_TYPES_H
#define EXHIBIT_ACQUIRE_KERNEL_TYPES_H

#include <stdbool.h>

struct kernel_names;

/* The names of all that the kernel describes: its types, functions and members. NULL where it does
   not describe itself. Far cheaper than to have libbpf read the types, of which there are a hundred
   thousand. */
struct kernel_names *kernel_names_read(void);
/* The same, with `root` in front of /sys. */
struct kernel_names *kernel_names_read_at(const char *root);

/* Whether the kernel itself or, if it is not NULL, its module has something of this name. What is
   asked for has to have a name that only one kind of thing can have. */
bool kernel_names_have(const struct kernel_names *n, const char *module, const char *name);

void kernel_names_free(struct kernel_names *n);

/* Keeps libbpf from printing: what it has to say stands in the errors of those who call it. */
void kernel_types_be_quiet(void);

#endif
