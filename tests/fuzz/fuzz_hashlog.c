/* Every hash that is taken is whole and of a known algorithm, whatever the bytes; and related to an
   image, every piece lies in its media, in order. */
#include <stdint.h>

#include "common/text.h"
#include "verify/evidence.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define MEDIA_SIZE UINT64_C(3000320)

static void
check_entries(const struct hashlog *log)
{
    if (log->n == 0 && !log->problem)
        abort();
    for (size_t i = 0; i < log->n; i++) {
        const struct hashlog_entry *e = &log->v[i];

        if (strlen(e->hex) != digest_hex_length(e->hash) || e->run >= log->runs ||
            strspn(e->hex, "0123456789abcdef") != strlen(e->hex))
            abort();
    }
}

static void
check_related(const struct evidence *e, const struct image_info *info)
{
    for (size_t i = 0; i < e->n_files; i++) {
        if (e->files[i].segment >= info->n_segments)
            abort();
    }
    for (size_t i = 0; i < e->n_pieces; i++) {
        const struct evidence_pieces *p = &e->pieces[i];

        if (!scan_pieces_in_order(p->v, p->n) ||
            p->v[p->n - 1].offset + p->v[p->n - 1].length > MEDIA_SIZE)
            abort();
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static char first[] = "/cases/EV.E01";
    static char second[] = "/cases/EV.E02";
    static char stem[] = "/cases/EV";
    struct image_segment segments[] = {{.path = first}, {.path = second}};
    const struct image_info info = {.format = n % 2 ? IMAGE_E01 : IMAGE_RAW,
                                    .media_size = MEDIA_SIZE,
                                    .segments = segments,
                                    .n_segments = 1 + n % 3 % 2};
    const struct image_location location = {.stem = stem};
    struct evidence_set set = {.n = 1};
    struct hashlog *log = hashlog_parse(NULL, (const char *)data, n);

    if (log)
        check_entries(log);
    hashlog_free(log);
    set.v[0].path = xstrdup("/cases/EV.log");
    set.v[0].data = xstrndup((const char *)data, n);
    set.v[0].size = strlen(set.v[0].data);
    set.v[0].given = true;
    evidence_parse(&set, &location, &info);
    for (size_t i = 0; i < set.n; i++)
        check_related(&set.v[i], &info);
    evidence_free(&set);
    return 0;
}
