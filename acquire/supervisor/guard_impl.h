/*
 * The guard's inside: the pinned maps, and loading and unloading what is pinned.
 */
#ifndef EXHIBIT_ACQUIRE_GUARD_IMPL_H
#define EXHIBIT_ACQUIRE_GUARD_IMPL_H

#include <limits.h>

#include "acquire/supervisor/bpf/guard_shared.h"
#include "acquire/supervisor/guard.h"

#define GUARD_BPFFS "/sys/fs/bpf"
#define GUARD_PINS GUARD_BPFFS "/exhibit"
#define GUARD_LINK "link_" /* so begins the name of what keeps a program in the kernel */

/* Descriptors of the maps, or -1. */
struct guard_maps {
    int config; /* one struct guard_config */
    int disks;
    int nodes;
    int parents;
    int known;
    int events;
    int read; /* how many attempts of each disk have been read */
};

struct guard {
    int lock; /* descriptor of the directory with the pins; locked where the maps are changed */
    struct guard_maps maps;
    uint32_t disk; /* index of what guard_protect() protected */
    struct guard_node node;
    uint64_t first;      /* attempts before that */
    uint64_t handed_out; /* attempts before those that guard_events() has to give */
};

/* Whether this kernel is one that takes the guard; why not, in words. */
int guard_check(struct err *err);

struct btf;

/* Whether the kernel has the module and describes it. */
bool guard_module_is_loaded(const char *module);
/* Fills in what is not known yet of the modules that are loaded. */
void guard_learn_layout(const struct btf *kernel, struct guard_layout *l);
bool guard_layout_is_known(const struct guard_layout *l);

/* Opens the pinned maps and sees to it that every program that this kernel takes is loaded and
   pinned. With the lock held. */
int guard_load(struct guard *g, struct err *err);

/* --- guard_pins_linux.c --- */

/* Takes the lock on the directory with the pins, which `make` makes: 1, or 0 if there is none, or
   -1. */
int guard_lock(struct guard *g, bool make, struct err *err);
void guard_unlock(struct guard *g);

/* Where the map (kind "") or the link to the program (GUARD_LINK) of that name is pinned. */
void guard_pin_path(char path[PATH_MAX], const char *kind, const char *name);
bool guard_is_pinned(const char *program);

#define GUARD_OTHER 2

/* Opens the map of the configuration: 1, or 0 where no guard is pinned, or GUARD_OTHER with *err
   set where it is another version's, or -1. What a supervisor left that died while it loaded is
   cleared away. */
int guard_open_config(struct guard *g, struct err *err);
int guard_read_config(const struct guard *g, struct guard_config *config);
int guard_write_config(const struct guard *g, const struct guard_config *config, struct err *err);

/* A pinned map's descriptor, or -1 and errno; and all but the configuration's. */
int guard_open_map(const char *name);
int guard_open_maps(struct guard_maps *m, struct err *err);

/* Opens all the pinned maps: as guard_open_config(). */
int guard_reopen(struct guard *g, struct err *err);

/* Whether what is pinned protects this disk and no other, whichever version it is of: the map of
   nodes has kept its shape. */
bool guard_is_of_one_disk(const struct guard_node *disk);

/* Takes the programs out of the kernel. With the lock held. */
void guard_unload(struct guard *g);

#endif
