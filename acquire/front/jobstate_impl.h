/*
 * What the journal's first line says of source and plan; the same facts are compared with it when
 * the job goes on. New references.
 */
#ifndef EXHIBIT_ACQUIRE_JOBSTATE_IMPL_H
#define EXHIBIT_ACQUIRE_JOBSTATE_IMPL_H

#include <jansson.h>

#include "acquire/front/acquisition.h"

json_t *jobstate_source_facts(const struct acquisition *a);
/* Any change here would make other files. */
json_t *jobstate_plan_facts(const struct acquisition *a);

#endif
