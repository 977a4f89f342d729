/*
 * NAME.report.pdf: the HTML page on paper, as PDF/A-3b (ISO 19005-3). The page itself carries what
 * only paper has: numbered pages, and the exhibit's number on each of them (html_style.c).
 */
#include "common/cleanup.h"
#include "common/digest.h"
#include "common/text.h"
#include "report/html.h"
#include "report/typeset.h"
#include "report/writer.h"

/* Two minutes, and a second for each 8 KiB of page: twenty times what WeasyPrint takes. */
#define DEADLINE_BASE 120u
#define DEADLINE_BYTES_PER_SECOND 8192u

/* The same page has the same identifier. */
static void
identify(const char *page, size_t n, char hex[DIGEST_HEX_MAX])
{
    struct err err = ERR_INIT;
    struct digest *d = digest_new("sha256", &err);

    *hex = '\0';
    if (!d)
        return;
    digest_update(d, page, n);
    digest_final_hex(d, hex);
    digest_free(d);
    hex[32] = '\0';
}

char *
write_pdf(const struct report *r, const struct paper *p, size_t *n, struct err *err)
{
    size_t length;
    AUTO_FREE char *page = write_html(r, p, &length, err);
    char identifier[DIGEST_HEX_MAX];

    if (!page)
        return NULL;
    identify(page, length, identifier);
    return typeset(
        &(struct typeset_request){
            .program = p->stationery ? p->stationery->weasyprint : NULL,
            .page = page,
            .n = length,
            .identifier = identifier,
            .deadline = DEADLINE_BASE + (uint32_t)(length / DEADLINE_BYTES_PER_SECOND),
            .stop = p->stop,
        },
        n, err);
}
