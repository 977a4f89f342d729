/*
 * What the kernel and its modules tell of their types (BTF), for the guard.
 */
#include "acquire/supervisor/guard_impl.h"

#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/btf.h>

static unsigned
offset_of(const struct btf *btf, const char *structure, const char *member)
{
    int id = btf__find_by_name_kind(btf, structure, BTF_KIND_STRUCT);
    const struct btf_type *t = id < 0 ? NULL : btf__type_by_id(btf, (uint32_t)id);

    for (uint32_t i = 0; t && i < btf_vlen(t); i++) {
        const char *name = btf__name_by_offset(btf, btf_members(t)[i].name_off);

        if (name && strcmp(name, member) == 0)
            return btf_member_bit_offset(t, i) / 8;
    }
    return 0;
}

/* Where each offset is found, and which it is. */
static const struct {
    const char *module, *structure, *member;
    size_t at;
} layout[] = {
    {"scsi_mod", "scsi_device", "sdev_gendev", offsetof(struct guard_layout, scsi_device)},
    {"scsi_mod", "scsi_device", "inquiry", offsetof(struct guard_layout, scsi_inquiry)},
    {"scsi_mod", "scsi_device", "vpd_pg80", offsetof(struct guard_layout, scsi_vpd80)},
    {"scsi_mod", "scsi_vpd", "len", offsetof(struct guard_layout, vpd_len)},
    {"scsi_mod", "scsi_vpd", "data", offsetof(struct guard_layout, vpd_data)},
    {"usbcore", "usb_device", "dev", offsetof(struct guard_layout, usb_device)},
    {"usbcore", "usb_device", "serial", offsetof(struct guard_layout, usb_serial)},
    {"nvme_core", "nvme_ctrl", "subsys", offsetof(struct guard_layout, nvme_subsystem)},
    {"nvme_core", "nvme_subsystem", "serial", offsetof(struct guard_layout, nvme_serial)},
};

#define LAYOUT_SIZE (sizeof layout / sizeof layout[0])

static unsigned *
layout_offset(struct guard_layout *l, size_t i)
{
    return (unsigned *)(void *)((unsigned char *)l + layout[i].at);
}

void
guard_learn_layout(const struct btf *kernel, struct guard_layout *l)
{
    for (size_t i = 0; i < LAYOUT_SIZE; i++) {
        unsigned *offset = layout_offset(l, i);
        struct btf *module = NULL;

        if (*offset)
            continue;
        *offset = offset_of(kernel, layout[i].structure, layout[i].member);
        if (!*offset)
            module = btf__load_module_btf(layout[i].module, (struct btf *)(uintptr_t)kernel);
        if (module)
            *offset = offset_of(module, layout[i].structure, layout[i].member);
        btf__free(module);
    }
}

bool
guard_module_is_loaded(const char *module)
{
    char path[PATH_MAX];

    (void)snprintf(path, sizeof path, "/sys/kernel/btf/%s", module);
    return access(path, F_OK) == 0;
}

bool
guard_layout_is_known(const struct guard_layout *l)
{
    struct guard_layout copy = *l;

    for (size_t i = 0; i < LAYOUT_SIZE; i++) {
        if (*layout_offset(&copy, i) == 0 && guard_module_is_loaded(layout[i].module))
            return false;
    }
    return true;
}
