/*
 * The I/O monitor: programs in the kernel count every request that reaches the source's disk, by
 * kind, whoever sends it. They refuse nothing (acquire/supervisor/guard.h does) and end with their
 * process.
 */
#ifndef EXHIBIT_ACQUIRE_MONITOR_H
#define EXHIBIT_ACQUIRE_MONITOR_H

#include "acquire/device/device.h"
#include "common/err.h"
#include "common/supervisor_proto.h"

struct monitor;

/* Begins to count what reaches the disk that `device` is or lies on. NULL where the kernel does not
   let it, or lacks what it needs. */
struct monitor *monitor_start(const struct device *device, struct err *err);

/* The counts since then; available is false with NULL, or if they cannot be read. */
void monitor_read(const struct monitor *m, struct monitor_counts *out);

void monitor_stop(struct monitor *m);

#endif
