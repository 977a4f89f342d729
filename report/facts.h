/*
 * The case side of a report: the manifest's facts, or what an image without one tells about itself,
 * in the manifest's shape.
 */
#ifndef EXHIBIT_REPORT_FACTS_H
#define EXHIBIT_REPORT_FACTS_H

#include "common/signature.h"
#include "report/model.h"

/* A report that knows the case and the image at `path` (a manifest, or the first segment of an
   image; a manifest beside that is used if it names it). What is damaged in the image is noted as
   findings; so are signatures that do not stand, judged by whom the user trusts. Errors:
   OUTCOME_FAILED, where there is nothing to report on. report_free() ends it. */
struct report *facts_gather(const char *path, const struct trust *trust, struct err *err);

/* NAME of the report's files: the file name of path without ".manifest.json" or an image's
   extension. The caller frees it. */
char *facts_name(const char *path);

#endif
