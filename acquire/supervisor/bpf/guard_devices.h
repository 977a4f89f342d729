/*
 * Which of the kernel's devices belong to a protected disk, also those that appear later, and by
 * what a disk is known again when it comes back as another device.
 */
#ifndef EXHIBIT_ACQUIRE_BPF_GUARD_DEVICES_H
#define EXHIBIT_ACQUIRE_BPF_GUARD_DEVICES_H

#include "acquire/supervisor/bpf/guard_maps.h"

#define USB_CLIMB 8

static __always_inline u64
class_of(struct device *dev)
{
    struct class *class = BPF_CORE_READ(dev, class);

    return class ? short_name(BPF_CORE_READ(class, name)) : 0;
}

static __always_inline u64
type_of(struct device *dev)
{
    const struct device_type *type = BPF_CORE_READ(dev, type);

    return type ? short_name(BPF_CORE_READ(type, name)) : 0;
}

static __always_inline _Bool
is_scsi(struct device *dev)
{
    struct bus_type *bus = BPF_CORE_READ(dev, bus);

    return bus && short_name(BPF_CORE_READ(bus, name)) == NAME_SCSI &&
           type_of(dev) == NAME_SCSI_DEVICE;
}

static __always_inline void
add_node(struct device *dev, u32 disk)
{
    struct guard_node node = {GUARD_CHAR, BPF_CORE_READ(dev, devt)};

    if (!node.number)
        return;
    if (class_of(dev) == NAME_BLOCK)
        node.kind = GUARD_BLOCK;
    (void)bpf_map_update_elem(&exhibit_nodes, &node, &disk, BPF_ANY);
}

static __always_inline void
add_parent(struct device *dev, u32 disk)
{
    u64 key = (u64)dev;

    (void)bpf_map_update_elem(&exhibit_parents, &key, &disk, BPF_ANY);
}

/* `dev` is the disk itself. */
static __always_inline void
note_arrival(struct device *dev, u32 index)
{
    struct guard_disk *disk = bpf_map_lookup_elem(&exhibit_disks, &index);

    if (!disk)
        return;
    disk->number = BPF_CORE_READ(dev, devt);
    disk->left_ns = 0;
}

static __always_inline void *
read_pointer(const void *from)
{
    void *p = 0;

    (void)bpf_probe_read_kernel(&p, sizeof p, from);
    return p;
}

/* What bridges without a serial number of their own pass on: that of the USB device above. */
static __always_inline void
usb_serial(const struct guard_layout *at, struct device *dev, struct guard_identity *id)
{
    for (int i = 0; i < USB_CLIMB && dev; i++) {
        if (type_of(dev) == NAME_USB_DEVICE) {
            void *serial = read_pointer((void *)dev - at->usb_device + at->usb_serial);

            if (serial)
                (void)bpf_probe_read_kernel_str(id->bytes + GUARD_SERIAL_AT, GUARD_SERIAL_MAX,
                                                serial);
            return;
        }
        dev = BPF_CORE_READ(dev, parent);
    }
}

/* INQUIRY (SPC-4, 6.4.2): vendor, product and revision are bytes 8 to 35. */
static __always_inline _Bool
scsi_identity(const struct guard_layout *at, struct device *dev, struct guard_identity *id)
{
    void *sdev = (void *)dev - at->scsi_device;
    void *inquiry;
    void *vpd;
    u32 n = 0;

    if (!at->scsi_inquiry)
        return 0;
    id->kind = GUARD_BY_SCSI;
    inquiry = read_pointer(sdev + at->scsi_inquiry);
    if (!inquiry || bpf_probe_read_kernel(id->bytes, 28, inquiry + 8) != 0)
        return 0;
    vpd = at->scsi_vpd80 ? read_pointer(sdev + at->scsi_vpd80) : 0;
    if (vpd && bpf_probe_read_kernel(&n, sizeof n, vpd + at->vpd_len) == 0 && n > 4) {
        n -= 4;
        if (n > GUARD_SERIAL_MAX)
            n = GUARD_SERIAL_MAX;
        (void)bpf_probe_read_kernel(id->bytes + GUARD_SERIAL_AT, n, vpd + at->vpd_data + 4);
    } else if (at->usb_serial) {
        usb_serial(at, dev, id);
    }
    return 1;
}

/* `dev` is the disk's parent: the controller, or the subsystem. */
static __always_inline _Bool
nvme_identity(const struct guard_layout *at, struct device *dev, struct guard_identity *id)
{
    u64 class = class_of(dev);
    void *subsystem = 0;

    if (!at->nvme_serial || class != NAME_NVME)
        return 0;
    subsystem = read_pointer(BPF_CORE_READ(dev, driver_data) + at->nvme_subsystem);
    id->kind = GUARD_BY_NVME;
    return subsystem && bpf_probe_read_kernel(id->bytes, 20, subsystem + at->nvme_serial) == 0;
}

static __always_inline _Bool
place_identity(struct device *above, struct guard_identity *id)
{
    id->kind = GUARD_BY_PLACE;
    return above && bpf_probe_read_kernel_str(id->bytes, sizeof id->bytes,
                                              BPF_CORE_READ(above, kobj.name)) > 1;
}

static __always_inline u32 *
recall(const struct guard_identity *id)
{
    return bpf_map_lookup_elem(&exhibit_known, id);
}

static __always_inline void
remember(const struct guard_identity *id, u32 disk)
{
    (void)bpf_map_update_elem(&exhibit_known, id, &disk, BPF_ANY);
}

#endif
