/*
 * The parts of attack.c. A way returns 0 if it went through, 1 if it was refused, 2 if it could not
 * be tried.
 */
#ifndef EXHIBIT_TESTS_ATTACK_H
#define EXHIBIT_TESTS_ATTACK_H

#define SECTOR 512

extern unsigned char data[SECTOR];

/* Says by what errno; 1. */
int refused(const char *where);
/* Ends the program where it is refused. */
int open_node(const char *node, int flags);

void write10(unsigned char cdb[16], unsigned sector);
int send_cdb(int fd, unsigned char *cdb, unsigned length, int direction);
int ring_write(int fd, unsigned sector);

int way_scsi(const char *node);
int way_ata(const char *node);
int way_identify(const char *node);
int way_sg_rw(const char *node);
int way_sg_write(const char *node);
int way_bsg(const char *node);
int way_send_command(const char *node);
int way_race(const char *node);
int way_nvme_write(const char *node);
int way_nvme_format(const char *node);
int way_nvme_identify(const char *node);
int way_uring(const char *node);
int way_compat(const char *node);

#endif
