#include "acquire/device/ata_command.h"

#include <scsi/sg.h>
#include <string.h>
#include <sys/ioctl.h>

#define TIMEOUT_MS 10000
#define SENSE_SIZE 64

/* ATA PASS-THROUGH (16), SAT-3, table 140. */
#define PASS_THROUGH_16 0x85
#define PROTOCOL_NONE (3 << 1) /* non-data */
#define PROTOCOL_PIO_IN (4 << 1)
#define EXTEND 0x01
#define FLAGS_REGISTERS 0x20 /* CK_COND: the registers are wanted */
#define FLAGS_ONE_BLOCK 0x0E /* T_DIR from the device, BYT_BLOK, T_LENGTH in the sector count */
#define DEVICE_LBA 0x40

#define STATUS_ERROR 0x21 /* ERR, DF */
#define ERROR_ABORT 0x04

/* SAM-5, 5.3; SPC-5, table 27 and 4.4.8 */
#define SCSI_GOOD 0x00
#define SCSI_CHECK 0x02
#define SENSE_ILLEGAL_REQUEST 0x05
#define SENSE_ABORTED_COMMAND 0x0B

static const struct {
    unsigned char command, features, protocol, flags, device;
} questions[] = {
    [ATA_IDENTIFY] = {0xEC, 0, PROTOCOL_PIO_IN, FLAGS_ONE_BLOCK, 0},
    [ATA_READ_NATIVE_MAX] = {0xF8, 0, PROTOCOL_NONE, FLAGS_REGISTERS, DEVICE_LBA},
    [ATA_READ_NATIVE_EXT] = {0x27, 0, PROTOCOL_NONE | EXTEND, FLAGS_REGISTERS, DEVICE_LBA},
    [ATA_GET_NATIVE_EXT] = {0x78, 0, PROTOCOL_NONE | EXTEND, FLAGS_REGISTERS, DEVICE_LBA},
    [ATA_IDENTIFY_OVERLAY] = {0xB1, 0xC2, PROTOCOL_PIO_IN, FLAGS_ONE_BLOCK, 0},
};

static unsigned char
sense_key(const unsigned char *sense)
{
    return ((sense[0] & 0x7f) >= 0x72 ? sense[1] : sense[2]) & 0x0f;
}

static enum ata_answer
judge_registers(enum ata_question question, const struct ata_registers *r, uint64_t *lba)
{
    if (r->status & STATUS_ERROR)
        return r->error & ERROR_ABORT ? ATA_REFUSED : ATA_FAILED;
    /* Ready, or these are no registers at all. */
    if (!(r->status & 0x40))
        return ATA_FAILED;
    if (question == ATA_READ_NATIVE_MAX)
        *lba = (r->lba & 0xffffff) | (uint64_t)(r->device & 0x0f) << 24;
    else if (r->lba_whole)
        *lba = r->lba;
    else
        return ATA_FAILED;
    return ATA_ANSWERED;
}

static enum ata_answer
judge(enum ata_question question, const struct sg_io_hdr *h, const unsigned char *sense,
      uint64_t *lba)
{
    bool address = questions[question].flags == FLAGS_REGISTERS;
    struct ata_registers registers;

    if (h->host_status != 0 || (h->status != SCSI_GOOD && h->status != SCSI_CHECK))
        return ATA_FAILED;
    if (h->status == SCSI_GOOD)
        return !address && h->resid == 0 ? ATA_ANSWERED : ATA_FAILED;
    if (address && lba && ata_registers_parse(sense, h->sb_len_wr, &registers))
        return judge_registers(question, &registers, lba);
    if (h->sb_len_wr < 8)
        return ATA_FAILED;
    return sense_key(sense) == SENSE_ILLEGAL_REQUEST || sense_key(sense) == SENSE_ABORTED_COMMAND
               ? ATA_REFUSED
               : ATA_FAILED;
}

/* The kernel writes into the block. */
enum ata_answer /* NOLINTNEXTLINE(readability-non-const-parameter) */
ata_ask(int fd, enum ata_question question, unsigned char block[ATA_BLOCK_SIZE], uint64_t *lba)
{
    bool address = questions[question].flags == FLAGS_REGISTERS;
    unsigned char sense[SENSE_SIZE] = {0};
    unsigned char cdb[16] = {
        [0] = PASS_THROUGH_16,
        [1] = questions[question].protocol,
        [2] = questions[question].flags,
        [4] = questions[question].features,
        [6] = address ? 0 : 1,
        [13] = questions[question].device,
        [14] = questions[question].command,
    };
    struct sg_io_hdr h = {
        .interface_id = 'S',
        .dxfer_direction = address ? SG_DXFER_NONE : SG_DXFER_FROM_DEV,
        .cmd_len = sizeof cdb,
        .mx_sb_len = sizeof sense,
        .dxfer_len = address ? 0 : ATA_BLOCK_SIZE,
        .dxferp = address ? NULL : block,
        .cmdp = cdb,
        .sbp = sense,
        .timeout = TIMEOUT_MS,
    };

    if (ioctl(fd, SG_IO, &h) != 0)
        return ATA_FAILED;
    return judge(question, &h, sense, lba);
}

static void
ask_native(int fd, bool direct, const struct ata_identify *id, struct ata_facts *out)
{
    enum ata_question question = ATA_READ_NATIVE_MAX;

    if (id->ama && !id->hpa) {
        out->native_is_ama = 1;
        question = ATA_GET_NATIVE_EXT;
    } else if (id->lba48) {
        question = ATA_READ_NATIVE_EXT;
    }
    /* libata asks this itself of whatever claims it; what does not may know it all the same. */
    if (id->hpa || id->ama || direct)
        out->native_asked = (uint8_t)ata_ask(fd, question, NULL, &out->native_max);
}

void
ata_ask_all(int fd, bool direct, struct ata_facts *out)
{
    struct ata_identify id;

    memset(out, 0, sizeof *out);
    out->identified = (uint8_t)ata_ask(fd, ATA_IDENTIFY, out->identify, NULL);
    if (out->identified != ATA_ANSWERED ||
        !ata_identify_parse(out->identify, sizeof out->identify, &id))
        return;
    ask_native(fd, direct, &id, out);
    if (id.dco)
        out->dco_asked = (uint8_t)ata_ask(fd, ATA_IDENTIFY_OVERLAY, out->dco, NULL);
}
