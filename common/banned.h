/*
 * Functions that Exhibit does not use; every file is compiled with this header in front (see the
 * top CMakeLists.txt). Each has a replacement that reports bad input (common/size.h, strtoull with
 * its end pointer), is bounded (snprintf, common/text.h), or is reentrant (common/clock.h).
 */
#ifndef EXHIBIT_BANNED_H
#define EXHIBIT_BANNED_H

/* The system's own headers mention the names, so they come first. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* So does a library's header that a target names: <tsk/libtsk.h>. */
#ifdef EXHIBIT_FOREIGN_HEADER
#include EXHIBIT_FOREIGN_HEADER
#endif

#pragma GCC poison atoi atol atoll atof sscanf fscanf vsscanf
#pragma GCC poison sprintf vsprintf strcpy strcat strncpy strncat strtok gets
#pragma GCC poison localtime gmtime ctime asctime mktemp tmpnam

#endif
