/*
 * Which failures of a destination are not the end of a job: what may have gone by the next run, or
 * does not matter where the rest is written elsewhere.
 */
#ifndef EXHIBIT_ACQUIRE_MEND_H
#define EXHIBIT_ACQUIRE_MEND_H

#include <stdbool.h>

bool mend_can(int sys);

#endif
