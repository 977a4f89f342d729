/*
 * Under sudo a report is made as whoever called it, where that is enough.
 */
#ifndef EXHIBIT_REPORT_STEP_DOWN_H
#define EXHIBIT_REPORT_STEP_DOWN_H

#include "common/err.h"

/* Becomes the caller, with no way back, if the caller may write to `dir` and read each file that
   belongs to the image by its name; otherwise root's rights are needed, and stay. */
int step_down(const char *image, const char *name, int dir, struct err *err);

#endif
