/*
 * What a laboratory puts on its documents: its name, address and logo from a configuration file,
 * and its own texts in place of the ones that are built in (template.h). Unlike evidence, these are
 * trusted as far as who may write them is; they are checked all the same.
 */
#ifndef EXHIBIT_REPORT_STATIONERY_H
#define EXHIBIT_REPORT_STATIONERY_H

#include "common/err.h"
#include "report/fields.h"
#include "report/template.h"

#define STATIONERY_DEFAULT "/etc/exhibit/report.conf"
#define STATIONERY_LOGO_MAX ((size_t)1 << 20)

enum document {
    DOCUMENT_REPORT,
    DOCUMENT_CUSTODY,
    DOCUMENT_CERTIFICATE,
    DOCUMENTS,
};

extern const char *const document_names[DOCUMENTS];

struct stationery {
    char *laboratory; /* or NULL */
    char *address;    /* lines, or NULL */
    char *logo;       /* a data: URI (PNG, JPEG or SVG), or NULL */
    char *weasyprint; /* the program's path, or NULL: PATH is searched */
    struct template *templates[DOCUMENTS];
};

/* From the configuration at `config` (NULL: the default one, if there is such a file). Texts that
   stand as NAME.txt in `templates` (NULL: what the configuration says) replace the built-in ones.
   Errors: OUTCOME_USAGE with file and line; OUTCOME_FAILED: a file cannot be read. */
struct stationery *stationery_load(const char *config, const char *templates, struct err *err);
void stationery_free(struct stationery *s);

/* The documents of a list such as "report,custody": bit i is document_names[i]. An unknown name is
   OUTCOME_USAGE. */
int documents_parse(const char *list, unsigned *set, struct err *err);

#endif
