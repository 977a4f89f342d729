/*
 * Shared by the files that implement device.h, and by their tests: bounded reads from sysfs and
 * procfs below a root directory ("" in production), and the entry points with that root spelt out.
 */
#ifndef EXHIBIT_ACQUIRE_DEVICE_SYSFS_H
#define EXHIBIT_ACQUIRE_DEVICE_SYSFS_H

#include <limits.h>

#include "acquire/device/device.h"

/* A relative attribute below dir, blanks at both ends cut off. False if it cannot be read; out is
   then "". */
bool sysfs_text(const char *dir, const char *attribute, char *out, size_t size);
bool sysfs_u64(const char *dir, const char *attribute, uint64_t *out);
/* As many bytes as there are, at most size; 0 if it cannot be read. */
size_t sysfs_bytes(const char *dir, const char *attribute, void *out, size_t size);
bool sysfs_has(const char *dir, const char *attribute);
/* The number in the directory's "dev" attribute. */
bool sysfs_number(const char *dir, dev_t *out);
/* The real directory of a block device; false if there is none with that number. */
bool sysfs_block_dir(const char *root, dev_t number, char out[PATH_MAX]);
/* The nearest ancestor of a device's directory that is a USB device. */
bool sysfs_usb_ancestor(const char *root, const char *dir, char out[PATH_MAX]);
/* Cuts the directory's last component off; false where none is left to cut. */
bool sysfs_parent(char *dir);
/* Copies n bytes of foreign text: blanks and NULs at both ends cut off, ended at the first NUL. */
void sysfs_trim(const char *text, size_t n, char *out, size_t size);
/* The kernel writes '/' in the names of devices as '!'. */
void sysfs_kernel_name(const char *dir, char *out, size_t size);

/* One line of /proc/…/mountinfo (proc(5)), unescaped. */
struct mount {
    uint64_t id;
    dev_t number; /* major 0 for file systems on no device or on several */
    char *point;
    char *type;
    char *source;
    char *upper; /* the upper directory of an overlay, or NULL */
};

struct mounts {
    struct mount *list;
    size_t n;
};

/* The mounts that this process sees, then those that the first process sees, where it may look. */
void mounts_read(const char *root, struct mounts *out);
void mounts_free(struct mounts *mounts);
/* Undoes the kernel's \ooo for blanks and backslashes, in place. */
void mounts_unescape(char *s);

int device_read_at(const char *root, dev_t number, struct device *out, struct err *err);
int device_list_at(const char *root, dev_t **out, size_t *n, struct err *err);
enum device_use device_in_use_at(const char *root, const struct device *device, char *why,
                                 size_t why_size);
/* device_holds_path() for a file system on the block device `number`. */
bool device_holds_number_at(const char *root, const struct device *device, dev_t number);
enum device_use file_in_use_at(const char *root, int file_fd, char *why, size_t why_size);
/* file_holds_path() for a file system on the block device `number`. */
bool file_holds_number_at(const char *root, int file_fd, dev_t number);
bool device_has_writer_at(const char *root, const struct device *device, char *why,
                          size_t why_size);
bool device_has_worker_at(const char *root, const struct device *device, char *why,
                          size_t why_size);
void device_usb_keep_awake_at(const char *root, const struct device *device,
                              struct device_setting *state);
void device_timeouts_at(const char *root, const struct device *device, struct device_timeouts *out);
int device_timeouts_set_at(const char *root, const struct device *device, uint64_t seconds,
                           struct device_setting settings[2], struct err *err);

/* The flags of IOC_OPAL_GET_STATUS (linux/sed-opal.h). */
bool device_opal_locked(uint32_t flags);
/* From the identification in sysfs (vital product data page 89h, SAT-3). */
bool device_locked_at(const char *root, const struct device *device);

#endif
