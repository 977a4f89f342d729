/*
 * Which requests to a device only read. Everything else is refused.
 */
#ifndef EXHIBIT_ACQUIRE_BPF_GUARD_COMMANDS_H
#define EXHIBIT_ACQUIRE_BPF_GUARD_COMMANDS_H

#include "acquire/supervisor/bpf/guard_maps.h"

#define SG_IO 0x2285u
#define NVME_IOCTL_ADMIN_CMD 0xC0484E41u
#define NVME_IOCTL_ADMIN64_CMD 0xC0504E47u

/* By the device that the number belongs to. Arguments are read by the kernel for none of them but
   as sizes; none is a command to the drive that changes it. */
static __always_inline _Bool
ioctl_reads(u32 cmd)
{
    switch (cmd) {
    /* any file: FIGETBSZ, TCGETS, TIOCGWINSZ, FIONBIO, FIONCLEX, FIOCLEX, FIOASYNC, FIOQSIZE */
    case 0x0002:
    case 0x5401:
    case 0x5413:
    case 0x5421:
    case 0x5450:
    case 0x5451:
    case 0x5452:
    case 0x5460:
    /* block devices (linux/fs.h, linux/blkzoned.h): BLKROGET, BLKRRPART, BLKGETSIZE, BLKFLSBUF,
       BLKRAGET, BLKFRAGET, BLKSECTGET, BLKSSZGET, BLKIOMIN, BLKIOOPT, BLKALIGNOFF, BLKPBSZGET,
       BLKDISCARDZEROES, BLKROTATIONAL */
    case 0x125E:
    case 0x125F:
    case 0x1260:
    case 0x1261:
    case 0x1263:
    case 0x1265:
    case 0x1267:
    case 0x1268:
    case 0x1278:
    case 0x1279:
    case 0x127A:
    case 0x127B:
    case 0x127C:
    case 0x127E:
    /* BLKBSZGET, BLKGETSIZE64 and their 32-bit twins, BLKGETDISKSEQ, BLKREPORTZONE, BLKGETZONESZ,
       BLKGETNRZONES */
    case 0x80081270:
    case 0x80041270:
    case 0x80081272:
    case 0x80041272:
    case 0x80081280:
    case 0xC0101282:
    case 0x80041284:
    case 0x80041285:
    /* linux/hdreg.h: HDIO_GETGEO, HDIO_GET_32BIT, HDIO_GET_IDENTITY */
    case 0x0301:
    case 0x0309:
    case 0x030D:
    /* linux/loop.h: LOOP_GET_STATUS, LOOP_GET_STATUS64 */
    case 0x4C03:
    case 0x4C05:
    /* linux/cdrom.h: CDROMREADTOCHDR, CDROMREADTOCENTRY, CDROMMULTISESSION, CDROM_MEDIA_CHANGED,
       CDROM_DRIVE_STATUS, CDROM_DISC_STATUS, CDROM_GET_CAPABILITY, CDROM_LAST_WRITTEN */
    case 0x5305:
    case 0x5306:
    case 0x5310:
    case 0x5325:
    case 0x5326:
    case 0x5327:
    case 0x5331:
    case 0x5395:
    /* linux/sed-opal.h: IOC_OPAL_GET_STATUS */
    case 0x800870EC:
    /* linux/nvme_ioctl.h: NVME_IOCTL_ID */
    case 0x4E40:
    /* scsi/scsi_ioctl.h: SCSI_IOCTL_GET_IDLUN, _PROBE_HOST, _GET_BUS_NUMBER, _GET_PCI */
    case 0x5382:
    case 0x5385:
    case 0x5386:
    case 0x5387:
    /* scsi/sg.h: SG_SET_TIMEOUT and SG_SET_RESERVED_SIZE, which are the descriptor's own, and what
       asks for its state */
    case 0x2201:
    case 0x2202:
    case 0x2203:
    case 0x2205:
    case 0x2270:
    case 0x2272:
    case 0x2275:
    case 0x2276:
    case 0x227A:
    case 0x227C:
    case 0x227D:
    case 0x227F:
    case 0x2282:
    case 0x2286:
    case 0x2288:
    case 0x2289:
        return 1;
    default:
        return 0;
    }
}

/* BLKROSET: the read-only flag is the supervisor's to set, and to clear at the release. */
static __always_inline _Bool
ioctl_of_supervisor(u32 cmd)
{
    return cmd == 0x125D;
}

/* ATA (ACS-3, ACS-4): commands that read what the drive says of itself. */
static __always_inline _Bool
ata_reads(u8 command, u8 features, u8 features_before)
{
    switch (command) {
    case 0x27: /* READ NATIVE MAX ADDRESS EXT */
    case 0x2F: /* READ LOG EXT */
    case 0x47: /* READ LOG DMA EXT */
    case 0x98: /* CHECK POWER MODE, as it was */
    case 0xA1: /* IDENTIFY PACKET DEVICE */
    case 0xE5: /* CHECK POWER MODE */
    case 0xEC: /* IDENTIFY DEVICE */
    case 0xF8: /* READ NATIVE MAX ADDRESS */
        return 1;
    case 0x78: /* Accessible Max Address: GET NATIVE MAX ADDRESS EXT */
        return features == 0 && features_before == 0;
    case 0xB0: /* SMART: READ DATA, READ THRESHOLDS, READ LOG, RETURN STATUS */
        return features == 0xD0 || features == 0xD1 || features == 0xD5 || features == 0xDA;
    case 0xB1: /* DEVICE CONFIGURATION IDENTIFY */
        return features == 0xC2;
    default:
        return 0;
    }
}

#define ATA_PASS_THROUGH_16 0x85 /* SAT-3, 12.2.2 */
#define ATA_PASS_THROUGH_12 0xA1

/* Beyond those that the kernel lets through without being asked. */
static __always_inline _Bool
scsi_reads(const u8 *cdb)
{
    switch (cdb[0]) {
    case ATA_PASS_THROUGH_16:
        return ata_reads(cdb[14], cdb[4], cdb[3]);
    case ATA_PASS_THROUGH_12:
        return ata_reads(cdb[9], cdb[3], 0);
    case 0xA2: /* SECURITY PROTOCOL IN */
    case 0xB7: /* READ DEFECT DATA (12) */
        return 1;
    default:
        return 0;
    }
}

static __always_inline u32
scsi_detail(const u8 *cdb)
{
    if (cdb[0] == ATA_PASS_THROUGH_16)
        return cdb[0] | (u32)cdb[14] << 8;
    if (cdb[0] == ATA_PASS_THROUGH_12)
        return cdb[0] | (u32)cdb[9] << 8;
    return cdb[0];
}

/* The beginning of struct nvme_passthru_cmd, up to cdw10 (linux/nvme_ioctl.h). */
struct nvme_admin {
    u8 opcode;
    u8 flags;
    unsigned short rsvd1;
    u32 nsid;
    u32 cdw2;
    u32 cdw3;
    u64 metadata;
    u64 addr;
    u32 metadata_len;
    u32 data_len;
    u32 cdw10;
};

/* NVMe base specification 1.4, 5.14, 5.15 and 5.9. Some logs are made anew when that is asked for
   in "log specific". */
static __always_inline _Bool
nvme_reads(const struct nvme_admin *c)
{
    switch (c->opcode) {
    case 0x02: /* Get Log Page */
        return (c->cdw10 >> 8 & 0x7f) == 0;
    case 0x06: /* Identify */
    case 0x0A: /* Get Features */
        return 1;
    default:
        return 0;
    }
}

#endif
