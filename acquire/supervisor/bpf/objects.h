/*
 * The programs for the kernel, as the bytes of their object files: acquire/CMakeLists.txt builds
 * them and puts them into the program that loads them.
 */
#ifndef EXHIBIT_ACQUIRE_BPF_OBJECTS_H
#define EXHIBIT_ACQUIRE_BPF_OBJECTS_H

extern const unsigned char bpf_guard[], bpf_guard_end[];
extern const unsigned char bpf_monitor[], bpf_monitor_end[];

#endif
