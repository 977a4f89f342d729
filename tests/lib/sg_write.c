/*
 * sg_write DEVICE SECTOR: writes 512 bytes of 'X' with a SCSI command of its own (SG_IO, WRITE(10),
 * SBC-3 5.32), round the block layer's writes. Ends with 0, or 1 and the reason.
 */
#include <fcntl.h>
#include <scsi/sg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
    unsigned long sector = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;
    unsigned char data[512];
    unsigned char sense[32];
    unsigned char command[10] = {0x2a,
                                 0,
                                 (unsigned char)(sector >> 24),
                                 (unsigned char)(sector >> 16),
                                 (unsigned char)(sector >> 8),
                                 (unsigned char)sector,
                                 0,
                                 0,
                                 1,
                                 0};
    struct sg_io_hdr io = {.interface_id = 'S',
                           .dxfer_direction = SG_DXFER_TO_DEV,
                           .cmd_len = sizeof command,
                           .mx_sb_len = sizeof sense,
                           .dxfer_len = sizeof data,
                           .dxferp = data,
                           .cmdp = command,
                           .sbp = sense,
                           .timeout = 20000};
    int fd = argc == 3 ? open(argv[1], O_RDONLY | O_NONBLOCK | O_CLOEXEC) : -1;

    memset(data, 'X', sizeof data);
    if (fd < 0 || ioctl(fd, SG_IO, &io) != 0) {
        perror(argc == 3 ? argv[1] : "sg_write DEVICE SECTOR");
        return 1;
    }
    (void)close(fd);
    return (io.info & SG_INFO_OK_MASK) == SG_INFO_OK ? 0 : 1;
}
