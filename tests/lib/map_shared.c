/*
 * map_shared DEVICE rw|later|ro: maps the first page of a device shared, closes the descriptor,
 * says "mapped" and waits to be killed. "rw" maps it writable; "later" maps it for reading from a
 * descriptor opened for writing, so that mprotect() could make it writable; "ro" never can be.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096

int
main(int argc, char **argv)
{
    void *page;
    int fd;

    if (argc != 3)
        return 2;
    fd = open(argv[1], (strcmp(argv[2], "ro") == 0 ? O_RDONLY : O_RDWR) | O_CLOEXEC);
    if (fd < 0) {
        perror(argv[1]);
        return 1;
    }
    page = mmap(NULL, PAGE, strcmp(argv[2], "rw") == 0 ? PROT_READ | PROT_WRITE : PROT_READ,
                MAP_SHARED, fd, 0);
    if (page == MAP_FAILED || close(fd) != 0 || puts("mapped") < 0 || fflush(stdout) != 0) {
        perror("cannot map");
        return 1;
    }
    for (;;)
        (void)pause();
}
